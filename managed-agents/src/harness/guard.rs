//! An allowed call, until it has ended: its outcome is recorded whatever happens.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::time::{Duration, Instant, SystemTime};

use tokio::time::Sleep;

use super::compensate::Compensation;
use super::first_step::FirstStep;
use super::scope::{Running, Within};
use crate::audit::{Event, OutcomeRecord, Recorder as _, Sequence, What, micros};
use crate::call::ToolCall;
use crate::error::{DenialKind, GovernanceDenied};
use crate::interrupt::{StopRecord, Watched};
use crate::outcome::Outcome;
use crate::verdict::EvaluationId;

/// An allowed call whose outcome is not recorded yet. Dropped, it records how far the body came.
pub(super) struct Guard {
    /// The call; but while its body is polled, the one whose body called it, if any.
    running: Option<Running>,
    place: Sequence,
    started: Instant,
    /// The wall time of that.
    at: SystemTime,
    stage: Stage,
    span: Option<Box<tracing::Span>>,
    /// It is about to begin, or takes its first step.
    first_step: Option<FirstStep>,
    finishes: Finishes,
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
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Stopping {
    fn of<'a>(slot: &'a mut Option<Box<Self>>, running: &Running) -> &'a mut Self {
        slot.get_or_insert_with(|| {
            Box::new(Self {
                seen: running.since,
                ..Self::default()
            })
        })
    }
}

/// As wide as what stands beside it: a guard is moved in each call, and odd bytes would cost more than the rest of it.
#[derive(Clone, Copy, Eq, PartialEq)]
#[repr(u64)]
enum Stage {
    /// Allowed, and no part of the body has run.
    Allowed,
    /// Between polls.
    Waiting,
    /// The body is being polled: dropped now, it has panicked.
    Polling,
    /// A permit that was handed out: dropped now, nobody said how the call ended.
    HandedOut,
    /// The outcome is recorded.
    Ended,
}

/// Whether a body that has begun runs to its end: a stop is told to it.
#[derive(Clone, Copy, Eq, PartialEq)]
#[repr(u64)]
enum Finishes {
    No,
    Yes,
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
        Running::swap(&mut self.0.running);
        self.0.first_step = None;
    }
}

impl Guard {
    #[inline(always)]
    pub(super) fn new(
        within: Arc<Within>,
        call: Arc<ToolCall>,
        evaluation: EvaluationId,
        place: Sequence,
        (started, at): (Instant, SystemTime),
        since: u64,
        span: Option<Box<tracing::Span>>,
    ) -> Self {
        Self {
            running: Some(Running {
                evaluation,
                call,
                within,
                since,
            }),
            place,
            started,
            at,
            stage: Stage::Allowed,
            span,
            first_step: None,
            finishes: Finishes::No,
            stopping: None,
        }
    }

    /// The judged arguments.
    pub(super) fn arguments(&self) -> &str {
        self.running
            .as_ref()
            .map_or("{}", |running| running.call.reveal_arguments())
    }

    /// Names the evaluation; nothing of it while the body is polled.
    pub(super) fn evaluation(&self) -> Option<&EvaluationId> {
        self.running.as_ref().map(|running| &running.evaluation)
    }

    /// From now on somebody else says how the call ended.
    pub(super) fn hand_out(&mut self) {
        self.stage = Stage::HandedOut;
    }

    /// Once the body has begun, it runs to its end: a stop is told to it.
    pub(super) fn finish_whatever_comes(&mut self) {
        self.finishes = Finishes::Yes;
    }

    /// Whether the call was told to stop.
    #[inline]
    pub(super) fn is_stopped(&mut self) -> bool {
        let Some(running) = &self.running else {
            return false;
        };
        let number = running.within.harness.inner().interrupts.number();
        let seen = self.stopping.as_ref().map_or(running.since, |stopping| stopping.seen);
        if number == seen {
            return self.stopping.as_ref().is_some_and(|stopping| stopping.by.is_some());
        }
        self.look()
    }

    #[cold]
    fn look(&mut self) -> bool {
        let Some(running) = &self.running else {
            return false;
        };
        let interrupts = &running.within.harness.inner().interrupts;
        let (by, number) = interrupts.since(running.since, &running.call, &running.evaluation);
        let stopping = self.stopping.get_or_insert_default();
        stopping.seen = number;
        if stopping.by.is_none() {
            stopping.by = by;
        }
        stopping.by.is_some()
    }

    /// Whether a part of the body has run, here.
    fn began(&self) -> bool {
        matches!(self.stage, Stage::Waiting | Stage::Polling)
    }

    /// Whether the body is not to be polled any more.
    #[inline]
    pub(super) fn must_end(&mut self) -> bool {
        if !self.began() {
            self.first_step = FirstStep::begin();
        }
        let ends = self.is_stopped() && !(self.finishes == Finishes::Yes && self.began());
        if ends {
            self.first_step = None;
        }
        ends
    }

