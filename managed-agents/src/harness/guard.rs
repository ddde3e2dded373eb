//! An allowed call, until it has ended: its outcome is recorded whatever happens.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::Harness;
use super::compensate::Compensation;
use super::scope::{Parent, Running};
use crate::audit::{OutcomeRecord, Sequence};
use crate::call::ToolCall;
use crate::error::{DenialKind, GovernanceDenied};
use crate::interrupt::{StopRecord, Watched};
use crate::outcome::Outcome;
use crate::verdict::EvaluationId;

/// An allowed call whose outcome is not recorded yet. Dropped, it records how far the body came.
pub(super) struct Guard {
    harness: Harness,
    call: Arc<ToolCall>,
    evaluation: EvaluationId,
    place: Sequence,
    started: Instant,
    stage: Stage,
    span: Option<Box<tracing::Span>>,
    deadline: Option<Pin<Box<Sleep>>>,
    /// How many stops there were when it was admitted.
    since: u64,
    /// The body has begun.
    began: bool,
    /// Once it has begun, it is not cut short: it is told.
    finishes: bool,
    stopping: Option<Box<Stopping>>,
}

/// What few calls have.
#[derive(Default)]
struct Stopping {
    /// How many stops it has looked at.
    seen: u64,
    by: Option<Arc<StopRecord>>,
    /// Its place among those that a stop wakes.
    watched: Option<Watched>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Stage {
    /// Allowed, and between polls.
    Waiting,
    /// The body is being polled: dropped now, it has panicked.
    Polling,
    /// A permit that was handed out: dropped now, nobody said how the call ended.
    HandedOut,
    /// The outcome is recorded.
    Ended,
}

/// A part of a body, while it runs. Dropped without being left, it has panicked.
pub(super) struct Entered<'a> {
    // left in this order
    span: Option<tracing::span::Entered<'a>>,
    parent: Parent,
    stage: &'a mut Stage,
}

impl Entered<'_> {
    #[inline(never)]
    pub(super) fn leave(self) {
        let Self { span, parent, stage } = self;
        drop(span);
        drop(parent);
        *stage = Stage::Waiting;
    }
}

impl Guard {
    #[inline(always)]
    pub(super) fn new(
        harness: Harness,
        call: Arc<ToolCall>,
        evaluation: EvaluationId,
        place: Sequence,
        started: Instant,
        since: u64,
        span: Option<Box<tracing::Span>>,
    ) -> Self {
        Self {
            harness,
            call,
            evaluation,
            place,
            started,
            stage: Stage::Waiting,
            span,
            deadline: None,
            since,
            began: false,
            finishes: false,
            stopping: None,
        }
    }

    pub(super) fn call(&self) -> &Arc<ToolCall> {
        &self.call
    }

    pub(super) fn evaluation(&self) -> &EvaluationId {
        &self.evaluation
    }

    /// From now on somebody else says how the call ended.
    pub(super) fn hand_out(&mut self) {
        self.stage = Stage::HandedOut;
    }

    /// Once the body has begun, it runs to its end: a stop is told to it.
    pub(super) fn finish_whatever_comes(&mut self) {
        self.finishes = true;
    }

    /// Whether the call was told to stop.
    #[inline]
    pub(super) fn is_stopped(&mut self) -> bool {
        let number = self.harness.inner().interrupts.number();
        let seen = self.stopping.as_ref().map_or(self.since, |stopping| stopping.seen);
        if number == seen {
            return self.stopping.as_ref().is_some_and(|stopping| stopping.by.is_some());
        }
        self.look()
    }

    #[cold]
    fn look(&mut self) -> bool {
        let interrupts = &self.harness.inner().interrupts;
        let (by, number) = interrupts.since(self.since, &self.call, &self.evaluation);
        let stopping = self.stopping.get_or_insert_default();
        stopping.seen = number;
        if stopping.by.is_none() {
            stopping.by = by;
        }
        stopping.by.is_some()
    }

    /// Whether the body is not to be polled any more.
    #[inline]
    pub(super) fn must_end(&mut self) -> bool {
        self.is_stopped() && !(self.finishes && self.began)
    }

