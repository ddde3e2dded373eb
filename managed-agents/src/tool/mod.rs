//! Typed tools: their schemas, and their dispatch by name through the harness.

mod argument;
#[cfg(feature = "toolbox")]
mod call;
#[cfg(feature = "toolbox")]
mod definition;
#[cfg(not(feature = "toolbox"))]
mod described;
mod expansion;
mod output;
mod parts;
#[cfg(feature = "toolbox")]
mod schema;
mod states;
#[cfg(feature = "toolbox")]
mod toolbox;
mod vtable;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

#[cfg(feature = "toolbox")]
use schemars as described;
#[cfg(feature = "toolbox")]
use serde_json::Value;

use crate::call::ToolMeta;

pub use argument::{ArgumentError, ToolArg, take_edited, take_judged};
#[cfg(feature = "toolbox")]
pub use call::{ToolResult, ToolStatus};
#[cfg(feature = "toolbox")]
pub use definition::Dialect;
pub use expansion::{
    DynTrait, ReturnsImplTrait, ToolPart, edited_parts, judged_parts, receiver, shared_receiver, this,
};
pub use output::{ToolReturn, ToolValue, finish};
pub use parts::Parts;
pub use states::{Need, States, need};
#[cfg(feature = "toolbox")]
pub use toolbox::{Toolbox, ToolboxBuilder, ToolboxError, ToolboxProblem, ToolboxProblemKind};
pub use vtable::{ArgRow, BoxFuture, CallFault, CallResult, RangeRow, This, Vtable, json, refused};

/// A governed function as a model calls it: by name, with JSON.
///
/// `#[governed]` gives every function that can be one its tool: `send_email::tool()`, `Mailer::tools(&mailer)`. A tool
/// does nothing by itself; a `Toolbox` (feature `toolbox`) gives it its state and calls it. It holds no way around the harness: what it
/// calls is the governed function itself.
#[derive(Clone)]
pub struct Tool {
    vtable: &'static Vtable,
    this: This,
}

impl Tool {
    /// The tool of a free function.
    #[doc(hidden)]
    #[must_use]
    pub fn from_vtable(vtable: &'static Vtable) -> Self {
        Self {
            vtable,
            this: Arc::new(()),
        }
    }

    /// The tool of a method, with its receiver.
    #[doc(hidden)]
    #[must_use]
    pub fn bound(vtable: &'static Vtable, this: Arc<dyn Any + Send + Sync>) -> Self {
        Self { vtable, this }
    }

    /// The name that a model calls it by.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.vtable.meta.name()
    }

    /// What it does, from the function's doc comment.
    #[must_use]
    pub fn description(&self) -> &'static str {
        self.vtable.meta.description()
    }

    /// Everything that is known of it before any call.
    #[must_use]
    pub fn meta(&self) -> &'static ToolMeta {
        self.vtable.meta
    }

    /// The JSON Schema (draft 2020-12) of its arguments, made anew at each call; a [`Toolbox`] keeps it.
    #[cfg(feature = "toolbox")]
    #[must_use]
    pub fn input_schema(&self) -> Value {
        schema::assemble(self.vtable.arguments)
    }

    /// The state that it asks of its toolbox.
    #[cfg(feature = "toolbox")]
    pub(crate) fn needs(&self) -> Vec<Need> {
        (self.vtable.needs)()
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tool").field(&self.name()).finish()
    }
}

#[cfg(test)]
#[cfg(feature = "toolbox")]
mod tests;
