//! placeholder
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate self as managed_agents;

mod answer;
pub mod audit;
pub mod call;
mod denial_slot;
mod error;
mod governor;
mod outcome;
pub mod store;
mod tool;
mod verdict;

#[cfg(feature = "macros")]
pub use managed_agents_macros::governed;

pub use answer::Answer;
pub use call::{AgentId, AgentIdError, ArgKind, Digest, Reversibility, Risk, ToolCall, ToolMeta};
pub use error::{DenialKind, GovernanceDenied};
pub use governor::{Claims, Governor, GovernorError, GovernorErrorKind, Judgement};
pub use outcome::Outcome;
pub use tool::{
    Dialect, Tool, ToolResult, ToolStatus, Toolbox, ToolboxBuilder, ToolboxError, ToolboxProblem,
    ToolboxProblemKind,
};
pub use verdict::{Decision, EvaluationId, Reason, Verdict};

/// What the expansion of `#[governed]` uses; no part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::tool::{
        ArgRow, ArgumentError, BoxFuture, CallFault, CallResult, Need, Parts, RangeRow, States,
        This, Tool, ToolArg, ToolReturn, ToolValue, Vtable, finish, json, need, take_judged,
    };
}
