//! placeholder
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate self as managed_agents;

#[doc(hidden)]
pub mod __private;
mod answer;
#[cfg(feature = "engine")]
pub mod approval;
pub mod audit;
pub mod call;
#[cfg(feature = "claude")]
pub mod claude;
#[cfg(feature = "cli")]
pub mod cli;
mod clock;
#[cfg(feature = "config")]
pub mod config;
mod denial_slot;
#[cfg(feature = "engine")]
mod engine;
mod error;
mod governor;
pub mod harness;
#[cfg(feature = "__http")]
mod http;
mod outcome;
#[cfg(feature = "remote")]
pub mod remote;
pub mod store;
pub mod testing;
mod tool;
mod verdict;

#[cfg(feature = "macros")]
pub use managed_agents_macros::governed;

pub use answer::Answer;
pub use call::{AgentId, AgentIdError, ArgKind, Digest, Reversibility, Risk, ToolCall, ToolMeta};
#[cfg(feature = "engine")]
pub use engine::Engine;
pub use error::{DenialKind, GovernanceDenied};
pub use governor::{Claims, Governor, GovernorError, GovernorErrorKind, Judgement};
pub use harness::{GovernedBy, Harness, Permit, Session};
#[cfg(feature = "__http")]
pub use http::{Endpoint, EndpointError, Secret, SecretError};
pub use outcome::Outcome;
#[cfg(feature = "remote")]
pub use remote::Remote;
pub use tool::{
    Dialect, Tool, ToolResult, ToolStatus, Toolbox, ToolboxBuilder, ToolboxError, ToolboxProblem, ToolboxProblemKind,
};
pub use verdict::{Decision, EvaluationId, Reason, Verdict};
