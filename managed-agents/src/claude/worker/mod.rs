//! A worker of a self-hosted environment.

mod declared;
mod fault;
mod search;
mod shell;
mod workspace;

use std::fmt;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

pub use declared::built_in_tools;
pub(super) use fault::WorkerFault;
pub use workspace::Workspace;

use super::api::ApiError;
use super::govern::{SessionError, SessionGovernor, SessionReport};
use super::managed::{ManagedAgents, Work, WorkState};
use crate::harness::Harness;
use crate::tool::Toolbox;

/// A worker of a self-hosted environment: takes sessions, one at a time, and runs their tools here, each call judged before
/// it runs.
///
/// It keeps the lease of what it works on, and gives it up when the lease is lost or the service says stop: then its calls are
/// cancelled. The built-in tools run in a [`Workspace`], **which is no sandbox**.
///
/// # Examples
///
/// ```no_run
/// use managed_agents::claude::{EnvironmentWorker, ManagedAgents, Workspace};
/// use managed_agents::Secret;
///
/// # async fn example(harness: managed_agents::Harness) -> Result<(), Box<dyn std::error::Error>> {
/// let key = Secret::parse(&std::env::var("ANTHROPIC_ENVIRONMENT_KEY")?)?;
/// let client = ManagedAgents::builder().bearer(key).build()?;
/// let worker = EnvironmentWorker::new(&client, &harness, "env_1", Workspace::open("/srv/work")?);
/// worker.run_until(async { /* until the program ends */ }).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct EnvironmentWorker {
    client: ManagedAgents,
    harness: Harness,
    environment: String,
    workspace: Arc<Workspace>,
    toolbox: Option<Toolbox>,
    name: String,
    gaps: bool,
    poll: Duration,
    approval_limit: Option<Duration>,
    tell: Option<Arc<Tell>>,
}

/// Who is told of a session that ended, with its id.
type Tell = dyn Fn(&str, &Result<SessionReport, SessionError>) + Send + Sync;

impl EnvironmentWorker {
    /// A worker of an environment.
    pub fn new(client: &ManagedAgents, harness: &Harness, environment: &str, workspace: Workspace) -> Self {
        Self {
            client: client.clone(),
            harness: harness.clone(),
            environment: environment.to_owned(),
            workspace: Arc::new(workspace),
            toolbox: None,
            name: format!("managed-agents-{}", std::process::id()),
            gaps: false,
            poll: Duration::from_millis(500),
            approval_limit: None,
            tell: None,
        }
    }

    /// Custom tools that run here as well.
    pub fn toolbox(mut self, toolbox: &Toolbox) -> Self {
        self.toolbox = Some(toolbox.clone());
        self
    }

    /// Its name, as the environment shows it.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Takes sessions of which calls can slip past, such as those of MCP tools that do not ask.
    pub fn accept_gaps(mut self) -> Self {
        self.gaps = true;
        self
    }

    /// How long a call waits for a person before it is refused; an hour when not said.
    pub fn approval_limit(mut self, limit: Duration) -> Self {
        self.approval_limit = Some(limit);
        self
    }

    /// How often is looked whether a person has decided, and the shortest wait before something is sent again; half a second
    /// when not said.
    pub fn poll(mut self, every: Duration) -> Self {
        self.poll = every;
        self
    }

    /// Who is told of each session that ended here.
    pub fn on_session(
        mut self,
        tell: impl Fn(&str, &Result<SessionReport, SessionError>) + Send + Sync + 'static,
    ) -> Self {
        self.tell = Some(Arc::new(tell));
        self
    }

    /// Works until the program ends.
    ///
    /// # Errors
    ///
    /// [`ApiError`] when the service refuses the key or knows no such environment; what passes is waited for.
    pub async fn run(&self) -> Result<(), ApiError> {
        self.run_until(pending()).await
    }

