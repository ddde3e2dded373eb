//! Setting a governor up.

use std::sync::Arc;
use std::time::Duration;

use super::error::{SessionError, SessionErrorKind};
use super::{Options, SessionGovernor};
use crate::claude::managed::ManagedAgents;
use crate::claude::worker::Workspace;
use crate::harness::Harness;
use crate::tool::Toolbox;

/// Sets a governor up; made by [`SessionGovernor::builder`].
#[derive(Debug)]
#[must_use = "a governor is only there when it is built"]
pub struct SessionGovernorBuilder {
    client: ManagedAgents,
    harness: Harness,
    toolbox: Option<Toolbox>,
    worker: Option<Arc<Workspace>>,
    options: Options,
}

impl SessionGovernorBuilder {
    pub(super) fn new(client: ManagedAgents, harness: Harness) -> Self {
        Self {
            client,
            harness,
            toolbox: None,
            worker: None,
            options: Options {
                approval_limit: Duration::from_secs(60 * 60),
                post_limit: Duration::from_secs(300),
                poll: Duration::from_millis(500),
                reconcile: Duration::from_secs(30),
                linger: Duration::from_secs(1),
                patience: Duration::from_secs(120),
                stays: false,
                gaps: false,
            },
        }
    }

    /// The custom tools that run here. Calls of others are left to whoever answers them, and reported.
    pub fn toolbox(mut self, toolbox: &Toolbox) -> Self {
        self.toolbox = Some(toolbox.clone());
        self
    }

    /// Runs the built-in tools of a self-hosted environment here, in this workspace.
    pub(in crate::claude) fn worker(mut self, workspace: Arc<Workspace>) -> Self {
        self.worker = Some(workspace);
        self
    }

    /// How long a call waits for a person before it is refused; an hour when not said.
    pub fn approval_limit(mut self, limit: Duration) -> Self {
        self.options.approval_limit = limit;
        self
    }

    /// How long an answer that the service does not take is sent again; five minutes when not said.
    pub fn post_limit(mut self, limit: Duration) -> Self {
        self.options.post_limit = limit;
        self
    }

    /// How often is looked whether a person has decided, and the shortest wait before an answer is sent again; half a second
    /// when not said.
    pub fn poll(mut self, every: Duration) -> Self {
        self.options.poll = every;
        self
    }

    /// How often the history is read beside the stream, for events that the stream lost; half a minute when not said.
    pub fn reconcile(mut self, every: Duration) -> Self {
        self.options.reconcile = every;
        self
    }

    /// How long nothing may happen after the end of a turn before governing ends; a second when not said.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.options.linger = linger;
        self
    }

    /// Goes on governing after the end of a turn, until the session is over.
    pub fn stay(mut self) -> Self {
        self.options.stays = true;
        self
    }

    /// Goes on although calls can slip past. They are in the report.
    pub fn accept_gaps(mut self) -> Self {
        self.options.gaps = true;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`SessionError`] of kind [`Configuration`](SessionErrorKind::Configuration) says what is wrong.
    pub fn build(self) -> Result<SessionGovernor, SessionError> {
        let configuration = |detail: String| SessionError::new(SessionErrorKind::Configuration(detail));
        let toolbox = match self.toolbox {
            Some(toolbox) => toolbox,
            None => Toolbox::new()
                .build()
                .map_err(|error| configuration(error.to_string()))?,
        };
        if toolbox.harness().is_some_and(|harness| !harness.is_same(&self.harness)) {
            return Err(configuration(
                "the toolbox has a harness of its own, and it is not the governor's".to_owned(),
            ));
        }
        if self.options.poll.is_zero() || self.options.reconcile.is_zero() {
            return Err(configuration("`poll` and `reconcile` must not be zero".to_owned()));
        }
        Ok(SessionGovernor {
            client: self.client,
            harness: self.harness,
            toolbox,
            memory: Arc::default(),
            options: self.options,
            worker: self.worker,
        })
    }
}
