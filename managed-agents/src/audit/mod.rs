//! What is recorded of every call, and the seam to where it is kept.

mod record;
mod recorder;

pub use record::{DecisionRecord, Disposition, OutcomeRecord};
pub use recorder::{Committed, RecordError, RecordErrorKind, Recorder, Sequence};
