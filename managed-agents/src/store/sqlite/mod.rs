//! The durable record: one SQLite file that several processes write.
//!
//! # How it is written
//!
//! Callers encode a decision, and encrypt what it commits to; all else is done by one thread in each process, which takes what
//! has gathered, writes it in one transaction, and then answers (group commit). Several processes take turns by SQLite's own
//! lock: whoever begins a transaction first reads the end of the log, so that the log never forks.
//!
//! What holds between threads and processes:
//!
//! - **Nothing blocks a caller.** `commit`, `conclude` and `append` only send; no lock is held across a system call. A decision that is
//!   the only one under way is looked for during 60 µs before its task goes to sleep, which is what most of them take. What is under
//!   way is counted, and bounded: beyond that, a decision is denied with `record_full`.
//! - **Acknowledged is written.** A decision is answered after its transaction committed, never before. Decisions that failed were
//!   not written: the transaction is rolled back as a whole, and what this process knows of the log's end is forgotten and read
//!   anew.
//! - **A dead writer is an error, not a wait.** When its thread ends, the channel and every waiting answer close, which callers see
//!   as [`StoreErrorKind::Stopped`]. After an error that leaves unknown what is on the disk, nothing is written any more.
//! - **An outcome has its place.** Each allowed decision holds a place among the calls under way until its outcome is written;
//!   outcomes that cannot be written (a full disk) are kept and tried again. A caller that is dropped between the transaction and the
//!   answer never began its body: its call is recorded as cancelled.
//! - **Only the dead are closed.** A process holds the lock on its own file from before its first record until after its last. Whoever
//!   opens the store closes, as `unknown`, the calls of processes whose lock is free, and no others; an outcome that comes later is
//!   appended and overwrites nothing.
//! - **Limits hold.** What a decision counts is counted in its transaction, or the decision is not written. A call's place among
//!   those that run at once ends with its outcome, or when its process is found dead.
//! - **Stopped means stopped.** An epoch in the log's one row changes with every registration, renewal, state and erasure; each
//!   transaction reads it, and reads states and keys anew when it has changed. A decision that lets a body run is
//!   [`Stale`](Committed::Stale) when its agent may not act any more.
//! - **No two trees are signed.** Sizes are signed in a transaction that is fsynced before anybody can see it; the high-water mark is
//!   raised after that.
//!
//! # Files
//!
//! In the data directory: `record.db` (with `-wal` and `-shm`), `subjects.keys` (the keys of the values that can be erased, never in
//! the database nor a backup), `processes/` and `open.lock`. Outside it: the high-water mark.

mod admission;
mod agents;
mod backup;
#[cfg(feature = "claude")]
pub(crate) mod calls;
mod counts;
mod erasure;
mod error;
mod facts;
mod files;
mod holds;
mod interrupts;
mod keys;
mod log;
mod lookup;
mod mark;
mod message;
mod names;
mod network;
mod open;
mod options;
mod process;
mod query;
mod reader;
mod retention;
mod revoked;
mod schema;
mod seal;
mod shared;
mod signed;
mod tickets;
mod tiles;
mod tip;
mod told;
mod trusted;
mod verify;
mod watch;
mod writer;

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::oneshot::{self, error::TryRecvError};

pub use error::{StoreError, StoreErrorKind};
pub use holds::{Hold, StandingHold};
pub use options::{Durability, StoreOptions, data_dir};
pub use query::{Page, Query};
pub use reader::{Head, Reader, Values};
pub use retention::{Retained, RetentionRule};
pub(crate) use shared::Attending;
pub(crate) use tickets::{Approved, LoggedPeople, Lookup, NotTaken, Noted, StoredEdit};
pub use tickets::{Ticket, TicketQuery};
pub use verify::{Depth, Problem, Report};

use crate::answer::{Answer, wait};
use crate::approval::{TicketClaim, TicketState};
use crate::audit::entry::{self, DecisionContext, PendingEntry};
use crate::audit::{
    Committed, DecisionRecord, OutcomeRecord, RecordError, RecordErrorKind, Recorder, Sequence, Stopped, Traits,
    Watcher,
};
use crate::call::{AgentId, ToolCall};
use crate::governor::Claims;
use crate::identity::Standing;
use crate::interrupt::{InterruptError, InterruptErrorKind, Interrupts, Stop};
use crate::verdict::EvaluationId;
use facts::Facts;
use message::{Append, Decision, Ended, Expected, Keeping, Message, Written};
use seal::Values as Sealing;
use shared::Shared;
use tickets::{Change, Decided, Desk, Order};

