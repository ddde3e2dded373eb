//! The durable record: what it keeps, what it refuses, what it notices.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails should stop"
)]

mod agents;
mod clock;
mod crash;
mod ends;
mod forged;
mod keeps;
mod older;
mod refuses;
mod retention;
mod rollback;
mod strays;
mod support;
mod synced;
mod tamper;
