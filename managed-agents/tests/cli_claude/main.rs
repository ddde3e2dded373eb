//! `managed-agents claude …` as a user runs it: the program itself, against a server that keeps strictly to what the API
//! documents.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails should stop"
)]

#[path = "../../../tests/claude_sessions/configurations.rs"]
mod configurations;
mod coverage;
mod govern;
/// The stand-in that the workspace's other tests and the examples use.
#[path = "../../../examples/support/managed/mod.rs"]
#[expect(dead_code, unreachable_pub, reason = "shared with others")]
mod managed;
mod support;
mod worker;
