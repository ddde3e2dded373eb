//! Drift: a change in how an agent calls, found by a test with a stated rate of false alarms.
//!
//! A [`Detector`] sees each call as seven small numbers ([`Stream`]): its tool, its effect, what kind of target it has, the size
//! of its arguments, what was decided, how calls ended, and how long after the last one it came. It **learns** from the first
//! 500 calls in 30 sessions or more. What it learnt is then frozen: an agent that changes slowly is compared with the beginning,
//! not with yesterday.
//!
//! After that each stream adds up, call by call, how much more likely the call is if calls had moved than if all were as usual
//! (CUSUM over multinomials, against three alternatives: a tenth or four tenths of the calls moved to categories drawn evenly, and a
//! tenth moved to rare ones).
//! A sum that crosses its threshold is an [`Alert`]. Thresholds come from the agent's own sessions, drawn again as a whole,
//! so that chance alone raises one alarm in [`RUN_LENGTH`] calls, **all streams together**; that takes a moment, and is done away
//! from the calls ([`Calibration`]). What one session adds to a sum is bounded, since its calls hang together.
//!
//! A call takes the same time whatever was before it, and a detector at most 14 KB.
//!
//! # Examples
//!
//! ```
//! use managed_agents::Decision;
//! use managed_agents::call::{Effect, TargetKind};
//! use managed_agents::drift::{Call, Detector, Phase, Stream};
//!
//! let mut detector = Detector::new();
//! let mut place = 0;
//! let mut session = String::new();
//! let mut call = |detector: &mut Detector, tool: &'static str| {
//!     if place % 10 == 0 {
//!         session = format!("session {place}");
//!     }
//!     place += 1;
//!     let call = Call {
//!         at_micros: place as i64 * 1_000_000,
//!         tool,
//!         session: Some(&session),
//!         effect: Effect::Read,
//!         target: TargetKind::None,
//!         size: 40,
//!         decision: Decision::Allow,
//!     };
//!     detector.call(place, &call).cloned()
//! };
//! for at in 0..500 {
//!     call(&mut detector, if at % 25 == 0 { "refund" } else { "look" });
//! }
//! assert_eq!(detector.phase(), Phase::Calibrating);
//! let thresholds = detector.calibration().expect("it waits for them").run();
//! detector.arm(&thresholds);
//! let alert = (0..200).find_map(|at| call(&mut detector, if at % 2 == 0 { "refund" } else { "look" }));
//! let alert = alert.expect("every other call is a refund");
//! assert_eq!(alert.stream(), Stream::Tool);
//! ```

mod alert;
mod calibrate;
mod cusum;
mod detector;
mod divergence;
mod reference;
mod stream;
#[cfg(test)]
mod tests;

pub use alert::{Alert, Moved, Severity};
pub use detector::{Calibrated, Calibration, Call, Detector, LEAST_CALLS, LEAST_SESSIONS, Phase, RUN_LENGTH};
pub use stream::Stream;
