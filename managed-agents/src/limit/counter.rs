//! What policies count: the same counters as those of limits, under keys of their own, which are read and exceed nothing.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::judge::Entry;
use super::{Limit, What};

/// The windows over which history is counted, by name and in seconds.
pub(crate) const WINDOWS: [(&str, u64); 3] = [("1m", 60), ("1h", 3_600), ("24h", 86_400)];

/// How long a session's calls are remembered.
const SESSION: u64 = 30 * 86_400;

/// How the key of each of these counters begins.
pub(crate) const TAG: [u8; 4] = *b"hist";

/// Counts all calls of a session.
pub(crate) const SESSION_CALLS: &str = "session_calls";

/// A counter of the history, of one tool: by its name, what is counted and over which time.
#[derive(Clone, Debug)]
pub(crate) struct Counter {
    #[cfg_attr(not(feature = "cedar"), expect(dead_code, reason = "only policies name counters"))]
    pub(crate) name: Arc<str>,
    pub(crate) of: Of,
    limit: Arc<Limit>,
    identity: [u8; 16],
}

/// What a counter counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Of {
    AgentCalls,
    ToolCalls,
    SessionCalls,
    /// The values of an argument.
    Sum(Box<str>),
}

impl Counter {
    /// The counter of a name such as `amount_1h`, as a tool's policies read it.
    pub(crate) fn named(name: &str, tool: &str) -> Option<Self> {
        let (of, seconds) = if name == SESSION_CALLS {
            (Of::SessionCalls, SESSION)
        } else {
            let (what, window) = name.rsplit_once('_')?;
            let (_, seconds) = WINDOWS.iter().find(|(of, _)| *of == window)?;
            let of = match what {
                "agent_calls" => Of::AgentCalls,
                "calls" => Of::ToolCalls,
                argument => Of::Sum(argument.into()),
            };
            (of, *seconds)
        };
        let mut hash = Sha256::new().chain_update(b"ma-history/1 ").chain_update(name);
        if matches!(of, Of::ToolCalls | Of::Sum(_)) {
            hash.update([0]);
            hash.update(tool);
        }
        let mut identity = [0; 16];
        let tagged = TAG.iter().chain(&*hash.finalize()).copied().collect::<Vec<_>>();
        identity.iter_mut().zip(tagged).for_each(|(to, from)| *to = from);
        Some(Self {
            name: name.into(),
            of,
            limit: Arc::new(Limit::new(What::Calls(Duration::from_secs(seconds)), u64::MAX)),
            identity,
        })
    }

    /// What a call of an agent counts here; none of a call without a session, where sessions are counted.
    pub(crate) fn entry(&self, agent: &str, session: Option<&str>, amount: u64) -> Option<Entry> {
        let mut key = Vec::with_capacity(self.identity.len() + agent.len());
        key.extend_from_slice(&self.identity);
        key.extend_from_slice(agent.as_bytes());
        if self.of == Of::SessionCalls {
            key.push(0);
            key.extend_from_slice(session?.as_bytes());
        }
        Some(Entry {
            limit: Arc::clone(&self.limit),
            key: key.into(),
            amount,
            // what is only read exceeds nothing
            waived: true,
        })
    }

    /// How the keys of all sessions begin, and the first part of the time that still counts.
    #[cfg(feature = "sqlite")]
    pub(crate) fn sessions(now: u64) -> Option<([u8; 16], u64)> {
        let counter = Self::named(SESSION_CALLS, "")?;
        let (_, first) = counter.entry("", Some(""), 0)?.parts(now)?;
        Some((counter.identity, first))
    }
}

/// Whether a key is of a counter of the history.
#[cfg(feature = "sqlite")]
pub(crate) fn is_history(key: &[u8]) -> bool {
    key.starts_with(&TAG)
}

/// Names a counter, where what was seen of it last is kept.
#[cfg(feature = "cedar")]
pub(crate) type CounterKey = super::judge::Key;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_as_policies_name_them_and_each_has_a_key_of_its_own() {
        let names = ["calls_1m", "agent_calls_1h", "session_calls", "amount_24h", "calls_1h"];
        let keys: std::collections::BTreeSet<_> = names
            .iter()
            .flat_map(|name| ["pay", "look"].map(|tool| (name, tool)))
            .filter_map(|(name, tool)| Counter::named(name, tool)?.entry("bot", Some("s"), 1))
            .map(|entry| entry.key)
            .collect();
        // those of agents and sessions are of all tools
        assert_eq!(keys.len(), 8);
        assert!(keys.iter().all(|key| key.starts_with(&TAG)));
        for name in ["", "calls", "calls_2h", "amount_", "_"] {
            assert!(Counter::named(name, "pay").is_none(), "{name}");
        }
        let of_session = Counter::named(SESSION_CALLS, "pay");
        assert!(of_session.is_some_and(|counter| counter.entry("bot", None, 1).is_none()));
    }
}
