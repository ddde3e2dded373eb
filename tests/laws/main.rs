//! One test, or several, for each law that the governed call owns. Law 1 is in a process of its own, since what is installed
//! and which scopes were entered is a matter of the whole process.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod law_2_what_was_judged_is_what_runs;
mod law_3_recorded_before_it_runs;
mod law_4_closed_by_default;
#[cfg(feature = "cli")]
mod law_5_most_restrictive_wins;
#[cfg(feature = "sqlite")]
mod law_6_interrupts;
#[cfg(feature = "sqlite")]
mod law_6_stopped_means_stopped;
#[cfg(feature = "sqlite")]
mod law_8_approvals_are_single_use;
#[cfg(feature = "cli")]
mod law_9_verdicts_replay;
