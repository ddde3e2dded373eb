//! What is recorded of every call, and the seam to where it is kept.

#[cfg(feature = "sqlite")]
pub mod entry;
#[cfg(feature = "sqlite")]
pub mod export;
mod record;
mod recorder;
#[cfg(feature = "sqlite")]
pub mod tree;

pub(crate) use record::RecordDetails;
pub use record::{DecisionRecord, Disposition, OutcomeRecord};
pub use recorder::{Committed, RecordError, RecordErrorKind, Recorder, Sequence, Stopped};
