//! One call, from being asked for until the service has its answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::Shared;
use super::journal::Taken;
use super::report::{CallEnd, GovernedCall};
use crate::claude::managed::Outgoing;
use crate::claude::worker::{WorkerFault, Workspace};
use crate::error::{DenialKind, GovernanceDenied};
use crate::harness::{Permit, Session};
use crate::tool::{ToolResult, ToolStatus, Toolbox};

/// A call that waits for an answer.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) event: String,
    /// The name under which it is judged.
    pub(super) tool: String,
    pub(super) input: String,
    pub(super) thread: Option<String>,
    pub(super) kind: CaseKind,
}

/// Who runs a call, and what answers it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum CaseKind {
    /// A governed function of the toolbox; its result answers.
    Custom,
    /// Anthropic; a confirmation answers.
    Elsewhere,
    /// This worker; its result answers, after a confirmation where the service asks for one.
    Here { asked: bool },
}

/// What a call came to.
struct Answer {
    outgoing: Option<Outgoing>,
    end: CallEnd,
}

/// Judges a call, runs it where it runs here, and sees its answer through.
pub(super) async fn answer(shared: Arc<Shared>, case: Case) -> GovernedCall {
    let Answer { outgoing, end } = shared.answer(&case).await;
    let sent = match outgoing {
        Some(outgoing) => shared.post(&case, &outgoing).await,
        None => false,
    };
    let end = if sent || end == CallEnd::Unknown {
        end
    } else {
        dropped(end)
    };
    GovernedCall {
        event: case.event,
        tool: case.tool,
        end,
        sent,
    }
}

/// What ran here ran, whether or not the service hears of it.
fn dropped(end: CallEnd) -> CallEnd {
    match end {
        CallEnd::Allowed | CallEnd::Refused | CallEnd::AnsweredBefore => CallEnd::Dropped,
        ran => ran,
    }
}

impl Shared {
    async fn answer(&self, case: &Case) -> Answer {
        let limit = Instant::now() + self.approval_limit;
        let mut pause = SHORTEST_POLL;
        loop {
            let asks = case.kind == CaseKind::Elsewhere;
            match self.journal.take(&case.event, &case.tool).await {
                Ok(Taken::Yes) => {}
                Ok(Taken::Answered(Some(answer))) => {
                    return Answer {
                        outgoing: Outgoing::from_json(&answer),
                        end: CallEnd::AnsweredBefore,
                    };
                }
                // judged, and not answered: nothing has run, so it is judged anew
                Ok(Taken::Lost) if asks => {}
                Ok(Taken::Lost | Taken::Answered(None)) => return self.lost(case).await,
                Err(error) => {
                    // what cannot be written down is not run (law 4)
                    tracing::error!(%error, event = case.event, "a call cannot be claimed; it is refused");
                    return Answer {
                        outgoing: Some(case.refusal(UNCLAIMED)),
                        end: CallEnd::Refused,
                    };
                }
            }
            let attempt = match case.kind {
                CaseKind::Custom => self.run_custom(case).await,
                CaseKind::Elsewhere => self.judge(case).await,
                CaseKind::Here { asked } => self.run_here(case, asked).await,
            };
            let (outgoing, end) = match attempt {
                Attempt::Ended(outgoing, end) => (outgoing, end),
                Attempt::Waits(denied) => {
                    if self.waits(case, &denied, limit, &mut pause).await {
                        continue;
                    }
                    let end = if self.known.is_cancelled() {
                        CallEnd::Cancelled
                    } else {
                        CallEnd::Refused
                    };
                    let denied = denied.undecided();
                    // what was never confirmed is refused by a confirmation
                    let outgoing = match case.kind {
                        CaseKind::Here { asked: true } => Outgoing::deny(&case.event, denied.reason_for_model()),
                        _ => case.refusal(&case.told(&denied)),
                    };
                    (outgoing, end)
                }
            };
            return self.written(case, outgoing, end, false).await;
        }
    }

    /// Writes an answer down before it is sent.
    async fn written(&self, case: &Case, outgoing: Outgoing, end: CallEnd, lost: bool) -> Answer {
        if let Err(error) = self.journal.answer(&case.event, outgoing.json(), lost).await {
            // it is sent all the same: should this process die before, the next one says that the outcome is not known
            tracing::error!(%error, event = case.event, "a call's answer cannot be written down");
        }
        Answer {
            outgoing: Some(outgoing),
            end,
        }
    }

