//! The record as whoever remembers behaviour hears it: one entry after the other, in the log's order.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use super::recorder::Recorder;
use super::{DecisionRecord, Disposition};
use crate::call::{AgentId, Effect, TargetKind, ToolCall};
use crate::clock::Clock;
use crate::outcome::Outcome;
use crate::verdict::Decision;

/// Whoever hears of every entry about an agent, in the order of the log. Must neither block nor fail.
pub trait Watcher: Send + Sync + 'static {
    /// Hears of one entry.
    fn heard(&self, event: &Event<'_>);

    /// Is told where it hears of an agent from, before it is told that it has [caught up](Self::caught_up).
    fn attached(&self, agent: &AgentId, to: Attachment) {
        let _ = (agent, to);
    }

    /// Goes on from what it had written down of an agent: the body of the entry of the type `behaviour` at a place. Says from which place
    /// on it is to hear entries, none where it makes nothing of it.
    fn resumes(&self, agent: &AgentId, place: u64, body: &str) -> Option<u64> {
        let _ = (agent, place, body);
        None
    }

    /// Is told that it has heard all that the record had about an agent before: what comes now is news.
    fn caught_up(&self, agent: &AgentId) {
        let _ = agent;
    }

    /// The part of it that hears of one agent, where it has such a part: that is told in its place.
    #[doc(hidden)]
    fn part(&self, agent: &AgentId) -> Option<Arc<dyn Watcher>> {
        let _ = agent;
        None
    }

    /// Shares what another, who is told of an agent already, remembers of that agent; says whether it does: then it need not be
    /// told as well.
    #[doc(hidden)]
    fn joins(&self, agent: &AgentId, other: &Arc<dyn Watcher>) -> bool {
        let _ = (agent, other);
        false
    }

    /// What it remembers, for [`joins`](Self::joins).
    #[doc(hidden)]
    fn memory(self: Arc<Self>) -> Option<Arc<dyn Any + Send + Sync>> {
        None
    }
}

/// Where a watcher hears from: the record, and the clock of its times. Keeps no record open.
#[derive(Clone)]
pub struct Attachment {
    pub(crate) recorder: Weak<dyn Recorder>,
    pub(crate) clock: Clock,
}

impl Attachment {
    /// The time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Adds a statement about an agent to the record, a type and a JSON object; says whether it holds such, and tells of it. No where
    /// the record's last harness has gone.
    #[must_use]
    pub fn state(&self, agent: &str, kind: &str, body: &str) -> bool {
        let recorder = self.recorder.upgrade();
        recorder.is_some_and(|recorder| recorder.state(agent, kind, body))
    }

    /// Whether the record's last harness has gone.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.recorder.strong_count() == 0
    }
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attachment(..)")
    }
}

/// One entry of the record, as far as an agent's behaviour shows in it: no argument, and nothing of a target but its kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event<'a> {
    pub(crate) place: u64,
    pub(crate) at_micros: i64,
    pub(crate) agent: &'a str,
    pub(crate) what: What<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What<'a> {
    Decided {
        tool: &'a str,
        session: Option<&'a str>,
        traits: Traits,
    },
    Ended {
        about: u64,
        outcome: Outcome,
    },
    /// What somebody states of the agent.
    #[cfg_attr(
        not(feature = "sqlite"),
        expect(dead_code, reason = "only a durable record holds statements")
    )]
    Stated {
        kind: &'a str,
        body: &'a str,
    },
}

/// What shows of a decision beside tool and session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Traits {
    pub(crate) effect: Effect,
    pub(crate) target: TargetKind,
    /// How long the arguments are, in canonical form.
    pub(crate) size: u32,
    pub(crate) decision: Decision,
    pub(crate) disposition: Disposition,
    /// It was denied, and the agent is at fault.
    pub(crate) fault: bool,
}

impl Event<'_> {
    /// The place of the entry in its log.
    #[must_use]
    pub fn place(&self) -> u64 {
        self.place
    }

    /// The agent that it is about.
    #[must_use]
    pub fn agent(&self) -> &str {
        self.agent
    }
}

impl Traits {
    /// Of a decision that is about to be recorded.
    #[inline]
    pub(crate) fn of(record: &DecisionRecord, call: Option<&ToolCall>) -> Self {
        Self {
            effect: Effect::of(record.meta()),
            target: call.map_or(TargetKind::None, ToolCall::target_kind),
            size: call.map_or(2, |call| clipped(call.arguments_len())),
            decision: record.decision,
            disposition: record.disposition,
            fault: is_fault(record.decision, record.judged, record.codes().next()),
        }
    }
}

impl Traits {
    /// Of a call that every judge plainly allows.
    #[inline]
    pub(crate) fn of_allowed(call: &ToolCall) -> Self {
        Self {
            effect: Effect::of(call.meta()),
            target: call.target_kind(),
            size: clipped(call.arguments_len()),
            decision: Decision::Allow,
            disposition: Disposition::Allowed,
            fault: false,
        }
    }
}

