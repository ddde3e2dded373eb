//! How a dispatcher learns that the call it made was refused, whatever the tool's own error type makes of a refusal.

use std::cell::RefCell;
use std::future::Future;

use crate::error::GovernanceDenied;

tokio::task_local! {
    static SLOT: RefCell<Slot>;
}

#[derive(Default)]
enum Slot {
    /// No gate has decided yet.
    #[default]
    Open,
    /// The first gate has decided: what it refused, or nothing. Later ones are the body's own calls.
    Decided(Option<GovernanceDenied>),
}

/// Tells the dispatcher, if there is one, what a gate decided.
pub(crate) fn decided(denied: Option<&GovernanceDenied>) {
    // an error says that no dispatcher made the call
    let _ = SLOT.try_with(|slot| {
        let mut slot = slot.borrow_mut();
        if let Slot::Open = *slot {
            *slot = Slot::Decided(denied.cloned());
        }
    });
}

/// Runs a dispatched call, and gives beside its value the refusal of its own gate, if it was refused.
pub(crate) async fn watch<F: Future>(call: F) -> (F::Output, Option<GovernanceDenied>) {
    SLOT.scope(RefCell::default(), async {
        let value = call.await;
        let denied = SLOT.with(|slot| match slot.take() {
            Slot::Decided(denied) => denied,
            Slot::Open => None,
        });
        (value, denied)
    })
    .await
}
