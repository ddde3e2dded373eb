//! Governs what AI agents do: every call of a tool is judged before its body runs, and recorded.
//!
//! [`#[governed]`](macro@governed) above a function makes it a governed function. A [`Harness`] judges each call of it: the call
//! is **allowed** and the body runs; it is **denied**, and the caller gets a typed [`GovernanceDenied`]; or it is
//! **escalated**, and waits for a person or is refused until one has decided. Who decides is a [`Governor`]: the embedded
//! [`Engine`], a service over HTTP ([`remote`]), or your own. With no harness in scope nothing runs.
//!
//! # Examples
//!
//! ```
//! use managed_agents::approval::ApproverKey;
//! use managed_agents::{DenialKind, GovernanceDenied, Harness, Toolbox, governed};
//!
//! /// Look up an order by its number.
//! #[governed(risk = low, read_only)]
//! async fn lookup(order: u64) -> Result<String, GovernanceDenied> {
//!     Ok(format!("order {order}: one lamp"))
//! }
//!
//! /// Refund an order, in cents.
//! #[governed(risk = high, reversible)]
//! async fn refund(order: u64, cents: u64) -> Result<String, GovernanceDenied> {
//!     Ok(format!("refunded {cents} for order {order}"))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let ann = ApproverKey::generate()?;
//! let harness = Harness::builder().in_memory().agent_id("support-bot").approver("ann", ann.public()).build().await?;
//!
//! // from plain Rust
//! assert_eq!(harness.scope(lookup(7)).await?, "order 7: one lamp");
//! let denied = harness.scope(refund(7, 4200)).await.unwrap_err();
//! assert_eq!(denied.kind(), DenialKind::Escalated);
//!
//! // a person approves: this agent, this tool, these arguments, once
//! harness.approve(denied.ticket().unwrap_or_default(), &ann)?;
//! assert_eq!(harness.scope(refund(7, 4200)).await?, "refunded 4200 for order 7");
//!
//! // from a model
//! let tools = Toolbox::new().harness(&harness).tools([lookup::tool(), refund::tool()]).build()?;
//! assert_eq!(tools.call("lookup", r#"{"order":8}"#).await.text(), "order 8: one lamp");
//! # Ok(()) }
//! ```
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | what a tool can declare of itself | [`governed`](macro@governed), [`ToolMeta`] |
//! | what an operator configures | [`config`], [`Harness::from_env`] |
//! | configuring, scopes, sessions, calls by name | [`Harness`], [`harness::HarnessBuilder`], [`Session`], [`Permit`] |
//! | refusals | [`GovernanceDenied`], [`DenialKind`] |
//! | verdicts with no policy written | [`Engine`] |
//! | giving tools to a model | [`Toolbox`], [`claude::MessagesAgent`] |
//! | governing Claude Managed Agents | [`claude::SessionGovernor`], [`claude::Coverage`], [`claude::EnvironmentWorker`] |
//! | policies of your own | [`policy`] |
//! | what agents did before | [`Behaviour`], [`trust`], [`drift`], [`assessment`] |
//! | limits on how often and how much | [`limit`] |
//! | stopping what runs | [`interrupt`], [`Harness::stop`] |
//! | people who approve | [`approval`], [`Harness::pending`] |
//! | a governance service | [`remote::Remote`] |
//! | what was decided, and how it ended | [`Harness::records`], [`audit`] |
//! | tests of your own | [`testing`] |
//! | identities of agents, certificates | [`identity`] |
//! | stopping what no agent should do | [`screen`] |
//! | documents for auditors | [`report`] |
//! | a governor or a record of your own | [`Governor`], [`audit::Recorder`] |
//!
//! # Features
//!
//! | feature | default | what it brings |
//! |---|---|---|
//! | `macros` | yes | [`#[governed]`](macro@governed) |
//! | `toolbox` | yes | [`Toolbox`]: schemas of tools from their signatures, and their dispatch by name |
//! | `engine` | yes | the embedded governor, and approvals in the process |
//! | `config` | yes | `managed-agents.toml`, and [`Harness::from_env`] |
//! | `sqlite` | yes | identities of agents, the durable record, its audit log ([`audit`]) and exports |
//! | `screen` | yes | deterministic checks of commands, queries, paths, URLs, secrets and bulk; without it, what they would read escalates |
//! | `cedar` | | the operator's policies, written in Cedar ([`policy`]) |
//! | `report` | | documents for auditors, from the record ([`report`]) |
//! | `webhooks` | | telling others of tickets, stops and trouble ([`webhooks`]) |
//! | `remote` | | a governance service over HTTP as the governor |
//! | `claude` | | Claude: a loop over the Messages API, Managed Agents sessions, self-hosted workers |
//! | `cli` | | the program `managed-agents` |
//!
//! Features add; none makes a verdict more permissive.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate self as managed_agents;
// half of what serde takes to build is its derives, which `macros` alone does without
#[cfg(not(feature = "__derives"))]
extern crate serde_core as serde;

