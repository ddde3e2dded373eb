//! The client.

use std::fmt;
use std::time::Duration;

use hyper::Method;
use hyper::header::HeaderValue;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::agent::Agent;
use super::drafts::{AgentDraft, EnvironmentDraft, SessionDraft};
use super::environment::Environment;
use super::event::{Event, EventStream};
use super::outgoing::Outgoing;
use super::paths::{path, query};
use super::session::{SessionResource, Thread};
use super::work::Work;
use crate::claude::api::{Api, ApiError, Call, Fault, Key, Settings, connection_settings, retrying};
use crate::http::Secret;

/// A client of Claude Managed Agents: agents, environments, sessions, their events and threads. Clones share connections.
///
/// Reading is tried again, twice at most, when the API asks for it or the connection fails. What changes something is tried
/// again only where it surely was not taken: the API knows no key by which it could tell a repeated request from a second one.
///
/// # Examples
///
/// ```no_run
/// use managed_agents::claude::{AgentDraft, ManagedAgents};
///
/// # async fn example(toolbox: managed_agents::Toolbox) -> Result<(), Box<dyn std::error::Error>> {
/// let client = ManagedAgents::builder().build()?;
/// let agent = client.create_agent(&AgentDraft::new("support", "claude-opus-5-5").toolbox(&toolbox)).await?;
/// println!("{} version {}", agent.id(), agent.version());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ManagedAgents {
    api: Api,
}

impl ManagedAgents {
    /// Begins a client.
    pub fn builder() -> ManagedAgentsBuilder {
        ManagedAgentsBuilder {
            settings: Settings {
                timeout: DEFAULT_TIMEOUT,
                ..Settings::default()
            },
            beta: DEFAULT_BETA.to_owned(),
        }
    }