/// Whether a denial is the agent's fault: not when a service, the record or an identity was out of order, when nobody decided,
/// or when it was for the agent's behaviour alone, which would otherwise feed on itself.
pub(crate) fn is_fault(decision: Decision, judged: bool, deciding: Option<&str>) -> bool {
    const PREFIXES: [&str; 8] = [
        "governor_",
        "http_",
        "limit_",
        "record_",
        "agent_",
        "certificate_",
        "verdict_",
        "behaviour_",
    ];
    const WORDS: [&str; 12] = [
        "approval_expired",
        "circuit_open",
        "contended",
        "identity_unusable",
        "interrupted",
        "no_entropy",
        "no_runtime",
        "not_registered",
        "policy_error",
        "screen_panicked",
        "too_many_pending",
        "would_block",
    ];
    decision == Decision::Deny
        && judged
        && deciding.is_none_or(|code| !WORDS.contains(&code) && !PREFIXES.iter().any(|prefix| code.starts_with(prefix)))
}

/// Microseconds since 1970.
pub(crate) fn micros(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
    }
}

fn clipped(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(feature = "sqlite")]
pub(crate) use of_entry::{fits, hear};

#[cfg(feature = "sqlite")]
mod of_entry {
    use super::{Event, Traits, What, clipped, is_fault};
    use crate::audit::Disposition;
    use crate::audit::entry::{Entry, Members};
    use crate::call::{Effect, TargetKind};
    use crate::outcome::Outcome;
    use crate::verdict::Decision;

    /// Tells of an entry that was read; says nothing of one that is about no agent.
    pub(crate) fn hear(entry: &Entry, mut tell: impl FnMut(&Event<'_>)) {
        let Some(agent) = entry.agent() else {
            return;
        };
        let tool = entry.tool();
        let session = entry.session();
        let what = match entry.kind() {
            "decision" => match (&tool, traits(entry)) {
                (Some(tool), Some(traits)) => What::Decided {
                    tool: tool.reveal(),
                    session: session.as_ref().map(|session| session.reveal()),
                    traits,
                },
                _ => return,
            },
            "outcome" => {
                let outcome = entry.outcome().and_then(|outcome| outcome_of(outcome.reveal()));
                match (entry.about(), outcome) {
                    (Some(about), Some(outcome)) => What::Ended { about, outcome },
                    _ => return,
                }
            }
            kind => What::Stated {
                kind,
                body: entry.raw("body").unwrap_or("{}"),
            },
        };
        tell(&Event {
            place: entry.sequence(),
            at_micros: entry.at_micros(),
            agent: agent.reveal(),
            what,
        });
    }

    /// Whether an entry is about an agent: cheaper than hearing it.
    pub(crate) fn fits(entry: &Entry, agent: &str) -> bool {
        entry.agent().is_some_and(|of| of.reveal() == agent)
    }

    fn traits(entry: &Entry) -> Option<Traits> {
        let word = |key: &str| entry.untrusted(key);
        let decision = match entry.decision()?.reveal() {
            "allow" => Decision::Allow,
            "escalate" => Decision::Escalate,
            _ => Decision::Deny,
        };
        let disposition = Disposition::from_code(entry.disposition()?.reveal())?;
        let codes = entry.codes();
        let deciding = codes.first().map(|code| code.reveal());
        Some(Traits {
            effect: word("effect")
                .and_then(|word| Effect::from_code(word.reveal()))
                .unwrap_or(Effect::Change),
            target: word("target_kind")
                .and_then(|word| TargetKind::from_code(word.reveal()))
                .unwrap_or(TargetKind::None),
            size: size(entry),
            decision,
            disposition,
            fault: is_fault(decision, entry.raw("governor").is_some(), deciding),
        })
    }

    /// How long the arguments were in canonical form.
    fn size(entry: &Entry) -> u32 {
        let len = |commitment: &str| {
            let len = Members::of(commitment).flatten().find(|(key, _)| *key == "\"len\"");
            len.and_then(|(_, len)| len.parse::<usize>().ok()).unwrap_or(0)
        };
        if let Some(whole) = entry.raw("arguments_whole") {
            return clipped(len(whole));
        }
        let Some(arguments) = entry.raw("arguments") else {
            return 2;
        };
        // braces, and for each member a colon and, but for the first, a comma
        let members = Members::of(arguments).flatten();
        let members: usize = members.map(|(name, value)| name.len() + 2 + len(value)).sum();
        clipped(members + 1)
    }

    fn outcome_of(code: &str) -> Option<Outcome> {
        [
            Outcome::Ok,
            Outcome::Error,
            Outcome::Panicked,
            Outcome::Cancelled,
            Outcome::TimedOut,
            Outcome::Interrupted,
            Outcome::Unreported,
            Outcome::Unknown,
        ]
        .into_iter()
        .find(|outcome| outcome.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_the_agents_fault_unless_something_else_was_out_of_order() {
        assert!(is_fault(Decision::Deny, true, Some("out_of_scope")));
        assert!(is_fault(Decision::Deny, true, Some("rejected")));
        assert!(is_fault(Decision::Deny, true, None));
        for code in [
            "governor_timed_out",
            "http_503",
            "contended",
            "agent_suspended",
            "behaviour_confidence",
        ] {
            assert!(!is_fault(Decision::Deny, true, Some(code)), "{code}");
        }
        assert!(!is_fault(Decision::Escalate, true, Some("risk_high")));
        assert!(!is_fault(Decision::Deny, false, Some("invalid_arguments")));
    }
}
