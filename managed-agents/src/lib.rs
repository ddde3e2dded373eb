//! placeholder
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate self as managed_agents;

mod answer;
pub mod audit;
pub mod call;
mod error;
mod governor;
#[cfg(feature = "__http")]
mod http;
mod outcome;
#[cfg(feature = "remote")]
pub mod remote;
pub mod store;
mod verdict;

#[cfg(feature = "macros")]
pub use managed_agents_macros::governed;

pub use answer::Answer;
pub use call::{AgentId, AgentIdError, ArgKind, Digest, Reversibility, Risk, ToolCall, ToolMeta};
pub use error::{DenialKind, GovernanceDenied};
#[cfg(feature = "__http")]
pub use http::{Endpoint, EndpointError, Secret, SecretError};
pub use governor::{Claims, Governor, GovernorError, GovernorErrorKind, Judgement};
pub use outcome::Outcome;
#[cfg(feature = "remote")]
pub use remote::Remote;
pub use verdict::{Decision, EvaluationId, Reason, Verdict};
