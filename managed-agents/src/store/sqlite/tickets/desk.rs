//! The thread that looks tickets up, and tells whoever waits that people have decided.
//!
//! It has a connection of its own. While somebody waits it looks every 10 ms whether the database has changed, whoever changed it
//! (SQLite's `data_version`), and while tickets are open that this process knows of, every 50 ms: what others approved is then read
//! before the call comes back for it (`book`). Else it sleeps, and every 10 s looks for tickets whose time is over.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::book::Look;
use super::{Change, Order, rows, seen};
use crate::approval::{APPROVER_ENTRY, Found, Seen, TicketState};
use crate::audit::entry::Entry;
use crate::identity::Passport;
use crate::store::sqlite::admission::micros;
use crate::store::sqlite::error::StoreError;
use crate::store::sqlite::keys::SubjectKeys;
use crate::store::sqlite::message::{Expected, Message};
use crate::store::sqlite::shared::Shared;
use crate::store::sqlite::{lookup, schema};

/// How often the database is looked at while somebody waits.
const PERIOD: Duration = Duration::from_millis(10);

/// How often the database is looked at while tickets are open and nobody waits: sooner than a call comes back for what a person approved.
const WATCH: Duration = Duration::from_millis(50);

/// How often it is looked for tickets whose time is over, so that their expiry is recorded though nobody asks for them.
const TICK: Duration = Duration::from_secs(10);

/// What the desk is asked.
enum Ask {
    Find {
        agent: String,
        binding: Option<[u8; 32]>,
        known: Option<u64>,
        reply: oneshot::Sender<Result<Lookup, StoreError>>,
    },
    State {
        ticket: Arc<str>,
        reply: oneshot::Sender<Result<Option<TicketState>, StoreError>>,
    },
    Wait(Waiting),
    /// A ticket is open on which others may decide.
    Watch,
}

struct Waiting {
    ticket: Arc<str>,
    decided: oneshot::Sender<()>,
}

/// What was found of a call.
pub(crate) struct Lookup {
    /// The log's epoch when this was read.
    pub(crate) epoch: u64,
    /// How many tickets of the agent are pending.
    pub(crate) pending: u32,
    /// The ticket that is open for the call.
    pub(crate) ticket: Option<Arc<Found>>,
    /// Who decides and who asks, where the epoch is not the one that is known.
    pub(crate) people: Option<Arc<LoggedPeople>>,
}

/// What the log says of who decides on an agent's calls, unchecked.
pub(crate) struct LoggedPeople {
    /// The log.
    pub(crate) origin: String,
    /// The bodies of all `approver` entries, in their order.
    pub(crate) approvers: Vec<String>,
    /// The agent's last passport.
    pub(crate) passport: Option<String>,
}

impl LoggedPeople {
    pub(super) fn read(db: &Connection, (size, origin): (u64, &str), agent: &str) -> Result<Self, StoreError> {
        Ok(Self {
            origin: origin.to_owned(),
            approvers: bodies(&lookup::of_kind(db, APPROVER_ENTRY, size)?),
            passport: passport(db, size, agent)?,
        })
    }
}

/// The way to the thread, which ends with it.
pub(in crate::store::sqlite) struct Desk {
    to_thread: Sender<Ask>,
    /// Closes when the thread has closed its connection.
    ended: Mutex<Receiver<()>>,
}

impl Desk {
    pub(in crate::store::sqlite) fn start(
        dir: &Path,
        shared: &Arc<Shared>,
        to_writer: Sender<Message>,
    ) -> Result<Self, StoreError> {
        let (to_desk, asked) = channel();
        let (database, shared): (PathBuf, _) = (schema::database(dir), Arc::clone(shared));
        let db = schema::reader(&database)?;
        let (ending, ended) = channel();
        std::thread::Builder::new()
            .name("managed-agents tickets".to_owned())
            .spawn(move || {
                serve(&db, &shared, &asked, &to_writer);
                // closed before anybody hears that the thread has ended
                drop(db);
                drop(ending);
            })
            .map_err(|error| StoreError::io("start a thread for", dir, &error))?;
        Ok(Self {
            to_thread: to_desk,
            ended: Mutex::new(ended),
        })
    }

