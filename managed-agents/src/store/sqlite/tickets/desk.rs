//! The thread that looks tickets up, and tells whoever waits that people have decided.
//!
//! It has a connection of its own. While somebody waits it looks every 10 ms whether the database has changed, whoever changed it
//! (SQLite's `data_version`); while nobody waits it sleeps, and every 10 s looks for tickets whose time is over.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rusqlite::{Connection, OptionalExtension as _};
use tokio::sync::oneshot;

use super::{Change, Order, read, rows};
use crate::approval::{APPROVER_ENTRY, Found, OperatorStatement, TicketState};
use crate::audit::entry::Entry;
use crate::identity::Passport;
use crate::store::sqlite::admission::micros;
use crate::store::sqlite::error::StoreError;
use crate::store::sqlite::keys::SubjectKeys;
use crate::store::sqlite::message::{Expected, Message};
use crate::store::sqlite::{lookup, schema};

/// How often the database is looked at while somebody waits.
const PERIOD: Duration = Duration::from_millis(10);

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
}

struct Waiting {
    ticket: Arc<str>,
    decided: oneshot::Sender<()>,
}

/// What was found of a call.
pub(crate) struct Lookup {
    /// The log, and its epoch when this was read.
    pub(crate) origin: String,
    pub(crate) epoch: u64,
    /// How many tickets of the agent are pending.
    pub(crate) pending: u32,
    /// The ticket that is open for the call.
    pub(crate) ticket: Option<Arc<Found>>,
    /// Who decides and who asks, where the epoch is not the one that is known.
    pub(crate) people: Option<LoggedPeople>,
}

/// What the log says of who decides on an agent's calls, unchecked.
pub(crate) struct LoggedPeople {
    /// The bodies of all `approver` entries, in their order.
    pub(crate) approvers: Vec<String>,
    /// The agent's last passport.
    pub(crate) passport: Option<String>,
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
        keys: &Arc<SubjectKeys>,
        to_writer: Sender<Message>,
    ) -> Result<Self, StoreError> {
        let (to_desk, asked) = channel();
        let (database, keys): (PathBuf, _) = (schema::database(dir), Arc::clone(keys));
        let db = schema::reader(&database)?;
        let (ending, ended) = channel();
        std::thread::Builder::new()
            .name("managed-agents tickets".to_owned())
            .spawn(move || {
                serve(&db, &keys, &asked, &to_writer);
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

    /// Answered when a ticket is pending no more.
    pub(in crate::store::sqlite) fn decided(&self, ticket: &Arc<str>) -> oneshot::Receiver<()> {
        let (decided, answer) = oneshot::channel();
        let ticket = Arc::clone(ticket);
        let _ = self.to_thread.send(Ask::Wait(Waiting { ticket, decided }));
        answer
    }
}

fn serve(db: &Connection, keys: &SubjectKeys, asked: &Receiver<Ask>, to_writer: &Sender<Message>) {
    let mut waiting: Vec<Waiting> = Vec::new();
    let mut seen: Option<i64> = None;
    let mut ticked = Instant::now();
    loop {
        let until_tick = TICK.saturating_sub(ticked.elapsed());
        if until_tick.is_zero() {
            expire(db, to_writer, micros(SystemTime::now()));
            ticked = Instant::now();
        }
        let next = asked.recv_timeout(if waiting.is_empty() { until_tick } else { PERIOD });
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
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if waiting.is_empty() {
            continue;
        }
        look(db, &mut waiting, &mut seen);
    }
}

/// The ticket that was found, if it may run by what its row says.
fn approved(found: &Lookup) -> Option<Arc<str>> {
    let ticket = found.ticket.as_ref()?;
    matches!(ticket.state, TicketState::Approved | TicketState::Edited).then(|| Arc::clone(&ticket.id))
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

/// Looks once whether anything has changed, and tells whom it concerns.
fn look(db: &Connection, waiting: &mut Vec<Waiting>, seen: &mut Option<i64>) {
    waiting.retain(|one| !one.decided.is_closed());
    let now: Option<i64> = db.pragma_query_value(None, "data_version", |row| row.get(0)).ok();
    if now.is_none() || now != *seen {
        *seen = now;
        tell(db, waiting);
    }
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
    db.prepare_cached("BEGIN")?.execute([])?;
    let found = find_now(db, keys, call, known);
    db.prepare_cached("COMMIT")?.execute([])?;
    found
}

fn find_now(
    db: &Connection,
    keys: &SubjectKeys,
    (agent, binding): (&str, Option<[u8; 32]>),
    known: Option<u64>,
) -> Result<Lookup, StoreError> {
    let (epoch, size, origin) = db
        .prepare_cached("SELECT epoch, size, origin FROM tree WHERE id = 0")?
        .query_row([], |row| {
            let number = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
            Ok((number(0)?, number(1)?, row.get(2)?))
        })?;
    let people = if known == Some(epoch) {
        None
    } else {
        Some(LoggedPeople {
            approvers: bodies(&lookup::of_kind(db, APPROVER_ENTRY, size)?),
            passport: passport(db, size, agent)?,
        })
    };
    let ticket = match binding {
        Some(binding) => read::by_binding(db, keys, (agent, &binding))?,
        None => None,
    };
    let pending = if ticket.is_some() {
        0
    } else {
        rows::pending_of(db, agent)?
    };
    let ticket = ticket.map(|ticket| found(db, ticket).map(Arc::new)).transpose()?;
    Ok(Lookup {
        origin,
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

/// With what people signed, which is read from the log.
pub(super) fn found(db: &Connection, ticket: super::Ticket) -> Result<Found, StoreError> {
    let binding = ticket
        .binding
        .ok_or_else(|| StoreError::corrupt("an open ticket is bound to nothing"))?;
    let mut statements = Vec::with_capacity(ticket.decisions.len());
    let mut select = db.prepare_cached("SELECT bytes FROM entries WHERE seq = ?1")?;
    for place in &ticket.decisions {
        let bytes: Option<Vec<u8>> = select
            .query_row([place.get().cast_signed()], |row| row.get(0))
            .optional()?;
        let entry = Entry::parse(bytes.unwrap_or_default())?;
        statements.push(entry.raw("body").and_then(|body| OperatorStatement::parse(body).ok()));
    }
    Ok(Found {
        id: ticket.id.into(),
        state: ticket.state,
        expires: time(ticket.expires),
        needed: ticket.needed,
        rules: ticket.rules,
        digest: ticket.digest,
        binding: binding.binding,
        salt: binding.salt,
        statements,
        edit: ticket.edit.map(|stored| (stored.edit, stored.salt)),
    })
}

fn time(micros: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).unwrap_or(0))
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
        look(&reader, &mut waiting, &mut seen);
        look(&reader, &mut waiting, &mut seen);
        assert_eq!(waiting.len(), 2);
        other
            .execute("UPDATE tickets SET state = 'approved' WHERE id = 'tkt_1'", [])
            .unwrap();
        look(&reader, &mut waiting, &mut seen);
        assert!(answers[1].try_recv().is_ok() && answers[0].try_recv().is_err());
        assert_eq!(waiting.len(), 1);
        // who went away is not looked for
        drop(answers);
        look(&reader, &mut waiting, &mut seen);
        assert!(waiting.is_empty());
        drop((other, reader, store));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
