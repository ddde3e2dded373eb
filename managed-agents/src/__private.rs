//! What the expansion of `#[governed]` is written in. Not for use by hand: it changes with every release.

pub use crate::call::{ArgKind, ArgumentMeta, Cancel, Judged, MetaParts, Reversibility, Risk, ToolMeta};
pub use crate::error::GovernanceDenied;
pub use crate::harness::{
    Draft, Gate, GovernedArgument, GovernedReturn, Harness, gate, gate_blocking, gate_finish, undoing,
};
pub use crate::tool::{
    ArgRow, ArgumentError, BoxFuture, CallFault, CallResult, DynTrait, Need, Parts, RangeRow, ReturnsImplTrait, States,
    This, Tool, ToolArg, ToolPart, ToolReturn, ToolValue, Vtable, edited_parts, finish, json, judged_parts, need,
    receiver, refused, shared_receiver, take_edited, take_judged, this,
};
pub use std::borrow::Cow;
pub use std::boxed::Box;
pub use std::string::{String, ToString};
pub use std::sync::{Arc, OnceLock};
pub use std::vec;
pub use std::vec::Vec;

/// Takes a value whose work is done.
pub fn spent<T>(value: T) {
    drop(value);
}
