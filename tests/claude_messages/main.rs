//! The agent loop over the Messages API, against a server that plays scripted turns.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

mod cancelled;
mod failures;
mod streaming;
mod turns;
mod world;
