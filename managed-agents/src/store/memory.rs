//! The record in memory: bounded, and lost with the process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::answer::Answer;
use crate::audit::{
    Committed, DecisionRecord, Disposition, OutcomeRecord, RecordError, RecordErrorKind, Recorder, Sequence, TrustNote,
};
use crate::call::{AgentId, Digest, Salt, ToolCall};
use crate::governor::{Claims, Held};
use crate::interrupt::{InterruptError, InterruptErrorKind, Interrupts, Stop, StopRecord, Target, is_reason};
use crate::limit::{Counters, Over, Stands};
use crate::verdict::{Basis, Decision, EvaluationId, LocalEvaluation};

/// How many calls are kept when nothing else is said.
const DEFAULT_CAPACITY: usize = 10_000;
/// How many stops are kept.
const MOST_STOPS: usize = 10_000;

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
    /// Guards the ring; held for a push or a look-up, and while policies that count are asked again, which calls nothing else;
    /// never across an await or a callback.
    ring: Mutex<Ring>,
    interrupts: Interrupts,
    /// Guards what was stopped and resumed; held for a push or a copy.
    stops: Mutex<Vec<MemoryStop>>,
}

#[derive(Debug, Default)]
struct Ring {
    /// How many calls were recorded; the next one's sequence.
    recorded: u64,
    /// The last ones, oldest first from `next`.
    entries: Vec<MemoryEntry>,
    /// Where the next one goes.
    next: usize,
    counters: Counters,
}

/// A stop in the record, and its end.
#[derive(Clone, Debug)]
pub struct MemoryStop {
    stop: Stop,
    at: SystemTime,
    over: Option<(SystemTime, String)>,
}

impl MemoryStop {
    /// What was stopped, and why.
    #[must_use]
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// When.
    #[must_use]
    pub fn at(&self) -> SystemTime {
        self.at
    }

    /// When it was resumed, and why, if it was.
    #[must_use]
    pub fn resumed(&self) -> Option<(SystemTime, &str)> {
        self.over.as_ref().map(|(at, reason)| (*at, reason.as_str()))
    }
}

/// One call in the record: what was decided, and how it ended if it ran and has ended.
#[derive(Clone, Debug)]
pub struct MemoryEntry {
    decision: DecisionRecord,
    salt: Salt,
    outcome: Option<OutcomeRecord>,
    compensation: Option<OutcomeRecord>,
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

    /// How its compensation ended, if it was stopped and has one.
    #[must_use]
    pub fn compensation(&self) -> Option<OutcomeRecord> {
        self.compensation
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
            interrupts: Interrupts::new(),
            stops: Mutex::default(),
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

    /// What was stopped, oldest first; the first 10 000.
    #[must_use]
    pub fn stops(&self) -> Vec<MemoryStop> {
        self.stated().clone()
    }

    fn stated(&self) -> MutexGuard<'_, Vec<MemoryStop>> {
        self.0.stops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // nothing that is done under the lock can leave the ring half changed
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryRecorder {
    fn state_stop(&self, stop: &Stop) -> Result<Sequence, InterruptError> {
        let now = SystemTime::now();
        let ring = self.ring();
        if let Target::Call(evaluation) = stop.target() {
            let running = ring.entries.iter().any(|entry| {
                entry.outcome.is_none()
                    && entry.decision.disposition().runs()
                    && entry.decision.evaluation_id().to_string() == evaluation.to_string()
            });
            if !running {
                let detail = format!("no call `{evaluation}` is running");
                return Err(InterruptError::new(InterruptErrorKind::NotRunning, detail));
            }
        }
        let mut stops = self.stated();
        let place = Sequence::new(stops.len() as u64);
        if stops.len() < MOST_STOPS {
            stops.push(MemoryStop {
                stop: stop.clone(),
                at: now,
                over: None,
            });
        }
        drop(stops);
        self.0
            .interrupts
            .close_for(StopRecord::new(stop.clone(), now, Some(place)));
        drop(ring);
        // nobody is woken under the lock
        self.0.interrupts.wake();
        Ok(place)
    }

    fn state_end(&self, target: &Target, reason: &str) -> Result<Sequence, InterruptError> {
        if !is_reason(reason) {
            let detail = "the reason of a resumption is not 1 to 64 characters of a-z, 0-9, `_`";
            return Err(InterruptError::new(InterruptErrorKind::Input, detail));
        }
        let now = SystemTime::now();
        if self.0.interrupts.end(target) == 0 {
            let detail = format!("`{}` is not stopped", target.to_string().escape_debug());
            return Err(InterruptError::new(InterruptErrorKind::NotStopped, detail));
        }
        let mut stops = self.stated();
        for stop in stops.iter_mut().filter(|stop| stop.stop.target() == target) {
            stop.over.get_or_insert_with(|| (now, reason.to_owned()));
        }
        Ok(Sequence::new(stops.len() as u64))
    }
}

/// A call that every judge plainly allows, as it is recorded without being made a record first. Nothing in it is to be
/// dropped, so that it need not lie in memory on its way.
#[derive(Clone, Copy)]
pub(crate) struct AllowedCall<'a> {
    pub(crate) at: SystemTime,
    pub(crate) evaluation: LocalEvaluation,
    pub(crate) call: &'a ToolCall,
    pub(crate) rules: Option<Digest>,
    pub(crate) trust: Option<TrustNote>,
}

impl MemoryRecorder {
    /// Writes an allowed call straight to its place, with what its verdict was reached on; none, where it was stopped meanwhile.
    #[inline(always)]
    pub(crate) fn allowed(&self, allowed: AllowedCall<'_>, basis: &mut Option<Arc<Basis>>) -> Option<Sequence> {
        let mut ring = self.ring();
        // as in `commit`
        if self.0.interrupts.admits(allowed.call).is_err() {
            return None;
        }
        let next = ring.next;
        match ring.entries.get_mut(next) {
            Some(oldest) => oldest.replace(allowed, basis.take()),
            None => ring.entries.push(MemoryEntry::of(allowed, basis.take())),
        }
        Some(ring.recorded(self.0.capacity))
    }
}

impl MemoryEntry {
    #[inline(always)]
    fn of(allowed: AllowedCall<'_>, basis: Option<Arc<Basis>>) -> Self {
        let call = allowed.call;
        Self {
            decision: DecisionRecord {
                at: allowed.at,
                evaluation_id: allowed.evaluation.into(),
                head: Arc::clone(call.head()),
                session: call.shared_session(),
                digest: call.digest(),
                judged: true,
                decision: Decision::Allow,
                disposition: Disposition::Allowed,
                rules: allowed.rules,
                trust: allowed.trust,
                basis,
                details: None,
            },
            salt: *call.salt(),
            outcome: None,
            compensation: None,
        }
    }

