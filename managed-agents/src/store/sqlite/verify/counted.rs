//! What policies count, made anew from the log: each decision says in its inputs what it counts if it runs.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use serde::Deserialize;

use super::super::error::StoreError;
use crate::audit::entry::Entry;
use crate::limit::{Counter, Entry as Count, Key, is_history};

/// What an entry shortens a text by.
const CLIPPED: &str = "…sha256:";

/// What one decision counts.
#[derive(Default)]
pub(super) enum Counted {
    #[default]
    Nothing,
    These(Vec<Count>),
    /// Its inputs are not there any more, or a name is shortened.
    Unknown,
}

/// Of a decision's inputs, what it counts by name.
#[derive(Deserialize)]
struct Inputs {
    #[serde(default)]
    counted: BTreeMap<String, u64>,
}

impl Counted {
    pub(super) fn of(entry: &Entry, inputs: Option<&[u8]>) -> Self {
        let Some(inputs) = inputs else {
            return Self::Nothing;
        };
        // what another governor's inputs say counts nothing
        let counted = serde_json::from_slice(inputs).map_or_else(|_| BTreeMap::new(), |inputs: Inputs| inputs.counted);
        if counted.is_empty() {
            return Self::Nothing;
        }
        let text = |key| entry.untrusted(key).map(|text| text.reveal().to_owned());
        let (agent, tool, session) = (text("agent"), text("tool"), text("session"));
        let shortened = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains(CLIPPED));
        if [&agent, &tool, &session].into_iter().any(shortened) {
            return Self::Unknown;
        }
        let agent = agent.unwrap_or_default();
        let tool = tool.unwrap_or_default();
        let entries = counted.iter().filter_map(|(name, amount)| {
            let counter = Counter::named(name, &tool)?;
            counter.entry(&agent, session.as_deref(), *amount)
        });
        Self::These(entries.collect())
    }
}

/// The counters, as the log says that they are.
#[derive(Default)]
pub(super) struct History {
    counts: HashMap<(Key, u64), u64>,
    /// What is counted by calls that have not ended.
    open: HashMap<u64, Vec<(Key, u64, u64)>>,
    /// How each key's time is cut into parts.
    counters: HashMap<Key, Count>,
    /// Of some decisions nobody knows what they counted.
    is_partly_unknown: bool,
}

impl History {
    /// A decision that let its body run, at the log's time.
    pub(super) fn runs(&mut self, place: u64, counted: Counted, log_time: i64) {
        let entries = match counted {
            Counted::Nothing => return,
            Counted::Unknown => {
                self.is_partly_unknown = true;
                return;
            }
            Counted::These(entries) => entries,
        };
        let now = u64::try_from(log_time).unwrap_or(0);
        let mut open = Vec::with_capacity(entries.len());
        for entry in entries {
            let Some((part, _)) = entry.parts(now) else {
                continue;
            };
            let count = self.counts.entry((entry.key.clone(), part)).or_default();
            *count = count.saturating_add(entry.amount).min(i64::MAX as u64);
            open.push((entry.key.clone(), part, entry.amount));
            self.counters.entry(entry.key.clone()).or_insert(entry);
        }
        self.open.insert(place, open);
    }

    pub(super) fn ended(&mut self, about: u64, unbegun: bool) {
        let counted = self.open.remove(&about).unwrap_or_default();
        for (key, part, amount) in counted.into_iter().filter(|_| unbegun) {
            if let Some(count) = self
                .counts
                .get_mut(&(key, part))
                .filter(|count| **count < i64::MAX as u64)
            {
                *count = count.saturating_sub(amount);
            }
        }
    }

    /// Whether the tables say the same of what still counts.
    pub(super) fn is(mut self, db: &Connection, log_time: i64) -> Result<bool, StoreError> {
        let now = u64::try_from(log_time).unwrap_or(0);
        let mut select = db.prepare("SELECT key, part, amount FROM counts")?;
        let mut rows = select.query([])?;
        let mut differs = false;
        while let Some(row) = rows.next()? {
            let key: Vec<u8> = row.get(0)?;
            if !is_history(&key) {
                continue;
            }
            let key: Key = key.into();
            let (part, amount) = (
                row.get::<_, i64>(1)?.cast_unsigned(),
                row.get::<_, i64>(2)?.cast_unsigned(),
            );
            let first = self.counters.get(&key).and_then(|entry| entry.parts(now));
            let said = self.counts.remove(&(key, part)).unwrap_or(0);
            // what is past counts no more, and is removed when its counter is used again
            let counts = first.is_none_or(|(_, first)| part >= first);
            differs |= counts && (amount < said || (amount > said && !self.is_partly_unknown));
        }
        let mut left = self.counts.into_iter().filter(|((key, part), count)| {
            let first = self.counters.get(key).and_then(|entry| entry.parts(now));
            *count > 0 && first.is_some_and(|(_, first)| *part >= first)
        });
        Ok(!differs && left.next().is_none())
    }
}
