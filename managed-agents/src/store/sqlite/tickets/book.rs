//! What this process did to open tickets, and what the desk saw others approve, so that a call need not wait for a look at the
//! database first.
//!
//! Nothing rests on it. A ticket that is opened because none is known here is opened by a transaction that finds whether there is
//! one. An approval that lies here is verified when a call asks, by its signatures and everything else, as one that is read then; and
//! the transaction that uses it finds whether all that was read of it is the same to the byte, in the same epoch. Where it is not,
//! the call is judged anew, and the database is looked at. A row that somebody changed is worth as little here as there.
//!
//! What this process uses or closes is over here as soon as the log says so, whatever a look that began before has read of it: else the
//! next call of the kind would be judged twice.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::desk::LoggedPeople;
use super::{read, seen};
use crate::approval::{Found, TicketState};
use crate::store::sqlite::error::StoreError;
use crate::store::sqlite::keys::SubjectKeys;
use crate::store::sqlite::tip::Tip;

/// How many tickets are known at most.
const MOST: usize = 4_096;

/// Of how many agents, and how many approvals, one look reads at most: whoever asks the desk waits for no more than a few milliseconds.
const MOST_AGENTS: usize = 64;
const MOST_READ: usize = 64;

/// An approval, as the log had it in an epoch.
#[derive(Clone)]
pub(crate) struct Approved {
    pub(crate) epoch: u64,
    pub(crate) found: Arc<Found>,
    /// Who decides and who asks, as of that epoch; none of what this process itself wrote.
    pub(crate) people: Option<Arc<LoggedPeople>>,
}

/// What is known of the ticket of a binding.
pub(crate) enum Noted {
    /// Nothing: most likely there is none.
    Nothing,
    /// There may be one.
    Open,
    Approved(Approved),
}

/// Known tickets, by a hash of what they are bound to under a key of this process.
#[derive(Default)]
pub(in crate::store::sqlite) struct Book {
    hash: RandomState,
    /// Held to look at one entry or change it, or to go through all of them once a look; never while anything is read or written.
    known: Mutex<HashMap<u64, Known>>,
    /// How many tickets this process used or closed; it grows only while `known` is held.
    over: AtomicU64,
    /// Whether the desk looks every now and then at what others do to tickets.
    watched: AtomicBool,
}

struct Known {
    agent: Arc<str>,
    /// The log is longer than this where the ticket can be read.
    place: u64,
    approved: Option<Approved>,
}

impl Known {
    /// Whether what others do to it is looked for.
    fn is_looked_for(&self) -> bool {
        self.approved.as_ref().is_none_or(|approved| approved.people.is_some())
    }
}

/// What one look reads from: a transaction that reads, and the log's epoch, size and name in it.
pub(super) struct Look<'a> {
    pub(super) db: &'a Connection,
    pub(super) keys: &'a SubjectKeys,
    pub(super) epoch: u64,
    pub(super) size: u64,
    pub(super) origin: &'a str,
    /// How many tickets this process had used or closed before the transaction began.
    pub(super) over: u64,
}

impl Book {
    /// What is known of a binding. An approval is given out once: whoever is too late looks at the database.
    pub(in crate::store::sqlite) fn look(&self, binding: &[u8; 32]) -> Noted {
        match self.known().get_mut(&self.hash.hash_one(binding)) {
            None => Noted::Nothing,
            Some(known) => match known.approved.take() {
                Some(approved) if approved.found.binding == *binding => Noted::Approved(approved),
                _ => Noted::Open,
            },
        }
    }

    /// There is an open ticket of an agent's binding, which the log has from this length on.
    pub(in crate::store::sqlite) fn note_open(&self, agent: &str, binding: &[u8; 32], place: u64) {
        self.add(self.hash.hash_one(binding), agent, place, None);
    }

    /// There is no open ticket of a binding any more.
    pub(in crate::store::sqlite) fn note_none(&self, binding: &[u8; 32]) {
        self.known().remove(&self.hash.hash_one(binding));
    }

    /// This process used or closed a ticket, and the log says so: whoever comes back for its call is not judged twice for it.
    pub(in crate::store::sqlite) fn note_over(&self, ticket: &str) {
        let mut known = self.known();
        self.over.fetch_add(1, Ordering::SeqCst);
        for known in known.values_mut() {
            known.approved.take_if(|approved| *approved.found.id == *ticket);
        }
    }

    /// How many tickets this process used or closed.
    pub(super) fn count_over(&self) -> u64 {
        self.over.load(Ordering::SeqCst)
    }

    /// This process wrote a decision on a ticket; within its transaction.
    pub(in crate::store::sqlite) fn decided(&self, db: &Connection, keys: &SubjectKeys, tip: &Tip, ticket: &str) {
        // what cannot be read is looked up, and then said
        let Some(stored) = read::by_id(db, keys, ticket).ok().flatten() else {
            return;
        };
        let Some(bound) = stored.binding.filter(|_| stored.state == TicketState::Approved) else {
            return;
        };
        if let Ok(Some(found)) = seen::find(db, keys, (&stored.agent, &bound.binding)) {
            let (epoch, found) = (tip.epoch, Arc::new(found));
            let approved = Some(Approved {
                epoch,
                found,
                people: None,
            });
            self.add(self.hash.hash_one(bound.binding), &stored.agent, tip.size(), approved);
        }
    }

