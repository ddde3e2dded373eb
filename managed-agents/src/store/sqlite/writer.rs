//! The thread that writes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::error::{StoreError, StoreErrorKind};
use super::facts::Facts;
use super::interrupts::{self, Stops};
use super::log::Log;
use super::mark::{Mark, MarkFile};
use super::message::{Append, Decision, Ended, Keeping, Message, Reply, Reserved, Written};
use super::options::Durability;
use super::process::ProcessLock;
use super::revoked::RevokedFile;
use super::shared::{Place, Shared};
use super::tip::Tip;
use super::trusted::Trusted;
use super::{admission, agents, erasure, holds, retention};
use crate::audit::Sequence;
use crate::audit::entry::outcome;
use crate::audit::tree::note::NoteSigner;
use crate::identity::{AgentState, Standing};

/// The most messages of one transaction.
const MOST_MESSAGES: usize = 256;

/// How often sizes are fsynced, signed and marked when there is something new.
const PERIOD: Duration = Duration::from_secs(1);
/// How long the writer stays awake for the next message.
const MOMENT: Duration = Duration::from_micros(100);

/// What the thread is given.
pub(super) struct Parts {
    pub(super) db: Connection,
    pub(super) shared: Arc<Shared>,
    pub(super) durability: Durability,
    pub(super) patience: Duration,
    pub(super) signer: Option<NoteSigner>,
    pub(super) mark: MarkFile,
    pub(super) process: ProcessLock,
    pub(super) stops: Stops,
    pub(super) to_self: Sender<Message>,
    pub(super) trusted: Trusted,
    pub(super) revoked: RevokedFile,
}

/// A call that this process runs.
struct Running {
    evaluation: String,
    agent: String,
    facts: Facts,
    _place: Place,
}

struct Writer<'c> {
    log: Log<'c>,
    shared: Arc<Shared>,
    durability: Durability,
    signer: Option<NoteSigner>,
    mark: MarkFile,
    process: i64,
    to_self: Sender<Message>,
    running: HashMap<u64, Running>,
    /// Outcomes that could not be written yet.
    owed: Vec<Ended>,
    /// How the agents stand, as of the last transaction.
    standings: HashMap<String, Standing>,
    stops: Stops,
    epoch: u64,
    trusted: Trusted,
    revoked: RevokedFile,
    /// Revoked, and not yet noted outside the data directory.
    unnoted: BTreeSet<String>,
    /// Why nothing is written any more.
    failed: Option<StoreError>,
    /// Whether something was written since the last period.
    dirty: bool,
    last_period: Instant,
    /// How many decisions the last transaction had.
    last_group: usize,
}

/// Runs until the last handle is gone or says stop. Then everything that was sent is written, fsynced, signed and marked.
pub(super) fn run(parts: Parts, receiver: &Receiver<Message>) {
    let Parts {
        db,
        shared,
        durability,
        patience,
        signer,
        mark,
        process,
        stops,
        to_self,
        trusted,
        revoked,
    } = parts;
    let log = match Log::new(&db, Arc::clone(&shared.keys), patience) {
        Ok(log) => log,
        // whoever sends is told that the thread has ended
        Err(error) => return tracing::error!(%error, "the record cannot be written"),
    };
    let mut writer = Writer {
        log,
        standings: (*shared.standings()).clone(),
        shared,
        durability,
        signer,
        mark,
        process: process.id(),
        to_self,
        running: HashMap::new(),
        owed: Vec::new(),
        stops,
        // the first transaction reads everything again, and checks it
        epoch: u64::MAX,
        trusted,
        revoked,
        unnoted: BTreeSet::new(),
        failed: None,
        dirty: true,
        last_period: Instant::now(),
        last_group: 0,
    };
    writer.serve(receiver);
    // held until the last record is written
    drop(process);
}

