//! Calls are judged by what agents did before, and what was remembered is what the record says.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

mod archetypes;
mod benign;
mod drift;
mod record;
mod trust;
