//! Claude Managed Agents: a typed client of the parts that governing needs.

mod agent;
mod client;
mod drafts;
mod environment;
mod event;
mod outgoing;
mod pages;
mod paths;
mod resource;
mod session;
mod tools;
mod work;

pub use agent::{Agent, Multiagent, RosterEntry};
pub use client::{ManagedAgents, ManagedAgentsBuilder};
pub use drafts::{AgentDraft, EnvironmentDraft, SessionDraft};
pub use environment::{Environment, EnvironmentKind};
pub use event::{Event, EventBody, EventStream, Permission, SessionStop, ToolUseEvent};
pub use outgoing::Outgoing;
pub use session::{SessionResource, SessionStatus, Thread};
pub use tools::{AgentTool, McpServer, PermissionPolicy, ToolConfig, Toolset};
pub use work::{Work, WorkState};