    /// A call whose body may have run in a process that died.
    async fn lost(&self, case: &Case) -> Answer {
        tracing::error!(
            event = case.event,
            tool = case.tool,
            "a call was begun by a process that died: whether it took effect is not known, and it is not run again"
        );
        self.written(case, case.refusal(OUTCOME_UNKNOWN), CallEnd::Unknown, true)
            .await
    }

    async fn run_custom(&self, case: &Case) -> Attempt {
        let result = {
            let call = run_custom(self.session.clone(), self.toolbox.clone(), case.clone());
            tokio::select! {
                result = call => result,
                () = self.known.cancelled() => return Attempt::Ended(case.refusal(CANCELLED), CallEnd::Cancelled),
            }
        };
        if let Some(denied) = result.denial().filter(|denied| waits_for_person(denied)) {
            return Attempt::Waits(denied.clone());
        }
        let end = match result.status() {
            ToolStatus::Done => CallEnd::Done,
            ToolStatus::Failed | ToolStatus::Panicked => CallEnd::Failed,
            _ => CallEnd::Refused,
        };
        let outgoing = Outgoing::custom_result(&case.event, result.text(), result.is_error());
        Attempt::Ended(outgoing, end)
    }

    /// Judges a call that runs at Anthropic.
    async fn judge(&self, case: &Case) -> Attempt {
        match self.session.govern(&case.tool, case.input.as_str()).await {
            Ok(permit) => {
                self.known.keep(&case.event, &case.tool, permit);
                Attempt::Ended(Outgoing::allow(&case.event), CallEnd::Allowed)
            }
            Err(denied) if waits_for_person(&denied) => Attempt::Waits(denied),
            Err(denied) => Attempt::Ended(case.refusal(&case.told(&denied)), CallEnd::Refused),
        }
    }

    /// Judges a call that runs at this worker, and runs it.
    async fn run_here(&self, case: &Case, asked: bool) -> Attempt {
        let permit = match self.session.govern(&case.tool, case.input.as_str()).await {
            Ok(permit) => permit,
            Err(denied) if waits_for_person(&denied) => return Attempt::Waits(denied),
            Err(denied) if asked => {
                return Attempt::Ended(Outgoing::deny(&case.event, denied.reason_for_model()), CallEnd::Refused);
            }
            Err(denied) => return Attempt::Ended(case.refusal(&case.told(&denied)), CallEnd::Refused),
        };
        if asked {
            // who confirmed before, or whether at all, does not matter: it is judged here
            let allow = [Outgoing::allow(&case.event)];
            if let Err(error) = self.client.send(&self.id, &allow).await {
                tracing::debug!(%error, event = case.event, "the service took no confirmation");
            }
        }
        let Some(worker) = &self.worker else {
            return Attempt::Ended(case.refusal(UNCLAIMED), CallEnd::Refused);
        };
        let run = run_permit(permit, Arc::clone(worker), case.tool.clone());
        let result = tokio::select! {
            result = run => result,
            () = self.known.cancelled() => return Attempt::Ended(case.refusal(CANCELLED), CallEnd::Cancelled),
        };
        let (text, end) = match result {
            Ok(text) => (text, CallEnd::Done),
            Err(error) => (error.to_string(), CallEnd::Failed),
        };
        let outgoing = Outgoing::tool_result(&case.event, &text, end == CallEnd::Failed);
        Attempt::Ended(outgoing, end)
    }

    /// Waits until a call may be judged again; whether it may: a person has decided, or may have where that cannot be seen.
    async fn waits(&self, case: &Case, denied: &GovernanceDenied, limit: Instant, pause: &mut Duration) -> bool {
        if let Err(error) = self.journal.put_back(&case.event).await {
            tracing::error!(%error, event = case.event, "a waiting call cannot be put back; it is refused");
            return false;
        }
        let ticket = denied.ticket().unwrap_or_default();
        tracing::info!(
            event = case.event,
            tool = case.tool,
            ticket,
            "a call waits for a person"
        );
        let queued = self.is_pending(ticket).await;
        let again = Instant::now() + *pause;
        *pause = (*pause * 2).min(LONGEST_POLL);
        loop {
            let next = Instant::now() + self.poll;
            tokio::select! {
                () = self.known.cancelled() => return false,
                () = sleep_until(next.min(limit)) => {}
            }
            if Instant::now() >= limit {
                return false;
            }
            // a ticket that was seen to wait and waits no more was decided on; others are asked about by calling again
            let again = if queued {
                !self.is_pending(ticket).await
            } else {
                Instant::now() >= again
            };
            if again {
                return true;
            }
        }
    }