#[doc(hidden)]
pub mod __private;
mod answer;
#[cfg(any(feature = "engine", feature = "sqlite"))]
pub mod approval;
#[cfg(feature = "engine")]
pub mod assessment;
pub mod audit;
#[cfg(feature = "sqlite")]
mod calendar;
pub mod call;
#[cfg(feature = "claude")]
pub mod claude;
#[cfg(feature = "cli")]
pub mod cli;
mod clock;
#[cfg(feature = "config")]
pub mod config;
#[cfg_attr(not(feature = "toolbox"), expect(dead_code, reason = "only toolboxes dispatch"))]
mod denial_slot;
#[cfg(feature = "engine")]
pub mod drift;
#[cfg(feature = "engine")]
mod engine;
mod error;
mod escaped;
mod governor;
pub mod harness;
#[cfg(feature = "sqlite")]
pub mod home;
#[cfg(feature = "__http")]
mod http;
#[cfg(feature = "sqlite")]
pub mod identity;
pub mod interrupt;
#[cfg_attr(not(feature = "engine"), expect(dead_code, reason = "only the engine states limits"))]
pub mod limit;
mod outcome;
#[cfg(feature = "cedar")]
pub mod policy;
#[cfg(feature = "remote")]
pub mod remote;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "screen")]
pub mod screen;
pub mod store;
pub mod testing;
#[cfg_attr(
    not(feature = "toolbox"),
    expect(
        dead_code,
        reason = "tools are made all the same, since the macro knows of no features, but nobody calls them"
    )
)]
mod tool;
#[cfg(feature = "engine")]
pub mod trust;
mod verdict;
#[cfg(feature = "webhooks")]
pub mod webhooks;
mod word;

#[cfg(feature = "macros")]
pub use managed_agents_macros::governed;

pub use answer::Answer;
pub use call::{AgentId, AgentIdError, ArgKind, Digest, Reversibility, Risk, ToolCall, ToolMeta};
#[cfg(feature = "engine")]
pub use engine::{Behaviour, Engine};
pub use error::{DenialKind, GovernanceDenied};
pub use escaped::Escaped;
pub use governor::{Claims, Governor, GovernorError, GovernorErrorKind, Judgement, SourceGuard};
pub use harness::{GovernedBy, Harness, Permit, Session, stopped, stopping};
#[cfg(feature = "__http")]
pub use http::{Endpoint, EndpointError, Secret, SecretError};
pub use outcome::Outcome;
#[cfg(feature = "remote")]
pub use remote::Remote;
pub use tool::Tool;
#[cfg(feature = "toolbox")]
pub use tool::{
    Dialect, ToolResult, ToolStatus, Toolbox, ToolboxBuilder, ToolboxError, ToolboxProblem, ToolboxProblemKind,
};
pub use verdict::{Decision, EvaluationId, Reason, Verdict};

/// What the README shows compiles and holds.
#[cfg(all(doctest, feature = "engine", feature = "macros"))]
#[doc = include_str!("../../README.md")]
struct Readme;

/// What the guides show compiles and holds.
#[cfg(all(
    doctest,
    feature = "claude",
    feature = "engine",
    feature = "macros",
    feature = "remote"
))]
mod guides {
    #[cfg(feature = "report")]
    #[doc = include_str!("../../docs/compliance.md")]
    struct Compliance;

    #[cfg(feature = "sqlite")]
    #[doc = include_str!("../../docs/erasure.md")]
    struct Erasure;

    #[cfg(feature = "webhooks")]
    #[doc = include_str!("../../docs/webhooks.md")]
    struct Webhooks;
    #[doc = include_str!("../../docs/claude.md")]
    struct Claude;

    #[doc = include_str!("../../docs/escalation.md")]
    struct Escalation;

    #[doc = include_str!("../../docs/from-python.md")]
    struct FromPython;

    #[doc = include_str!("../../docs/behaviour.md")]
    struct Behaviour;
    #[cfg(feature = "sqlite")]
    #[doc = include_str!("../../docs/approvals.md")]
    struct Approvals;
    #[doc = include_str!("../../docs/interrupts.md")]
    struct Interrupts;

    #[doc = include_str!("../../docs/limits.md")]
    struct Limits;

    #[cfg(feature = "cedar")]
    #[doc = include_str!("../../docs/policy.md")]
    struct Policy;

    #[cfg(feature = "sqlite")]
    #[doc = include_str!("../../docs/record.md")]
    struct Record;

    #[cfg(feature = "screen")]
    #[doc = include_str!("../../docs/screen.md")]
    struct Screen;
}