/// How long a caller that is alone stays awake for its answer.
const AWAKE: Duration = Duration::from_micros(60);

/// The same for a look at tickets, and for a decision about one, whose transaction writes more tables.
const AWAKE_FOR_TICKETS: Duration = Duration::from_micros(120);

/// How long the last handle waits, when it is dropped, for each of its threads to close its connection. Longer than a disk that is
/// busy keeps an fsync: whoever goes on while a thread writes finds files that come and go, and may end the process before
/// outcomes are written.
const LAST_WAIT: Duration = Duration::from_secs(15);

/// The durable record. Clones share one writer; when the last is dropped, what was sent is written, and no file is open any more
/// (waited for while a disk is slow, and not for one that hangs).
///
/// # Examples
///
/// ```no_run
/// use managed_agents::store::{Store, StoreOptions};
/// let store = Store::open(StoreOptions::in_data_dir()?)?;
/// # Ok::<_, managed_agents::store::StoreError>(())
/// ```
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    to_writer: Sender<Message>,
    shared: Arc<Shared>,
    dir: PathBuf,
    /// Closes when the writer's thread has ended.
    ended: Mutex<Receiver<()>>,
    /// The writer's thread: where a watcher had the last handle, it is dropped there.
    writer: ThreadId,
    /// Looks tickets up; begun when the first call is escalated.
    desk: OnceLock<Result<Desk, StoreError>>,
    /// Closes when the watching thread has ended.
    unwatched: Mutex<Receiver<()>>,
}

impl Store {
    /// Opens the store, or begins it. Blocks: reads and writes files, and waits for other processes that open it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] with every kind that a store can have. [`StoreErrorKind::RolledBack`] is ended by
    /// [`accept_restored`](Self::accept_restored) only.
    #[expect(clippy::needless_pass_by_value, reason = "a builder's end takes the builder")]
    pub fn open(options: StoreOptions) -> Result<Self, StoreError> {
        Self::start(&options, false)
    }

    /// Opens a store whose log is not the one that was here: a backup that was restored, on purpose. The log goes on under
    /// a new origin, whose first entry says what came before; every verdict and grant from before is stale, and every agent is suspended until a
    /// new statement reactivates it, or revoked if it is known to have been. Opens as
    /// [`open`](Self::open) does where nothing was rolled back.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), but for [`StoreErrorKind::RolledBack`].
    #[expect(clippy::needless_pass_by_value, reason = "a builder's end takes the builder")]
    pub fn accept_restored(options: StoreOptions) -> Result<Self, StoreError> {
        Self::start(&options, true)
    }

    fn start(options: &StoreOptions, accept: bool) -> Result<Self, StoreError> {
        let opened = open::open(options, accept)?;
        let shared = Arc::new(Shared::new(opened.keys, opened.ticket_key, options.most_in_flight));
        shared.publish(opened.epoch, opened.standings, &opened.stops);
        let unwatched = watch::start(&options.dir, Arc::clone(&shared))?;
        shared.set_log_time(opened.log_time);
        let (to_writer, receiver) = channel();
        let parts = writer::Parts {
            db: opened.db,
            shared: Arc::clone(&shared),
            durability: options.durability,
            patience: options.patience,
            signer: opened.signer,
            mark: opened.mark,
            process: opened.process,
            dir: options.dir.clone(),
            stops: opened.stops,
            to_self: to_writer.clone(),
            trusted: opened.trusted,
            revoked: opened.revoked,
        };
        let (ending, ended) = channel();
        let writer = std::thread::Builder::new()
            .name("managed-agents record".to_owned())
            .spawn(move || {
                writer::run(parts, &receiver);
                drop(ending);
            })
            .map_err(|error| StoreError::io("start a thread for", &options.dir, &error))?;
        Ok(Self(Arc::new(Inner {
            to_writer,
            shared,
            dir: options.dir.clone(),
            ended: Mutex::new(ended),
            writer: writer.thread().id(),
            desk: OnceLock::new(),
            unwatched: Mutex::new(unwatched),
        })))
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// How an agent stands, as of this process's last transaction; none if it is not registered. The transaction that writes
    /// a decision checks it again.
    #[must_use]
    pub fn standing(&self, agent: &str) -> Option<Standing> {
        self.0.shared.standing(agent)
    }

    /// The latest time of any entry, in microseconds since 1970, as of this process's last transaction.
    #[must_use]
    pub fn log_time(&self) -> i64 {
        self.0.shared.log_time()
    }

    /// The code of what is wrong, if what was to be written last could not be.
    #[must_use]
    pub fn trouble(&self) -> Option<&'static str> {
        self.0.shared.trouble()
    }

