//! Small parts that only the expansion of `#[governed]` uses.

use std::any::Any;
use std::sync::Arc;

use super::argument::{not_edited, not_exact};
use super::parts::Parts;
use super::vtable::{CallFault, This};
use crate::error::GovernanceDenied;

/// A part of a signature that a tool can have; nothing implements it.
///
/// The expansion puts it as a bound, checked only when somebody asks for the tool, on what no tool can have.
#[diagnostic::on_unimplemented(
    message = "a function with `{Self}` in its signature cannot be a tool",
    label = "no model can give or be given this",
    note = "own what the type borrows, inject it with `#[governed(state)]`, or call the governed function from Rust only"
)]
pub trait ToolPart {}

/// Stands for an `impl Trait` that is returned.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReturnsImplTrait;

/// Stands for a `dyn Trait` argument.
#[derive(Debug)]
#[non_exhaustive]
pub struct DynTrait;

/// A receiver, to be kept by its tool.
pub fn this<T: Any + Send + Sync>(receiver: &Arc<T>) -> This {
    let receiver: Arc<T> = Arc::clone(receiver);
    receiver
}

/// The receiver that a tool keeps, for a method that takes `&self`.
///
/// # Errors
///
/// When it is of another type, which the expansion rules out.
pub fn receiver<T: Any>(this: &This) -> Result<&T, CallFault> {
    (**this).downcast_ref().ok_or(CallFault::Unshowable)
}

/// The receiver that a tool keeps, for a method that takes `Arc<Self>`.
///
/// # Errors
///
/// When it is of another type, which the expansion rules out.
pub fn shared_receiver<T: Any + Send + Sync>(this: &This) -> Result<Arc<T>, CallFault> {
    Arc::clone(this).downcast().map_err(|_| CallFault::Unshowable)
}

/// The arguments of a call that a person edited.
#[expect(clippy::missing_errors_doc, reason = "called by generated code only")]
pub fn edited_parts<'de>(arguments: &'de str, names: &'static [&'static str]) -> Result<Parts<'de>, GovernanceDenied> {
    Parts::split(arguments, names).map_err(|error| not_edited(error.argument()))
}

/// The judged arguments, for a body that runs with the values decoded from them (`exact`).
///
/// # Errors
///
/// A denial: the bytes are not those of this function's arguments.
pub fn judged_parts<'de>(arguments: &'de str, names: &'static [&'static str]) -> Result<Parts<'de>, GovernanceDenied> {
    Parts::split(arguments, names).map_err(|error| not_exact(error.argument().unwrap_or("?")))
}
