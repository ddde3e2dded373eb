//! How a dispatcher learns that the call it made was refused, whatever the tool's own error type makes of a refusal.

use std::cell::RefCell;
use std::future::Future;

use crate::error::GovernanceDenied;

/// The most refusals inside a body that are remembered.
const MOST_INNER: usize = 16;

tokio::task_local! {
    static SLOT: RefCell<Slot>;
}

struct Slot {
    tool: &'static str,
    /// A gate has decided: the first is the dispatched call's own, later ones are those of calls that its body makes.
    decided: bool,
    refusals: Refusals,
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
    // an error says that no dispatcher made the call
    let _ = SLOT.try_with(|slot| {
        let mut slot = slot.borrow_mut();
        if slot.decided {
            denied.into_iter().for_each(|denied| slot.inner(denied));
        } else {
            slot.decided = true;
            slot.refusals.own = denied.cloned();
        }
    });
}

/// Tells the dispatcher, if there is one, that a body which was allowed was stopped.
pub(crate) fn stopped(denied: &GovernanceDenied) {
    let _ = SLOT.try_with(|slot| {
        let mut slot = slot.borrow_mut();
        if denied.tool() == Some(slot.tool) {
            slot.refusals.own = Some(denied.clone());
        } else {
            slot.inner(denied);
        }
    });
}

/// Runs a dispatched call of a tool, and gives beside its value what was refused meanwhile.
pub(crate) async fn watch<F: Future>(tool: &'static str, call: F) -> (F::Output, Refusals) {
    let slot = Slot {
        tool,
        decided: false,
        refusals: Refusals::default(),
    };
    SLOT.scope(RefCell::new(slot), async {
        let value = call.await;
        let refusals = SLOT.with(|slot| std::mem::take(&mut slot.borrow_mut().refusals));
        (value, refusals)
    })
    .await
}