    /// Ends the thread, and waits at most so long until its connection is closed.
    pub(in crate::store::sqlite) fn end(self, patience: Duration) {
        drop(self.to_thread);
        let ended = self.ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        // nothing is ever sent: it closes
        let _ = ended.recv_timeout(patience);
    }

    /// The open ticket of a binding.
    pub(in crate::store::sqlite) fn find(
        &self,
        agent: &str,
        binding: Option<[u8; 32]>,
        known: Option<u64>,
    ) -> oneshot::Receiver<Result<Lookup, StoreError>> {
        let (reply, answer) = oneshot::channel();
        // a thread that has ended closes the answer
        let _ = self.to_thread.send(Ask::Find {
            agent: agent.to_owned(),
            binding,
            known,
            reply,
        });
        answer
    }

    /// How a ticket stands.
    pub(in crate::store::sqlite) fn state(
        &self,
        ticket: &Arc<str>,
    ) -> oneshot::Receiver<Result<Option<TicketState>, StoreError>> {
        let (reply, answer) = oneshot::channel();
        let ticket = Arc::clone(ticket);
        let _ = self.to_thread.send(Ask::State { ticket, reply });
        answer
    }

    /// Looks from now on what others do to open tickets.
    pub(in crate::store::sqlite) fn watch(&self) {
        let _ = self.to_thread.send(Ask::Watch);
    }

    /// Answered when a ticket is pending no more.
    pub(in crate::store::sqlite) fn decided(&self, ticket: &Arc<str>) -> oneshot::Receiver<()> {
        let (decided, answer) = oneshot::channel();
        let ticket = Arc::clone(ticket);
        let _ = self.to_thread.send(Ask::Wait(Waiting { ticket, decided }));
        answer
    }
}