    /// How many decisions are under way: waiting to be written, or allowed and not ended.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.shared.in_flight()
    }

    /// Adds a statement's entry. One of type `agent` (a passport or a state) or `interrupt` (a stop, or its end) takes effect in the same
    /// transaction, and is fsynced; others are if `synced`.
    ///
    /// The answer is an error of kind [`StoreErrorKind::Refused`] when the statement does not follow what is recorded: a renewal
    /// or a state of a revoked agent, a state whose number is not the next, a passport of another lineage, a stop of a call that does
    /// not run, or the end of a stop that does not hold; or when it is not signed by whom it must be, where the options
    /// [say whom to believe](StoreOptions::trusted).
    pub fn append(&self, entry: PendingEntry, synced: bool) -> Answer<Result<Sequence, StoreError>> {
        let synced = synced || matches!(entry.index.kind.as_str(), "agent" | "interrupt");
        self.ask(|reply| Message::Append(Box::new(Append { entry, synced, reply })))
    }

    /// Has stops of other processes known here within 100 ms although nothing runs, until what is given is dropped.
    pub(crate) fn attend(&self) -> Attending {
        self.0.shared.attend()
    }

    /// Records a stop; answered when it is fsynced. From then on no process admits what it stops, and what runs is cancelled or told:
    /// in this process at once, in others within 100 ms.
    ///
    /// The answer is an error of kind [`StoreErrorKind::Refused`] for a call that does not run.
    pub fn stop(&self, stop: &Stop) -> Answer<Result<Sequence, StoreError>> {
        match interrupts::entry_of(stop) {
            Ok(entry) => self.append(entry, true),
            Err(error) => Answer::ready(Err(error)),
        }
    }

    /// Destroys the key under which a data subject's values are encrypted, and records that. The answer is the place of the
    /// entry, or none if nothing was recorded of the subject; an error of kind [`StoreErrorKind::Held`] where a hold keeps something
    /// of it.
    pub fn erase(&self, subject: &str) -> Answer<Result<Option<Sequence>, StoreError>> {
        let subject = subject.to_owned();
        self.ask(|reply| Message::Erase { subject, reply })
    }

    /// Begins a hold: what it keeps is removed by no rule of retention and no erasure until it is [released](Self::release). The
    /// answer is the place of its entry, by which it is known.
    pub fn hold(&self, hold: &Hold) -> Answer<Result<Sequence, StoreError>> {
        let hold = hold.clone();
        self.ask(|reply| Message::Keep(Keeping::Hold(hold, reply)))
    }

    /// Ends the hold that began with this entry. The answer is an error of kind [`StoreErrorKind::Refused`] when none stands.
    pub fn release(&self, hold: Sequence) -> Answer<Result<Sequence, StoreError>> {
        self.ask(|reply| Message::Keep(Keeping::Release(hold.get(), reply)))
    }

    fn retire(&self, batch: retention::Batch) -> Answer<Result<Retained, StoreError>> {
        self.ask(|reply| Message::Keep(Keeping::Retire(Box::new(batch), reply)))
    }

    /// Answered when everything that was sent before is written, fsynced, signed and marked.
    pub fn flush(&self) -> Answer<Result<(), StoreError>> {
        self.ask(Message::Flush)
    }

    /// A connection of its own that reads. Blocks.
    ///
    /// # Errors
    ///
    /// As [`Reader::open`].
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.0.dir)
    }

    /// Copies the record of a data directory into one file, while others may write. The copy is one moment's record, fsynced; the keys of
    /// data subjects are not in it. `progress` is told how many pages are copied, of how many. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Refused`] when the file is there already; others as [`open`](Self::open).
    pub fn backup(
        dir: impl AsRef<Path>,
        to: impl AsRef<Path>,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<(), StoreError> {
        backup::copy(&schema::database(dir.as_ref()), to.as_ref(), &mut progress)
    }

    /// Puts a copy in the place of the record in a data directory that no process has open. Unless the copy is as new as what it
    /// replaces, [`open`](Self::open) then says [`StoreErrorKind::RolledBack`], until
    /// [`accept_restored`](Self::accept_restored). Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Locked`] when a process has the record open; others as [`open`](Self::open).
    pub fn restore(copy: impl AsRef<Path>, dir: impl AsRef<Path>) -> Result<(), StoreError> {
        backup::restore(copy.as_ref(), dir.as_ref())
    }

    /// The open ticket of a call, read by a thread of its own; with who may decide, unless that is known as of this epoch.
    pub(crate) fn find_ticket(&self, call: &ToolCall, known: Option<u64>) -> Answer<Result<Lookup, StoreError>> {
        let desk = match self.desk() {
            Ok(desk) => desk,
            Err(error) => return Answer::ready(Err(error)),
        };
        let binding = self.0.shared.binding(call);
        let agent = call.agent().as_str().to_owned();
        let answer = desk.find(&agent, binding, known);
        let store = self.clone();
        Answer::later(async move {
            let found = soon(answer, AWAKE_FOR_TICKETS)
                .await
                .unwrap_or_else(|_| Err(StoreError::stopped()));
            if let (Some(binding), Ok(found)) = (&binding, &found) {
                let book = &store.0.shared.book;
                if found.ticket.is_some() {
                    book.note_open(&agent, binding, 0);
                    store.watch_tickets();
                } else {
                    book.note_none(binding);
                }
            }
            found
        })
    }

    /// Has the desk look what others do to open tickets, after one was noted.
    fn watch_tickets(&self) {
        if self.0.shared.book.begin_watch()
            && let Ok(desk) = self.desk()
        {
            desk.watch();
        }
    }

    /// What is known of a call's ticket without a look: at once, and to be found true by the transaction that rests on it.
    pub(crate) fn noted_ticket(&self, call: &ToolCall) -> Noted {
        let shared = &self.0.shared;
        let noted = shared
            .binding(call)
            .map_or(Noted::Nothing, |binding| shared.book.look(&binding));
        if !matches!(noted, Noted::Open) {
            // to wake up takes the writer as long as to check a signature takes the caller; one that has ended is found out later
            let grant = match &noted {
                Noted::Approved(approved) => Some((Arc::clone(&approved.found.id), approved.found.seen)),
                Noted::Nothing | Noted::Open => None,
            };
            let agent = call.agent().as_str().to_owned();
            let _ = self.0.to_writer.send(Message::Soon(Expected { agent, grant }));
        }
        noted
    }

    /// How a ticket stands; none if there never was one of this id.
    pub(crate) fn ticket_state(&self, ticket: &Arc<str>) -> Answer<Result<Option<TicketState>, StoreError>> {
        let answer = match self.desk() {
            Ok(desk) => desk.state(ticket),
            Err(error) => return Answer::ready(Err(error)),
        };
        Answer::later(async move { soon(answer, AWAKE).await.unwrap_or_else(|_| Err(StoreError::stopped())) })
    }

    /// Ends when a ticket is pending no more, whoever decided in whatever process.
    pub(crate) fn ticket_decided(&self, ticket: &Arc<str>) -> impl Future<Output = ()> + Send + use<> {
        let answer = self.desk().map(|desk| desk.decided(ticket));
        async move {
            if let Ok(answer) = answer {
                // a desk that has gone ends the wait
                let _ = answer.await;
            }
        }
    }

    /// Writes a person's decision on a ticket: the statement's entry, and what it makes of the ticket.
    pub(crate) fn decide_ticket(
        &self,
        ticket: &str,
        key: &str,
        entry: PendingEntry,
        (to, now): (TicketState, i64),
        edit: Option<(u32, &StoredEdit)>,
    ) -> Answer<Result<Result<Sequence, NotTaken>, StoreError>> {
        let keys = &self.0.shared.keys;
        let edit = edit.map(|(subject, stored)| -> Result<_, StoreError> {
            // another process may have made it
            keys.reload()?;
            let key = keys.by_number(subject);
            let key = key.ok_or_else(|| StoreError::new(StoreErrorKind::Refused, "the data subject was erased"))?;
            Ok((tickets::seal_edit(key, stored)?, stored.edit.digest(&stored.salt)))
        });
        let edit = match edit.transpose() {
            Ok(edit) => edit,
            Err(error) => return Answer::ready(Err(error)),
        };
        let change = Change::Decide(Box::new(Decided {
            ticket: ticket.to_owned(),
            key: key.to_owned(),
            entry,
            to,
            now,
            edit,
        }));
        self.ask(|reply| Message::Ticket(Box::new(Order { change, reply })))
    }

    /// Closes the tickets whose time was over at `now`, in microseconds since 1970, and records that.
    #[cfg_attr(
        not(feature = "cli"),
        expect(dead_code, reason = "the program's lists say what has expired")
    )]
    pub(crate) fn expire_tickets(&self, now: i64) -> Answer<Result<(), StoreError>> {
        let change = Change::Expire { now };
        self.ask(|reply| Message::Ticket(Box::new(Order { change, reply })))
            .map(|done| done.map(|_| ()))
    }

    fn desk(&self) -> Result<&Desk, StoreError> {
        let desk = self
            .0
            .desk
            .get_or_init(|| Desk::start(&self.0.dir, &self.0.shared, self.0.to_writer.clone()));
        desk.as_ref().map_err(Clone::clone)
    }

    fn ask<T: Send + Unpin + 'static>(
        &self,
        message: impl FnOnce(message::Reply<T>) -> Message,
    ) -> Answer<Result<T, StoreError>> {
        let (reply, answer) = oneshot::channel();
        if self.0.to_writer.send(message(reply)).is_err() {
            return Answer::ready(Err(StoreError::stopped()));
        }
        Answer::later(async move { answer.await.unwrap_or_else(|_| Err(StoreError::stopped())) })
    }
}

