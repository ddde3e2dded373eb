//! Sessions and their threads.

use super::agent::Agent;
use super::resource::resource;

resource! {
    /// A session, as the API keeps it.
    pub struct SessionResource {
        id: String,
        #[serde(default)]
        status: Option<String>,
        #[serde(default)]
        agent: Option<Agent>,
        #[serde(default)]
        environment_id: Option<String>,
    }
}

/// What a session or a thread does.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SessionStatus {
    /// It waits: for a message, an answer, or nothing.
    Idle,
    /// It works.
    Running,
    /// It failed for now and will be tried again.
    Rescheduling,
    /// It is over.
    Terminated,
    /// A status that this version does not know.
    Unknown(String),
}

impl SessionStatus {
    fn of(word: Option<&str>) -> Self {
        match word.unwrap_or_default() {
            "idle" => Self::Idle,
            "running" => Self::Running,
            "rescheduling" => Self::Rescheduling,
            "terminated" => Self::Terminated,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

impl SessionResource {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.fields.id
    }

    /// What it does.
    #[must_use]
    pub fn status(&self) -> SessionStatus {
        SessionStatus::of(self.fields.status.as_deref())
    }

    /// The agent as this session runs it.
    #[must_use]
    pub fn agent(&self) -> Option<&Agent> {
        self.fields.agent.as_ref()
    }

    /// The environment.
    #[must_use]
    pub fn environment(&self) -> Option<&str> {
        self.fields.environment_id.as_deref()
    }
}

mod thread {
    use super::{Agent, SessionStatus, resource};

    resource! {
        /// A thread of a session.
        pub struct Thread {
            id: String,
            #[serde(default)]
            status: Option<String>,
            #[serde(default)]
            agent: Option<Agent>,
            #[serde(default)]
            parent_thread_id: Option<String>,
        }
    }

    impl Thread {
        /// Its id.
        #[must_use]
        pub fn id(&self) -> &str {
            &self.fields.id
        }

        /// What it does.
        #[must_use]
        pub fn status(&self) -> SessionStatus {
            SessionStatus::of(self.fields.status.as_deref())
        }

        /// The agent as this thread runs it.
        #[must_use]
        pub fn agent(&self) -> Option<&Agent> {
            self.fields.agent.as_ref()
        }

        /// The thread that began it; none for the session's own.
        #[must_use]
        pub fn parent(&self) -> Option<&str> {
            self.fields.parent_thread_id.as_deref()
        }
    }
}

pub use thread::Thread;
