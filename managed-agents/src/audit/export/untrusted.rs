//! Text that came from outside, and how each sink must have it.

use std::borrow::Cow;
use std::fmt;

/// Text that came from outside: a tool's name as a model wrote it, a session's id, a code from a remote governor, a value.
///
/// It has no `Display` and no way to its text but one for each sink, so that no text reaches a sink as it came.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Untrusted<'a>(Cow<'a, str>);

impl<'a> Untrusted<'a> {
    /// Marks text as coming from outside.
    #[must_use]
    pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self(text.into())
    }

    /// The text as it came.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({:?})", self.0)
    }
}
