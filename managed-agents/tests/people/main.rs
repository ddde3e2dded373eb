//! Calls that wait for people beside a durable record: approved in another process, bound to one call, used at most once.
#![expect(clippy::unwrap_used, reason = "a test that fails should stop")]

mod attacks;
mod crowd;
mod decisions;
mod edits;
mod foreseen;
mod in_force;
mod orders;
mod redemption;
mod remembered;
mod rules;
mod steps;
mod support;