    /// The body waits: a stop wakes it from now on.
    pub(super) fn watch(&mut self, cx: &Context<'_>) {
        let since = self.since;
        let stopping = self.stopping.get_or_insert_with(|| {
            Box::new(Stopping {
                seen: since,
                ..Stopping::default()
            })
        });
        match &stopping.watched {
            Some(watched) => watched.wake_by(cx.waker()),
            None => {
                let interrupts = &self.harness.inner().interrupts;
                stopping.watched = Some(interrupts.watch(&self.call, &self.evaluation, cx.waker()));
            }
        }
        // one that was stated before is seen here, and one that comes later wakes it
        if stopping.by.is_none() && self.is_stopped() {
            cx.waker().wake_by_ref();
        }
    }

    /// Records that the body was stopped, and gives the denial that says so, and what undoes the call.
    pub(super) fn interrupted(mut self) -> (GovernanceDenied, Option<Compensation>) {
        let by = self.stopping.as_ref().and_then(|stopping| stopping.by.clone());
        let compensation = by
            .as_ref()
            .filter(|_| self.began)
            .and_then(|by| Compensation::of(&self.harness, &self.call, &self.evaluation, self.place, by));
        self.end(Outcome::Interrupted);
        let (code, detail) = match &by {
            Some(by) => (by.code, by.told()),
            None => ("interrupted", String::new()),
        };
        let denied = GovernanceDenied::new(
            DenialKind::Interrupted,
            code,
            "the tool was stopped by an operator; do not call it again until you are told to",
        )
        .with_detail(detail)
        .with_tool(self.call.tool())
        .with_evaluation_id(&self.evaluation);
        (denied, compensation)
    }

    /// Enters part of the body as this call's: what it calls has this call as parent, and a panic in it is seen as one.
    ///
    /// Not generic over the part, so that it is compiled once and not for each governed function.
    pub(super) fn enter(&mut self) -> Entered<'_> {
        self.stage = Stage::Polling;
        self.began = true;
        Entered {
            span: self.span.as_deref().map(tracing::Span::enter),
            parent: Parent::enter(Running {
                evaluation: self.evaluation.clone(),
                call: Arc::clone(&self.call),
                harness: self.harness.clone(),
                since: self.since,
            }),
            stage: &mut self.stage,
        }
    }

    /// Whether the body has run longer than its tool allows; asks to be woken when it will have.
    pub(super) fn poll_deadline(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(limit) = self.call.meta().timeout() else {
            return false;
        };
        let left = limit.saturating_sub(self.started.elapsed());
        // without a runtime there is no timer: then only the polls themselves are checked
        if left > Duration::ZERO && tokio::runtime::Handle::try_current().is_err() {
            return false;
        }
        self.deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(left)))
            .as_mut()
            .poll(cx)
            .is_ready()
    }

    /// Records that the body ran too long, and gives the denial that says so.
    pub(super) fn timed_out(mut self) -> GovernanceDenied {
        self.end(Outcome::TimedOut);
        let limit = self.call.meta().timeout().unwrap_or_default();
        GovernanceDenied::new(
            DenialKind::TimedOut,
            "timed_out",
            format!("the tool took longer than {limit:?} and was stopped"),
        )
        .with_tool(self.call.tool())
        .with_evaluation_id(&self.evaluation)
    }

    /// Records how the body ended.
    pub(super) fn ended(&mut self, outcome: Outcome) {
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        if self.stage == Stage::Ended {
            return;
        }
        self.stage = Stage::Ended;
        let mut record = OutcomeRecord::new(outcome, self.started.elapsed());
        if self.is_stopped() {
            let by = self.stopping.as_ref().and_then(|stopping| stopping.by.as_ref());
            record = record.with_stop(by.and_then(|by| by.place()).map(Sequence::get));
        }
        let inner = self.harness.inner();
        inner.recorder.conclude(self.place, record);
        inner.governor.conclude(&self.call, &self.evaluation, outcome);
        if let Some(span) = &self.span {
            span.record("managed_agents.outcome", outcome.code());
            if outcome != Outcome::Ok {
                span.record("error.type", outcome.code());
            }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        match self.stage {
            Stage::Ended => {}
            Stage::Polling => self.end(Outcome::Panicked),
            Stage::Waiting => self.end(Outcome::Cancelled),
            Stage::HandedOut => self.end(Outcome::Unreported),
        }
    }
}
