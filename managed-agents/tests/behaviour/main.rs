//! Calls are judged by what agents did before, and what was remembered is what the record says.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may")]

mod record;
mod trust;
