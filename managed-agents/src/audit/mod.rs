//! What is recorded of every call, and the seam to where it is kept.

#[cfg(feature = "sqlite")]
pub mod entry;
#[cfg(feature = "sqlite")]
pub mod export;
mod event;
mod record;
mod recorder;
#[cfg(feature = "sqlite")]
pub mod tree;

pub(crate) use event::{Traits, What, micros};
#[cfg(feature = "sqlite")]
pub(crate) use event::{fits, hear};
pub use event::{Attachment, Event, Watcher};
pub(crate) use record::{RecordDetails, TrustNote};
pub use record::{DecisionRecord, Disposition, OutcomeRecord};
pub use recorder::{Committed, RecordError, RecordErrorKind, Recorder, Sequence, Stopped};
