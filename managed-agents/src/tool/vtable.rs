//! What the expansion of `#[governed]` states of a tool: rows of constants and function pointers.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::argument::ArgumentError;
use super::described::{Schema, SchemaGenerator};
use super::output::ToolValue;
use super::states::{Need, States};
use crate::call::ToolMeta;

/// The receiver of a method tool; `()` for a function.
pub type This = Arc<dyn Any + Send + Sync>;

/// A boxed future that may cross threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How a dispatched call ended.
pub type CallResult = Result<ToolValue, CallFault>;

/// Everything that is generic in a tool.
#[expect(clippy::exhaustive_structs, reason = "written by the expansion of `#[governed]`")]
pub struct Vtable {
    /// What is known of the tool before any call.
    pub meta: &'static ToolMeta,
    /// The arguments that a model gives, in the order of the declaration.
    pub arguments: &'static [ArgRow],
    /// The state that the toolbox must have.
    pub needs: fn() -> Vec<Need>,
    /// Decodes the arguments and calls the governed function.
    pub call: for<'a> fn(&'a This, &'a States, &'a str) -> BoxFuture<'a, CallResult>,
}

impl fmt::Debug for Vtable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Vtable").field(&self.meta.name()).finish()
    }
}

/// One argument that a model gives.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "written by the expansion of `#[governed]`")]
pub struct ArgRow {
    /// Its name.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// The schema of its type.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Whether it must be given.
    pub required: fn() -> bool,
    /// The range that is checked before the harness is asked.
    pub range: Option<RangeRow>,
}

/// The declared range of a number. A bound that gives `null` is none.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "written by the expansion of `#[governed]`")]
pub struct RangeRow {
    /// The lowest value.
    pub minimum: fn() -> Value,
    /// The highest value, or the first that is too high.
    pub maximum: fn() -> Value,
    /// Whether `maximum` itself is too high.
    pub exclusive_maximum: bool,
}

/// A bound as JSON; `()` is no bound.
pub fn json<T: Serialize + ?Sized>(bound: &T) -> Value {
    serde_json::to_value(bound).unwrap_or(Value::Null)
}

/// A call whose arguments could not be read.
#[must_use]
pub fn refused<'a>(error: ArgumentError) -> BoxFuture<'a, CallResult> {
    Box::pin(std::future::ready(Err(CallFault::Argument(error))))
}

/// Why a dispatched call has no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallFault {
    /// The arguments could not be read; the function was not called.
    Argument(ArgumentError),
    /// The function returned an error, whose text this is.
    Returned(String),
    /// The function ran, and its value cannot be written as JSON.
    Unshowable,
}

impl From<ArgumentError> for CallFault {
    fn from(error: ArgumentError) -> Self {
        Self::Argument(error)
    }
}
