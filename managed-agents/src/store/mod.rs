//! Where records are kept.

mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

pub(crate) use memory::AllowedCall;
pub use memory::{MemoryEntry, MemoryRecorder, MemoryStop};
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::{Approved, LoggedPeople, Lookup, NotTaken, Noted, StoredEdit};
#[cfg(all(feature = "claude", feature = "sqlite"))]
pub(crate) use sqlite::{Attending, calls};
#[cfg(feature = "sqlite")]
pub use sqlite::{
    Depth, Durability, Head, Hold, Page, Problem, Query, Reader, Report, Retained, RetentionRule, StandingHold, Store,
    StoreError, StoreErrorKind, StoreOptions, Ticket, TicketQuery, Values, data_dir,
};
