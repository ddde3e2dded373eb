//! What the integration tests share.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a helper of tests: it fails by panicking"
)]

pub mod governance_server;
