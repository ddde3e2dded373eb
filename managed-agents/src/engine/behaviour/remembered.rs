//! What is remembered of one agent, and who hears of it from a record.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::SystemTime;

use super::calibrating::{Calibrating, Task};
use super::profile::{self, Profile};
use crate::audit::{Attachment, Event, Watcher};
use crate::call::AgentId;
use crate::clock::Clock;
use crate::drift::{Alert, Calibrated};

/// One agent. Every harness of one record and agent in this process has the same, so that an entry is taken in once.
pub(super) struct Remembered {
    agent: Box<str>,
    me: Weak<Self>,
    profile: Mutex<Profile>,
    /// Where statements about it go: of several records the first that is there. Guards the list; held for a look at it.
    attached: Mutex<Vec<Attachment>>,
    /// Of several harnesses for one agent the first one's clock counts.
    clock: OnceLock<Clock>,
    /// It has heard all that was there before: what comes now is news.
    caught_up: AtomicBool,
    calibrating: Arc<Calibrating>,
}

impl Remembered {
    pub(super) fn new(agent: &str, calibrating: &Arc<Calibrating>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            agent: agent.into(),
            me: Weak::clone(me),
            profile: Mutex::default(),
            attached: Mutex::default(),
            clock: OnceLock::new(),
            caught_up: AtomicBool::new(false),
            calibrating: Arc::clone(calibrating),
        })
    }

    /// Held while one entry is taken in, or one score is read.
    pub(super) fn lock(&self) -> MutexGuard<'_, Profile> {
        // whole numbers: nothing is left half changed by a panic that cannot happen
        self.profile.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> SystemTime {
        self.clock.get().map_or_else(SystemTime::now, Clock::now)
    }

    /// Records a statement where the record holds such; else it is heard at once.
    pub(super) fn state(&self, kind: &'static str, body: &str) {
        let attached = self.attached.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stated = attached.iter().find(|to| !to.has_ended());
        if !stated.is_some_and(|to| to.state(&self.agent, kind, body)) {
            self.lock().state(kind, body);
        }
    }

    pub(super) fn send(&self, task: Task) {
        self.calibrating.send(Weak::clone(&self.me), &self.agent, task);
    }

    /// States the open alarm where there is a log that does not have it yet, so that whoever reads the log hears of it.
    pub(super) fn tell(&self) {
        let body = self.lock().unstated().map(Alert::to_json);
        if let Some(body) = body {
            self.state(profile::ALARM, &body);
        }
    }

    /// Writes down what is remembered where there is a log, so that the next start need not read all entries.
    pub(super) fn keep(&self) {
        let profile = self.lock().clone();
        self.state(profile::KEPT, &profile.kept());
    }

    /// The thresholds are there. Where there is a log they stand in it, so that whoever computes again begins to watch at the
    /// same entry.
    pub(super) fn calibrated(&self, calibrated: &Calibrated) {
        self.state(profile::BASELINE, &calibrated.to_json());
    }

    pub(super) fn attach(&self, to: Attachment) {
        let _ = self.clock.set(to.clock.clone());
        let mut attached = self.attached.lock().unwrap_or_else(PoisonError::into_inner);
        attached.retain(|to| !to.has_ended());
        attached.push(to);
    }
}

/// For this agent alone.
impl Watcher for Remembered {
    fn heard(&self, event: &Event<'_>) {
        let (heard, due) = {
            let mut profile = self.lock();
            (profile.hear(event), profile.is_due())
        };
        // not here: whoever writes the log is telling of it
        if (heard.alarm || due) && self.caught_up.load(Ordering::Acquire) {
            self.send(if heard.alarm { Task::Tell } else { Task::Keep });
        }
    }

    fn resumes(&self, _: &AgentId, place: u64, body: &str) -> Option<u64> {
        let mut profile = self.lock();
        if profile.as_of() > 0 {
            // it has heard of the agent elsewhere
            return None;
        }
        *profile = Profile::resumed(body).filter(|kept| kept.as_of() <= place)?;
        Some(profile.as_of())
    }

    fn caught_up(&self, _: &AgentId) {
        self.caught_up.store(true, Ordering::Release);
        // a process that died may have left one
        if self.lock().unstated().is_some() {
            self.send(Task::Tell);
        }
    }

    fn memory(self: Arc<Self>) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(self)
    }
}