    /// Creates an agent.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn create_agent(&self, agent: &AgentDraft) -> Result<Agent, ApiError> {
        self.change(&path(&["agents"])?, agent.body()).await
    }

    /// An agent as it is now.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn agent(&self, id: &str) -> Result<Agent, ApiError> {
        self.get(&path(&["agents", id])?).await
    }

    /// An agent as it was at a version.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn agent_version(&self, id: &str, version: u64) -> Result<Agent, ApiError> {
        let path = path(&["agents", id])?;
        self.get(&query(path, &[("version", &version.to_string())])).await
    }

    /// All agents.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn agents(&self) -> Result<Vec<Agent>, ApiError> {
        self.pages(&path(&["agents"])?, &[]).await
    }

    /// All versions of an agent.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn agent_versions(&self, id: &str) -> Result<Vec<Agent>, ApiError> {
        self.pages(&path(&["agents", id, "versions"])?, &[]).await
    }

    /// Changes an agent, which makes a new version of it. With `version`, only if that is the newest.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn update_agent(&self, id: &str, version: Option<u64>, change: &AgentDraft) -> Result<Agent, ApiError> {
        let mut body = change.body();
        if let (Some(version), Value::Object(body)) = (version, &mut body) {
            body.insert("version".to_owned(), version.into());
        }
        self.change(&path(&["agents", id])?, body).await
    }

    /// Archives an agent.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn archive_agent(&self, id: &str) -> Result<Agent, ApiError> {
        self.change(&path(&["agents", id, "archive"])?, json!({})).await
    }

    /// Creates an environment.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn create_environment(&self, environment: &EnvironmentDraft) -> Result<Environment, ApiError> {
        self.change(&path(&["environments"])?, environment.body()).await
    }

    /// An environment.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn environment(&self, id: &str) -> Result<Environment, ApiError> {
        self.get(&path(&["environments", id])?).await
    }

    /// All environments.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn environments(&self) -> Result<Vec<Environment>, ApiError> {
        self.pages(&path(&["environments"])?, &[]).await
    }

    /// Archives an environment.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn archive_environment(&self, id: &str) -> Result<Environment, ApiError> {
        self.change(&path(&["environments", id, "archive"])?, json!({})).await
    }

    /// Creates a session.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn create_session(&self, session: &SessionDraft) -> Result<SessionResource, ApiError> {
        self.change(&path(&["sessions"])?, session.body()).await
    }

    /// A session.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn session(&self, id: &str) -> Result<SessionResource, ApiError> {
        self.get(&path(&["sessions", id])?).await
    }

    /// All sessions.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn sessions(&self) -> Result<Vec<SessionResource>, ApiError> {
        self.pages(&path(&["sessions"])?, &[]).await
    }

    /// Replaces the tools of a session's agent; the session must not be running.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn update_session_tools(&self, id: &str, tools: &[Value]) -> Result<SessionResource, ApiError> {
        let body = json!({"agent": {"tools": tools}});
        self.change(&path(&["sessions", id])?, body).await
    }

    /// Archives a session.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn archive_session(&self, id: &str) -> Result<SessionResource, ApiError> {
        self.change(&path(&["sessions", id, "archive"])?, json!({})).await
    }

    /// Deletes a session.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn delete_session(&self, id: &str) -> Result<(), ApiError> {
        let path = path(&["sessions", id])?;
        let (api, path) = (&self.api, path.as_str());
        let sent = retrying(move |_| async move {
            let answer = api.json(Call::new(Method::DELETE, path)).await;
            answer.map_err(Fault::only_if_not_taken)
        });
        sent.await.map(|_| ())
    }

    /// The whole history of a session.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request; a part of a history is none.
    pub async fn events(&self, session: &str) -> Result<Vec<Event>, ApiError> {
        self.pages(&path(&["sessions", session, "events"])?, &[("limit", "1000")])
            .await
    }

    /// What happens in a session from now on. What happened before is in [`events`](Self::events): open the stream first.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn stream(&self, session: &str) -> Result<EventStream, ApiError> {
        self.open(&path(&["sessions", session, "events", "stream"])?).await
    }

    /// Sends events to a session, once: after a failure, the history says whether they were taken.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn send(&self, session: &str, events: &[Outgoing]) -> Result<(), ApiError> {
        let body = json!({"events": events});
        let body = serde_json::to_vec(&body).map_err(|_| unwritable())?;
        let path = path(&["sessions", session, "events"])?;
        let sent = self.api.json(Call::post(&path, &body)).await;
        sent.map(|_| ()).map_err(|fault| fault.error)
    }

    /// The threads of a session: its own, and those of its subagents.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn threads(&self, session: &str) -> Result<Vec<Thread>, ApiError> {
        self.pages(&path(&["sessions", session, "threads"])?, &[]).await
    }

    /// The history of one thread.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn thread_events(&self, session: &str, thread: &str) -> Result<Vec<Event>, ApiError> {
        let path = path(&["sessions", session, "threads", thread, "events"])?;
        self.pages(&path, &[("limit", "1000")]).await
    }

    /// Archives a thread.
    ///
    /// # Errors
    ///
    /// [`ApiError`], as every request.
    pub async fn archive_thread(&self, session: &str, thread: &str) -> Result<Thread, ApiError> {
        self.change(&path(&["sessions", session, "threads", thread, "archive"])?, json!({}))
            .await
    }

    /// Asks for work of a self-hosted environment; none after about a second.
    pub(in crate::claude) async fn poll_work(&self, environment: &str, worker: &str) -> Result<Option<Work>, ApiError> {
        let path = query(
            path(&["environments", environment, "work", "poll"])?,
            &[("block_ms", "999")],
        );
        let worker = HeaderValue::from_str(worker)
            .map_err(|_| ApiError::configuration("the worker's name cannot stand in a header"))?;
        let call = Call::get(&path).header("anthropic-worker-id", worker);
        let body = self.api.json(call).await.map_err(|fault| fault.error)?;
        if body.is_empty() {
            return Ok(None);
        }
        read(&body)
    }

    /// Says that work was begun.
    pub(in crate::claude) async fn acknowledge_work(&self, work: &Work) -> Result<Work, ApiError> {
        self.change(&self.work_path(work, "ack")?, json!({})).await
    }

    /// Keeps a lease.
    pub(in crate::claude) async fn heartbeat(&self, work: &Work, last: &str) -> Result<Heartbeat, ApiError> {
        let path = query(self.work_path(work, "heartbeat")?, &[("expected_last_heartbeat", last)]);
        let body = self.api.json(Call::post(&path, b"{}")).await;
        read(&body.map_err(|fault| fault.error)?)
    }

    /// Gives work back.
    pub(in crate::claude) async fn stop_work(&self, work: &Work) -> Result<(), ApiError> {
        let path = self.work_path(work, "stop")?;
        let body: Value = self.change(&path, json!({"force": true})).await?;
        drop(body);
        Ok(())
    }

    /// The same client with another key: that of one piece of work.
    pub(in crate::claude) fn with_token(&self, token: Secret) -> Result<Self, ApiError> {
        Ok(Self {
            api: self.api.with_key(Key::new(token, true))?,
        })
    }

    #[expect(clippy::unused_self, reason = "beside its callers")]
    fn work_path(&self, work: &Work, verb: &str) -> Result<String, ApiError> {
        path(&["environments", work.environment(), "work", work.id(), verb])
    }

    async fn open(&self, path: &str) -> Result<EventStream, ApiError> {
        let stream = self.api.events(Call::get(path)).await.map_err(|fault| fault.error)?;
        Ok(EventStream::new(stream, self.api.clone()))
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let answer = retrying(|_| self.api.json(Call::get(path)));
        read(&answer.await?)
    }

    /// Sends what changes something.
    async fn change<T: DeserializeOwned>(&self, path: &str, body: Value) -> Result<T, ApiError> {
        let body = serde_json::to_vec(&body).map_err(|_| unwritable())?;
        let (api, body) = (&self.api, body.as_slice());
        let answer = retrying(move |_| async move {
            let answer = api.json(Call::post(path, body)).await;
            answer.map_err(Fault::only_if_not_taken)
        });
        read(&answer.await?)
    }
}

