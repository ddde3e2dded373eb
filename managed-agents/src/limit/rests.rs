//! Verdicts that rest on what is counted.

use std::fmt;
use std::sync::Arc;

use super::judge::{Counted, Entry};

/// A verdict that rests on counters: asked in the transaction that writes the decision, where nobody else counts meanwhile.
pub(crate) trait Rests: fmt::Debug + Send + Sync {
    /// What the call counts if it runs; the first of it, as many as [`reads`](Self::reads) says, is what the verdict rests on.
    fn counted(&self) -> &Arc<Counted>;

    /// How many counters the verdict rests on.
    fn reads(&self) -> usize;

    /// How the verdict stands on what these counters hold.
    fn on(&self, counts: &[i64]) -> Stands;
}

/// How a verdict stands.
#[cfg_attr(not(feature = "cedar"), expect(dead_code, reason = "only policies count"))]
#[derive(Debug)]
pub(crate) enum Stands {
    /// It was reached on these counts.
    Same,
    /// It is the same on these counts; the inputs of the record are to be these.
    Told(Box<str>),
    /// It is another one: the call must be judged anew.
    Other,
}

impl dyn Rests + '_ {
    /// The counters that the verdict rests on.
    pub(crate) fn read(&self) -> impl Iterator<Item = &Entry> {
        self.counted().entries.iter().take(self.reads())
    }
}

/// A counter's sum, as policies see it.
pub(crate) fn as_count(sum: u64) -> i64 {
    i64::try_from(sum).unwrap_or(i64::MAX)
}