    /// The same in place of another one, which was mostly of the same tool.
    #[inline(always)]
    fn replace(&mut self, allowed: AllowedCall<'_>, reached_on: Option<Arc<Basis>>) {
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
                    trust,
                    basis,
                    details,
                },
            salt,
            outcome,
            compensation,
        } = self;
        let call = allowed.call;
        *at = allowed.at;
        *evaluation_id = allowed.evaluation.into();
        if !Arc::ptr_eq(head, call.head()) {
            *head = Arc::clone(call.head());
        }
        if session.is_some() || call.session().is_some() {
            *session = call.shared_session();
        }
        *digest = call.digest();
        *judged = true;
        *decision = Decision::Allow;
        *disposition = Disposition::Allowed;
        *rules = allowed.rules;
        *trust = allowed.trust;
        *basis = reached_on;
        *details = None;
        *salt = *call.salt();
        *outcome = None;
        *compensation = None;
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

    /// Counts a call, if it runs; gives the inputs that its verdict, unchanged, rests on, if they are others than was thought.
    #[cold]
    fn counts(
        &mut self,
        sequence: u64,
        held: &Held,
        runs: bool,
    ) -> Result<Option<Box<str>>, Result<Committed, RecordError>> {
        let mut inputs = None;
        if let Some(history) = &held.history {
            let counts = self.counters.read(&**history);
            match history.on(&counts) {
                Stands::Same => {}
                Stands::Told(told) => inputs = Some(told),
                Stands::Other => return Err(Ok(Committed::Stale)),
            }
        }
        let counted = held.counted.as_ref();
        let fits = match (runs, counted) {
            (true, _) => {
                let history = held.history.as_ref().map(|history| history.counted());
                self.counters.count(sequence, counted, history)
            }
            (false, Some(counted)) => self.counters.check(counted),
            (false, None) => Ok(()),
        };
        match fits {
            Ok(()) => Ok(inputs),
            Err(Over::Limit(at)) => Err(Ok(Committed::Exceeded(at))),
            Err(Over::Full) => Err(Err(RecordError::new(
                RecordErrorKind::Full,
                "too much is counted to count this call as well",
            ))),
        }
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
        claims: Claims,
    ) -> Answer<Result<Committed, RecordError>> {
        let mut entry = MemoryEntry {
            decision: record,
            salt: call.map_or(Salt::NONE, |call| *call.salt()),
            outcome: None,
            compensation: None,
        };
        let mut ring = self.ring();
        let decision = &entry.decision;
        // a stop is stated under the same lock: what is pushed after it was not stopped by it
        if decision.disposition().runs() && !self.0.interrupts.admits_in(decision.agent(), decision.session()) {
            return Answer::ready(Ok(Committed::Stale));
        }
        let (sequence, next) = (ring.recorded, ring.next);
        if claims.held.is_counted() {
            match ring.counts(sequence, &claims.held, decision.disposition().runs()) {
                Ok(None) => {}
                Ok(Some(inputs)) => entry.decision.rests_on(inputs),
                Err(uncounted) => return Answer::ready(uncounted),
            }
        }
        match ring.entries.get_mut(next) {
            Some(oldest) => *oldest = entry,
            None => ring.entries.push(entry),
        }
        Answer::ready(Ok(Committed::Done(ring.recorded(self.0.capacity))))
    }

    fn keeps_counts(&self) -> bool {
        true
    }

    fn conclude(&self, place: Sequence, outcome: OutcomeRecord) {
        let mut ring = self.ring();
        ring.counters.ended(place.get(), outcome.began());
        // an entry that was dropped meanwhile takes its outcome with it; one that has an outcome keeps it
        if let Some(entry) = ring.at(place.get())
            && entry.outcome.is_none()
        {
            entry.outcome = Some(outcome);
        }
    }

    fn interrupts(&self) -> Option<Interrupts> {
        Some(self.0.interrupts.clone())
    }

    fn stop(&self, stop: &Stop) -> Answer<Result<Sequence, InterruptError>> {
        Answer::ready(self.state_stop(stop))
    }

    fn resume(&self, target: &Target, reason: &str) -> Answer<Result<Sequence, InterruptError>> {
        Answer::ready(self.state_end(target, reason))
    }

    fn compensated(&self, place: Sequence, _evaluation: &EvaluationId, _agent: &AgentId, outcome: OutcomeRecord) {
        if let Some(entry) = self.ring().at(place.get()) {
            entry.compensation = Some(outcome);
        }
    }
}
