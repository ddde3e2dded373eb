//! What is known of a session, shared by its calls.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::harness::Permit;
use crate::outcome::Outcome;

/// What is known of a session. Each change wakes who waits for one.
pub(super) struct Known {
    /// Held for a look-up or an insertion, never across an await.
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// Calls to which the service has an answer.
    answered: HashSet<String>,
    /// Threads that take no answers.
    ended_threads: HashSet<String>,
    /// Allowed calls that run at Anthropic, until they end.
    permits: HashMap<String, (String, Permit)>,
    /// The session takes no answers.
    over: bool,
    /// The program wants to end.
    cancelled: bool,
}

impl Known {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    /// Notes an answer; whether it is news.
    pub(super) fn answered(&self, call: &str) -> bool {
        let news = self.state().answered.insert(call.to_owned());
        if news {
            self.changed();
        }
        news
    }

    pub(super) fn is_answered(&self, call: &str) -> bool {
        self.state().answered.contains(call)
    }

    pub(super) fn thread_ended(&self, thread: &str) {
        self.state().ended_threads.insert(thread.to_owned());
        self.changed();
    }

    pub(super) fn end(&self) {
        self.state().over = true;
        self.changed();
    }

    pub(super) fn cancel(&self) {
        self.state().cancelled = true;
        self.changed();
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.state().cancelled
    }

    /// Whether calls of a thread take answers.
    pub(super) fn takes_answers(&self, thread: Option<&str>) -> bool {
        let state = self.state();
        !state.over && thread.is_none_or(|thread| !state.ended_threads.contains(thread))
    }

    /// Keeps the permit of a call that runs elsewhere.
    pub(super) fn keep(&self, call: &str, tool: &str, permit: Permit) {
        self.state().permits.insert(call.to_owned(), (tool.to_owned(), permit));
    }

    /// Gives up the calls that run elsewhere and have not ended: their events and tools.
    pub(super) fn give_up(&self) -> Vec<(String, String)> {
        let permits = std::mem::take(&mut self.state().permits);
        let mut calls: Vec<_> = permits.into_iter().map(|(call, (tool, _))| (call, tool)).collect();
        calls.sort();
        calls
    }

    /// A call that ran elsewhere has ended.
    pub(super) fn ended(&self, call: &str, is_error: bool) {
        let permit = self.state().permits.remove(call);
        if let Some((_, permit)) = permit {
            permit.finish(if is_error { Outcome::Error } else { Outcome::Ok });
        }
    }

    /// Changes from now on.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Ends when the program wants to end.
    pub(super) async fn cancelled(&self) {
        let mut changes = self.changes();
        while !self.is_cancelled() {
            // the sender lives as long as this
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|number| *number += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
