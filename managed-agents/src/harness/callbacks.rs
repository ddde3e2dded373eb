//! Telling the program what was decided.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::audit::DecisionRecord;
use crate::verdict::{Decision, Verdict};

/// What a callback is told of a verdict; it holds no argument.
#[derive(Clone, Copy, Debug)]
pub struct VerdictEvent<'a> {
    record: &'a DecisionRecord,
    verdict: &'a Verdict,
}

impl<'a> VerdictEvent<'a> {
    /// The record of the decision.
    #[must_use]
    pub fn record(&self) -> &'a DecisionRecord {
        self.record
    }

    /// The verdict, with its reasons.
    #[must_use]
    pub fn verdict(&self) -> &'a Verdict {
        self.verdict
    }
}

type Callback = Box<dyn Fn(&VerdictEvent<'_>) + Send + Sync>;

#[derive(Default)]
pub(super) struct Callbacks(Vec<(Option<Decision>, Callback)>);

impl Callbacks {
    /// Adds a callback for verdicts of one decision, or of every one.
    pub(super) fn add(
        &mut self,
        decision: Option<Decision>,
        callback: impl Fn(&VerdictEvent<'_>) + Send + Sync + 'static,
    ) {
        self.0.push((decision, Box::new(callback)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Calls every callback that asked for such a verdict. One that panics is reported and changes nothing.
    pub(super) fn tell(&self, record: &DecisionRecord, verdict: &Verdict) {
        let event = VerdictEvent { record, verdict };
        for (wanted, callback) in &self.0 {
            let fits = wanted.is_none_or(|wanted| wanted == record.decision());
            if fits && catch_unwind(AssertUnwindSafe(|| callback(&event))).is_err() {
                tracing::error!(tool = record.tool(), "a verdict callback panicked");
            }
        }
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Callbacks({})", self.0.len())
    }
}
