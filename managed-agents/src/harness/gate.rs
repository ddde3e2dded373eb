//! The gate before a body: nothing of it runs before the verdict.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::admit::{Admission, Place, admit, admit_call_in, admit_taken, refuse_as, settled, take};
use super::blocking;
use super::compensate::Compensation;
use super::draft::Draft;
use super::guard::{Entered, Guard};
use super::returned::GovernedReturn;
use super::scope::{Scope, Waits};
use crate::denial_slot;
use crate::error::{DenialKind, GovernanceDenied};
use crate::outcome::Outcome;

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
    Judging(Admission),
    Running(Guard),
    Ended,
}

impl Place for &mut Stage {
    type Held = ();

    #[inline(always)]
    fn hold(self, guard: Guard) {
        *self = Stage::Running(guard);
    }
}

impl<F> Future for Gate<F>
where
    F: Future<Output: GovernedReturn>,
{
    type Output = F::Output;

    // compiled for each governed function: what does not depend on the body is in functions below
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let entered = match before(this.stage, cx) {
            Before::Body(entered) => entered,
            Before::Answer(answer) => return answer,
            Before::Stopped(denied, compensation) => {
                // the body is gone before its caller goes on, and before anything undoes it
                this.body.set(None);
                compensate(compensation);
                return Poll::Ready(denied);
            }
        };
        let Some(body) = this.body.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let polled = body.poll(cx);
        entered.leave();
        match after(this.stage, polled, cx) {
            After::Polled(polled) => polled,
            After::Overdue(denied) => {
                // the body is gone before its caller goes on
                this.body.set(None);
                denied
            }
        }
    }
}

impl<F> fmt::Debug for Gate<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

/// What comes of a poll before the body is polled.
enum Before<'a, R> {
    /// The body is to be polled.
    Body(Entered<'a>),
    /// This is the answer.
    Answer(Poll<R>),
    /// This is the answer, and the body is to be dropped.
    Stopped(R, Option<Compensation>),
}

/// All that comes before the body; or what to answer in its place.
#[inline(never)]
fn before<'a, R: GovernedReturn>(stage: &'a mut Stage, cx: &mut Context<'_>) -> Before<'a, R> {
    if !matches!(stage, Stage::Running(_)) {
        match judge(stage, cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(denied)) => return Before::Answer(Poll::Ready(R::from_denial(denied))),
            Poll::Pending => return Before::Answer(Poll::Pending),
        }
    }
    let ends = match stage {
        Stage::Running(guard) => guard.must_end(),
        _ => false,
    };
    if ends {
        return stop(stage);
    }
    match stage {
        Stage::Running(guard) => Before::Body(guard.enter()),
        // polled after its end
        _ => Before::Answer(Poll::Pending),
    }
}

/// Ends a call that an interrupt stopped.
#[cold]
fn stop<'a, R: GovernedReturn>(stage: &mut Stage) -> Before<'a, R> {
    match std::mem::replace(stage, Stage::Ended) {
        Stage::Running(guard) => {
            let (denied, compensation) = guard.interrupted();
            denial_slot::stopped(&denied);
            Before::Stopped(R::from_denial(denied), compensation)
        }
        _ => Before::Answer(Poll::Pending),
    }
}

fn compensate(compensation: Option<Compensation>) {
    if let Some(compensation) = compensation {
        compensation.start();
    }
}

