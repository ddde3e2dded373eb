//! Assessment: named concerns about a call, weighed into one score.
//!
//! Each [`Dimension`] looks at declared facts ([`Facts`]) and says how large its concern is, how sure it is, and why; or nothing,
//! and then it is **not assessed** and weighs nothing. The unified confidence score is
//!
//! ```text
//! UCS = (1 − 0.2 · (1 − trust)) · Π (1 − concern · confidence · weight / (1 + weight))
//! ```
//!
//! over the dimensions that were assessed: each concern takes a share, and none gives anything back. So a larger concern, a larger
//! weight, one dimension more or less trust never raises it, which an average does.
//!
//! Three tiers decide. **1**: a veto denies. **2**: below the preset's threshold to deny the call is denied, below the one to
//! escalate it is escalated. **3**: an agent whose trust is below the preset's threshold is deliberated on: a call with a concern of
//! a half or more is escalated. A verdict never becomes more permissive by it.
//!
//! # Examples
//!
//! ```
//! use managed_agents::assessment::{Assessor, Facts, Preset};
//! use managed_agents::{Decision, Risk, ToolMeta};
//!
//! let assessor = Assessor::new(Preset::filesystem());
//! let read = ToolMeta::new("read_file").read_only().with_risk(Risk::Low);
//! let calm = assessor.assess(&Facts::of(&read).with_trust(0.8));
//! assert_eq!(calm.decision(), Decision::Allow);
//!
//! let wipe = ToolMeta::new("wipe").irreversible().with_risk(Risk::Critical);
//! let grave = assessor.assess(&Facts::of(&wipe).with_trust(0.8));
//! assert!(grave.ucs() < calm.ucs());
//! assert!(grave.decision() > Decision::Allow);
//! assert!(grave.explanation().contains("cascading_impact"));
//! ```

mod archetype;
mod assessor;
mod dimensions;
mod facts;
mod finding;
mod made;
mod preset;
#[cfg(test)]
mod tests;

pub use archetype::Archetype;
pub use assessor::Assessor;
pub use dimensions::standard;
pub use facts::Facts;
pub use finding::{Dimension, Finding};
pub use made::{Assessed, Assessment};
pub use preset::Preset;

fn share(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }
}