    /// Reads what others did to the open tickets of the agents that are known. Says whether there is more to read.
    pub(super) fn read_others(&self, look: &Look<'_>) -> Result<bool, StoreError> {
        let mut left = MOST_READ;
        let mut more = false;
        for agent in self.agents() {
            let (open, news) = self.news(look, &agent)?;
            if !news.is_empty() {
                let people = Arc::new(LoggedPeople::read(look.db, (look.size, look.origin), &agent)?);
                more |= news.len() > left;
                for binding in news.iter().take(left) {
                    // never one that people edited: its other arguments would lie here
                    let found = seen::find(look.db, look.keys, (&agent, binding))?;
                    if let Some(found) = found.filter(|found| found.state == TicketState::Approved) {
                        let (epoch, found, people) = (look.epoch, Arc::new(found), Some(Arc::clone(&people)));
                        more |= !self.foresee(
                            look.over,
                            self.hash.hash_one(binding),
                            Approved { epoch, found, people },
                        );
                    }
                }
                left = left.saturating_sub(news.len());
            }
            self.known().retain(|hash, known| {
                let over = known.agent == agent && known.is_looked_for() && known.place < look.size;
                !over || open.contains(hash)
            });
        }
        Ok(more)
    }

    /// The agents that are looked for.
    fn agents(&self) -> Vec<Arc<str>> {
        let known = self.known();
        let known = known.values().filter(|known| known.is_looked_for());
        let agents: BTreeSet<_> = known.map(|known| &known.agent).collect();
        agents.into_iter().take(MOST_AGENTS).cloned().collect()
    }

    /// The hashes of an agent's open tickets, and which of those that are known were approved and not read as of this epoch.
    fn news(&self, look: &Look<'_>, agent: &str) -> Result<(HashSet<u64>, Vec<[u8; 32]>), StoreError> {
        let mut select = look
            .db
            .prepare_cached("SELECT binding, state FROM bound WHERE agent = ?1")?;
        let mut rows = select.query([agent])?;
        let (mut open, mut news) = (HashSet::new(), Vec::new());
        while let Some(row) = rows.next()? {
            let binding: [u8; 32] = row.get(0)?;
            let hash = self.hash.hash_one(binding);
            open.insert(hash);
            let state = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            if state == TicketState::Approved.as_str() && self.is_news(hash, look.epoch) {
                news.push(binding);
            }
        }
        Ok((open, news))
    }

    fn is_news(&self, hash: u64, epoch: u64) -> bool {
        let known = self.known();
        known.get(&hash).is_some_and(|known| {
            known.is_looked_for() && known.approved.as_ref().is_none_or(|approved| approved.epoch != epoch)
        })
    }

    /// Keeps an approval, unless it may be one that this process used or closed since the look began; says whether it may not.
    fn foresee(&self, over: u64, hash: u64, approved: Approved) -> bool {
        let mut known = self.known();
        if self.count_over() != over {
            return false;
        }
        // what is known no more meanwhile is looked up
        if let Some(known) = known.get_mut(&hash)
            && known.is_looked_for()
        {
            known.approved = Some(approved);
        }
        true
    }

    /// Has the desk look every now and then; says whether it must be told.
    pub(in crate::store::sqlite) fn begin_watch(&self) -> bool {
        // read most often, and written once
        !self.watched.load(Ordering::SeqCst) && !self.watched.swap(true, Ordering::SeqCst)
    }

    /// Whether the desk goes on to look: while there may be a ticket that others decide on.
    pub(super) fn goes_on(&self) -> bool {
        if self.is_any_open() {
            return true;
        }
        self.watched.store(false, Ordering::SeqCst);
        // whoever noted one before that line has told nobody
        self.is_any_open() && !self.watched.swap(true, Ordering::SeqCst)
    }

    fn is_any_open(&self) -> bool {
        self.known().values().any(Known::is_looked_for)
    }

    fn add(&self, hash: u64, agent: &str, place: u64, approved: Option<Approved>) {
        let mut known = self.known();
        if known.len() >= MOST {
            // what is forgotten is looked up
            known.clear();
        }
        let agent = agent.into();
        known.insert(hash, Known { agent, place, approved });
    }

