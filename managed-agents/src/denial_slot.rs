//! The denial of a dispatched call, beside the error that the tool made of it.
//!
//! A tool's own error type may flatten a [`GovernanceDenied`] into a string. So whoever dispatches a call opens a slot around
//! it, and the gate that refuses the call leaves the denial there.

use std::cell::RefCell;
use std::future::Future;

use crate::error::GovernanceDenied;

tokio::task_local! {
    static SLOT: RefCell<Slot>;
}

struct Slot {
    tool: &'static str,
    denied: Option<GovernanceDenied>,
}

/// Leaves a denial for whoever dispatched the call, if anybody did. A denial of another tool, which the body of the
/// dispatched one calls in its turn, is not the dispatched call's own and is left out.
pub(crate) fn note(denied: &GovernanceDenied) {
    // outside every dispatch there is no slot, and nobody to tell
    let _ = SLOT.try_with(|slot| {
        let mut slot = slot.borrow_mut();
        if denied.tool().is_none_or(|tool| tool == slot.tool) {
            slot.denied = Some(denied.clone());
        }
    });
}

/// Runs a dispatched call of a tool, and gives beside its output the denial that its gate left.
pub(crate) async fn around<F: Future>(tool: &'static str, call: F) -> (F::Output, Option<GovernanceDenied>) {
    let slot = RefCell::new(Slot { tool, denied: None });
    SLOT.scope(slot, async {
        let output = call.await;
        (output, SLOT.with(|slot| slot.borrow_mut().denied.take()))
    })
    .await
}