impl Writer<'_> {
    fn serve(&mut self, receiver: &Receiver<Message>) {
        let mut batch = Vec::with_capacity(MOST_MESSAGES);
        loop {
            match self.next(receiver) {
                Next::Message(message) => batch.push(message),
                Next::Period => {
                    self.period();
                    continue;
                }
                Next::End => return self.period(),
            }
            while batch.len() < MOST_MESSAGES
                && let Ok(message) = receiver.try_recv()
            {
                batch.push(message);
            }
            self.gather(receiver, &mut batch);
            // nobody waits for an outcome: a moment later it goes into one transaction with the caller's next decision
            if batch.iter().all(|message| matches!(message, Message::Outcome(_)))
                && let Some(message) = soon(receiver)
            {
                batch.push(message);
            }
            let stop = self.serve_batch(&mut batch);
            if stop {
                return self.period();
            }
            if self.dirty && self.last_period.elapsed() >= PERIOD {
                self.period();
            }
        }
    }

    /// Waits a moment for those who were answered together to come together again: one transaction for all of them costs little more
    /// than one for the first.
    fn gather(&mut self, receiver: &Receiver<Message>, batch: &mut Vec<Message>) {
        let decisions = |batch: &[Message]| {
            let decisions = batch.iter().filter(|message| matches!(message, Message::Decision(_)));
            decisions.count()
        };
        let begun = Instant::now();
        let mut there = decisions(batch);
        // three in four: some have ended for good
        while there > 0 && there * 4 < self.last_group * 3 && batch.len() < MOST_MESSAGES && begun.elapsed() < MOMENT {
            match receiver.try_recv() {
                Ok(message) => {
                    there += usize::from(matches!(message, Message::Decision(_)));
                    batch.push(message);
                }
                Err(TryRecvError::Empty) => std::thread::yield_now(),
                Err(TryRecvError::Disconnected) => break,
            }
        }
        self.last_group = there;
    }

    fn next(&self, receiver: &Receiver<Message>) -> Next {
        // a writer that has failed for good has nothing to do but to say so
        if self.failed.is_some() || (!self.dirty && self.owed.is_empty()) {
            return receiver.recv().map_or(Next::End, Next::Message);
        }
        if let Some(message) = soon(receiver) {
            return Next::Message(message);
        }
        match receiver.recv_timeout(PERIOD.saturating_sub(self.last_period.elapsed())) {
            Ok(message) => Next::Message(message),
            Err(RecvTimeoutError::Timeout) => Next::Period,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }

    /// Writes a batch; says whether the writer is to stop.
    fn serve_batch(&mut self, batch: &mut Vec<Message>) -> bool {
        let mut group = Group::default();
        let mut stop = false;
        let mut flushes = Vec::new();
        for message in batch.drain(..) {
            match message {
                Message::Decision(decision) => group.decisions.push((decision, None)),
                Message::Outcome(ended) => self.owed.push(ended),
                Message::Append(append) => group.appends.push((append, None)),
                Message::Erase { subject, reply } => group.erasures.push((subject, reply)),
                Message::Keep(keeping) => group.keepings.push(keeping),
                Message::Flush(reply) => flushes.push(reply),
                Message::Stop => stop = true,
            }
        }
        self.write(group);
        if !flushes.is_empty() {
            let done = self.sync();
            for reply in flushes {
                // whoever asked may have gone
                let _ = reply.send(done.clone());
            }
        }
        stop
    }

    fn write(&mut self, mut group: Group) {
        if !group.erasures.is_empty() {
            self.erase(std::mem::take(&mut group.erasures));
        }
        for keeping in std::mem::take(&mut group.keepings) {
            self.keep(keeping);
        }
        if group.decisions.is_empty() && group.appends.is_empty() && self.owed.is_empty() {
            return;
        }
        let synced = self.durability == Durability::PowerLoss || group.must_sync();
        let done = match &self.failed {
            Some(error) => Err(error.clone()),
            None => self.transact(synced, &mut group),
        };
        match done {
            Ok(()) => self.deliver(group),
            Err(error) => {
                self.note_failure(&error);
                group.fail(&error);
            }
        }
    }

    /// Writes outcomes, statements and decisions, in this order, in one transaction.
    fn transact(&mut self, synced: bool, group: &mut Group) -> Result<(), StoreError> {
        let owed = std::mem::take(&mut self.owed);
        let mut ended = Vec::with_capacity(owed.len());
        let Self {
            log,
            running,
            standings,
            stops,
            epoch,
            shared,
            process,
            trusted,
            ..
        } = self;
        let before = *epoch;
        let done = log.transact(synced, |log, tip| {
            admission::refresh(log, tip, (&mut *standings, &mut *stops), trusted, epoch)?;
            for one in &owed {
                ended.extend(write_outcome(log, tip, running, one)?);
            }
            for (append, result) in &mut group.appends {
                *result = Some(write_append(log, tip, stops, trusted, append)?);
                admission::refresh(log, tip, (&mut *standings, &mut *stops), trusted, epoch)?;
            }
            for (decision, result) in &mut group.decisions {
                *result = Some(write_decision(
                    log,
                    tip,
                    (&*standings, &*stops),
                    trusted,
                    *process,
                    decision,
                )?);
            }
            Ok(tip.log_time)
        });
        match done {
            Ok(log_time) => {
                shared.set_log_time(log_time);
                shared.set_trouble(None);
                if before != *epoch {
                    shared.publish(*epoch, standings.clone(), stops);
                }
                for place in ended {
                    running.remove(&place);
                }
                self.dirty = true;
                Ok(())
            }
            Err(error) => {
                self.owed = owed;
                // what was read in the transaction that failed is read again
                self.epoch = u64::MAX;
                Err(error)
            }
        }
    }

    /// Tells whoever waits, now that it is written.
    fn deliver(&mut self, group: Group) {
        let revoked = group.appends.iter().filter_map(|(_, result)| match result {
            Some(Ok((_, revoked))) => revoked.clone(),
            _ => None,
        });
        self.unnoted.extend(revoked);
        self.note_revoked();
        for (append, result) in group.appends {
            let result = result.unwrap_or_else(|| Err(StoreError::stopped()));
            // whoever asked may have gone
            let _ = append.reply.send(result.map(|(place, _)| place));
        }
        for (decision, result) in group.decisions {
            let Decision {
                mut entry,
                facts,
                agent,
                runs,
                place,
                reply,
                ..
            } = *decision;
            let written = match result {
                Some(Some(sequence)) => {
                    if runs {
                        let evaluation = entry.index.evaluation.take().unwrap_or_default();
                        self.running.insert(
                            sequence,
                            Running {
                                evaluation,
                                agent,
                                facts,
                                _place: place,
                            },
                        );
                    } else {
                        drop(place);
                    }
                    Ok(Written::Done(Reserved::new(sequence, runs, &self.to_self)))
                }
                Some(None) => {
                    drop(place);
                    Ok(Written::Stale)
                }
                None => {
                    drop(place);
                    Err(StoreError::stopped())
                }
            };
            // a caller that has gone drops what is reserved, which records the call as cancelled
            let _ = reply.send(written);
        }
    }

    fn erase(&mut self, erasures: Vec<(String, Reply<Option<Sequence>>)>) {
        for (subject, reply) in erasures {
            self.maintain(reply, |log| {
                erasure::erase(log, &subject).map(|place| place.map(Sequence::new))
            });
        }
    }

    fn keep(&mut self, keeping: Keeping) {
        match keeping {
            Keeping::Retire(batch, reply) => self.maintain(reply, |log| retention::retire(log, &batch)),
            Keeping::Hold(hold, reply) => self.maintain(reply, |log| holds::begin(log, &hold).map(Sequence::new)),
            Keeping::Release(place, reply) => {
                self.maintain(reply, |log| holds::release(log, place).map(Sequence::new));
            }
        }
    }

    /// Does work of its own transaction, and answers.
    fn maintain<T>(&mut self, reply: Reply<T>, work: impl FnOnce(&mut Log<'_>) -> Result<T, StoreError>) {
        let done = match &self.failed {
            Some(error) => Err(error.clone()),
            None => work(&mut self.log),
        };
        if let Err(error) = &done {
            self.note_failure(error);
        }
        self.dirty = true;
        // whoever asked may have gone
        let _ = reply.send(done);
    }

    /// Notes outside the data directory who was revoked. The log says so already: what cannot be noted is tried again.
    fn note_revoked(&mut self) {
        if self.unnoted.is_empty() {
            return;
        }
        match self.revoked.add(&self.unnoted) {
            Ok(()) => self.unnoted.clear(),
            Err(error) => tracing::error!(%error, "a revocation cannot be noted beside the high-water mark"),
        }
    }

    fn note_failure(&mut self, error: &StoreError) {
        if let StoreErrorKind::Held | StoreErrorKind::Refused = error.kind() {
            return;
        }
        self.shared.set_trouble(Some(error.code()));
        tracing::error!(%error, code = error.code(), "the record cannot be written");
        // after a failed fsync nobody knows what is on the disk: only a new start can tell
        if error.is_fatal() || error.kind() == StoreErrorKind::Io {
            self.failed.get_or_insert_with(|| error.clone());
        }
    }

    fn period(&mut self) {
        self.last_period = Instant::now();
        self.note_revoked();
        if !self.owed.is_empty() {
            self.write(Group::default());
        }
        if self.failed.is_none()
            && self.dirty
            && let Err(error) = self.sync()
        {
            self.note_failure(&error);
        }
    }

    /// Fsyncs, signs and marks what is new.
    fn sync(&mut self) -> Result<(), StoreError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let signer = self.signer.as_ref();
        let done = self.log.transact(true, |log, tip| {
            if tip.synced_size != tip.size() {
                log.seal_size(tip, signer)?;
            }
            Ok(Mark::of(tip))
        });
        let done = done.and_then(|mark| self.mark.raise(&mark, false));
        // tried again in the next period
        self.dirty = done.is_err();
        done
    }
}

