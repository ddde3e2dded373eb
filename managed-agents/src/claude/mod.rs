//! Claude: an agent loop whose tools are governed.
//!
//! [`MessagesAgent`] plays the non-streaming Messages API against a [`Toolbox`](crate::Toolbox). It runs a tool only when a
//! whole answer says so, each call is judged like every other call of the governed function, and a refused one is told to
//! the model as an error beside the results of its siblings.

mod messages;

pub use messages::{
    MessagesAgent, MessagesAgentBuilder, MessagesError, MessagesErrorKind, Run, RunCall, StopReason, UngovernedUse,
    Usage,
};
