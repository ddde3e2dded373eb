//! Trust: what an agent has earned by how its calls ended.
//!
//! For each agent and each [`Effect`] the ledger keeps evidence for and against it, as a Beta distribution that begins with
//! a prior of mean 0.68 and weight 20. Its score is the value below which the true share of good calls lies with a
//! probability of 5 %: little evidence is little trust. A new agent scores 0.5.
//!
//! What counts:
//!
//! | what | for | against |
//! |---|---|---|
//! | a reading call that completed | 0.02, at most 0.2 an hour and 20 in all | |
//! | a changing call that completed | 0.25, at most 1 an hour | |
//! | a grave call that completed | 1, at most 1 an hour | |
//! | an approved call that completed | as above, and an eighth of what stands against the agent is forgiven, once an hour | |
//! | a denial of a reading, changing, grave call | an eighth is lost, of a grave one a quarter | 0.5, 1.25, 5 |
//! | an alarm of drift: moderate, high, critical | | 1, 2, 4 |
//!
//! What stands against an agent is at most 60, so that there is a way back. What is earned by graver calls counts for milder ones too, never the other way; what stands against the agent counts for
//! all. Nothing is earned by a call that failed, that nobody allowed or approved, or whose outcome is not known. A denial
//! counts when the agent is at fault, not when a service or the record was out of order, nor when it was behaviour alone
//! that denied.
//!
//! Half of what is for an agent is forgotten in 30 days, half of what is against it in 60: an agent that does nothing goes
//! back to the prior. Everything is computed in whole numbers from entries of the log in the log's order, with the log's
//! times, so that it can be computed again from the log alone, with the same bits.
//!
//! # Examples
//!
//! ```
//! use managed_agents::Outcome;
//! use managed_agents::call::Effect;
//! use managed_agents::trust::{Ledger, Ruling};
//!
//! let mut ledger = Ledger::new();
//! let noon = 1_767_268_800_000_000;
//! assert!((ledger.score(Effect::Grave, noon).value() - 0.5).abs() < 0.005);
//! ledger.decided(noon, 7, Effect::Grave, Ruling::Approved);
//! ledger.ended(noon, 7, Outcome::Ok);
//! assert!(ledger.score(Effect::Grave, noon).value() > 0.51);
//! ledger.decided(noon, 9, Effect::Grave, Ruling::Violation);
//! assert!(ledger.score(Effect::Grave, noon).value() < 0.42);
//! ```
//!
//! [`Effect`]: crate::call::Effect

mod beta;
mod decay;
mod ledger;
#[cfg(test)]
mod tests;

#[cfg(feature = "cli")]
pub(crate) use ledger::Evidence;
pub use ledger::{Alarm, Cause, Ledger, Ruling, Score};
