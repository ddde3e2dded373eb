//! An allowed call, until it has ended: its outcome is recorded whatever happens.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::Harness;
use super::scope::set_parent;
use crate::audit::{OutcomeRecord, Recorder as _, Sequence};
use crate::call::ToolCall;
use crate::error::{DenialKind, GovernanceDenied};
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
    /// The call whose body this body was called from, while this one is polled.
    parent: Option<EvaluationId>,
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

/// A part of a body, while it runs: one word, since it is moved before and after each body. Dropped without being left, the
/// body has panicked.
pub(super) struct Entered<'a>(&'a mut Guard);

impl Entered<'_> {
    #[inline(always)]
    pub(super) fn leave(self) {
        self.0.stage = Stage::Waiting;
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(span) = &self.0.span {
            span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
        }
        let parent = self.0.parent.take();
        set_parent(parent);
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
            parent: None,
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

    /// Enters part of the body as this call's: what it calls has this call as parent, and a panic in it is seen as one.
    ///
    /// Not generic over the part, so that it is compiled once and not for each governed function.
    pub(super) fn enter(&mut self) -> Entered<'_> {
        self.stage = Stage::Polling;
        self.parent = set_parent(Some(self.evaluation.clone()));
        if let Some(span) = &self.span {
            span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
        }
        Entered(self)
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
        let record = OutcomeRecord::new(outcome, self.started.elapsed());
        let inner = self.harness.inner();
        match &inner.memory {
            Some(memory) => memory.conclude(self.place, record),
            None => inner.recorder.conclude(self.place, record),
        }
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
