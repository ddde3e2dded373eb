//! The record in memory: bounded, and lost with the process.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::answer::Answer;
use crate::audit::{Committed, DecisionRecord, OutcomeRecord, RecordError, Recorder, Sequence};
use crate::call::{Salt, ToolCall};
use crate::governor::Claims;

/// How many calls are kept when nothing else is said.
const DEFAULT_CAPACITY: usize = 10_000;

/// Keeps the last calls in memory (10 000 when nothing else is said); older ones are dropped and counted. Clones share
/// one record. Lost with the process.
///
/// # Examples
///
/// ```
/// use managed_agents::store::MemoryRecorder;
/// let record = MemoryRecorder::with_capacity(100);
/// assert_eq!(record.entries().len(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct MemoryRecorder(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    capacity: usize,
    /// Guards the ring; held for a push or a look-up, never across an await or a callback.
    ring: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    /// The sequence of the oldest entry that is still kept, and so the number of those that are not.
    first: u64,
    entries: VecDeque<MemoryEntry>,
}

/// One call in the record: what was decided, and how it ended if it ran and has ended.
#[derive(Clone, Debug)]
pub struct MemoryEntry {
    decision: DecisionRecord,
    salt: Option<Salt>,
    outcome: Option<OutcomeRecord>,
}

impl MemoryEntry {
    /// What was decided.
    #[must_use]
    pub fn decision(&self) -> &DecisionRecord {
        &self.decision
    }

    /// How it ended, if it ran and has ended.
    #[must_use]
    pub fn outcome(&self) -> Option<OutcomeRecord> {
        self.outcome
    }

    /// The salt of the record's digest.
    #[must_use]
    pub fn salt(&self) -> Option<&Salt> {
        self.salt.as_ref()
    }
}

impl MemoryRecorder {
    /// A record of the last 10 000 calls.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }

    /// A record of the last `capacity` calls, at least one.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Arc::new(Shared {
            capacity: capacity.max(1),
            ring: Mutex::default(),
        }))
    }

    /// The calls that are kept, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<MemoryEntry> {
        self.ring().entries.iter().cloned().collect()
    }

    /// How many calls were dropped to make room for newer ones.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.ring().first
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // nothing that is done under the lock can leave the ring half changed
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryRecorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder for MemoryRecorder {
    fn commit(
        &self,
        record: DecisionRecord,
        call: Option<&Arc<ToolCall>>,
        _claims: Claims,
    ) -> Answer<Result<Committed, RecordError>> {
        let entry = MemoryEntry {
            decision: record,
            salt: call.map(|call| *call.salt()),
            outcome: None,
        };
        let mut ring = self.ring();
        // popped under the lock and dropped after it
        let oldest = if ring.entries.len() == self.0.capacity {
            ring.first += 1;
            ring.entries.pop_front()
        } else {
            None
        };
        let place = Sequence::new(ring.first + ring.entries.len() as u64);
        ring.entries.push_back(entry);
        drop(ring);
        drop(oldest);
        Answer::ready(Ok(Committed::Done(place)))
    }

    fn conclude(&self, place: Sequence, outcome: OutcomeRecord) {
        let mut ring = self.ring();
        let index = place.get().checked_sub(ring.first);
        let entry = index
            .and_then(|index| usize::try_from(index).ok())
            .and_then(|index| ring.entries.get_mut(index));
        // an entry that was dropped meanwhile takes its outcome with it; one that has an outcome keeps it
        if let Some(entry) = entry
            && entry.outcome.is_none()
        {
            entry.outcome = Some(outcome);
        }
    }
}
