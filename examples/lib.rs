//! What the examples share: a terminal's output, and two small servers that stand in for services on the network.

#[path = "support/governance.rs"]
pub mod governance;
#[path = "support/http.rs"]
mod http;
#[path = "support/managed/mod.rs"]
pub mod managed;
#[path = "support/model.rs"]
pub mod model;
#[path = "support/show.rs"]
pub mod show;

pub use http::Server;

/// What every example's `main` returns.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

/// What a variable of the environment says; set and empty, it says nothing.
#[must_use]
pub fn set(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}
