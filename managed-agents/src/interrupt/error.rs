//! Why a stop or its end cannot be stated.

use std::fmt;

/// A stop, or its end, was not recorded.
#[derive(Clone, Debug)]
pub struct InterruptError {
    kind: InterruptErrorKind,
    detail: String,
}

/// Why it was not recorded.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum InterruptErrorKind {
    /// The reason is no code, or the target is too long.
    Input,
    /// No such call is running.
    NotRunning,
    /// Nothing of this target is stopped.
    NotStopped,
    /// Only the operator can end a stop, and the authority's key is not here.
    NotAllowed,
    /// The recorder keeps no stops, or could not write this one. A stop holds all the same, in this process.
    Unrecorded,
}

impl fmt::Display for InterruptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for InterruptError {}

impl InterruptError {
    /// An error of a kind, with a sentence for the operator.
    #[must_use]
    pub fn new(kind: InterruptErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> InterruptErrorKind {
        self.kind
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            InterruptErrorKind::Input => "interrupt_invalid",
            InterruptErrorKind::NotRunning => "call_not_running",
            InterruptErrorKind::NotStopped => "not_stopped",
            InterruptErrorKind::NotAllowed => "no_authority",
            InterruptErrorKind::Unrecorded => "interrupt_unrecorded",
        }
    }
}