fn judge(stage: &mut Stage, cx: &mut Context<'_>) -> Poll<Result<(), GovernanceDenied>> {
    let admitted = match stage {
        // a judge that panicked has had its call
        Stage::Drafted(draft) if draft.is_spent() => return Poll::Pending,
        Stage::Drafted(draft) => {
            let step = match scope_of(draft) {
                Ok(scope) => match take(&scope, draft) {
                    Ok(call) => match admit_call_in(scope, call, &mut *stage) {
                        Ok(()) => {
                            denial_slot::decided(None);
                            return Poll::Ready(Ok(()));
                        }
                        Err(step) => step,
                    },
                    taken => admit_taken(scope, taken),
                },
                Err(denied) => Ok(Err(denied)),
            };
            match step {
                Ok(admitted) => admitted,
                Err(later) => {
                    *stage = Stage::Judging(later);
                    ready!(poll_later(stage, cx))
                }
            }
        }
        Stage::Judging(_) => ready!(poll_later(stage, cx)),
        Stage::Running(_) | Stage::Ended => return Poll::Pending,
    };
    denial_slot::decided(admitted.as_ref().err());
    Poll::Ready(match admitted {
        Ok(guard) => {
            *stage = Stage::Running(guard);
            Ok(())
        }
        Err(denied) => {
            *stage = Stage::Ended;
            Err(denied)
        }
    })
}

/// Polls a decision that was not there at once.
#[cold]
fn poll_later(stage: &mut Stage, cx: &mut Context<'_>) -> Poll<Result<Guard, GovernanceDenied>> {
    match stage {
        Stage::Judging(later) => Pin::new(later).poll(cx),
        _ => Poll::Pending,
    }
}

enum After<R> {
    /// This is the answer.
    Polled(Poll<R>),
    /// This is the answer, and the body is to be dropped.
    Overdue(Poll<R>),
}

/// All that comes after a poll of the body.
#[inline(never)]
fn after<R: GovernedReturn>(stage: &mut Stage, polled: Poll<R>, cx: &mut Context<'_>) -> After<R> {
    match &polled {
        Poll::Ready(value) => {
            ended(stage, value.outcome());
            After::Polled(polled)
        }
        Poll::Pending => match overdue(stage, cx) {
            Poll::Ready(denied) => After::Overdue(Poll::Ready(R::from_denial(denied))),
            Poll::Pending => {
                if let Stage::Running(guard) = stage {
                    guard.watch(cx);
                }
                After::Polled(Poll::Pending)
            }
        },
    }
}

fn ended(stage: &mut Stage, outcome: Outcome) {
    if let Stage::Running(guard) = stage {
        guard.ended(outcome);
        *stage = Stage::Ended;
    }
}

/// The denial of a body that ran too long.
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

#[inline(always)]
fn scope_of(draft: &Draft) -> Result<Scope, GovernanceDenied> {
    match draft.own_scope() {
        Some(scope) => Ok(scope.clone()),
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
    let mut draft = draft;
    let tool = draft.meta().name();
    let admitted = async {
        let scope = scope_of(&draft)?;
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            let head = scope.harness.inner().heads.of_function(draft.meta());
            let refused = refuse_as(scope, head, no_runtime(tool)).await;
            return Err(refused.err().unwrap_or_else(|| no_runtime(tool)));
        };
        Ok((runtime, scope.clone(), settled(admit(scope, &mut draft)).await?))
    }
    .await;
    denial_slot::decided(admitted.as_ref().err());
    let (runtime, scope, admitted) = match admitted {
        Ok(admitted) => admitted,
        Err(denied) => return F::Output::from_denial(denied),
    };
    let mut admitted = admitted;
    admitted.finish_whatever_comes();
    let running = Gate {
        stage: Stage::Running(admitted),
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
            if guard.must_end() {
                let (denied, _) = guard.interrupted();
                denial_slot::stopped(&denied);
                return R::from_denial(denied);
            }
            let entered = guard.enter_blocking();
            let value = body();
            entered.leave();
            guard.ended(value.outcome());
            value
        }
        Err(denied) => R::from_denial(denied),
    }
}

fn before_blocking(mut draft: Draft) -> Result<Guard, GovernanceDenied> {
    let admitted = scope_of(&draft).and_then(|mut scope| {
        scope.waits = Waits::Yes;
        let admission = settled(admit(scope.clone(), &mut draft));
        let head = |scope: &Scope| scope.harness.inner().heads.of_function(draft.meta());
        blocking::wait(scope, head, admission)
    });
    denial_slot::decided(admitted.as_ref().err());
    admitted
}
