//! One dispatched call, from JSON to the text that a model reads.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Tool;
use super::output::bounded;
#[cfg(feature = "claude")]
use super::parts::shown;
use super::states::States;
use super::vtable::{BoxFuture, CallFault, CallResult};
use crate::denial_slot;
use crate::error::GovernanceDenied;

/// How a dispatched call ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ToolStatus {
    /// The tool returned a value.
    Done,
    /// The tool returned an error of its own.
    Failed,
    /// The call was refused, or waits for a person; [`ToolResult::denial`] says why.
    Denied,
    /// The arguments could not be read; nothing was judged and nothing ran.
    InvalidArguments,
    /// No tool has this name.
    UnknownTool,
    /// The tool panicked.
    Panicked,
    /// The call was cancelled before it ended, or before it began.
    Cancelled,
}

/// What a dispatched call gives back: a text for the model, and for the program how it ended.
///
/// `Debug` does not show the text.
#[derive(Clone)]
pub struct ToolResult {
    text: String,
    status: ToolStatus,
    denial: Option<GovernanceDenied>,
    edited: Option<String>,
}

impl ToolResult {
    pub(super) fn new(status: ToolStatus, text: String) -> Self {
        Self {
            text,
            status,
            denial: None,
            edited: None,
        }
    }

    /// The result of a call whose tool is nobody's.
    #[cfg(feature = "claude")]
    pub(crate) fn unknown(name: &str) -> Self {
        Self::new(ToolStatus::UnknownTool, format!("unknown tool `{}`", shown(name)))
    }

    /// The result of a call that was cancelled.
    pub(super) fn cancelled(begun: bool) -> Self {
        let text = if begun { CANCELLED } else { NOT_BEGUN };
        Self::new(ToolStatus::Cancelled, text.to_owned())
    }

    fn denied(denial: GovernanceDenied) -> Self {
        Self {
            text: denial.to_tool_error().to_string(),
            status: ToolStatus::Denied,
            denial: Some(denial),
            edited: None,
        }
    }

    /// What the model reads, at most 256 KiB.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the model reads, owned.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    /// How the call ended.
    #[must_use]
    pub fn status(&self) -> ToolStatus {
        self.status
    }

    /// Whether the model should be told that this is an error: everything but [`ToolStatus::Done`].
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.status != ToolStatus::Done
    }

    /// Before all else the model reads what a person changed of the call.
    fn with_edit(self, edited: String) -> Self {
        Self {
            text: bounded(format!("[{edited}]\n{}", self.text)),
            edited: Some(edited),
            ..self
        }
    }

    /// What a person changed of the call before it ran, in a sentence; the text begins with it.
    #[must_use]
    pub fn edited(&self) -> Option<&str> {
        self.edited.as_deref()
    }

    /// The refusal, typed, where the call was refused.
    #[must_use]
    pub fn denial(&self) -> Option<&GovernanceDenied> {
        self.denial.as_ref()
    }
}

impl fmt::Debug for ToolResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolResult")
            .field("status", &self.status)
            .field("bytes", &self.text.len())
            .field("denial", &self.denial)
            .finish()
    }
}

impl Tool {
    /// Calls the governed function with the arguments that a JSON object names.
    pub(super) async fn call(&self, states: &States, json: &str) -> ToolResult {
        let decoded = || (self.vtable.call)(&self.this, states, json);
        let call = Caught(catch_unwind(AssertUnwindSafe(decoded)).ok());
        let (returned, refusals, edited) = denial_slot::watch(self.name(), call).await;
        let result = match (returned, refusals.own) {
            (Some(Ok(value)), _) => ToolResult::new(ToolStatus::Done, value.into_text()),
            (Some(Err(CallFault::Argument(error))), _) => {
                let text = error.redacted(self.meta()).to_string();
                ToolResult::new(ToolStatus::InvalidArguments, text)
            }
            (Some(Err(_)), Some(denial)) => ToolResult::denied(denial),
            (Some(Err(CallFault::Returned(text))), None) => {
                ToolResult::new(ToolStatus::Failed, bounded(for_model(text, &refusals.inner)))
            }
            (Some(Err(CallFault::Unshowable)), None) => ToolResult::new(ToolStatus::Failed, UNSHOWABLE.to_owned()),
            (None, _) => ToolResult::new(ToolStatus::Panicked, PANICKED.to_owned()),
        };
        match edited {
            // one that was stopped before its body began did not run with anything
            Some(edited) if result.status != ToolStatus::Denied => result.with_edit(edited),
            _ => result,
        }
    }
}

/// An error's text in which the refusals of inner calls say what a model may read, and not what the operator may.
fn for_model(text: String, inner: &[GovernanceDenied]) -> String {
    inner.iter().fold(text, |text, denied| {
        let for_operator = denied.to_string();
        if text.contains(&for_operator) {
            text.replace(&for_operator, denied.reason_for_model())
        } else {
            text
        }
    })
}

const UNSHOWABLE: &str = "the tool ran, and its result cannot be shown";

const PANICKED: &str = "the tool failed unexpectedly; whether it took effect is not known";

const CANCELLED: &str = "this call was cancelled while it ran; whether it took effect is not known";

const NOT_BEGUN: &str = "this call was cancelled before it began; it was not run";

/// A call whose panic ends in `None`. The gate below has recorded the panic before it gets here.
struct Caught<'a>(Option<BoxFuture<'a, CallResult>>);

impl Future for Caught<'_> {
    type Output = Option<CallResult>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(call) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let polled = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx)));
        match polled {
            Ok(polled) => polled.map(Some),
            Err(_) => {
                // what the panic left behind is dropped here, and may panic in its turn
                let _ = catch_unwind(AssertUnwindSafe(|| self.0 = None));
                Poll::Ready(None)
            }
        }
    }
}
