//! placeholder
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate self as managed_agents;

mod answer;
pub mod audit;
pub mod call;
mod error;
mod governor;
mod outcome;
pub mod store;
mod verdict;

#[cfg(feature = "macros")]
pub use managed_agents_macros::governed;

pub use answer::Answer;
pub use call::{AgentId, AgentIdError, ArgKind, Digest, Reversibility, Risk, ToolCall, ToolMeta};
pub use error::{DenialKind, GovernanceDenied};
pub use governor::{Claims, Governor, GovernorError, GovernorErrorKind, Judgement};
pub use outcome::Outcome;
pub use verdict::{Decision, EvaluationId, Reason, Verdict};