    fn known(&self) -> MutexGuard<'_, HashMap<u64, Known>> {
        // an entry is replaced as a whole
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant, SystemTime};

    use super::*;
    use crate::answer::wait;
    use crate::approval::{Opening, TicketClaim};
    use crate::audit::entry::tests::record;
    use crate::audit::entry::{Statement, statement};
    use crate::audit::{Committed, Disposition, Recorder as _};
    use crate::governor::Claims;
    use crate::store::sqlite::schema;
    use crate::store::sqlite::tickets::ready::tests::{opening, store};
    use crate::store::{Store, StoreOptions};
    use crate::verdict::Decision;

    /// Says so after a while at the latest.
    fn comes_true(mut what: impl FnMut() -> bool) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) {
            if what() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }

    #[test]
    fn what_another_process_approves_is_read_although_nobody_asks_and_forgotten_when_it_is_over() {
        let (store, dir) = store("book");
        // as another process has it
        let other = Store::open(StoreOptions::new(&dir).high_water(dir.join("mark"))).unwrap();
        let one = opening("tkt_one", 1);
        let commit = |by: &Store, decision, disposition, ticket| {
            let claims = Claims {
                ticket,
                ..Claims::default()
            };
            let made = record(&one.call, decision, disposition, &[]);
            let made = wait(by.commit(made, Some(&one.call), claims));
            assert!(matches!(made, Ok(Committed::Done(_))));
        };
        let state = |kind| statement(&Statement::new(kind, SystemTime::now(), "{}")).unwrap();
        let book = &store.0.shared.book;
        assert!(!book.watched.load(Ordering::SeqCst), "nothing is looked for");
        commit(
            &store,
            Decision::Escalate,
            Disposition::Queued,
            TicketClaim::Open(Arc::clone(&one)),
        );
        assert!(matches!(store.noted_ticket(&one.call), Noted::Open));
        let to = (TicketState::Approved, 0);
        wait(other.decide_ticket("tkt_one", "k1", state("approval"), to, None))
            .unwrap()
            .unwrap();
        let mut approved = None;
        assert!(comes_true(|| match store.noted_ticket(&one.call) {
            Noted::Approved(noted) => approved.replace(noted).is_none(),
            _ => false,
        }));
        let approved = approved.unwrap();
        let (found, epoch) = (approved.found, store.reader().unwrap().head().unwrap().epoch());
        assert_eq!(
            (&*found.id, found.state, approved.epoch, approved.people.is_some()),
            ("tkt_one", TicketState::Approved, epoch, true)
        );
        assert_eq!(found.statements.len(), 1);
        // where other approvers are enrolled meanwhile, it is read anew, as of then
        wait(other.append(state("approver"), true)).unwrap();
        assert!(comes_true(|| match store.noted_ticket(&one.call) {
            Noted::Approved(noted) => noted.epoch == epoch + 1,
            _ => false,
        }));
        let close = TicketClaim::Close(Arc::clone(&one.id), TicketState::Cancelled);
        commit(&other, Decision::Deny, Disposition::Refused, close);
        assert!(comes_true(|| matches!(store.noted_ticket(&one.call), Noted::Nothing)));
        assert!(
            comes_true(|| !book.watched.load(Ordering::SeqCst)),
            "and nothing is looked for"
        );
        drop((store, other));
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn what_this_process_closes_is_over_at_once_whatever_a_look_that_began_before_has_read_of_it() {
        let (store, dir) = store("over");
        let (one, two) = (opening("tkt_one", 1), opening("tkt_two", 2));
        let commit = |decision, disposition, opening: &Opening, ticket| {
            let claims = Claims {
                ticket,
                ..Claims::default()
            };
            let made = record(&opening.call, decision, disposition, &[]);
            let made = wait(store.commit(made, Some(&opening.call), claims));
            assert!(matches!(made, Ok(Committed::Done(_))));
        };
        let book = &store.0.shared.book;
        // as a look reads them that knows of the log what it was then
        let over = book.count_over();
        let foresee = |opening: &Opening| {
            let binding = store.0.shared.binding(&opening.call).unwrap();
            let reader = schema::reader(&schema::database(&dir)).unwrap();
            let found = seen::find(&reader, &store.0.shared.keys, ("support-bot", &binding));
            let approved = Approved {
                epoch: 0,
                found: Arc::new(found.unwrap().unwrap()),
                people: Some(Arc::new(LoggedPeople {
                    origin: String::new(),
                    approvers: Vec::new(),
                    passport: None,
                })),
            };
            let hash = book.hash.hash_one(binding);
            move || (book.foresee(over, hash, approved.clone()), hash)
        };
        for one in [&one, &two] {
            let open = TicketClaim::Open(Arc::clone(one));
            commit(Decision::Escalate, Disposition::Queued, one, open);
        }
        let is_known = |hash| book.known()[&hash].approved.is_some();
        let (first, second) = (foresee(&one), foresee(&two));
        let ((taken, first_hash), (_, second_hash)) = (first(), second());
        assert!(taken && is_known(first_hash) && is_known(second_hash));
        let close = TicketClaim::Close(Arc::clone(&one.id), TicketState::Cancelled);
        commit(Decision::Deny, Disposition::Refused, &one, close);
        assert!(!is_known(first_hash) && is_known(second_hash));
        assert!(!first().0, "the look began before");
        assert!(!is_known(first_hash));
        drop(store);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
