//! The record in memory: bounded, and lost with the process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::answer::Answer;
use crate::audit::{Committed, DecisionRecord, Disposition, OutcomeRecord, RecordError, Recorder, Sequence};
use crate::call::{Digest, Salt, ToolCall};
use crate::governor::Claims;
use crate::verdict::{Decision, EvaluationId};

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
    /// How many calls were recorded; the next one's sequence.
    recorded: u64,
    /// The last ones, oldest first from `next`.
    entries: Vec<MemoryEntry>,
    /// Where the next one goes.
    next: usize,
}

/// One call in the record: what was decided, and how it ended if it ran and has ended.
#[derive(Clone, Debug)]
pub struct MemoryEntry {
    decision: DecisionRecord,
    salt: Salt,
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
        self.decision.judged.then_some(&self.salt)
    }
}

impl MemoryRecorder {
    pub(crate) const CAPACITY: usize = DEFAULT_CAPACITY;

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
        let ring = self.ring();
        // while there is room, `next` is the end
        let (newer, older) = ring.entries.split_at(ring.next);
        older.iter().chain(newer).cloned().collect()
    }

    /// How many calls were dropped to make room for newer ones.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        let ring = self.ring();
        ring.recorded - ring.entries.len() as u64
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // nothing that is done under the lock can leave the ring half changed
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that every judge plainly allows, as it is recorded without being made a record first.
pub(crate) struct AllowedCall<'a> {
    pub(crate) at: SystemTime,
    pub(crate) evaluation_id: EvaluationId,
    pub(crate) call: &'a ToolCall,
    pub(crate) rules: Option<Digest>,
}

impl MemoryRecorder {
    /// Writes an allowed call straight to its place.
    #[inline(always)]
    pub(crate) fn allowed(&self, allowed: AllowedCall<'_>) -> Sequence {
        let mut ring = self.ring();
        let next = ring.next;
        match ring.entries.get_mut(next) {
            Some(oldest) => oldest.replace(allowed),
            None => ring.entries.push(MemoryEntry::of(allowed)),
        }
        ring.recorded(self.0.capacity)
    }
}

impl MemoryEntry {
    #[cold]
    fn of(allowed: AllowedCall<'_>) -> Self {
        let call = allowed.call;
        Self {
            decision: DecisionRecord {
                at: allowed.at,
                evaluation_id: allowed.evaluation_id,
                head: Arc::clone(call.head()),
                session: call.shared_session(),
                digest: call.digest(),
                judged: true,
                decision: Decision::Allow,
                disposition: Disposition::Allowed,
                rules: allowed.rules,
                details: None,
            },
            salt: *call.salt(),
            outcome: None,
        }
    }

    /// The same in place of another one, which was mostly of the same tool.
    #[inline(always)]
    fn replace(&mut self, allowed: AllowedCall<'_>) {
        // each field is named, so that none can be forgotten
        let Self {
            decision:
                DecisionRecord {
                    at,
                    evaluation_id,
                    head,
                    session,
                    digest,
                    judged,
                    decision,
                    disposition,
                    rules,
                    details,
                },
            salt,
            outcome,
        } = self;
        let call = allowed.call;
        *at = allowed.at;
        *evaluation_id = allowed.evaluation_id;
        if !Arc::ptr_eq(head, call.head()) {
            *head = Arc::clone(call.head());
        }
        *session = call.shared_session();
        *digest = call.digest();
        *judged = true;
        *decision = Decision::Allow;
        *disposition = Disposition::Allowed;
        *rules = allowed.rules;
        *details = None;
        *salt = *call.salt();
        *outcome = None;
    }
}

impl Ring {
    /// Counts the entry that was just written at `next`, and gives its place.
    #[inline]
    fn recorded(&mut self, capacity: usize) -> Sequence {
        let sequence = Sequence::new(self.recorded);
        self.recorded += 1;
        self.next = if self.next + 1 == capacity { 0 } else { self.next + 1 };
        sequence
    }

    /// The entry of a sequence, if it is still kept.
    fn at(&mut self, sequence: u64) -> Option<&mut MemoryEntry> {
        let age = usize::try_from(self.recorded.checked_sub(sequence)?).ok()?;
        let index = match self.next.checked_sub(age) {
            Some(index) => index,
            None => (self.next + self.entries.len()).checked_sub(age)?,
        };
        self.entries.get_mut(index)
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
            salt: call.map_or(Salt::NONE, |call| *call.salt()),
            outcome: None,
        };
        let mut ring = self.ring();
        let next = ring.next;
        match ring.entries.get_mut(next) {
            Some(oldest) => *oldest = entry,
            None => ring.entries.push(entry),
        }
        Answer::ready(Ok(Committed::Done(ring.recorded(self.0.capacity))))
    }

    fn conclude(&self, place: Sequence, outcome: OutcomeRecord) {
        let mut ring = self.ring();
        // an entry that was dropped meanwhile takes its outcome with it; one that has an outcome keeps it
        if let Some(entry) = ring.at(place.get())
            && entry.outcome.is_none()
        {
            entry.outcome = Some(outcome);
        }
    }
}
