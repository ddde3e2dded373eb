//! Governing a Managed Agents session.

mod builder;
mod call;
mod error;
mod journal;
mod known;
mod report;
mod run;

use std::fmt;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

pub use builder::SessionGovernorBuilder;
pub use error::{SessionError, SessionErrorKind};
pub use report::{CallEnd, GovernedCall, OutsideCall, SessionEnd, SessionReport};

use tokio::time::{Instant, sleep, timeout};

use super::api::ApiError;
use super::managed::{Event, EventBody, ManagedAgents, Outgoing};
use super::worker::Workspace;
use crate::harness::{Harness, Outside, Session};
use crate::interrupt::StopRecord;
use crate::tool::Toolbox;
use journal::Journal;
use known::Known;

/// Governs the sessions of a Claude Managed Agents agent: every call that can be intercepted is judged before it runs.
///
/// It opens the session's stream, reads the history beside it, and answers each call that has no answer: a custom tool is run
/// here, through the gate, and its result sent; a built-in or MCP tool that asks is allowed, or refused with the reason. What
/// is escalated leaves the session waiting until a person has decided, or is refused at the time limit. Streams that break,
/// repeat or reorder do not matter: calls are told apart by the ids of their events.
///
/// **A body never runs twice.** A call is claimed in the harness's data directory before its body begins, and its answer is
/// written there before it is sent; an answer that did not arrive is sent again, and nothing is run again. A call that was
/// claimed by a process that died is answered as an error, "outcome unknown", and shown to the operator
/// ([`lost_calls`](Self::lost_calls)). With a harness that records in memory this holds within the process.
///
/// What runs at Anthropic without asking cannot be intercepted. [`Coverage`](super::Coverage) finds it beforehand, and the governor refuses
/// to begin where there is any, unless it is told to go on.
///
/// # Examples
///
/// ```no_run
/// use managed_agents::claude::{ManagedAgents, SessionGovernor};
///
/// # async fn example(harness: managed_agents::Harness, toolbox: managed_agents::Toolbox)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// let client = ManagedAgents::builder().build()?;
/// let governor = SessionGovernor::builder(&client, &harness).toolbox(&toolbox).build()?;
/// let report = governor.converse("session_1", "Refund order 7.").await?;
/// println!("{}", report.text());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SessionGovernor {
    client: ManagedAgents,
    harness: Harness,
    toolbox: Toolbox,
    memory: journal::Memory,
    options: Options,
    worker: Option<Arc<Workspace>>,
}

#[derive(Clone, Debug)]
struct Options {
    approval_limit: Duration,
    post_limit: Duration,
    poll: Duration,
    reconcile: Duration,
    linger: Duration,
    patience: Duration,
    stays: bool,
    gaps: bool,
}

/// What the calls of one session share.
struct Shared {
    client: ManagedAgents,
    id: String,
    harness: Harness,
    session: Session,
    toolbox: Toolbox,
    worker: Option<Arc<Workspace>>,
    journal: Journal,
    known: Known,
    approval_limit: Duration,
    post_limit: Duration,
    poll: Duration,
}

impl SessionGovernor {
    /// Begins a governor: a client for the sessions, and the harness that judges their calls.
    pub fn builder(client: &ManagedAgents, harness: &Harness) -> SessionGovernorBuilder {
        SessionGovernorBuilder::new(client.clone(), harness.clone())
    }

    /// Governs a session until its turn is over.
    ///
    /// # Errors
    ///
    /// [`SessionError`] when the session cannot be governed, or no longer; it holds what had happened by then.
    pub async fn run(&self, session: &str) -> Result<SessionReport, SessionError> {
        self.govern(session, None, pending()).await
    }

    /// Says something to a session, and governs it until its turn is over. What is said is sent when the stream is open.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn converse(&self, session: &str, text: &str) -> Result<SessionReport, SessionError> {
        self.govern(session, Some(Outgoing::message(text)), pending()).await
    }

    /// Governs a session until its turn is over or `cancel` ends. Then calls that run here are cancelled at their next await
    /// and answered so, and the session is interrupted: what runs at Anthropic stops there.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn run_until(
        &self,
        session: &str,
        cancel: impl Future<Output = ()> + Send,
    ) -> Result<SessionReport, SessionError> {
        self.govern(session, None, cancel).await
    }

    /// [`converse`](Self::converse) that ends as [`run_until`](Self::run_until) does.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn converse_until(
        &self,
        session: &str,
        text: &str,
        cancel: impl Future<Output = ()> + Send,
    ) -> Result<SessionReport, SessionError> {
        self.govern(session, Some(Outgoing::message(text)), cancel).await
    }

    /// Stops what a session does.
    ///
    /// # Errors
    ///
    /// [`SessionError`] when the API refuses.
    pub async fn interrupt(&self, session: &str) -> Result<(), SessionError> {
        Ok(self.client.send(session, &[Outgoing::interrupt(None)]).await?)
    }

    /// The calls, of all sessions that were governed with this harness's data directory, of which nobody knows how they ended.
    ///
    /// # Errors
    ///
    /// [`SessionError`] when they cannot be read.
    #[cfg(feature = "sqlite")]
    pub fn lost_calls(&self) -> Result<Vec<LostCall>, SessionError> {
        match self.harness.home() {
            Some(home) => LostCall::all(home.dir()),
            None => Ok(Vec::new()),
        }
    }

    async fn govern(
        &self,
        session: &str,
        first: Option<Outgoing>,
        cancel: impl Future<Output = ()> + Send,
    ) -> Result<SessionReport, SessionError> {
        let shared = Arc::new(Shared {
            client: self.client.clone(),
            id: session.to_owned(),
            harness: self.harness.clone(),
            session: self.harness.session(session),
            toolbox: self.toolbox.clone(),
            worker: self.worker.clone(),
            journal: Journal::open(&self.harness, &self.memory, session)?,
            known: Known::new(),
            approval_limit: self.options.approval_limit,
            post_limit: self.options.post_limit,
            poll: self.options.poll,
        });
        run::govern(shared, &self.options, first, cancel).await
    }
}