    /// [`enter`](Self::enter), of a body that blocks its thread: nobody waits for its end.
    pub(super) fn enter_blocking(&mut self) -> Entered<'_> {
        self.first_step = None;
        self.enter()
    }

    /// The body waits: a stop wakes it from now on.
    pub(super) fn watch(&mut self, cx: &Context<'_>) {
        let Some(running) = &self.running else {
            return;
        };
        let stopping = Stopping::of(&mut self.stopping, running);
        match &stopping.watched {
            Some(watched) => watched.wake_by(cx.waker()),
            None => {
                let interrupts = &running.within.harness.inner().interrupts;
                stopping.watched = Some(interrupts.watch(&running.call, &running.evaluation, cx.waker()));
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
        let began = by.as_ref().filter(|_| self.began()).zip(self.running.as_ref());
        let compensation = began.and_then(|(by, running)| {
            Compensation::of(
                &running.within.harness,
                &running.call,
                &running.evaluation,
                self.place,
                by,
            )
        });
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
        .with_detail(detail);
        (self.named(denied), compensation)
    }

    /// Enters part of the body as this call's: what it calls has this call as parent, and a panic in it is seen as one.
    ///
    /// Not generic over the part, so that it is compiled once and not for each governed function.
    pub(super) fn enter(&mut self) -> Entered<'_> {
        self.stage = Stage::Polling;
        Running::swap(&mut self.running);
        if let Some(span) = &self.span {
            span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
        }
        Entered(self)
    }

    /// Whether the body has run longer than its tool allows; asks to be woken when it will have.
    pub(super) fn poll_deadline(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(limit) = self.limit() else {
            return false;
        };
        let left = limit.saturating_sub(self.started.elapsed());
        // without a runtime there is no timer: then only the polls themselves are checked
        if left > Duration::ZERO && tokio::runtime::Handle::try_current().is_err() {
            return false;
        }
        let Some(running) = &self.running else {
            return false;
        };
        Stopping::of(&mut self.stopping, running)
            .deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(left)))
            .as_mut()
            .poll(cx)
            .is_ready()
    }

    /// Records that the body ran too long, and gives the denial that says so.
    pub(super) fn timed_out(mut self) -> GovernanceDenied {
        self.end(Outcome::TimedOut);
        let limit = self.limit().unwrap_or_default();
        self.named(GovernanceDenied::new(
            DenialKind::TimedOut,
            "timed_out",
            format!("the tool took longer than {limit:?} and was stopped"),
        ))
    }

    /// A denial that says of which call it is.
    fn named(&self, denied: GovernanceDenied) -> GovernanceDenied {
        match &self.running {
            Some(running) => denied
                .with_tool(running.call.tool())
                .with_evaluation_id(&running.evaluation),
            None => denied,
        }
    }

    fn limit(&self) -> Option<Duration> {
        self.running.as_ref()?.call.meta().timeout()
    }

    /// Records how the body ended.
    pub(super) fn ended(&mut self, outcome: Outcome) {
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        if self.stage == Stage::Ended {
            return;
        }
        let never = !self.began()
            && (outcome == Outcome::Interrupted || (outcome == Outcome::Cancelled && self.stage != Stage::HandedOut));
        self.stage = Stage::Ended;
        let stopped = self.is_stopped();
        if let Some(running) = &self.running {
            let inner = running.within.harness.inner();
            let now = Instant::now();
            let duration = now - self.started;
            let at = inner.clock.after(self.at, duration, now);
            let mut record = OutcomeRecord::new(outcome, duration, at);
            if never {
                record = record.unbegun();
            }
            if stopped {
                let by = self.stopping.as_ref().and_then(|stopping| stopping.by.as_ref());
                record = record.with_stop(by.and_then(|by| by.place()).map(Sequence::get));
            }
            match &inner.memory {
                Some(memory) => memory.conclude(self.place, record),
                None => inner.recorder.conclude(self.place, record),
            }
            if let Some(watcher) = &inner.watcher {
                watcher.heard(&Event {
                    place: self.place.get(),
                    at_micros: micros(at),
                    agent: running.call.agent().as_str(),
                    what: What::Ended {
                        about: self.place.get(),
                        outcome,
                    },
                });
            }
            inner.governor.conclude(&running.call, &running.evaluation, outcome);
        }
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
            Stage::Allowed | Stage::Waiting => self.end(Outcome::Cancelled),
            Stage::HandedOut => self.end(Outcome::Unreported),
        }
        // who is woken by a stop holds the call
        self.stopping = None;
        if let Some(running) = self.running.take() {
            running.call.leave();
        }
    }
}
