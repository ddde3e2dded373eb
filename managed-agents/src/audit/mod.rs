//! What is recorded of every call, and the seam to where it is kept.

#[cfg(feature = "sqlite")]
pub mod entry;
mod event;
#[cfg(feature = "sqlite")]
pub mod export;
mod record;
mod recorder;
#[cfg(feature = "sqlite")]
pub mod tree;

pub use event::{Attachment, Event, Watcher};
pub(crate) use event::{Traits, What, micros};
#[cfg(feature = "sqlite")]
pub(crate) use event::{fits, hear};
pub use record::{DecisionRecord, Disposition, OutcomeRecord};
pub(crate) use record::{RecordDetails, TrustNote};
pub use recorder::{Committed, RecordError, RecordErrorKind, Recorder, Sequence, Stopped};
