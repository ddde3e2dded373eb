//! How a dispatcher learns that the call it made was refused, whatever the tool's own error type makes of a refusal.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::GovernanceDenied;

/// The most refusals inside a body that are remembered.
const MOST_INNER: usize = 16;

tokio::task_local! {
    /// Guards the slot; held for an addition, never across an await. The body of `cancel = finish` runs in a task of its own
    /// and shares it.
    static SLOT: Option<Arc<Mutex<Slot>>>;
}

struct Slot {
    tool: &'static str,
    /// A gate has decided: the first is the dispatched call's own, later ones are those of calls that its body makes.
    decided: bool,
    refusals: Refusals,
    /// What a person changed of the dispatched call.
    edited: Option<String>,
}

/// What was refused during a dispatched call.
#[derive(Default)]
pub(crate) struct Refusals {
    /// The dispatched call itself.
    pub(crate) own: Option<GovernanceDenied>,
    /// Calls that its body made. An error that the body returns may quote them, with the operator's text.
    pub(crate) inner: Vec<GovernanceDenied>,
}

impl Slot {
    fn inner(&mut self, denied: &GovernanceDenied) {
        if self.refusals.inner.len() < MOST_INNER {
            self.refusals.inner.push(denied.clone());
        }
    }
}

/// Tells the dispatcher, if there is one, what a gate decided.
pub(crate) fn decided(denied: Option<&GovernanceDenied>) {
    tell(|slot| {
        if slot.decided {
            denied.into_iter().for_each(|denied| slot.inner(denied));
        } else {
            slot.decided = true;
            slot.refusals.own = denied.cloned();
        }
    });
}

/// Tells the dispatcher, if there is one, what a person changed of a call that is about to run; of those that its body makes, the
/// body's value says what it will.
#[cfg(feature = "engine")]
pub(crate) fn edited(told: &str) {
    tell(|slot| {
        if !slot.decided {
            slot.edited = Some(told.to_owned());
        }
    });
}

/// Tells the dispatcher, if there is one, that a body which was allowed was stopped.
pub(crate) fn stopped(denied: &GovernanceDenied) {
    tell(|slot| {
        if denied.tool() == Some(slot.tool) {
            slot.refusals.own = Some(denied.clone());
        } else {
            slot.inner(denied);
        }
    });
}

fn tell(what: impl FnOnce(&mut Slot)) {
    // an error says that no dispatcher made the call
    let _ = SLOT.try_with(|slot| {
        if let Some(slot) = slot {
            // nothing that is done under the lock can leave the slot half changed
            what(&mut slot.lock().unwrap_or_else(PoisonError::into_inner));
        }
    });
}

/// A part of a dispatched call that runs in a task of its own: what is refused there is told to the same dispatcher.
pub(crate) fn carried<F: Future>(part: F) -> impl Future<Output = F::Output> {
    let slot = SLOT.try_with(Clone::clone).ok().flatten();
    SLOT.scope(slot, part)
}

/// Runs a dispatched call of a tool, and gives beside its value what was refused meanwhile, and what a person changed of it.
pub(crate) async fn watch<F: Future>(tool: &'static str, call: F) -> (F::Output, Refusals, Option<String>) {
    let slot = Arc::new(Mutex::new(Slot {
        tool,
        decided: false,
        refusals: Refusals::default(),
        edited: None,
    }));
    let value = SLOT.scope(Some(Arc::clone(&slot)), call).await;
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    let (refusals, edited) = (std::mem::take(&mut slot.refusals), slot.edited.take());
    drop(slot);
    (value, refusals, edited)
}
