//! What this process itself did to open tickets, so that a call need not wait for a look at the database first.
//!
//! Nothing rests on it: a ticket that is opened because none is known here is opened by a transaction that finds whether there is one,
//! and an approval that was written here is held against the call by its signatures, and consumed by a transaction that finds whether
//! it stands. What is wrong here makes a call be judged anew, and then the database is looked at.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::{desk, read};
use crate::approval::{Found, TicketState};
use crate::store::sqlite::keys::SubjectKeys;
use crate::store::sqlite::tip::Tip;

/// How many tickets are known at most.
const MOST: usize = 4_096;

/// An approval that this process wrote, as the log had it in an epoch.
#[derive(Clone)]
pub(crate) struct Approved {
    pub(crate) epoch: u64,
    pub(crate) found: Arc<Found>,
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
    /// Held to look at one entry or change it.
    known: Mutex<HashMap<u64, Option<Approved>>>,
}

impl Book {
    /// What is known of a binding. An approval is given out once: whoever is too late looks at the database.
    pub(in crate::store::sqlite) fn look(&self, binding: &[u8; 32]) -> Noted {
        match self.known().get_mut(&self.hash.hash_one(binding)) {
            None => Noted::Nothing,
            Some(known) => match known.take() {
                Some(approved) if approved.found.binding == *binding => Noted::Approved(approved),
                _ => Noted::Open,
            },
        }
    }

    /// There is an open ticket of a binding, or there is none any more.
    pub(in crate::store::sqlite) fn note(&self, binding: &[u8; 32], is_open: bool) {
        let hash = self.hash.hash_one(binding);
        if is_open {
            self.add(hash, None);
        } else {
            self.known().remove(&hash);
        }
    }

    /// This process wrote a decision on a ticket; within its transaction.
    pub(in crate::store::sqlite) fn decided(&self, db: &Connection, keys: &SubjectKeys, tip: &Tip, ticket: &str) {
        // what cannot be read is looked up, and then said
        let stored = read::by_id(db, keys, ticket).ok().flatten();
        let approved = stored.filter(|stored| stored.state == TicketState::Approved && stored.binding.is_some());
        if let Some(found) = approved.and_then(|stored| desk::found(db, stored).ok()) {
            let hash = self.hash.hash_one(found.binding);
            let (epoch, found) = (tip.epoch, Arc::new(found));
            self.add(hash, Some(Approved { epoch, found }));
        }
    }

    fn add(&self, hash: u64, what: Option<Approved>) {
        let mut known = self.known();
        if known.len() >= MOST {
            // what is forgotten is looked up
            known.clear();
        }
        known.insert(hash, what);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<u64, Option<Approved>>> {
        // an entry is replaced as a whole
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