/// The entry of a decision, and the values beside it.
fn encode(
    record: &DecisionRecord,
    call: Option<&ToolCall>,
    passport: Option<&str>,
    keys: &keys::SubjectKeys,
) -> Result<(PendingEntry, Sealing), StoreError> {
    let context = DecisionContext {
        certificate: passport,
        software: open::SOFTWARE,
        ..DecisionContext::default()
    };
    let mut entry = entry::decision(record, call, &context)?;
    let values = Sealing::of(&mut entry, |subject| keys.find(subject))?;
    Ok((entry, values))
}

/// The answer, for which a caller that is alone stays awake: going to sleep and waking up takes longer than a transaction.
/// The wait is bounded, and shorter than most bodies are between two awaits.
async fn soon<T>(mut answer: oneshot::Receiver<T>, awake: Duration) -> Result<T, oneshot::error::RecvError> {
    let begun = Instant::now();
    while begun.elapsed() < awake {
        match answer.try_recv() {
            Ok(answer) => return Ok(answer),
            Err(TryRecvError::Empty) => std::thread::yield_now(),
            Err(TryRecvError::Closed) => break,
        }
    }
    answer.await
}

impl Recorder for Store {
    fn commit(
        &self,
        record: DecisionRecord,
        call: Option<&Arc<ToolCall>>,
        claims: Claims,
    ) -> Answer<Result<Committed, RecordError>> {
        let Some(place) = self.0.shared.place() else {
            return Answer::ready(Err(RecordError::new(
                RecordErrorKind::Full,
                "too many calls are under way to remember one more",
            )));
        };
        if let TicketClaim::Open(opening) = &claims.ticket {
            // made ready by the writer while this thread encodes; one that has ended is found out below
            let _ = self.0.to_writer.send(Message::Opening(Arc::clone(opening)));
        }
        let passport = self.standing(record.agent()).map(|standing| standing.passport);
        let encoded = encode(
            &record,
            call.map(AsRef::as_ref),
            passport.as_deref(),
            &self.0.shared.keys,
        );
        let (entry, values) = match encoded {
            Ok(encoded) => encoded,
            Err(error) => return Answer::ready(Err(error.to_record_error())),
        };
        let (reply, answer) = oneshot::channel();
        // noted when its transaction is written
        let opens = matches!(claims.ticket, TicketClaim::Open(_)).then(|| self.clone());
        let about_ticket = claims.grant.is_some() || claims.ticket != TicketClaim::None;
        let decision = Decision {
            facts: Facts::of(&entry.index),
            entry,
            values,
            agent: record.agent().to_owned(),
            session: record.session.clone(),
            passport,
            runs: record.disposition().runs(),
            traits: Traits::of(&record, call.map(AsRef::as_ref)),
            place,
            made_of: (claims.held.history.is_some()).then(|| Box::new((record, call.cloned()))),
            claims,
            reply,
        };
        let waiting = self.0.shared.wait();
        if self.0.to_writer.send(Message::Decision(Box::new(decision))).is_err() {
            return Answer::ready(Err(StoreError::stopped().to_record_error()));
        }
        let awake = match (waiting.alone, about_ticket) {
            (false, _) => Duration::ZERO,
            (true, false) => AWAKE,
            (true, true) => AWAKE_FOR_TICKETS,
        };
        Answer::later(async move {
            let answer = soon(answer, awake).await;
            drop(waiting);
            match answer {
                Ok(Ok(Written::Done(reserved))) => {
                    if let Some(store) = opens {
                        store.watch_tickets();
                    }
                    Ok(Committed::Done(reserved.claim()))
                }
                Ok(Ok(Written::Stale)) => Ok(Committed::Stale),
                Ok(Ok(Written::Exceeded(at))) => Ok(Committed::Exceeded(at)),
                Ok(Err(error)) => Err(error.to_record_error()),
                Err(_) => Err(StoreError::stopped().to_record_error()),
            }
        })
    }

