//! An entry that waits for its place in the log.

use std::fmt;

use super::writer::push_integer;

/// An entry that is complete but for its sequence, which is known only in the transaction that writes it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PendingEntry {
    /// What the log is searched by.
    pub index: IndexColumns,
    /// What the entry commits to, and the salts: for the erasable side table.
    pub sealed: Vec<Sealed>,
    /// The data subject that `sealed` belongs to: the tool's own, else the agent; empty where nothing is sealed.
    pub subject: String,
    bytes: Vec<u8>,
    sequence_at: usize,
}

impl PendingEntry {
    pub(super) fn new(
        bytes: Vec<u8>,
        sequence_at: usize,
        index: IndexColumns,
        sealed: Vec<Sealed>,
        subject: String,
    ) -> Self {
        Self {
            index,
            sealed,
            subject,
            bytes,
            sequence_at,
        }
    }

    /// The entry's bytes at a place in the log: at most [`MAX_BYTES`](super::MAX_BYTES).
    #[must_use]
    pub fn at(&self, sequence: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len() + 20);
        let (before, after) = self
            .bytes
            .split_at_checked(self.sequence_at)
            .unwrap_or((&self.bytes, &[]));
        out.extend_from_slice(before);
        push_integer(&mut out, sequence);
        out.extend_from_slice(after);
        out
    }
}

/// What an entry can be found by. Text is as the entry has it: long names are [clipped](super::clip).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct IndexColumns {
    /// The entry's type.
    pub kind: String,
    /// When it happened, in microseconds since 1970.
    pub at_micros: i64,
    /// The agent that it is about.
    pub agent: Option<String>,
    /// The tool that was called.
    pub tool: Option<String>,
    /// `allow`, `escalate` or `deny`.
    pub decision: Option<&'static str>,
    /// The session of the call.
    pub session: Option<String>,
    /// The evaluation.
    pub evaluation: Option<String>,
    /// The sequence of the decision that this outcome ends.
    pub about: Option<u64>,
}

/// A value that an entry commits to, in plain text, with the salt that keeps it from being guessed.
///
/// `Debug` shows neither.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct Sealed {
    /// Where it stands, as a JSON pointer: `/arguments/to`, `/target`, `/ids`, `/context`. `/salt` is the salt of the call's digest,
    /// with no value.
    pub path: String,
    /// The salt of the commitment.
    pub salt: [u8; 32],
    /// The bytes that are committed to: JSON in the form `ma-call/1`.
    pub value: Vec<u8>,
    /// Whether the tool redacts anything in it: never shown to reviewers, nor exported.
    pub redacted: bool,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}