impl fmt::Debug for ManagedAgents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManagedAgents").field(&self.api).finish()
    }
}

/// How a lease stands.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::claude) struct Heartbeat {
    pub(in crate::claude) last_heartbeat: String,
    #[serde(default)]
    pub(in crate::claude) lease_extended: Option<bool>,
    #[serde(default)]
    pub(in crate::claude) state: Option<String>,
    #[serde(default)]
    pub(in crate::claude) ttl_seconds: Option<u64>,
}

/// Sets a client up; made by [`ManagedAgents::builder`].
#[derive(Debug)]
#[must_use = "a client is only there when it is built"]
pub struct ManagedAgentsBuilder {
    settings: Settings,
    beta: String,
}

impl ManagedAgentsBuilder {
    connection_settings!(
        "The longest that one request may take; a minute when not said. A stream may be as long as its session."
    );

    /// What is sent as `anthropic-beta`; `managed-agents-2026-04-01` when not said.
    pub fn beta(mut self, beta: impl Into<String>) -> Self {
        self.beta = beta.into();
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`ApiError`] of kind [`Configuration`](crate::claude::ApiErrorKind::Configuration) says which setting is missing or
    /// wrong.
    pub fn build(mut self) -> Result<ManagedAgents, ApiError> {
        self.settings.headers.push(("anthropic-beta".to_owned(), self.beta));
        Ok(ManagedAgents {
            api: self.settings.connect()?,
        })
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body)
        .map_err(|error| ApiError::unreadable("the answer is not what the API documents", &error))
}

fn unwritable() -> ApiError {
    ApiError::malformed("the request cannot be written as JSON")
}

/// No request has a model answer; what hangs for longer is sent again where it may be.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

const DEFAULT_BETA: &str = "managed-agents-2026-04-01";
