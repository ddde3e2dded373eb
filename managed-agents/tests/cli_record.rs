//! The record through the program, as an operator and an auditor use it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails should stop"
)]

#[path = "cli_record/behaviour.rs"]
mod behaviour;
#[path = "cli_record/erase.rs"]
mod erase;
#[path = "cli_record/evidence.rs"]
mod evidence;
#[path = "cli_record/export.rs"]
mod export;
#[path = "cli_record/operator.rs"]
mod operator;
#[path = "cli_record/papers.rs"]
mod papers;
#[path = "cli_record/stop.rs"]
mod stop;
#[path = "cli_record/story.rs"]
mod story;
#[path = "cli_record/support.rs"]
mod support;
#[path = "cli_record/witness.rs"]
mod witness;
