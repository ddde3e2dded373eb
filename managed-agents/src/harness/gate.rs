//! The gate before a body: nothing of it runs before the verdict.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::admit::{Admitted, admit, refuse_as};
use super::blocking;
use super::draft::Draft;
use super::guard::Guard;
use super::returned::GovernedReturn;
use super::scope::Scope;
use crate::answer::Answer;
use crate::denial_slot;
use crate::error::{DenialKind, GovernanceDenied};

/// Judges a call when it is first polled, and runs its body when it was allowed.
///
/// That the body's value can carry a denial is asked by [`Gate`] alone, so that who forgot it is told once.
#[doc(hidden)]
pub fn gate<F: Future>(draft: Draft, body: F) -> Gate<F> {
    Gate {
        stage: Stage::Drafted(draft),
        body: Some(body),
    }
}

pin_project! {
    /// The future of a governed function.
    #[must_use = "futures do nothing unless polled"]
    pub struct Gate<F> {
        stage: Stage,
        #[pin]
        body: Option<F>,
    }
}

enum Stage {
    Drafted(Draft),
    Judging(Answer<Result<Admitted, GovernanceDenied>>),
    Running(Guard),
    Ended,
}

impl<F> Future for Gate<F>
where
    F: Future<Output: GovernedReturn>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if !matches!(this.stage, Stage::Running(_))
            && let Err(denied) = ready!(before(this.stage, cx))
        {
            return Poll::Ready(F::Output::from_denial(denied));
        }
        let (Stage::Running(guard), Some(body)) = (&mut *this.stage, this.body.as_mut().as_pin_mut()) else {
            // polled after its end
            return Poll::Pending;
        };
        match guard.poll_body(body, cx) {
            Poll::Ready(value) => {
                ended(this.stage, value.outcome());
                Poll::Ready(value)
            }
            Poll::Pending => {
                let denied = ready!(overdue(this.stage, cx));
                // the body is gone before its caller goes on
                this.body.set(None);
                Poll::Ready(F::Output::from_denial(denied))
            }
        }
    }
}

impl<F> fmt::Debug for Gate<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

/// All that comes before the body; not generic, so that it is compiled once.
#[inline(never)]
fn before(stage: &mut Stage, cx: &mut Context<'_>) -> Poll<Result<(), GovernanceDenied>> {
    let admitted = match std::mem::replace(stage, Stage::Ended) {
        Stage::Drafted(draft) => match admit_in_scope(draft).now() {
            Ok(admitted) => admitted,
            Err(later) => ready!(poll_later(stage, later, cx)),
        },
        Stage::Judging(later) => ready!(poll_later(stage, later, cx)),
        Stage::Running(_) | Stage::Ended => return Poll::Pending,
    };
    denial_slot::decided(admitted.as_ref().err());
    Poll::Ready(admitted.map(|admitted| *stage = Stage::Running(admitted.into_guard())))
}

/// Polls a decision that is not there at once; it stays in the stage until it is.
#[cold]
fn poll_later(
    stage: &mut Stage,
    mut later: Answer<Result<Admitted, GovernanceDenied>>,
    cx: &mut Context<'_>,
) -> Poll<Result<Admitted, GovernanceDenied>> {
    let polled = Pin::new(&mut later).poll(cx);
    if polled.is_pending() {
        *stage = Stage::Judging(later);
    }
    polled
}

#[inline(never)]
fn ended(stage: &mut Stage, outcome: crate::outcome::Outcome) {
    if let Stage::Running(guard) = std::mem::replace(stage, Stage::Ended) {
        guard.ended(outcome);
    }
}

/// The denial of a body that ran too long.
#[inline(never)]
fn overdue(stage: &mut Stage, cx: &mut Context<'_>) -> Poll<GovernanceDenied> {
    let Stage::Running(guard) = stage else {
        return Poll::Pending;
    };
    if !guard.poll_deadline(cx) {
        return Poll::Pending;
    }
    match std::mem::replace(stage, Stage::Ended) {
        Stage::Running(guard) => {
            let denied = guard.timed_out();
            denial_slot::stopped(&denied);
            Poll::Ready(denied)
        }
        _ => Poll::Pending,
    }
}

fn admit_in_scope(draft: Draft) -> Answer<Result<Admitted, GovernanceDenied>> {
    match scope_of(&draft) {
        Ok(scope) => admit(scope, draft),
        Err(denied) => Answer::ready(Err(denied)),
    }
}

fn scope_of(draft: &Draft) -> Result<Scope, GovernanceDenied> {
    match draft.own_harness() {
        Some(harness) => Ok(Scope::of(harness)),
        None => Scope::current().map_err(|detail| GovernanceDenied::no_harness(draft.meta().name(), detail)),
    }
}

/// Judges a call, and spawns its body when it was allowed: a caller that goes away does not cut it short
/// (`cancel = finish`). Needs a tokio runtime.
#[doc(hidden)]
pub async fn gate_finish<F>(draft: Draft, body: F) -> F::Output
where
    F: Future<Output: GovernedReturn + Send> + Send + 'static,
{
    let tool = draft.meta().name();
    let admitted = async {
        let scope = scope_of(&draft)?;
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            let head = scope.harness.inner().heads.of_function(draft.meta());
            let refused = refuse_as(scope, head, no_runtime(tool)).await;
            return Err(refused.err().unwrap_or_else(|| no_runtime(tool)));
        };
        Ok((runtime, scope.clone(), admit(scope, draft).await?))
    }
    .await;
    denial_slot::decided(admitted.as_ref().err());
    let (runtime, scope, admitted) = match admitted {
        Ok(admitted) => admitted,
        Err(denied) => return F::Output::from_denial(denied),
    };
    let running = Gate {
        stage: Stage::Running(admitted.into_guard()),
        body: Some(body),
    };
    match runtime.spawn(denial_slot::carried(scope.enter(running))).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => F::Output::from_denial(
                GovernanceDenied::new(
                    DenialKind::Interrupted,
                    "runtime_ended",
                    "the tool was stopped before it ended",
                )
                .with_tool(tool),
            ),
        },
    }
}

fn no_runtime(tool: &str) -> GovernanceDenied {
    GovernanceDenied::new(
        DenialKind::Unavailable,
        "no_runtime",
        "this tool cannot run here; it was not run",
    )
    .with_detail("a tool with `cancel = finish` must be called inside a tokio runtime")
    .with_tool(tool)
}

/// Judges a call and runs its body on this thread. Where a runtime is running on this thread, a governor that does not
/// answer at once is a denial.
#[doc(hidden)]
pub fn gate_blocking<R: GovernedReturn>(draft: Draft, body: impl FnOnce() -> R) -> R {
    match before_blocking(draft) {
        Ok(mut guard) => {
            let value = guard.during(body);
            guard.ended(value.outcome());
            value
        }
        Err(denied) => R::from_denial(denied),
    }
}

fn before_blocking(draft: Draft) -> Result<Guard, GovernanceDenied> {
    let admitted = scope_of(&draft).and_then(|scope| {
        let head = scope.harness.inner().heads.of_function(draft.meta());
        blocking::wait(scope.clone(), head, admit(scope, draft))
    });
    denial_slot::decided(admitted.as_ref().err());
    admitted.map(Admitted::into_guard)
}
