//! For users' own tests.

pub use crate::clock::VirtualClock;
