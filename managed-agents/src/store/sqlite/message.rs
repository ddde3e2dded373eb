//! What callers send to the writer's thread.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use super::error::StoreError;
use super::facts::Facts;
use super::holds::Hold;
use super::retention::{Batch, Retained};
use super::seal::Values;
use super::shared::Place;
use super::tickets::Order;
use crate::approval::{Opening, Seen};
use crate::audit::entry::PendingEntry;
use crate::audit::{DecisionRecord, OutcomeRecord, Sequence, Traits, Watcher};
use crate::call::ToolCall;
use crate::governor::Claims;
use crate::outcome::Outcome;

pub(super) enum Message {
    Decision(Box<Decision>),
    Outcome(Ended),
    Append(Box<Append>),
    /// A decision comes in a moment, most likely.
    Soon(Expected),
    /// A decision comes in a moment that opens this ticket, which is made ready meanwhile.
    Opening(Arc<Opening>),
    /// Who hears of an agent already.
    Watches(String, Reply<Vec<Arc<dyn Watcher>>>),
    Watch(Watch),
    /// A change of tickets.
    Ticket(Box<Order>),
    Erase {
        subject: String,
        reply: Reply<Option<Sequence>>,
    },
    Keep(Keeping),
    /// Answered when everything before it is fsynced, signed and marked.
    Flush(Reply<()>),
    Stop,
}

/// What the thread may get ready for while a decision is made ready.
pub(super) struct Expected {
    pub(super) agent: String,
    /// The ticket that it uses, as it was seen: then it is fsynced.
    pub(super) grant: Option<(Arc<str>, Seen)>,
}

/// What is removed by age, and what must be kept.
pub(super) enum Keeping {
    Retire(Box<Batch>, Reply<Retained>),
    Hold(Hold, Reply<Sequence>),
    Release(u64, Reply<Sequence>),
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// A decision, ready but for its place.
pub(super) struct Decision {
    pub(super) entry: PendingEntry,
    pub(super) facts: Facts,
    pub(super) values: Values,
    pub(super) claims: Claims,
    pub(super) agent: String,
    pub(super) session: Option<Arc<str>>,
    /// The passport that the entry names.
    pub(super) passport: Option<Arc<str>>,
    /// Whether the body is to run.
    pub(super) runs: bool,
    pub(super) place: Place,
    /// What shows of it in behaviour.
    pub(super) traits: Traits,
    /// What the entry was made of, where its inputs may be found to be others.
    pub(super) made_of: Option<Box<(DecisionRecord, Option<Arc<ToolCall>>)>>,
    pub(super) reply: Reply<Written>,
}

/// What became of a decision.
pub(super) enum Written {
    Done(Reserved),
    Stale,
    Exceeded(usize),
}

/// How a call ended.
#[derive(Clone, Copy)]
pub(super) struct Ended {
    pub(super) place: u64,
    pub(super) record: OutcomeRecord,
    pub(super) at: SystemTime,
}

/// Somebody who wants to hear of an agent, and knows what stands before `seen`.
pub(super) struct Watch {
    pub(super) agent: String,
    pub(super) watcher: Arc<dyn Watcher>,
    pub(super) seen: u64,
    pub(super) reply: Reply<()>,
}

/// A statement, ready but for its place.
pub(super) struct Append {
    pub(super) entry: PendingEntry,
    pub(super) synced: bool,
    pub(super) reply: Reply<Sequence>,
}

/// The place of a decision on its way to the caller. If the caller does not wait any more, its body never begins: the call is
/// recorded as cancelled.
pub(super) struct Reserved {
    sequence: u64,
    /// None once the caller has it, or when no outcome is to come.
    unclaimed: Option<Sender<Message>>,
}

impl Reserved {
    pub(super) fn new(sequence: u64, runs: bool, to_writer: &Sender<Message>) -> Self {
        Self {
            sequence,
            unclaimed: runs.then(|| to_writer.clone()),
        }
    }

    /// The caller has it, and reports the outcome from now on.
    pub(super) fn claim(mut self) -> Sequence {
        self.unclaimed = None;
        Sequence::new(self.sequence)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Some(to_writer) = self.unclaimed.take() {
            let now = SystemTime::now();
            let ended = Ended {
                place: self.sequence,
                record: OutcomeRecord::new(Outcome::Cancelled, Duration::ZERO, now).unbegun(),
                at: now,
            };
            // a writer that is gone leaves it open: the next one closes it
            let _ = to_writer.send(Message::Outcome(ended));
        }
    }
}
