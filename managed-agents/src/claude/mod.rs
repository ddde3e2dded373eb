//! Claude: an agent loop whose tools are governed, and Claude Managed Agents whose sessions are.
//!
//! [`MessagesAgent`] plays the Messages API, streamed or not, against a [`Toolbox`](crate::Toolbox). It runs a tool only when
//! a whole answer says so, each call is judged like every other call of the governed function, and a refused one is told to
//! the model as an error beside the results of its siblings.
//!
//! [`ManagedAgents`] is a client of the parts of Managed Agents that governing needs; [`SessionGovernor`] governs a session,
//! [`Coverage`] tells what would run in one without being asked about, and [`EnvironmentWorker`] runs the built-in tools of a
//! self-hosted environment.

mod api;
mod coverage;
mod govern;
mod managed;
mod messages;
mod worker;

pub use api::{ApiError, ApiErrorKind};
pub use coverage::{Coverage, Gap, GapKind};
#[cfg(feature = "sqlite")]
pub use govern::LostCall;
pub use govern::{
    CallEnd, GovernedCall, OutsideCall, SessionEnd, SessionError, SessionErrorKind, SessionGovernor,
    SessionGovernorBuilder, SessionReport,
};
pub use managed::{
    Agent, AgentDraft, AgentTool, Environment, EnvironmentDraft, EnvironmentKind, Event, EventBody, EventStream,
    ManagedAgents, ManagedAgentsBuilder, McpServer, Multiagent, Outgoing, Permission, PermissionPolicy, RosterEntry,
    SessionDraft, SessionResource, SessionStatus, SessionStop, Thread, ToolConfig, ToolUseEvent, Toolset, Work,
    WorkState,
};
pub use messages::{
    MessagesAgent, MessagesAgentBuilder, MessagesError, Run, RunCall, StopReason, StreamEvent, UngovernedUse, Usage,
};
pub use worker::{EnvironmentWorker, Workspace, built_in_tools};