    fn admits(&self, agent: &AgentId, at: SystemTime) -> Result<(), Stopped> {
        let Some(standing) = self.standing(agent.as_str()) else {
            return Ok(());
        };
        standing
            .admits(admission::micros(at), self.log_time())
            .map_err(|error| Stopped::new(error.code(), error.to_string()).with_epoch(standing.epoch))
    }

    fn may_be_waited_for(&self) -> bool {
        true
    }

    fn watch(&self, agent: &AgentId, watcher: &Arc<dyn Watcher>) -> Result<bool, RecordError> {
        let watched = || -> Result<(), StoreError> {
            let id = agent;
            let agent = id.as_str().to_owned();
            let others = wait(self.ask(|reply| Message::Watches(agent.clone(), reply)))?;
            let is_told =
                |other| watcher.joins(id, other) || std::ptr::addr_eq(Arc::as_ptr(watcher), Arc::as_ptr(other));
            if others.iter().any(is_told) {
                return Ok(());
            }
            let watcher = watcher.part(id).unwrap_or_else(|| Arc::clone(watcher));
            let seen = told::replay(&self.reader()?, id, &watcher)?;
            wait(self.ask(|reply| {
                Message::Watch(message::Watch {
                    agent,
                    watcher,
                    seen,
                    reply,
                })
            }))
        };
        watched().map(|()| true).map_err(|error| error.to_record_error())
    }

