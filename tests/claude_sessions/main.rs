//! Governing Managed Agents sessions, against a server that keeps strictly to what the API documents, against another
//! project's server, and beside the official client.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod chaos;
mod client;
mod configurations;
mod coverage;
mod elsewhere;
mod governed;
mod killed;
mod official;
mod open_managed_agents;
mod proxy;
mod stops;
mod worker;
mod world;