/// A message that comes within moments, without going to sleep: waking up takes longer than a transaction.
fn soon(receiver: &Receiver<Message>) -> Option<Message> {
    let begun = Instant::now();
    while begun.elapsed() < MOMENT {
        match receiver.try_recv() {
            Ok(message) => return Some(message),
            Err(TryRecvError::Empty) => std::thread::yield_now(),
            Err(TryRecvError::Disconnected) => return None,
        }
    }
    None
}

enum Next {
    Message(Message),
    Period,
    End,
}

/// The place of a statement and whom it revokes, or why it was refused before anything was written.
type Appended = Result<(Sequence, Option<String>), StoreError>;

/// What is written in one transaction, and the results.
#[derive(Default)]
struct Group {
    /// The place, or none if what the verdict rests on has changed.
    decisions: Vec<(Box<Decision>, Option<Option<u64>>)>,
    appends: Vec<(Box<Append>, Option<Appended>)>,
    erasures: Vec<(String, Reply<Option<Sequence>>)>,
    keepings: Vec<Keeping>,
}

impl Group {
    /// Whether a stop, a revocation or a consumed grant is among it.
    fn must_sync(&self) -> bool {
        self.appends.iter().any(|(append, _)| append.synced)
            || self
                .decisions
                .iter()
                .any(|(decision, _)| decision.claims.grant.is_some())
    }