    /// Whether a ticket is seen to wait. Where the record is durable, looking may block.
    #[cfg(feature = "engine")]
    async fn is_pending(&self, ticket: &str) -> bool {
        let (harness, ticket) = (self.harness.clone(), ticket.to_owned());
        let looked =
            tokio::task::spawn_blocking(move || harness.pending().iter().any(|pending| pending.id() == ticket));
        looked.await.unwrap_or(false)
    }

    #[cfg(not(feature = "engine"))]
    #[expect(clippy::unused_self, reason = "without the engine nobody's queue can be seen")]
    async fn is_pending(&self, _ticket: &str) -> bool {
        std::future::ready(false).await
    }

    /// Sends an answer until the service has one; whether it has.
    async fn post(&self, case: &Case, outgoing: &Outgoing) -> bool {
        let limit = Instant::now() + self.post_limit;
        let mut pause = self.poll;
        let mut changes = self.known.changes();
        loop {
            if self.known.is_answered(&case.event) {
                self.journal.settle(&case.event).await;
                return true;
            }
            if !self.known.takes_answers(case.thread.as_deref()) {
                return false;
            }
            match self.client.send(&self.id, std::slice::from_ref(outgoing)).await {
                Ok(()) => {
                    self.known.answered(&case.event);
                    continue;
                }
                Err(error) => {
                    tracing::debug!(%error, event = case.event, "an answer was not taken");
                    if matches!(error.status(), Some(401 | 403 | 404)) || Instant::now() >= limit {
                        tracing::error!(%error, event = case.event, "a call stays without an answer");
                        return false;
                    }
                }
            }
            // perhaps it was taken all the same, or somebody else has answered: the history knows
            if let Ok(history) = self.client.events(&self.id).await {
                self.note_answers(&history);
                if self.known.is_answered(&case.event) {
                    continue;
                }
            }
            let wait = if self.known.is_cancelled() { self.poll } else { pause };
            let _ = timeout(wait, changes.changed()).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// A call of the toolbox, in its session. Boxed, because the compiler cannot otherwise see that it crosses threads.
fn run_custom(session: Session, toolbox: Toolbox, case: Case) -> BoxFuture<'static, ToolResult> {
    Box::pin(async move { session.scope(toolbox.call(&case.tool, &case.input)).await })
}

/// A call of the workspace, under its permit. Boxed for the same reason.
fn run_permit(permit: Permit, worker: Arc<Workspace>, tool: String) -> BoxFuture<'static, Result<String, WorkerFault>> {
    Box::pin(async move {
        let body = move |arguments| async move { worker.run(&tool, arguments).await };
        permit.run(body).await
    })
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

enum Attempt {
    Ended(Outgoing, CallEnd),
    Waits(GovernanceDenied),
}

impl Case {
    /// An answer that says why the call has no result.
    fn refusal(&self, why: &str) -> Outgoing {
        match self.kind {
            CaseKind::Custom => Outgoing::custom_result(&self.event, why, true),
            CaseKind::Elsewhere => Outgoing::deny(&self.event, why),
            CaseKind::Here { .. } => Outgoing::tool_result(&self.event, why, true),
        }
    }

    /// What the model is told of a refusal.
    fn told(&self, denied: &GovernanceDenied) -> String {
        match self.kind {
            CaseKind::Elsewhere => denied.reason_for_model().to_owned(),
            _ => denied.to_tool_error().to_string(),
        }
    }
}

fn waits_for_person(denied: &GovernanceDenied) -> bool {
    denied.kind() == DenialKind::Escalated && denied.ticket().is_some()
}

/// Shown to the model, and no more than it needs.
const OUTCOME_UNKNOWN: &str = "outcome unknown: the process that ran this call ended before it could report; the call may or may \
    not have taken effect, and is not run again";

const CANCELLED: &str = "this call was cancelled; whether it took effect is not known";

const UNCLAIMED: &str = "this call could not be recorded, so it was not run";

const SHORTEST_POLL: Duration = Duration::from_secs(2);

const LONGEST_POLL: Duration = Duration::from_secs(30);

const LONGEST_PAUSE: Duration = Duration::from_secs(5);
