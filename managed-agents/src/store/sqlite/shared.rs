//! What callers and the writer's thread share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::interrupts::Stops;
use super::keys::SubjectKeys;
use super::tickets::{Book, StoreKey};
use super::watch::Alarm;
use crate::call::{AgentId, ToolCall};
use crate::identity::{AgentState, Standing};
use crate::interrupt::Interrupts;

/// What callers and the writer's thread share. No lock is held across a system call.
pub(super) struct Shared {
    pub(super) keys: Arc<SubjectKeys>,
    /// The store's part of what tickets are bound by.
    pub(super) ticket_key: StoreKey,
    pub(super) book: Book,
    most_in_flight: usize,
    in_flight: AtomicUsize,
    /// How many callers wait for the answer to a decision. A call is in flight for longer: until its outcome is written.
    waiting: AtomicUsize,
    /// How many want to hear of stops although nothing runs.
    attending: AtomicUsize,
    /// The latest time of any entry, in microseconds since 1970.
    log_time: AtomicI64,
    standings: RwLock<Arc<HashMap<String, Standing>>>,
    /// The code of what is wrong, if the last that was to be written could not be.
    trouble: RwLock<Option<&'static str>>,
    pub(super) interrupts: Interrupts,
    pub(super) alarm: Alarm,
    /// The epoch that standings and interrupts are of; guards that no older news replaces newer.
    published: Mutex<Option<u64>>,
}

impl Shared {
    pub(super) fn new(keys: Arc<SubjectKeys>, ticket_key: StoreKey, most_in_flight: usize) -> Self {
        Self {
            keys,
            ticket_key,
            book: Book::default(),
            most_in_flight,
            in_flight: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            attending: AtomicUsize::new(0),
            log_time: AtomicI64::new(0),
            standings: RwLock::default(),
            trouble: RwLock::default(),
            interrupts: Interrupts::new(),
            alarm: Alarm::default(),
            published: Mutex::default(),
        }
    }

    /// What a call's ticket is bound to; none for a data subject that has no key yet, of which there is no ticket either.
    pub(super) fn binding(&self, call: &ToolCall) -> Option<[u8; 32]> {
        let key = self.keys.find(call.subject().unwrap_or(call.agent().as_str()))?;
        Some(call.binding(&self.ticket_key.of_subject(&key)))
    }

    /// A place for a decision and its outcome; none when too many are under way.
    pub(super) fn place(self: &Arc<Self>) -> Option<Place> {
        // in one order with what the watching thread reads before it sleeps
        let taken = self.in_flight.fetch_add(1, Ordering::SeqCst);
        self.alarm.wake();
        let place = Place(Arc::clone(self));
        // a place that is not given is given back by its own drop
        (taken < self.most_in_flight).then_some(place)
    }

    /// Counts a caller that waits for the answer to its decision, until what is given is dropped.
    pub(super) fn wait(self: &Arc<Self>) -> Waiting {
        // a number that is out of date makes nobody's wait longer than it is allowed to be
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting {
            shared: Arc::clone(self),
            alone: before == 0,
        }
    }

    /// Has stops of other processes looked for until what is given is dropped.
    pub(super) fn attend(self: &Arc<Self>) -> Attending {
        // in one order with what the watching thread reads before it sleeps, as in `place`
        self.attending.fetch_add(1, Ordering::SeqCst);
        self.alarm.wake();
        Attending(Arc::clone(self))
    }

    /// Whether somebody must hear of stops.
    pub(super) fn is_attended(&self) -> bool {
        self.in_flight() > 0 || self.attending.load(Ordering::SeqCst) > 0
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
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

    /// What the log says of agents and stops in an epoch. Bodies that are to end are told; older news than those that are known
    /// are passed over.
    pub(super) fn publish(&self, epoch: u64, standings: HashMap<String, Standing>, stops: &Stops) {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        if published.is_some_and(|known| known >= epoch) {
            return;
        }
        let before = self.standings();
        let barred: Vec<_> = standings
            .iter()
            .filter(|(_, now)| now.state != AgentState::Active)
            .filter(|(agent, _)| {
                before
                    .get(*agent)
                    .is_some_and(|before| before.state == AgentState::Active)
            })
            .map(|(agent, now)| (AgentId::parse(agent), now.state))
            .collect();
        *self.standings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(standings);
        self.interrupts.replace(epoch, stops.as_slice());
        *published = Some(epoch);
        drop(published);
        for (agent, state) in barred {
            let code = if state == AgentState::Revoked {
                "agent_revoked"
            } else {
                "agent_suspended"
            };
            if let Ok(agent) = agent {
                self.interrupts.bar(agent, code);
            }
        }
    }
}

/// Somebody who wants to hear of stops although nothing runs.
pub(crate) struct Attending(Arc<Shared>);

impl Drop for Attending {
    fn drop(&mut self) {
        self.0.attending.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A caller that waits for the answer to its decision.
pub(super) struct Waiting {
    shared: Arc<Shared>,
    /// Whether nobody else waited when it began to.
    pub(super) alone: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A decision that is under way, until its outcome is written.
pub(super) struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
