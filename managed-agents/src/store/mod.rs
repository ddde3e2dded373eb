//! Where records are kept.

mod memory;

pub use memory::{MemoryEntry, MemoryRecorder};
