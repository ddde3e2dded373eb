//! The tool loop of the Messages API.

mod agent;
mod builder;
mod error;
mod run;
mod stream;
mod wire;

pub use agent::MessagesAgent;
pub use builder::MessagesAgentBuilder;
pub use error::MessagesError;
pub use run::{Run, RunCall, StopReason, UngovernedUse, Usage};
pub use stream::StreamEvent;
