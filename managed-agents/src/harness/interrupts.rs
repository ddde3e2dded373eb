//! Stopping from code, and hearing of it inside a body.

use std::future::poll_fn;
use std::task::Poll;

use super::Harness;
use super::first_step::Steps;
use super::scope::Running;
use crate::answer::wait;
use crate::audit::Sequence;
use crate::interrupt::{InterruptError, InterruptErrorKind, Stop, StopRecord, Target};

impl Harness {
    /// Stops a call, a session, an agent, or everything that is recorded in the same record: answered when no process admits
    /// it any more (fsynced, whatever the durability), no body begins in this one (what was just beginning has taken its first
    /// step), and what runs here is cancelled at its next await, or told. See [`interrupt`](crate::interrupt). A drill is recorded
    /// as one.
    ///
    /// # Errors
    ///
    /// [`InterruptErrorKind::NotRunning`] for a call that does not run, [`InterruptErrorKind::Input`] for a reason that is no
    /// code. [`InterruptErrorKind::Unrecorded`] when it cannot be recorded: it holds all the same, in this process.
    pub async fn stop(&self, stop: &Stop) -> Result<Sequence, InterruptError> {
        stop.check()?;
        let stated = self.0.recorder.stop(stop).await;
        let stated = self.after_stop(stop, stated);
        Steps::under_way().end().await;
        stated
    }

    /// The same where nothing can be awaited.
    ///
    /// # Errors
    ///
    /// As [`stop`](Self::stop).
    pub fn stop_blocking(&self, stop: &Stop) -> Result<Sequence, InterruptError> {
        stop.check()?;
        let stated = wait(self.0.recorder.stop(stop));
        let stated = self.after_stop(stop, stated);
        Steps::under_way().end_blocking();
        stated
    }

    fn after_stop(&self, stop: &Stop, stated: Result<Sequence, InterruptError>) -> Result<Sequence, InterruptError> {
        if let Err(error) = &stated
            && error.kind() == InterruptErrorKind::Unrecorded
        {
            // what cannot be recorded does not run on for that
            let record = StopRecord::new(stop.clone(), self.0.clock.now(), None);
            self.0.interrupts.stop(record);
        }
        stated
    }

    /// Ends the stops of exactly this target, for a reason in snake case. Of a durable record, only with the authority's key.
    ///
    /// # Errors
    ///
    /// [`InterruptErrorKind::NotStopped`] where nothing is, [`InterruptErrorKind::NotAllowed`] without the key,
    /// [`InterruptErrorKind::Unrecorded`] when it cannot be recorded: then the stop still holds.
    pub async fn resume(&self, target: &Target, reason: &str) -> Result<Sequence, InterruptError> {
        let stated = self.0.recorder.resume(target, reason).await;
        self.after_resume(target, stated)
    }

    /// The same where nothing can be awaited.
    ///
    /// # Errors
    ///
    /// As [`resume`](Self::resume).
    pub fn resume_blocking(&self, target: &Target, reason: &str) -> Result<Sequence, InterruptError> {
        let stated = wait(self.0.recorder.resume(target, reason));
        self.after_resume(target, stated)
    }

    fn after_resume(
        &self,
        target: &Target,
        stated: Result<Sequence, InterruptError>,
    ) -> Result<Sequence, InterruptError> {
        let allowed = match &stated {
            Ok(_) => true,
            // a stop that could not be recorded has no end in the record either
            Err(error) => matches!(
                error.kind(),
                InterruptErrorKind::NotStopped | InterruptErrorKind::Unrecorded
            ),
        };
        if allowed && self.0.interrupts.end_unrecorded(target) > 0 {
            return stated.or(Ok(Sequence::new(0)));
        }
        stated
    }

    /// The stops that hold for the record of this harness, oldest first, as this process knows them: those of other processes
    /// are known while calls run or a session of Claude's is governed, and else from the next call on.
    #[must_use]
    pub fn stops(&self) -> Vec<StopRecord> {
        self.0.interrupts.in_force()
    }
}

/// Whether the governed call whose body asks was told to stop: one with `cancel = finish`, a synchronous one, or one that
/// computes for long between two awaits should then come to its end. False outside every governed body.
///
/// # Examples
///
/// ```
/// # use managed_agents::{GovernanceDenied, governed};
/// /// Counts, and can be told to stop.
/// #[governed(risk = low, reversible, blocking)]
/// fn count(to: u64) -> Result<u64, GovernanceDenied> {
///     let mut counted = 0;
///     while counted < to && !managed_agents::stopping() {
///         counted += 1;
///     }
///     Ok(counted)
/// }
/// ```
#[must_use]
pub fn stopping() -> bool {
    Running::current().is_some_and(|running| running.is_stopped())
}

/// Waits until the governed call whose body waits is told to stop; for bodies with `cancel = finish`, beside their work. Never
/// comes outside every governed body.
pub async fn stopped() {
    let mut watched = None;
    let running = Running::current();
    poll_fn(|cx| {
        let Some(running) = &running else {
            return Poll::Pending;
        };
        let interrupts = &running.within.harness.inner().interrupts;
        // watched first: a stop that is stated from here on wakes this task
        watched = Some(interrupts.watch(&running.call, &running.evaluation, cx.waker()));
        if running.is_stopped() {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
    drop(watched);
}

impl Running {
    fn is_stopped(&self) -> bool {
        let interrupts = &self.within.harness.inner().interrupts;
        interrupts.number() != self.since && interrupts.since(self.since, &self.call, &self.evaluation).0.is_some()
    }
}
