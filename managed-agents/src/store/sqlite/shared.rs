//! What callers and the writer's thread share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::keys::SubjectKeys;
use crate::identity::Standing;

/// What callers and the writer's thread share. No lock is held across a system call.
pub(super) struct Shared {
    pub(super) keys: Arc<SubjectKeys>,
    most_in_flight: usize,
    in_flight: AtomicUsize,
    /// The latest time of any entry, in microseconds since 1970.
    log_time: AtomicI64,
    standings: RwLock<Arc<HashMap<String, Standing>>>,
    /// The code of what is wrong, if the last that was to be written could not be.
    trouble: RwLock<Option<&'static str>>,
}

impl Shared {
    pub(super) fn new(keys: Arc<SubjectKeys>, most_in_flight: usize) -> Self {
        Self {
            keys,
            most_in_flight,
            in_flight: AtomicUsize::new(0),
            log_time: AtomicI64::new(0),
            standings: RwLock::default(),
            trouble: RwLock::default(),
        }
    }

    /// A place for a decision and its outcome; none when too many are under way.
    pub(super) fn place(self: &Arc<Self>) -> Option<Place> {
        let taken = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(self));
        // a place that is not given is given back by its own drop
        (taken < self.most_in_flight).then_some(place)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn log_time(&self) -> i64 {
        self.log_time.load(Ordering::Relaxed)
    }

    pub(super) fn set_log_time(&self, micros: i64) {
        self.log_time.store(micros, Ordering::Relaxed);
    }

    pub(super) fn trouble(&self) -> Option<&'static str> {
        *self.trouble.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_trouble(&self, code: Option<&'static str>) {
        // most often nothing changes, and readers are few
        if self.trouble() != code {
            *self.trouble.write().unwrap_or_else(PoisonError::into_inner) = code;
        }
    }

    pub(super) fn standings(&self) -> Arc<HashMap<String, Standing>> {
        // replaced as a whole, so never half changed
        Arc::clone(&self.standings.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn standing(&self, agent: &str) -> Option<Standing> {
        let standings = self.standings.read().unwrap_or_else(PoisonError::into_inner);
        standings.get(agent).cloned()
    }

    pub(super) fn set_standings(&self, standings: HashMap<String, Standing>) {
        *self.standings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(standings);
    }
}

/// A decision that is under way, until its outcome is written.
pub(super) struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
