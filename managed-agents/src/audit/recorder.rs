//! The seam to where records are kept.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::{DecisionRecord, OutcomeRecord, Watcher};
use crate::answer::Answer;
use crate::call::{AgentId, ToolCall};
use crate::governor::Claims;
use crate::interrupt::{InterruptError, InterruptErrorKind, Interrupts, Stop, Target};
use crate::verdict::EvaluationId;

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
    /// It would exceed a limit, by its place among those that the claims count: nothing was written.
    Exceeded(usize),
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

    /// Whether an agent may act at a time, as far as is known here at once; else the stable code of why not, such as
    /// `agent_suspended`, and a sentence for the operator. What [`commit`](Self::commit) finds in its transaction counts:
    /// it answers [`Committed::Stale`] where an agent was stopped meanwhile, and then this is asked again.
    ///
    /// # Errors
    ///
    /// [`Stopped`] says why it may not.
    fn admits(&self, agent: &AgentId, at: SystemTime) -> Result<(), Stopped> {
        let _ = (agent, at);
        Ok(())
    }

    /// Whether a thread may block until an answer is there: only where a thread of the recorder's own gives it, whatever the
    /// caller's runtime does. A blocking tool inside a runtime is refused where this is false (the default) and the answer
    /// is not there at once.
    fn may_be_waited_for(&self) -> bool {
        false
    }

    /// Tells a watcher of every entry about an agent from now on, and before that of those that are there already: each once,
    /// in the order of the log, and of a decision before its caller hears that it is recorded. The watcher is kept only
    /// while somebody else keeps it.
    ///
    /// With `false` (the default) nothing is told: the harness then tells its watcher what it does itself.
    ///
    /// # Errors
    ///
    /// [`RecordError`] when what is there cannot be read.
    fn watch(&self, agent: &AgentId, watcher: &Arc<dyn Watcher>) -> Result<bool, RecordError> {
        let _ = (agent, watcher);
        Ok(false)
    }

    /// Adds a statement about an agent (a type and a JSON object); says whether the record holds such, and tells its watchers
    /// of them. Must not block.
    fn state(&self, agent: &str, kind: &str, body: &str) -> bool {
        let _ = (agent, kind, body);
        false
    }

    /// Whether [`commit`](Self::commit) counts what the claims say, and answers [`Committed::Exceeded`]. Where it does not (the
    /// default), a call that a [limit](crate::limit) is about, or a policy that reads the history, is denied.
    fn keeps_counts(&self) -> bool {
        false
    }

    /// The store beside whose record calls wait for people, where there is one; otherwise they wait in the process, and are
    /// lost with it. A recorder of yours that hands on to a store hands this on as well.
    #[cfg(feature = "sqlite")]
    fn store(&self) -> Option<&crate::store::Store> {
        None
    }

    /// Writes how the allowed call at this place ended. Must neither block nor fail.
    fn conclude(&self, place: Sequence, outcome: OutcomeRecord);

    /// What is stopped in this record, where it keeps that. Then [`commit`](Self::commit) answers [`Committed::Stale`] for a
    /// decision that would let a body run which a stop keeps from it, and [`stop`](Self::stop) changes what is given here. Where it
    /// keeps nothing (the default), stops hold in one harness.
    fn interrupts(&self) -> Option<Interrupts> {
        None
    }

    /// Records a stop, which no decision that is written later passes.
    fn stop(&self, stop: &Stop) -> Answer<Result<Sequence, InterruptError>> {
        let _ = stop;
        Answer::ready(Err(keeps_none()))
    }

    /// Records that the stops of exactly this target are over, for a reason in snake case.
    fn resume(&self, target: &Target, reason: &str) -> Answer<Result<Sequence, InterruptError>> {
        let _ = (target, reason);
        Answer::ready(Err(keeps_none()))
    }

    /// Writes how the compensation of the call at this place ended. Must neither block nor fail.
    fn compensated(&self, place: Sequence, evaluation: &EvaluationId, agent: &AgentId, outcome: OutcomeRecord) {
        let _ = (place, evaluation, agent, outcome);
    }
}

fn keeps_none() -> InterruptError {
    InterruptError::new(
        InterruptErrorKind::Unrecorded,
        "this recorder keeps no stops: it holds in this harness, and is not recorded",
    )
}

/// An agent may not act.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stopped {
    code: Cow<'static, str>,
    detail: String,
    epoch: Option<u64>,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Stopped {}

impl Stopped {
    /// With a stable code and a sentence for the operator.
    #[must_use]
    pub fn new(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            detail: detail.into(),
            epoch: None,
        }
    }

    /// States the epoch that this was seen in: where it has passed, the call is judged anew.
    #[must_use]
    pub fn with_epoch(mut self, epoch: u64) -> Self {
        self.epoch = Some(epoch);
        self
    }

    /// The epoch that this was seen in, where one is stated.
    #[must_use]
    pub fn epoch(&self) -> Option<u64> {
        self.epoch
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }
}

/// A decision could not be recorded, so the call is denied.
#[derive(Clone, Debug)]
pub struct RecordError {
    kind: RecordErrorKind,
    detail: String,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for RecordError {}

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
