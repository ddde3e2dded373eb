//! Calls that wait for people, and are refused at once when they are stopped.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::admit::Case;
use crate::verdict::EvaluationId;

impl Case {
    /// What is waited for; none when the call may not run any more meanwhile, whatever comes of it.
    pub(super) async fn unless_stopped<T>(
        &self,
        evaluation: &EvaluationId,
        waited: impl Future<Output = T>,
    ) -> Option<T> {
        // nothing of this call runs: what other processes stop is looked for all the same
        #[cfg(feature = "sqlite")]
        let _attended = self
            .scope
            .harness
            .inner()
            .recorder
            .store()
            .map(crate::store::Store::attend);
        let mut waited = pin!(waited);
        let mut watched = None;
        poll_fn(|cx| {
            let interrupts = &self.scope.harness.inner().interrupts;
            match &mut watched {
                // watched first: a stop that is stated from here on wakes this task
                None => watched = Some(interrupts.watch(&self.call, evaluation, cx.waker())),
                Some(watched) => watched.wake_by(cx.waker()),
            }
            if self.is_stopped() {
                return Poll::Ready(None);
            }
            waited.as_mut().poll(cx).map(Some)
        })
        .await
    }

    fn is_stopped(&self) -> bool {
        let inner = self.scope.harness.inner();
        inner.interrupts.admits(&self.call).is_err()
            || inner.recorder.admits(self.call.agent(), inner.clock.now()).is_err()
    }
}
