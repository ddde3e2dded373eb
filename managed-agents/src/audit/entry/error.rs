//! What can be wrong with an entry.

use crate::call::NoEntropyError;

/// An entry cannot be written, or what was read is none. The message holds no value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{detail}")]
pub struct EntryError {
    kind: EntryErrorKind,
    detail: String,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EntryErrorKind {
    /// The operating system gave no random bytes for a salt.
    NoEntropy,
    /// A statement's body is no JSON object, or would make an entry of over 64 KiB.
    BadStatement,
    /// The bytes are no entry.
    Malformed,
}

impl EntryError {
    pub(super) fn new(kind: EntryErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> EntryErrorKind {
        self.kind
    }
}

impl From<NoEntropyError> for EntryError {
    fn from(error: NoEntropyError) -> Self {
        Self::new(EntryErrorKind::NoEntropy, error.to_string())
    }
}
