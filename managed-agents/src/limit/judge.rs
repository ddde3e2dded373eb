//! What a call would count, and what is said of one that exceeds a limit.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{Limit, PARTS, What};
use crate::call::ToolCall;
use crate::verdict::{Reason, Verdict};

/// The limits that an engine keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits(Vec<(Arc<Limit>, [u8; 16])>);

/// What one call counts, if it runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Counted {
    pub(crate) entries: Vec<Entry>,
}

/// What one call counts of one limit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    pub(crate) limit: Arc<Limit>,
    /// What is counted: the limit's identity, and the agent.
    pub(crate) key: Key,
    pub(crate) amount: u64,
    /// People have approved it, or judgement is suspended: it counts all the same.
    pub(crate) waived: bool,
}

/// Names a counter.
pub(crate) type Key = Arc<[u8]>;

impl Counted {
    /// What counts: each counter once, however many limits look at it (one that asks, and a higher one that denies; one of
    /// all agents, and a lower one of this agent).
    pub(crate) fn once(&self) -> impl Iterator<Item = &Entry> {
        let before = |at: usize, key: &Key| self.entries.iter().take(at).any(|entry| entry.key == *key);
        let entries = self.entries.iter().enumerate();
        entries
            .filter(move |(at, entry)| !before(*at, &entry.key))
            .map(|(_, entry)| entry)
    }

    /// The same, with one limit waived.
    pub(crate) fn waiving(&self, at: usize) -> Self {
        let mut counted = self.clone();
        if let Some(entry) = counted.entries.get_mut(at) {
            entry.waived = true;
        }
        counted
    }
}

impl Entry {
    /// The time that is counted over, in microseconds; none for calls that run at once.
    pub(crate) fn window(&self) -> Option<u64> {
        match &self.limit.what {
            What::Calls(per) | What::Sum(_, per) => Some(micros(*per)),
            What::Running | What::Size(_) => None,
        }
    }

    /// The part of the time that a moment is in, and the first one that still counts then.
    pub(crate) fn parts(&self, now: u64) -> Option<(u64, u64)> {
        let window = self.window()?;
        let part = (window / PARTS).max(1);
        Some((now / part, now.saturating_sub(window) / part))
    }

    /// Whether this much already leaves no room for it.
    pub(crate) fn exceeds(&self, so_far: u64) -> bool {
        !self.waived && so_far.saturating_add(self.amount) > self.limit.most
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Limits {
    pub(crate) fn add(&mut self, limit: Limit) {
        let identity = limit.identity();
        self.0.push((Arc::new(limit), identity));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a call counts if it runs, and the verdict on what one call alone exceeds.
    pub(crate) fn judge(&self, call: &ToolCall) -> (Option<Verdict>, Option<Arc<Counted>>) {
        let agent = call.agent();
        let about = self.0.iter().filter(|(limit, _)| limit.is_about(agent, call.tool()));
        let mut arguments = None;
        let mut verdict: Option<Verdict> = None;
        let mut entries = Vec::new();
        for (limit, identity) in about {
            let amount = match &limit.what {
                What::Calls(_) | What::Running => 1,
                What::Sum(argument, _) | What::Size(argument) => {
                    let arguments = arguments
                        .get_or_insert_with(|| serde_json::from_str(call.reveal_arguments()).unwrap_or_default());
                    let value: Option<&Value> = Value::get(arguments, argument);
                    match limit.what {
                        What::Size(_) => value.map_or(0, size),
                        _ => value.map_or(0, whole),
                    }
                }
            };
            if let What::Size(_) = limit.what {
                if amount > limit.most {
                    let next = exceeded(limit);
                    verdict = Some(match verdict.take() {
                        Some(so_far) => so_far.restricted_by(next),
                        None => next,
                    });
                }
                continue;
            }
            let key = [identity.as_slice(), agent.as_str().as_bytes()].concat();
            entries.push(Entry {
                limit: Arc::clone(limit),
                key: key.into(),
                amount,
                waived: false,
            });
        }
        (verdict, (!entries.is_empty()).then(|| Arc::new(Counted { entries })))
    }
}

/// A whole number; what is too large to count is the largest that can be.
fn whole(value: &Value) -> u64 {
    match value {
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number,
            (None, Some(_)) => 0,
            (None, None) if number.as_f64().is_some_and(|number| number <= 0.0) => 0,
            (None, None) => u64::MAX,
        },
        Value::Null => 0,
        _ => u64::MAX,
    }
}

fn size(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) => 0,
        Value::Number(_) => whole(value),
        Value::String(text) => text.chars().count() as u64,
        Value::Array(elements) => elements.len() as u64,
        Value::Object(members) => members.len() as u64,
    }
}

/// Whether a call that was refused with this code may run later, unchanged.
pub(crate) fn passes(code: &str) -> bool {
    matches!(code, "limit_calls" | "limit_running" | "limit_sum")
}

/// The verdict on a call that exceeds a limit.
pub(crate) fn exceeded(limit: &Limit) -> Verdict {
    let for_model = match limit.what {
        What::Calls(_) => "this tool was called as often as it may be for now; wait before you call it again",
        What::Running => "as many calls run as may run at once; wait until one has ended",
        What::Sum(..) => "with this call it would come to more than is allowed for now",
        What::Size(_) => "this call names more at once than is allowed",
    };
    let reason = Reason::new(limit.code(), for_model).with_detail(format!("the limit is {limit}"));
    if limit.escalates {
        Verdict::escalate(reason)
    } else {
        Verdict::deny(reason)
    }
}