    fn state(&self, agent: &str, kind: &str, body: &str) -> bool {
        let statement = entry::Statement::new(kind, SystemTime::now(), body).about_agent(agent);
        match entry::statement(&statement) {
            // nobody waits: what is not written is stated again
            Ok(entry) => drop(self.append(entry, false)),
            Err(error) => tracing::error!(%error, kind, "a statement cannot be recorded"),
        }
        true
    }

    fn keeps_counts(&self) -> bool {
        true
    }

    fn store(&self) -> Option<&Store> {
        Some(self)
    }

    fn interrupts(&self) -> Option<Interrupts> {
        Some(self.0.shared.interrupts.clone())
    }

    fn stop(&self, stop: &Stop) -> Answer<Result<Sequence, InterruptError>> {
        let of_call = matches!(stop.target(), crate::interrupt::Target::Call(_));
        Self::stop(self, stop).map(move |done| {
            done.map_err(|error| {
                let kind = match error.kind() {
                    StoreErrorKind::Refused if of_call => InterruptErrorKind::NotRunning,
                    StoreErrorKind::Refused => InterruptErrorKind::Input,
                    _ => InterruptErrorKind::Unrecorded,
                };
                InterruptError::new(kind, format!("{}: {error}", error.code()))
            })
        })
    }

    fn compensated(&self, place: Sequence, evaluation: &EvaluationId, agent: &AgentId, outcome: OutcomeRecord) {
        let entry = interrupts::compensation(place, evaluation, agent, &outcome);
        match entry {
            // nobody waits for it
            Ok(entry) => drop(self.append(entry, false)),
            Err(error) => tracing::error!(%error, "a compensation cannot be recorded"),
        }
    }

    fn conclude(&self, place: Sequence, outcome: OutcomeRecord) {
        let ended = Ended {
            place: place.get(),
            record: outcome,
            at: outcome.at(),
        };
        // a writer that is gone leaves it open: whoever opens the store next closes it
        let _ = self.0.to_writer.send(Message::Outcome(ended));
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.alarm.end();
        // the writer's connection is the last, which empties the journal
        if let Some(Ok(desk)) = self.desk.take() {
            desk.end(LAST_WAIT);
        }
        let unwatched = self.unwatched.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = unwatched.recv_timeout(LAST_WAIT);
        if self.to_writer.send(Message::Stop).is_err() {
            return;
        }
        if std::thread::current().id() == self.writer {
            // it would wait for itself
            return;
        }
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        // closed when the thread has ended; a disk that hangs does not hang the caller
        let _ = ended.recv_timeout(LAST_WAIT);
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("dir", &self.0.dir)
            .finish_non_exhaustive()
    }
}
