//! The loop: stream, history, calls.

use std::collections::{HashMap, HashSet};
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::call::{self, Case, CaseKind};
use super::error::{SessionError, SessionErrorKind};
use super::report::{GovernedCall, OutsideCall, SessionEnd, SessionReport};
use super::{Options, Shared};
use crate::claude::api::{ApiError, ApiErrorKind};
use crate::claude::managed::{
    EnvironmentKind, Event, EventBody, EventStream, Outgoing, Permission, SessionStop, ToolUseEvent,
};

/// Governs a session to its end, and reports in any case.
pub(super) async fn govern(
    shared: Arc<Shared>,
    options: &Options,
    first: Option<Outgoing>,
    cancel: impl Future<Output = ()> + Send,
) -> Result<SessionReport, SessionError> {
    let mut attached = Attached {
        shared,
        options,
        first,
        tasks: JoinSet::new(),
        begun: HashSet::new(),
        held: HashMap::new(),
        told: HashSet::new(),
        idle: None,
        gap: false,
        report: SessionReport::default(),
    };
    let ended = attached.attach(cancel).await;
    attached.shared.known.end();
    let mut report = attached.report;
    match ended {
        Ok(end) => {
            report.end = Some(end);
            Ok(report)
        }
        Err(error) => Err(error.with_report(report)),
    }
}

struct Attached<'a> {
    shared: Arc<Shared>,
    options: &'a Options,
    /// What is still to be said.
    first: Option<Outgoing>,
    tasks: JoinSet<GovernedCall>,
    /// Calls that are under way or done, by event.
    begun: HashSet<String>,
    /// Calls of which the service did not say whether it waits for them.
    held: HashMap<String, Case>,
    /// Events that were taken in.
    told: HashSet<String>,
    /// The end of the turn, and since when nothing happened after it.
    idle: Option<(SessionStop, Instant)>,
    /// The stream lost something: the history must be read.
    gap: bool,
    report: SessionReport,
}