    fn fail(self, error: &StoreError) {
        for (append, _) in self.appends {
            // whoever asked may have gone
            let _ = append.reply.send(Err(error.clone()));
        }
        for (decision, _) in self.decisions {
            let Decision { place, reply, .. } = *decision;
            // given back before the caller hears of it
            drop(place);
            let _ = reply.send(Err(error.clone()));
        }
    }
}

fn write_outcome(
    log: &mut Log<'_>,
    tip: &mut Tip,
    running: &HashMap<u64, Running>,
    ended: &Ended,
) -> Result<Option<u64>, StoreError> {
    // the first outcome counts, and what never ran has none
    let Some(call) = running.get(&ended.place) else {
        return Ok(None);
    };
    let place = Sequence::new(ended.place);
    let entry = outcome(place, &call.evaluation, &call.agent, &ended.record, ended.at);
    let facts = call.facts.of_outcome(entry.index.at_micros);
    log.append(tip, &entry, facts, &mut super::seal::Values::None)?;
    log.ended(ended.place)?;
    Ok(Some(ended.place))
}

fn write_append(
    log: &mut Log<'_>,
    tip: &mut Tip,
    stops: &Stops,
    trusted: &mut Trusted,
    append: &Append,
) -> Result<Appended, StoreError> {
    let follows = match append.entry.index.kind.as_str() {
        interrupts::KIND => stops
            .check(log, (&mut *trusted, &tip.origin), &append.entry)
            .map(|()| None),
        _ => agents::next(log.db, &append.entry, tip.size(), trusted),
    };
    let agent = match follows {
        Ok(agent) => agent,
        // refused before anything was written
        Err(error) if error.kind() == StoreErrorKind::Refused => return Ok(Err(error)),
        Err(error) => return Err(error),
    };
    let facts = Facts::of(&append.entry.index);
    let place = log.append(tip, &append.entry, facts, &mut super::seal::Values::None)?;
    let mut revoked = None;
    if let Some((agent, row)) = agent {
        agents::write(log.db, &agent, &row)?;
        revoked = (row.state == AgentState::Revoked).then_some(agent);
    }
    Ok(Ok((Sequence::new(place), revoked)))
}

/// The place of a decision, or none if what it rests on has changed.
fn write_decision(
    log: &mut Log<'_>,
    tip: &mut Tip,
    (standings, stops): (&HashMap<String, Standing>, &Stops),
    trusted: &mut Trusted,
    process: i64,
    decision: &mut Decision,
) -> Result<Option<u64>, StoreError> {
    if !admission::admits(log, tip, standings, stops, trusted, decision)? {
        return Ok(None);
    }
    let sequence = log.append(tip, &decision.entry, decision.facts, &mut decision.values)?;
    if decision.runs {
        log.run(sequence, process)?;
    }
    if let Some(grant) = &decision.claims.grant {
        admission::consume(log, tip, grant, sequence)?;
    }
    Ok(Some(sequence))
}
