//! Limits: how often, how many at once, how much, and how large.
//!
//! A limit is about each agent by itself, or one agent; about all its calls, or those of one tool. The embedded engine states
//! for each call what it would count; the recorder counts it in the transaction that writes the decision, or answers which
//! limit is exceeded. So no two callers, threads or processes that share a record pass one together. What is denied is not
//! counted, and what never began is given back.
//!
//! The guide `docs/limits.md` has the configuration file's form.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//! use managed_agents::limit::Limit;
//! use managed_agents::{Engine, Harness, Outcome, Risk, ToolMeta};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let harness = Harness::builder()
//!     .in_memory()
//!     .agent_id("support-bot")
//!     .declare(ToolMeta::new("refund").with_risk(Risk::Low))
//!     .governor(Engine::new().limit(Limit::sum("cents", 5_000, Duration::from_secs(3_600)).of_tool("refund")))
//!     .build()
//!     .await?;
//! harness.govern("refund", r#"{"cents":4200}"#).await?.finish(Outcome::Ok);
//! let denied = harness.govern("refund", r#"{"cents":900}"#).await.unwrap_err();
//! assert_eq!(denied.code(), "limit_sum");
//! # Ok(()) }
//! ```

#[cfg(any(feature = "cedar", feature = "sqlite"))]
mod counter;
mod counters;
mod judge;
mod rests;

use std::fmt;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

#[cfg(any(feature = "cedar", feature = "sqlite"))]
pub(crate) use counter::Counter;
#[cfg(feature = "sqlite")]
pub(crate) use counter::is_history;
#[cfg(feature = "cedar")]
pub(crate) use counter::{CounterKey, Of, WINDOWS};
pub(crate) use counters::{Counters, Over};
#[cfg(feature = "engine")]
pub(crate) use judge::Limits;
pub(crate) use judge::{Counted, exceeded, passes};
#[cfg(feature = "sqlite")]
pub(crate) use judge::{Entry, Key};
#[cfg(any(feature = "cedar", feature = "sqlite"))]
pub(crate) use rests::as_count;
pub(crate) use rests::{Rests, Stands};

use crate::call::AgentId;

/// How many parts a time is cut into: what a call counted is forgotten a part later than its time is over, at most.
pub(crate) const PARTS: u64 = 60;

/// A limit on an agent's calls.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limit {
    pub(crate) what: What,
    pub(crate) most: u64,
    agent: Option<AgentId>,
    tool: Option<String>,
    pub(crate) escalates: bool,
}

/// What is limited.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum What {
    /// Calls that begin within a time.
    Calls(Duration),
    /// Calls that run at once.
    Running,
    /// The sum of an argument within a time.
    Sum(String, Duration),
    /// How much one call's argument names.
    Size(String),
}

impl Limit {
    fn new(what: What, most: u64) -> Self {
        Self {
            what,
            most,
            agent: None,
            tool: None,
            escalates: false,
        }
    }

    /// At most so many calls begin within any time as long as this; at least a second.
    #[must_use]
    pub fn calls(most: u64, per: Duration) -> Self {
        Self::new(What::Calls(per.max(Duration::from_secs(1))), most)
    }

    /// At most so many calls run at once. One of an agent's process that has died ends with it.
    #[must_use]
    pub fn running(most: u64) -> Self {
        Self::new(What::Running, most)
    }

    /// A whole-number argument of the calls that begin within any time as long as this comes to so much at most. What is below
    /// nothing counts as nothing, and what is no whole number as more than any limit; an argument that is not there counts as
    /// nothing.
    #[must_use]
    pub fn sum(argument: impl Into<String>, most: u64, per: Duration) -> Self {
        Self::new(What::Sum(argument.into(), per.max(Duration::from_secs(1))), most)
    }

    /// One call's argument names at most so much: a list so many elements, an object so many members, a text so many
    /// characters, a number so much.
    #[must_use]
    pub fn size(argument: impl Into<String>, most: u64) -> Self {
        Self::new(What::Size(argument.into()), most)
    }

    /// Of this agent only; otherwise of each agent by itself.
    #[must_use]
    pub fn of_agent(mut self, agent: AgentId) -> Self {
        self.agent = Some(agent);
        self
    }

    /// Of this tool only; otherwise of all tools together.
    #[must_use]
    pub fn of_tool(mut self, tool: impl Into<String>) -> Self {
        self.tool = Some(tool.into());
        self
    }

    /// People decide on what would exceed it; otherwise it is denied. What they approve runs, and counts.
    #[must_use]
    pub fn escalates(mut self) -> Self {
        self.escalates = true;
        self
    }

    /// Whether it is about the calls of this agent and tool.
    pub(crate) fn is_about(&self, agent: &AgentId, tool: &str) -> bool {
        self.agent.as_ref().is_none_or(|of| of == agent) && self.tool.as_ref().is_none_or(|of| of == tool)
    }

    /// Names what it counts, whatever the limit itself is set to: a limit that is raised goes on counting.
    pub(crate) fn identity(&self) -> [u8; 16] {
        let what = match &self.what {
            What::Calls(per) => format!("calls {}", per.as_micros()),
            What::Running => "running".to_owned(),
            What::Sum(argument, per) => format!("sum {} {argument:?}", per.as_micros()),
            What::Size(argument) => format!("size {argument:?}"),
        };
        let hash = Sha256::digest(format!("ma-limit/1 {what} {:?}", self.tool));
        *hash.first_chunk().unwrap_or(&[0; 16])
    }

    /// The stable code of exceeding it.
    pub(crate) fn code(&self) -> &'static str {
        match self.what {
            What::Calls(_) => "limit_calls",
            What::Running => "limit_running",
            What::Sum(..) => "limit_sum",
            What::Size(_) => "limit_size",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = self.most;
        match &self.what {
            What::Calls(per) => write!(f, "{most} calls in {per:?}")?,
            What::Running => write!(f, "{most} calls at once")?,
            What::Sum(argument, per) => write!(f, "{most} as the sum of `{}` in {per:?}", argument.escape_debug())?,
            What::Size(argument) => write!(f, "{most} as the size of `{}`", argument.escape_debug())?,
        }
        match &self.tool {
            Some(tool) => write!(f, ", of `{}`", tool.escape_debug())?,
            None => f.write_str(", of all tools")?,
        }
        match &self.agent {
            Some(agent) => write!(f, " by `{agent}`"),
            None => Ok(()),
        }
    }
}
