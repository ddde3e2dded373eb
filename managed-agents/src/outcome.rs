//! How a call that was allowed ended.

use std::fmt;

use crate::word::words;

/// How a call that was allowed ended.
///
/// # Examples
///
/// ```
/// use managed_agents::Outcome;
/// assert_eq!(Outcome::TimedOut.to_string(), "timed_out");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The body returned `Ok`.
    Ok,
    /// The body returned `Err`.
    Error,
    /// The body panicked.
    Panicked,
    /// The body was dropped before it ended.
    Cancelled,
    /// The body ran longer than its `timeout`.
    TimedOut,
    /// The body was stopped by an interrupt: it was cancelled at an await, or never began.
    Interrupted,
    /// A permit was dropped and nobody said how the call ended.
    Unreported,
    /// The process that ran the body ended before the body did.
    Unknown,
}

impl Outcome {
    /// The stable word for it, as records and wires carry it.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.word()
    }
}

words!(Outcome {
    Ok => "ok",
    Error => "error",
    Panicked => "panicked",
    Cancelled => "cancelled",
    TimedOut => "timed_out",
    Interrupted => "interrupted",
    Unreported => "unreported",
    Unknown => "unknown",
});

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
