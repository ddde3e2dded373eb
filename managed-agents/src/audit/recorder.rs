//! The seam to where records are kept.

use std::sync::Arc;

use super::{DecisionRecord, OutcomeRecord};
use crate::answer::Answer;
use crate::call::ToolCall;
use crate::governor::Claims;

/// The place of a record in its log, from 0.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Sequence(u64);

impl Sequence {
    /// A place in a log.
    #[must_use]
    pub const fn new(place: u64) -> Self {
        Self(place)
    }

    /// The place as a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Whether a decision was recorded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a third answer must break every harness")]
pub enum Committed {
    /// It is recorded, its claims are applied, and there is room for its outcome.
    Done(Sequence),
    /// What it rests on has changed: nothing was written, and the call must be judged anew.
    Stale,
}

/// Where decisions and outcomes are written, before and after a body.
///
/// The contract: when [`commit`](Self::commit) answers [`Committed::Done`], the record survives whatever the recorder
/// promises to survive, its claims were applied in the same transaction, and a place for the outcome is reserved, so that
/// [`conclude`](Self::conclude), which is called from a drop guard, cannot fail.
pub trait Recorder: Send + Sync + 'static {
    /// Writes a decision and applies its claims in one transaction. `call` is absent when the arguments have no
    /// canonical form.
    fn commit(
        &self,
        record: DecisionRecord,
        call: Option<&Arc<ToolCall>>,
        claims: Claims,
    ) -> Answer<Result<Committed, RecordError>>;

    /// Writes how the allowed call at this place ended. Must neither block nor fail.
    fn conclude(&self, place: Sequence, outcome: OutcomeRecord);
}

/// A decision could not be recorded, so the call is denied.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct RecordError {
    kind: RecordErrorKind,
    detail: String,
}

/// Why a decision could not be recorded.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RecordErrorKind {
    /// There is no room left.
    Full,
    /// The log cannot be written.
    Unwritable,
    /// The log is not the one that was written.
    Corrupt,
}

impl RecordError {
    /// An error of a kind.
    #[must_use]
    pub fn new(kind: RecordErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> RecordErrorKind {
        self.kind
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            RecordErrorKind::Full => "record_full",
            RecordErrorKind::Unwritable => "record_unwritable",
            RecordErrorKind::Corrupt => "record_corrupt",
        }
    }
}