impl Shared {
    /// Ends when somebody, in whichever process, has stopped this session, its agent, or everything. A drill stops as well.
    async fn stopped(&self) {
        let _attending = self.harness.attend();
        let closes = |stop: &StopRecord| {
            let target = stop.stop().target();
            target.closes(self.harness.agent_id(), Some(self.session.id()))
        };
        while !self.harness.stops().iter().any(closes) {
            sleep(LOOK).await;
        }
    }

    /// Interrupts the session. An interrupt that did not arrive stops nothing, so it is sent until it is taken, for a while.
    async fn interrupt(&self) -> Result<(), ApiError> {
        let until = Instant::now() + self.post_limit.min(MOST_INTERRUPTING);
        loop {
            // twice is no worse than once, so what hangs is sent again as well
            let interrupt = [Outgoing::interrupt(None)];
            let sent = timeout(MOST_SENDING, self.client.send(&self.id, &interrupt)).await;
            let error = match sent {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => Some(error),
                Err(_) => None,
            };
            let late = Instant::now() >= until;
            match error {
                Some(error) if late || matches!(error.status(), Some(400 | 401 | 403 | 404 | 422)) => {
                    tracing::error!(%error, session = self.id, "the session cannot be interrupted");
                    return Err(error);
                }
                None if late => {
                    tracing::error!(
                        session = self.id,
                        "the session cannot be interrupted: the API does not answer"
                    );
                    return self.client.send(&self.id, &interrupt).await;
                }
                _ => sleep(self.poll.max(LOOK)).await,
            }
        }
    }

    /// Records a call that nobody was asked about, once, whoever governs the session when.
    async fn record_outside(&self, event: &str, tool: &str) {
        match self.journal.knows_outside(event).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => tracing::error!(%error, event, "whether a call is recorded cannot be read"),
        }
        // noted after it is recorded: should this process die in between, the record says it twice and not never
        if self.tell_outside(event, tool, "not_asked").await
            && let Err(error) = self.journal.note_outside(event, tool).await
        {
            tracing::error!(%error, event, "a recorded call cannot be noted");
        }
    }

    async fn tell_outside(&self, event: &str, tool: &str, why: &'static str) -> bool {
        let outside = Outside {
            call: Some(event),
            session: Some(&self.id),
            tool,
            why,
        };
        self.harness.record_outside(&outside).await
    }

    /// Notes which calls have answers, and gives those whose answer is news.
    fn note_answers(&self, history: &[Event]) -> Vec<String> {
        let mut news = Vec::new();
        for event in history {
            let call = match event.body() {
                EventBody::CustomToolResult { call } | EventBody::WorkerToolResult { call } => call,
                // at a worker, an allowed call still waits for its result
                EventBody::Confirmation { call, allowed } if !allowed || self.worker.is_none() => call,
                EventBody::ThreadTerminated { thread } => {
                    self.known.thread_ended(thread);
                    continue;
                }
                _ => continue,
            };
            if self.known.answered(call) {
                news.push(call.clone());
            }
        }
        news
    }
}

impl fmt::Debug for SessionGovernor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionGovernor")
            .field("client", &self.client)
            .field("harness", &self.harness)
            .field("toolbox", &self.toolbox)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// How often is looked whether somebody has stopped the session; the look costs next to nothing.
const LOOK: Duration = Duration::from_millis(20);

/// How long one interrupt may be under way.
const MOST_SENDING: Duration = Duration::from_secs(10);

/// For how long an interrupt is sent again.
const MOST_INTERRUPTING: Duration = Duration::from_secs(30);

/// A call of which nobody knows how it ended: the process that ran it died.
#[cfg(feature = "sqlite")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LostCall {
    session: String,
    event: String,
    tool: String,
    taken: std::time::SystemTime,
}

#[cfg(feature = "sqlite")]
impl LostCall {
    /// Those of a data directory, oldest first.
    ///
    /// # Errors
    ///
    /// [`SessionError`] when they cannot be read.
    pub fn all(dir: &std::path::Path) -> Result<Vec<Self>, SessionError> {
        let lost = crate::store::calls::lost(dir).map_err(|error| SessionError::journal(&error))?;
        let of = |(session, event, tool, taken)| Self {
            session,
            event,
            tool,
            taken,
        };
        Ok(lost.into_iter().map(of).collect())
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &str {
        &self.session
    }

    /// The id of the event that asked for it.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// The tool.
    #[must_use]
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// When it was begun.
    #[must_use]
    pub fn taken(&self) -> std::time::SystemTime {
        self.taken
    }
}
