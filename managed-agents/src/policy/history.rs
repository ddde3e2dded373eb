//! What policies see as `context.history`: counters that the recorder keeps.
//!
//! A call is judged on what this process saw of them last. That is a guess, which the recorder puts right: in the transaction
//! that writes the decision it reads the counters, and asks whether the verdict is the same on them. So nothing is counted that
//! does not run, and no two calls pass a condition together, whichever process they are of.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::compile::Compiled;
use super::facts::Facts;
use super::judge::{self, Said, Subject};
use super::slice::Slice;
use crate::call::ToolCall;
use crate::limit::{Counted, Counter, CounterKey, Of, as_count};

/// How many counters are remembered; what is forgotten is guessed to be 0.
const MOST_GUESSES: usize = 100_000;

/// What the counters held when they were last heard of.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    /// Held for a look or a note, never across an await.
    counts: Mutex<HashMap<CounterKey, i64>>,
}

/// What one call counts, and the guesses that its verdict rests on.
#[derive(Debug)]
pub(crate) struct Counting {
    compiled: Arc<Compiled>,
    guesses: Arc<Guesses>,
    pub(crate) counted: Arc<Counted>,
    /// Of the counters, in their order.
    names: Vec<Arc<str>>,
    /// What was guessed of the first of them.
    seen: Vec<i64>,
}

impl Guesses {
    fn lock(&self) -> MutexGuard<'_, HashMap<CounterKey, i64>> {
        // a note leaves nothing half changed
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note<'a>(&self, counts: impl Iterator<Item = (&'a CounterKey, i64)>) {
        let mut known = self.lock();
        if known.len() > MOST_GUESSES {
            known.clear();
        }
        known.extend(counts.map(|(key, count)| (Arc::clone(key), count)));
    }
}

impl Counting {
    /// What a call counts, by its tool's policies and by those of a candidate beside them; and what they see of it.
    pub(super) fn of(
        compiled: &Arc<Compiled>,
        guesses: &Arc<Guesses>,
        slices: &[&Slice],
        call: &ToolCall,
    ) -> (Option<Self>, BTreeMap<String, i64>) {
        let mut counters: Vec<Cow<'_, Counter>> = Vec::new();
        let known = compiled.knows(call.tool());
        let mut read = 0;
        for reads in [true, false] {
            for counter in slices.iter().flat_map(|slice| slice.counters(reads)) {
                if counters.iter().any(|one| one.name == counter.name) {
                    continue;
                }
                // names that nobody knows share their policies, and nothing else
                match Counter::named(&counter.name, call.tool()).filter(|_| !known) {
                    Some(own) => counters.push(Cow::Owned(own)),
                    None => counters.push(Cow::Borrowed(counter)),
                }
            }
            if reads {
                read = counters.len();
            }
        }
        if counters.is_empty() {
            return (None, BTreeMap::new());
        }
        let mut arguments = None;
        let mut names = Vec::with_capacity(counters.len());
        let mut entries = Vec::with_capacity(counters.len());
        let mut history = BTreeMap::new();
        for (at, counter) in counters.into_iter().enumerate() {
            let amount = match &counter.of {
                Of::Sum(argument) => {
                    let arguments = arguments
                        .get_or_insert_with(|| serde_json::from_str(call.reveal_arguments()).unwrap_or_default());
                    amount(Value::get(arguments, &**argument))
                }
                _ => 1,
            };
            match counter.entry(call.agent().as_str(), call.session(), amount) {
                Some(entry) => {
                    names.push(Arc::clone(&counter.name));
                    entries.push(entry);
                }
                // a call without a session is none of a session
                None if at < read => {
                    history.insert(counter.name.to_string(), 0);
                    read -= 1;
                }
                None => {}
            }
        }
        let known = guesses.lock();
        let seen: Vec<i64> = entries
            .iter()
            .take(read)
            .map(|entry| known.get(&entry.key).copied().unwrap_or(0))
            .collect();
        drop(known);
        history.extend(names.iter().zip(&seen).map(|(name, count)| (name.to_string(), *count)));
        let counting = Self {
            compiled: Arc::clone(compiled),
            guesses: Arc::clone(guesses),
            counted: Arc::new(Counted { entries }),
            names,
            seen,
        };
        (Some(counting), history)
    }

    /// How many counters the verdict rests on.
    pub(crate) fn reads(&self) -> usize {
        self.seen.len()
    }

    /// What the call counts, by name.
    pub(crate) fn amounts(&self) -> BTreeMap<String, u64> {
        let entries = self.names.iter().zip(&self.counted.entries);
        entries.map(|(name, entry)| (name.to_string(), entry.amount)).collect()
    }

    /// Whether these are the counts that the verdict was reached on.
    pub(crate) fn saw(&self, counts: &[i64]) -> bool {
        self.seen == counts
    }

    /// The next call of the same kind is judged on these counts, and on this call's where it is counted.
    pub(crate) fn note(&self, counts: &[i64], runs: bool) {
        let after = self.counted.entries.iter().zip(counts).map(|(entry, count)| {
            let more = if runs { as_count(entry.amount) } else { 0 };
            (&entry.key, count.saturating_add(more))
        });
        self.guesses.note(after);
    }

    /// The facts with these counts, and what the same policies say on them.
    pub(crate) fn again(&self, call: &ToolCall, facts: &Facts, counts: &[i64]) -> (Facts, Said) {
        let mut facts = facts.clone();
        let counts = self.names.iter().zip(counts);
        facts
            .history
            .extend(counts.map(|(name, count)| (name.to_string(), *count)));
        let said = judge::judge(&self.compiled, &Subject::of(call), &facts);
        (facts, said)
    }
}

/// A whole number that is summed. Below nothing counts as nothing, so that none makes room for another; what is too large to
/// count is the largest that can be.
fn amount(value: Option<&Value>) -> u64 {
    let Some(number) = value.and_then(Value::as_number) else {
        return 0;
    };
    match number.as_i64() {
        Some(number) => u64::try_from(number).unwrap_or(0),
        None if number.as_f64() < Some(0.0) => 0,
        None => i64::MAX as u64,
    }
}
