//! Where records are kept.

mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use memory::{MemoryEntry, MemoryRecorder, MemoryStop};
#[cfg(feature = "sqlite")]
pub use sqlite::{
    Depth, Durability, Head, Hold, Page, Problem, Query, Reader, Report, Retained, RetentionRule, StandingHold, Store,
    StoreError, StoreErrorKind, StoreOptions, Values, data_dir,
};