impl Attached<'_> {
    /// Governs until the session or its turn is over, somebody stops it, or `cancel` ends.
    async fn attach(&mut self, cancel: impl Future<Output = ()> + Send) -> Result<SessionEnd, SessionError> {
        let shared = Arc::clone(&self.shared);
        let end = tokio::select! {
            biased;
            () = cancel => SessionEnd::Cancelled,
            () = shared.stopped() => SessionEnd::Stopped,
            ended = self.govern() => return ended,
        };
        self.cancel(end).await
    }

    async fn govern(&mut self) -> Result<SessionEnd, SessionError> {
        self.check_coverage().await?;
        let mut failed = 0;
        loop {
            match self.open().await {
                Ok((mut stream, history)) => {
                    failed = 0;
                    if let Some(end) = self.take_history(&history).await? {
                        return self.finish(end).await;
                    }
                    if let Some(end) = self.follow(&mut stream).await? {
                        return self.finish(end).await;
                    }
                }
                Err(error) if is_final(&error) => {
                    return match (error.status(), self.begun.is_empty()) {
                        // it was there before
                        (Some(404), false) => Ok(SessionEnd::Deleted),
                        _ => Err(error.into()),
                    };
                }
                Err(error) => {
                    tracing::warn!(%error, "the session cannot be followed for now");
                    failed += 1;
                }
            }
            sleep(if failed == 0 { RECONNECT } else { backoff(failed) }).await;
        }
    }

    /// The stream first: what happens while the history is read is not lost.
    async fn open(&self) -> Result<(EventStream, Vec<Event>), ApiError> {
        let stream = self.shared.client.stream(&self.shared.id).await?;
        let history = self.shared.client.events(&self.shared.id).await?;
        Ok((stream, history))
    }

    /// Takes in events until the stream ends (`None`) or governing does.
    async fn follow(&mut self, stream: &mut EventStream) -> Result<Option<SessionEnd>, SessionError> {
        let mut reconcile = Instant::now() + self.options.reconcile;
        loop {
            if let Some(first) = self.first.take() {
                self.say(first).await?;
            }
            if std::mem::take(&mut self.gap) {
                reconcile = Instant::now();
            }
            let idle = self
                .idle
                .as_ref()
                .filter(|_| self.tasks.is_empty() && !self.options.stays);
            let over = idle.map(|(_, since)| *since + self.options.linger);
            tokio::select! {
                biased;
                Some(done) = self.tasks.join_next(), if !self.tasks.is_empty() => self.note_done(done),
                event = stream.next(self.options.patience) => match event {
                    Ok(Some(event)) => {
                        if let Some(end) = self.take(&event).await? {
                            return Ok(Some(end));
                        }
                    }
                    Ok(None) => return Ok(None),
                    Err(error) if is_final(&error) => return Err(error.into()),
                    Err(error) => {
                        tracing::debug!(%error, "the stream broke off");
                        return Ok(None);
                    }
                },
                () = sleep_until(reconcile) => {
                    if let Ok(history) = self.shared.client.events(&self.shared.id).await
                        && let Some(end) = self.take_history(&history).await? {
                        return Ok(Some(end));
                    }
                    reconcile = Instant::now() + self.options.reconcile;
                }
                () = until(over) => {
                    // the stream may have lost what came after: the history knows
                    match self.shared.client.events(&self.shared.id).await {
                        Ok(history) => {
                            if let Some(end) = self.take_history(&history).await? {
                                return Ok(Some(end));
                            }
                            if let (Some(stop), true) = (stopped(&history), self.tasks.is_empty()) {
                                return Ok(Some(SessionEnd::Turn(stop)));
                            }
                            self.idle = None;
                        }
                        Err(_) => return Ok(None),
                    }
                }
            }
        }
    }

    /// Takes in a whole history: first what has answers, then the calls.
    async fn take_history(&mut self, history: &[Event]) -> Result<Option<SessionEnd>, SessionError> {
        for call in self.shared.note_answers(history) {
            self.shared.journal.settle(&call).await;
        }
        for event in history {
            if let Some(end) = self.take(event).await? {
                return Ok(Some(end));
            }
        }
        // the last word on whether the turn is over is the history's
        self.idle = match (stopped(history), self.idle.take()) {
            (Some(_), Some(idle)) => Some(idle),
            (Some(stop), None) => Some((stop, Instant::now())),
            (None, _) => None,
        };
        Ok(None)
    }

    /// Takes in an event, unless it was taken in before.
    async fn take(&mut self, event: &Event) -> Result<Option<SessionEnd>, SessionError> {
        let fresh = match event.id() {
            Some(id) => self.told.insert(id.to_owned()),
            None => true,
        };
        if !fresh {
            return Ok(None);
        }
        for call in self.shared.note_answers(std::slice::from_ref(event)) {
            self.shared.journal.settle(&call).await;
        }
        match event.body() {
            EventBody::CustomToolUse(call) => self.custom(event, call),
            EventBody::ToolUse(call) | EventBody::McpToolUse(call) => self.other(event, call).await,
            EventBody::Ended { call, is_error } => self.shared.known.ended(call, *is_error),
            EventBody::Idle(SessionStop::RequiresAction(calls)) => {
                self.idle = None;
                for call in calls {
                    self.blocked(call);
                }
                return Ok(None);
            }
            EventBody::Idle(stop) => {
                self.idle = Some((stop.clone(), Instant::now()));
                return Ok(None);
            }
            EventBody::Terminated => return Ok(Some(SessionEnd::Terminated)),
            EventBody::Deleted => return Ok(Some(SessionEnd::Deleted)),
            EventBody::Updated(_) => self.check_coverage().await?,
            EventBody::Message { text } if event.thread().is_none() => self.report.text.clone_from(text),
            EventBody::Failed { kind, goes_on } => {
                tracing::warn!(kind, goes_on, "the session tells of an error");
                self.report.failures.push(kind.clone());
            }
            _ => {}
        }
        if !is_neutral(event) {
            self.idle = None;
        }
        Ok(None)
    }

    fn custom(&mut self, event: &Event, call: &ToolUseEvent) {
        let Some(id) = event.id() else { return };
        if self.shared.toolbox.tool(call.name()).is_none() {
            tracing::warn!(
                event = id,
                tool = call.name(),
                "a custom tool that is not here is left to whoever has it"
            );
            let unowned = outside(id, call.name());
            self.report.unowned.push(unowned);
            return;
        }
        self.begin(case(event, id, call.name().to_owned(), call, CaseKind::Custom));
    }

    async fn other(&mut self, event: &Event, call: &ToolUseEvent) {
        let Some(id) = event.id() else { return };
        let name = governed_name(call);
        let here = self.shared.worker.is_some() && call.server().is_none();
        match (call.permission(), here) {
            // the service refused: nothing runs, and nothing is to be answered
            (Some(Permission::Deny), _) => {}
            (Some(Permission::Allow) | None, true) if self.has_tool(&name) => {
                self.begin(case(event, id, name, call, CaseKind::Here { asked: false }));
            }
            (Some(Permission::Ask), true) if self.has_tool(&name) => {
                self.begin(case(event, id, name, call, CaseKind::Here { asked: true }));
            }
            (Some(Permission::Ask), _) => self.begin(case(event, id, name, call, CaseKind::Elsewhere)),
            (Some(Permission::Allow), _) => {
                tracing::warn!(
                    event = id,
                    tool = name,
                    "a tool ran at Anthropic without asking, outside governance"
                );
                self.report.outside.push(outside(id, &name));
                self.shared.record_outside(id, &name).await;
            }
            // whether it waits is said by the session's next stop
            (None | Some(Permission::Unknown(_)), _) => {
                let case = case(event, id, name, call, CaseKind::Elsewhere);
                self.held.insert(id.to_owned(), case);
            }
        }
    }

    fn has_tool(&self, name: &str) -> bool {
        self.shared.worker.as_ref().is_some_and(|worker| worker.has(name))
    }

    /// The session waits for an answer to this call.
    fn blocked(&mut self, call: &str) {
        if let Some(case) = self.held.remove(call) {
            self.begin(case);
        } else if !self.told.contains(call) {
            self.gap = true;
        }
    }

    /// Begins to answer a call, unless it is under way or answered.
    fn begin(&mut self, case: Case) {
        let known = &self.shared.known;
        if known.is_answered(&case.event) || !known.takes_answers(case.thread.as_deref()) {
            return;
        }
        if self.begun.insert(case.event.clone()) {
            self.tasks.spawn(call::answer(Arc::clone(&self.shared), case));
        }
    }

    fn note_done(&mut self, done: Result<GovernedCall, tokio::task::JoinError>) {
        match done {
            Ok(call) => {
                if !call.sent && self.shared.known.takes_answers(None) {
                    // the next history has it begun again, and its answer sent again
                    self.begun.remove(&call.event);
                    self.told.remove(&call.event);
                }
                self.report.calls.push(call);
            }
            Err(error) => tracing::error!(%error, "a call's task ended without a report"),
        }
        // nothing may happen for a while after the last call
        if let Some((_, since)) = &mut self.idle {
            *since = Instant::now();
        }
    }

    /// Refuses to go on where calls can slip past.
    async fn check_coverage(&mut self) -> Result<(), SessionError> {
        let client = &self.shared.client;
        let coverage = match (&self.shared.worker, client.session(&self.shared.id).await?.agent()) {
            // a worker's key may look at its sessions only
            (Some(_), Some(agent)) => client.coverage_of(agent, &EnvironmentKind::SelfHosted).await?,
            _ => client.session_coverage(&self.shared.id).await?,
        };
        if !coverage.is_whole() {
            tracing::warn!(%coverage, "calls of this session can run without being asked about");
        }
        self.report.coverage = coverage.clone();
        if coverage.is_whole() || self.options.gaps {
            return Ok(());
        }
        if !self.begun.is_empty() {
            // it was whole when governing began: what runs now is stopped; that it cannot be is logged, and no reason to go on
            let _ = self.shared.interrupt().await;
            self.note_running().await;
        }
        Err(SessionError::new(SessionErrorKind::Coverage(coverage)))
    }

    /// Says something, unless the history has it already: then an attempt that seemed to fail was taken.
    async fn say(&mut self, first: Outgoing) -> Result<(), SessionError> {
        let before = self.messages().await?;
        let mut tried = 0;
        loop {
            let error = match self
                .shared
                .client
                .send(&self.shared.id, std::slice::from_ref(&first))
                .await
            {
                Ok(()) => break,
                Err(error) => error,
            };
            tried += 1;
            // a session that was just answered takes messages a little later
            if tried == MOST_SAID || matches!(error.status(), Some(401 | 403 | 404 | 422)) {
                return Err(error.into());
            }
            sleep(backoff(tried)).await;
            if self.messages().await? > before {
                break;
            }
        }
        self.idle = None;
        Ok(())
    }

    async fn messages(&self) -> Result<usize, SessionError> {
        let history = self.shared.client.events(&self.shared.id).await?;
        Ok(history.iter().filter(|event| event.kind() == "user.message").count())
    }

    /// Ends with what is under way: it takes no answers any more.
    async fn finish(&mut self, end: SessionEnd) -> Result<SessionEnd, SessionError> {
        if end == SessionEnd::Terminated || end == SessionEnd::Deleted {
            self.shared.known.cancel();
            self.shared.known.end();
        }
        self.gather(GRACE).await;
        Ok(end)
    }

    /// Cancels what runs here, answers it so, and interrupts the session.
    async fn cancel(&mut self, end: SessionEnd) -> Result<SessionEnd, SessionError> {
        self.shared.known.cancel();
        // what runs here ends at once, unless it does not let itself be cancelled; what runs elsewhere does not wait for it long
        self.gather(SHORT_GRACE).await;
        let interrupted = self.shared.interrupt().await;
        self.gather(GRACE).await;
        self.tasks.abort_all();
        self.note_running().await;
        interrupted?;
        Ok(end)
    }

    /// Records what was allowed, runs at Anthropic, and is no longer followed from here.
    async fn note_running(&mut self) {
        for (event, tool) in self.shared.known.give_up() {
            self.shared.tell_outside(&event, &tool, "runs_on").await;
            let runs_on = true;
            self.report.outside.push(OutsideCall { event, tool, runs_on });
        }
    }

    async fn gather(&mut self, grace: Duration) {
        let gathered = timeout(grace, async {
            while let Some(done) = self.tasks.join_next().await {
                if let Ok(call) = done {
                    self.report.calls.push(call);
                }
            }
        });
        // what is not gathered is cut off by whoever has no more time for it, or with the set of tasks
        let _ = gathered.await;
    }
}