    /// Works until `cancel` ends; what is under way then is cancelled, and given back.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn run_until(&self, cancel: impl Future<Output = ()> + Send) -> Result<(), ApiError> {
        let mut cancel = pin!(cancel);
        loop {
            let polled = tokio::select! {
                biased;
                () = cancel.as_mut() => return Ok(()),
                polled = self.client.poll_work(&self.environment, &self.name) => polled,
            };
            match polled {
                Ok(Some(work)) => {
                    let stop = Notify::new();
                    let mut work = pin!(self.work(&work, &stop));
                    tokio::select! {
                        () = work.as_mut() => continue,
                        () = cancel.as_mut() => {}
                    }
                    stop.notify_one();
                    work.await;
                    return Ok(());
                }
                Ok(None) => {}
                Err(error) if matches!(error.status(), Some(400 | 401 | 403 | 404)) => return Err(error),
                Err(error) => tracing::warn!(%error, "no work can be had for now"),
            }
            tokio::select! {
                () = cancel.as_mut() => return Ok(()),
                () = sleep(pause()) => {}
            }
        }
    }

    /// Works on one session, until it ends, the lease does, or `stop` is told.
    async fn work(&self, work: &Work, stop: &Notify) {
        let Some(session) = work.session() else {
            tracing::warn!(work = work.id(), "work that is no session is left");
            return;
        };
        if let Err(error) = self.client.acknowledge_work(work).await {
            tracing::warn!(%error, work = work.id(), "work cannot be taken");
            return;
        }
        let lost = Notify::new();
        let ended = tokio::select! {
            ended = self.govern(work, session, stop, &lost) => ended,
            // it tells `lost`, and waits until governing has ended for it
            () = self.keep(work, &lost) => return,
        };
        if let Err(error) = &ended {
            tracing::error!(%error, session, "a session's governing ended");
        }
        if let Some(tell) = &self.tell {
            tell(session, &ended);
        }
        if let Err(error) = self.client.stop_work(work).await {
            tracing::debug!(%error, work = work.id(), "work cannot be given back");
        }
    }

    async fn govern(
        &self,
        work: &Work,
        session: &str,
        stop: &Notify,
        lost: &Notify,
    ) -> Result<SessionReport, SessionError> {
        let client = match work.token() {
            Some(token) => self.client.with_token(token)?,
            None => self.client.clone(),
        };
        let mut governor = SessionGovernor::builder(&client, &self.harness)
            .worker(Arc::clone(&self.workspace))
            .poll(self.poll);
        if let Some(toolbox) = &self.toolbox {
            governor = governor.toolbox(toolbox);
        }
        if self.gaps {
            governor = governor.accept_gaps();
        }
        if let Some(limit) = self.approval_limit {
            governor = governor.approval_limit(limit);
        }
        let ended = async {
            tokio::select! {
                () = stop.notified() => {}
                () = lost.notified() => {}
            }
        };
        governor.build()?.run_until(session, ended).await
    }

    /// Keeps the lease, and says when it is lost.
    async fn keep(&self, work: &Work, lost: &Notify) {
        let mut last = "NO_HEARTBEAT".to_owned();
        let mut lives_until = Instant::now() + DEFAULT_LEASE;
        loop {
            let pause = match self.client.heartbeat(work, &last).await {
                Ok(beat) => {
                    let state = WorkState::of(beat.state.as_deref().unwrap_or("active"));
                    if beat.lease_extended == Some(false) || matches!(state, WorkState::Stopping | WorkState::Stopped) {
                        break;
                    }
                    let lease = beat.ttl_seconds.map_or(DEFAULT_LEASE, Duration::from_secs);
                    lives_until = Instant::now() + lease;
                    last = beat.last_heartbeat;
                    (lease / 2).min(LONGEST_PAUSE)
                }
                Err(error) if error.status() == Some(412) => break,
                Err(error) if Instant::now() >= lives_until => {
                    tracing::warn!(%error, work = work.id(), "the lease cannot be kept");
                    break;
                }
                Err(_) => Duration::from_secs(1),
            };
            sleep(pause).await;
        }
        tracing::warn!(work = work.id(), "the lease is lost: what runs for it is cancelled");
        lost.notify_one();
        pending().await
    }
}

impl fmt::Debug for EnvironmentWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentWorker")
            .field("environment", &self.environment)
            .field("workspace", &self.workspace)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// One to three seconds, so that workers do not ask together.
fn pause() -> Duration {
    let mut random = [0; 2];
    // without entropy all wait as long, which is no harm
    let _ = getrandom::fill(&mut random);
    Duration::from_millis(1000 + u64::from(u16::from_le_bytes(random)) % 2000)
}

const DEFAULT_LEASE: Duration = Duration::from_secs(300);

const LONGEST_PAUSE: Duration = Duration::from_secs(30);
