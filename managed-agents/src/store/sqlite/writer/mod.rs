//! The thread that writes.

mod group;
mod writes;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use self::group::{Group, Placed};
use self::writes::{Running, write_append, write_decision, write_outcome};
use super::counts::LastAsked;
use super::error::{StoreError, StoreErrorKind};
use super::interrupts::Stops;
use super::log::Log;
use super::mark::{Mark, MarkFile};
use super::message::{Decision, Ended, Keeping, Message, Reply, Reserved, Written};
use super::options::Durability;
use super::process::ProcessLock;
use super::revoked::RevokedFile;
use super::shared::Shared;
use super::tickets::{self, Change, Ready};
use super::told::Watchers;
use super::trusted::Trusted;
use super::{admission, erasure, holds, retention};
use crate::audit::entry::Entry;
use crate::audit::tree::note::NoteSigner;
use crate::audit::{Event, Sequence, What, hear, micros};
use crate::identity::Standing;

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
    pub(super) dir: PathBuf,
    pub(super) stops: Stops,
    pub(super) to_self: Sender<Message>,
    pub(super) trusted: Trusted,
    pub(super) revoked: RevokedFile,
}

struct Writer<'c> {
    log: Log<'c>,
    shared: Arc<Shared>,
    durability: Durability,
    signer: Option<NoteSigner>,
    mark: MarkFile,
    process: i64,
    dir: PathBuf,
    asked: LastAsked,
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
    watchers: Watchers,
    /// A ticket that was made ready, and whose decision is on its way.
    ready: Option<Ready>,
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
        dir,
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
        dir,
        asked: LastAsked::default(),
        to_self,
        running: HashMap::new(),
        owed: Vec::new(),
        stops,
        // the first transaction reads everything again, and checks it
        epoch: u64::MAX,
        trusted,
        revoked,
        unnoted: BTreeSet::new(),
        watchers: Watchers::default(),
        ready: None,
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
            let mut ready = 0;
            while batch.len() < MOST_MESSAGES && batch.iter().all(is_not_waited_for) {
                for message in batch.iter().skip(ready) {
                    self.get_ready(message);
                }
                ready = batch.len();
                let Some(message) = soon(receiver) else { break };
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

    /// Does beforehand what a decision that is expected will need. Where that fails, its transaction finds the same.
    fn get_ready(&mut self, message: &Message) {
        match message {
            Message::Soon(expected) => {
                if expected.grant.is_some() {
                    let _ = self.log.sync(true);
                }
                let _ = tickets::look_ahead(self.log.db, &expected.agent, expected.grant.as_ref());
            }
            Message::Opening(opening) => {
                self.ready = Ready::of(opening, &self.log.keys, &self.shared.ticket_key).ok();
            }
            _ => {}
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
        let mut watches = Vec::new();
        for message in batch.drain(..) {
            match message {
                Message::Decision(decision) => group.decisions.push((decision, None)),
                Message::Outcome(ended) => self.owed.push(ended),
                Message::Soon(_) | Message::Opening(_) => {}
                Message::Append(append) => group.appends.push((append, None)),
                Message::Watch(watch) => watches.push(watch),
                Message::Watches(agent, reply) => {
                    // whoever asked may have gone
                    let _ = reply.send(Ok(self.watchers.of(&agent)));
                }
                Message::Ticket(order) => group.orders.push((order, None)),
                Message::Erase { subject, reply } => group.erasures.push((subject, reply)),
                Message::Keep(keeping) => group.keepings.push(keeping),
                Message::Flush(reply) => flushes.push(reply),
                Message::Stop => stop = true,
            }
        }
        self.write(group);
        for watch in watches {
            let added = self.watchers.add(self.log.db, watch.agent, &watch.watcher, watch.seen);
            drop(watch.watcher);
            let _ = watch.reply.send(added);
        }
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
        if group.is_empty() && self.owed.is_empty() {
            return;
        }
        let synced = self.durability == Durability::PowerLoss || group.must_sync();
        let done = match &self.failed {
            Some(error) => Err(error.clone()),
            None => self.transact(synced, &mut group),
        };
        match done {
            Ok(()) => {
                let decided = group.decided();
                self.deliver(group);
                // nobody waits by now, and what comes next has nothing to catch up with
                if let Some(decided) = decided
                    && !self.watchers.is_empty()
                    && let Err(error) = self.watchers.catch_up(self.log.db, decided.get() + 1)
                {
                    tracing::error!(%error, "the record cannot be read");
                }
            }
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
            dir,
            asked,
            trusted,
            ready,
            ..
        } = self;
        let before = *epoch;
        let done = log.transact(synced, |log, tip| {
            admission::refresh(log, tip, (&mut *standings, &mut *stops), trusted, epoch)?;
            for one in &owed {
                ended.extend(write_outcome(log, tip, running, one)?.map(|sequence| (sequence, *one)));
            }
            for (append, result) in &mut group.appends {
                *result = Some(write_append(log, tip, stops, trusted, append)?);
                admission::refresh(log, tip, (&mut *standings, &mut *stops), trusted, epoch)?;
            }
            for (order, result) in &mut group.orders {
                let done = tickets::apply(log, tip, &order.change)?;
                if let (Change::Decide(decided), Ok(_)) = (&order.change, &done) {
                    shared.book.decided(log.db, &log.keys, tip, &decided.ticket);
                }
                *result = Some(done);
            }
            for (decision, result) in &mut group.decisions {
                *result = Some(write_decision(
                    log,
                    tip,
                    (&*standings, &*stops, &**shared),
                    (&mut *trusted, *process, &*dir, &mut *asked),
                    (decision, &mut *ready),
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
                for ticket in group.over() {
                    shared.book.note_over(ticket);
                }
                self.tell(&ended, group);
                for (_, one) in ended {
                    self.running.remove(&one.place);
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

    /// Tells the watchers of what was written: outcomes, statements and decisions, as they stand in the log.
    fn tell(&mut self, ended: &[(u64, Ended)], group: &Group) {
        if self.watchers.is_empty() {
            return;
        }
        let stated = group.appends.iter().filter_map(|(append, result)| match result {
            Some(Ok((sequence, _))) => Some((sequence.get(), &append.entry)),
            _ => None,
        });
        let decided = group.decisions.iter().filter_map(|(decision, result)| match result {
            Some(Placed::At(sequence, _)) => Some((*sequence, decision)),
            _ => None,
        });
        let (stated, decided): (Vec<_>, Vec<_>) = (stated.collect(), decided.collect());
        let first = ended.first().map(|(sequence, _)| *sequence);
        let first = first.or(stated.first().map(|(sequence, _)| *sequence));
        let Some(first) = first.or(decided.first().map(|(sequence, _)| *sequence)) else {
            return;
        };
        if let Err(error) = self.watchers.catch_up(self.log.db, first) {
            // told again when the next entry is written
            return tracing::error!(%error, "the record cannot be read");
        }
        for (sequence, one) in ended {
            let Some(call) = self.running.get(&one.place) else {
                continue;
            };
            self.watchers.wrote(&Event {
                place: *sequence,
                at_micros: micros(one.at),
                agent: &call.agent,
                what: What::Ended {
                    about: one.place,
                    outcome: one.record.outcome(),
                },
            });
        }
        for (sequence, entry) in stated {
            if let Ok(entry) = Entry::parse(entry.at(sequence)) {
                hear(&entry, |event| self.watchers.wrote(event));
            }
        }
        for (sequence, decision) in decided {
            let index = &decision.entry.index;
            self.watchers.wrote(&Event {
                place: sequence,
                at_micros: index.at_micros,
                agent: &decision.agent,
                what: What::Decided {
                    tool: index.tool.as_deref().unwrap_or_default(),
                    session: index.session.as_deref(),
                    traits: decision.traits,
                },
            });
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
        for (order, result) in group.orders {
            let _ = order.reply.send(result.ok_or_else(StoreError::stopped));
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
                Some(Placed::At(sequence, tally)) => {
                    if runs {
                        let evaluation = entry.index.evaluation.take().unwrap_or_default();
                        self.running.insert(
                            sequence,
                            Running {
                                evaluation,
                                agent,
                                tally,
                                facts,
                                _place: place,
                            },
                        );
                    } else {
                        drop(place);
                    }
                    Ok(Written::Done(Reserved::new(sequence, runs, &self.to_self)))
                }
                Some(Placed::Stale) => {
                    drop(place);
                    Ok(Written::Stale)
                }
                Some(Placed::Exceeded(at)) => {
                    drop(place);
                    Ok(Written::Exceeded(at))
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
        // its caller has gone
        self.ready = None;
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

/// Whether nobody waits for an answer.
fn is_not_waited_for(message: &Message) -> bool {
    matches!(message, Message::Outcome(_) | Message::Soon(_) | Message::Opening(_))
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