fn serve(db: &Connection, shared: &Shared, asked: &Receiver<Ask>, to_writer: &Sender<Message>) {
    let (keys, book) = (&*shared.keys, &shared.book);
    let mut waiting: Vec<Waiting> = Vec::new();
    let mut seen: Option<i64> = None;
    let (mut watches, mut looked) = (false, Instant::now());
    let mut ticked = Instant::now();
    loop {
        let until_tick = TICK.saturating_sub(ticked.elapsed());
        if until_tick.is_zero() {
            expire(db, to_writer, micros(SystemTime::now()));
            ticked = Instant::now();
        }
        let next = asked.recv_timeout(match (waiting.is_empty(), watches) {
            (false, _) => PERIOD,
            (true, true) => WATCH.saturating_sub(looked.elapsed()),
            (true, false) => until_tick,
        });
        match next {
            Ok(Ask::Find {
                agent,
                binding,
                known,
                reply,
            }) => {
                let found = find(db, keys, (&agent, binding), known);
                if let Some(grant) = found.as_ref().ok().and_then(approved) {
                    // the writer wakes up while the signatures are checked
                    let grant = Some(grant);
                    let _ = to_writer.send(Message::Soon(Expected { agent, grant }));
                }
                // whoever asked may have gone
                let _ = reply.send(found);
            }
            Ok(Ask::State { ticket, reply }) => {
                let _ = reply.send(rows::state_of(db, &ticket));
            }
            Ok(Ask::Wait(one)) => {
                waiting.push(one);
                // it may have been decided on before
                seen = None;
            }
            Ok(Ask::Watch) => watches = true,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        forget_who_went(&mut waiting);
        let is_due = watches && looked.elapsed() >= WATCH;
        if waiting.is_empty() && !is_due {
            continue;
        }
        if has_changed(db, &mut seen) {
            // before anybody comes back for it
            if watches && !read_others(db, shared) {
                seen = None;
            }
            tell(db, &mut waiting);
        }
        if is_due {
            looked = Instant::now();
            watches = book.goes_on();
        }
    }
}

/// Reads what others did to open tickets; says whether that was all.
fn read_others(db: &Connection, shared: &Shared) -> bool {
    let over = shared.book.count_over();
    let read = within(db, || {
        let (epoch, size, origin) = head(db)?;
        let keys = &shared.keys;
        shared.book.read_others(&Look {
            over,
            db,
            keys,
            epoch,
            size,
            origin: &origin,
        })
    });
    // what cannot be read is looked up, and then said
    !matches!(read, Ok(true))
}

/// The ticket that was found, if it may run by what its row says.
fn approved(found: &Lookup) -> Option<(Arc<str>, Seen)> {
    let ticket = found.ticket.as_ref()?;
    matches!(ticket.state, TicketState::Approved | TicketState::Edited).then(|| (Arc::clone(&ticket.id), ticket.seen))
}

/// Has tickets closed whose time is over, if there are any.
fn expire(db: &Connection, to_writer: &Sender<Message>, now: i64) {
    let first: Option<i64> = db
        .query_row("SELECT min(expires) FROM bound", [], |row| row.get(0))
        .unwrap_or_default();
    if first.is_some_and(|first| first <= now) {
        // nobody waits for it: what fails now is tried again, and recorded at the latest by whoever asks for the ticket
        let (reply, _) = oneshot::channel();
        let change = Change::Expire { now };
        let _ = to_writer.send(Message::Ticket(Box::new(Order { change, reply })));
    }
}

/// Whether anything has changed in the database since the last look.
fn has_changed(db: &Connection, seen: &mut Option<i64>) -> bool {
    let version = db.prepare_cached("PRAGMA data_version");
    let now: Option<i64> = version
        .and_then(|mut version| version.query_row([], |row| row.get(0)))
        .ok();
    now.is_none() || std::mem::replace(seen, now) != now
}

/// Nobody is looked for who waits no more.
fn forget_who_went(waiting: &mut Vec<Waiting>) {
    waiting.retain(|one| !one.decided.is_closed());
}

/// Tells whoever waits for a ticket that is pending no more.
fn tell(db: &Connection, waiting: &mut Vec<Waiting>) {
    let (still, decided): (Vec<_>, Vec<_>) = std::mem::take(waiting)
        .into_iter()
        .partition(|one| matches!(rows::state_of(db, &one.ticket), Ok(Some(TicketState::Pending)) | Err(_)));
    *waiting = still;
    for one in decided {
        // whoever waited may have gone
        let _ = one.decided.send(());
    }
}

fn find(
    db: &Connection,
    keys: &SubjectKeys,
    call: (&str, Option<[u8; 32]>),
    known: Option<u64>,
) -> Result<Lookup, StoreError> {
    // one moment's state: the epoch is that of the rows
    within(db, || find_now(db, keys, call, known))
}

/// Reads within one transaction.
fn within<T>(db: &Connection, read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    db.prepare_cached("BEGIN")?.execute([])?;
    let done = read();
    db.prepare_cached("COMMIT")?.execute([])?;
    done
}

/// The log's epoch, size and origin.
fn head(db: &Connection) -> Result<(u64, u64, String), StoreError> {
    let head = db
        .prepare_cached("SELECT epoch, size, origin FROM tree WHERE id = 0")?
        .query_row([], |row| {
            let number = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
            Ok((number(0)?, number(1)?, row.get(2)?))
        })?;
    Ok(head)
}

fn find_now(
    db: &Connection,
    keys: &SubjectKeys,
    (agent, binding): (&str, Option<[u8; 32]>),
    known: Option<u64>,
) -> Result<Lookup, StoreError> {
    let (epoch, size, origin) = head(db)?;
    let people = if known == Some(epoch) {
        None
    } else {
        Some(Arc::new(LoggedPeople::read(db, (size, &origin), agent)?))
    };
    let ticket = match binding {
        Some(binding) => seen::find(db, keys, (agent, &binding))?.map(Arc::new),
        None => None,
    };
    let pending = if ticket.is_some() {
        0
    } else {
        rows::pending_of(db, agent)?
    };
    Ok(Lookup {
        epoch,
        pending,
        ticket,
        people,
    })
}

/// An agent's last passport.
pub(super) fn passport(db: &Connection, size: u64, agent: &str) -> Result<Option<String>, StoreError> {
    let stated = bodies(&lookup::of_kind_about(db, "agent", agent, size)?);
    Ok(stated.into_iter().rfind(|body| Passport::parse(body).is_ok()))
}

/// What the entries of statements state.
fn bodies(entries: &[Entry]) -> Vec<String> {
    let bodies = entries.iter().filter_map(|entry| entry.raw("body"));
    bodies.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With two looks between a decision and 50 ms after it, whatever the first came upon: a busy machine delays a look, and never
    /// what one look sees.
    const _: () = assert!(PERIOD.as_millis() * 2 <= 50);

    #[test]
    fn what_is_due_is_closed_though_nobody_asks_for_it() {
        let dir = std::env::temp_dir().join(format!("managed-agents-desk-due-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let options = crate::store::StoreOptions::new(&dir).high_water(dir.join("mark"));
        let store = crate::store::Store::open(options).unwrap();
        let reader = schema::reader(&schema::database(&dir)).unwrap();
        let (to_writer, sent) = channel();
        expire(&reader, &to_writer, 1_000);
        assert!(sent.try_recv().is_err(), "there is nothing");
        Connection::open(schema::database(&dir))
            .unwrap()
            .execute(
                "INSERT INTO bound(binding, ticket, agent, state, expires, salt, mark) VALUES(x'00', 1, 'a', 'pending', 500, x'', x'')",
                [],
            )
            .unwrap();
        expire(&reader, &to_writer, 499);
        assert!(sent.try_recv().is_err(), "nothing is due");
        expire(&reader, &to_writer, 500);
        let Ok(Message::Ticket(order)) = sent.try_recv() else {
            panic!("nothing was ordered")
        };
        assert!(matches!(order.change, Change::Expire { now: 500 }));
        drop((reader, store));
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn the_first_look_after_a_decision_of_another_connection_tells_who_waits_for_it() {
        let dir = std::env::temp_dir().join(format!("managed-agents-desk-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let options = crate::store::StoreOptions::new(&dir).high_water(dir.join("mark"));
        let store = crate::store::Store::open(options).unwrap();
        let (other, reader) = (
            Connection::open(schema::database(&dir)).unwrap(),
            schema::reader(&schema::database(&dir)).unwrap(),
        );
        for place in 0..2 {
            other
                .execute(
                    "INSERT INTO tickets(place, id, agent, tool, definition, digest, needed, state, opened, expires, subject, nonce, \
                     box, mark) VALUES(?1, 'tkt_' || ?1, 'a', 't', x'', x'', 1, 'pending', 0, 0, 0, x'', x'', x'')",
                    [place],
                )
                .unwrap();
        }
        let (mut waiting, mut answers) = (Vec::new(), Vec::new());
        for ticket in ["tkt_0", "tkt_1"] {
            let (decided, answer) = oneshot::channel();
            waiting.push(Waiting {
                ticket: ticket.into(),
                decided,
            });
            answers.push(answer);
        }
        let mut seen = None;
        let mut look = |waiting: &mut Vec<Waiting>| {
            if has_changed(&reader, &mut seen) {
                tell(&reader, waiting);
            }
        };
        look(&mut waiting);
        look(&mut waiting);
        assert_eq!(waiting.len(), 2);
        other
            .execute("UPDATE tickets SET state = 'approved' WHERE id = 'tkt_1'", [])
            .unwrap();
        look(&mut waiting);
        assert!(answers[1].try_recv().is_ok() && answers[0].try_recv().is_err());
        assert_eq!(waiting.len(), 1);
        forget_who_went(&mut waiting);
        assert_eq!(waiting.len(), 1, "one still waits");
        drop(answers);
        forget_who_went(&mut waiting);
        assert!(waiting.is_empty());
        drop((other, reader, store));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
