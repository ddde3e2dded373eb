//! The tool loop of the Messages API.

mod agent;
mod builder;
mod error;
mod run;
mod transport;
mod wire;

pub use agent::MessagesAgent;
pub use builder::MessagesAgentBuilder;
pub use error::{MessagesError, MessagesErrorKind};
pub use run::{Run, RunCall, StopReason, UngovernedUse, Usage};
