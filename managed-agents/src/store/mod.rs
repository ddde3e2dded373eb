//! Where records are kept.

mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use memory::{MemoryEntry, MemoryRecorder};
#[cfg(feature = "sqlite")]
pub use sqlite::{Durability, Store, StoreError, StoreErrorKind, StoreOptions, data_dir};