/// Whether and why the turn is over, by the whole history.
fn stopped(history: &[Event]) -> Option<SessionStop> {
    let last = history.iter().rev().find(|event| !is_neutral(event))?;
    match last.body() {
        EventBody::Idle(SessionStop::RequiresAction(_)) => None,
        EventBody::Idle(stop) => Some(stop.clone()),
        _ => None,
    }
}

/// Events that say nothing about whether the turn is over.
fn is_neutral(event: &Event) -> bool {
    matches!(
        event.body(),
        EventBody::Confirmation { .. } | EventBody::ThreadTerminated { .. } | EventBody::Updated(_)
    ) || matches!(event.kind(), "session.usage" | "event_start" | "event_delta")
        || event.kind().starts_with("span.")
}

fn case(event: &Event, id: &str, tool: String, call: &ToolUseEvent, kind: CaseKind) -> Case {
    Case {
        event: id.to_owned(),
        tool,
        input: call.input().to_owned(),
        thread: event.thread().map(str::to_owned),
        kind,
    }
}

/// The name under which a call that does not run here is judged: `bash`, or `mcp__linear__create_issue`.
fn governed_name(call: &ToolUseEvent) -> String {
    match call.server() {
        Some(server) => format!("mcp__{server}__{}", call.name()),
        None => call.name().to_owned(),
    }
}

fn outside(event: &str, tool: &str) -> OutsideCall {
    OutsideCall {
        event: event.to_owned(),
        tool: tool.to_owned(),
        runs_on: false,
    }
}

/// What no other attempt will change.
fn is_final(error: &ApiError) -> bool {
    match error.status() {
        Some(408 | 409 | 429) => false,
        Some(status) => status < 500,
        None => matches!(error.kind(), ApiErrorKind::Configuration),
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

fn backoff(tried: u32) -> Duration {
    Duration::from_millis(500 << tried.saturating_sub(1).min(4))
}

/// Before a stream that broke off is opened again.
const RECONNECT: Duration = Duration::from_millis(50);

/// How long a session that is stopped is not interrupted, so that cancelled calls are answered before.
const SHORT_GRACE: Duration = Duration::from_secs(1);

/// How long calls that are under way may take to be answered when governing ends.
const GRACE: Duration = Duration::from_secs(10);

const MOST_SAID: u32 = 5;
