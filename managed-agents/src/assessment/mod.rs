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
mod dimensions;
mod preset;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::call::{Effect, ToolMeta};
use crate::drift::Severity;
use crate::verdict::Decision;
pub use archetype::Archetype;
pub use dimensions::standard;
pub use preset::Preset;

/// How much of the score trust decides: at no trust this much is missing.
const TRUST_SHARE: f64 = 0.2;
/// A concern that large is enough for a veto, in a dimension that may veto.
const VETO: f64 = 0.8;
/// A concern that large is deliberated on.
const DELIBERATED: f64 = 0.5;

/// What is known of a call when it is assessed: declared facts, and what its agent did before.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    meta: &'a ToolMeta,
    in_scope: Option<bool>,
    undeclared_name: bool,
    policy: Option<Decision>,
    screen: Option<Decision>,
    trust: f64,
    against: f64,
    drift: Option<Option<Severity>>,
    usual: Option<f64>,
}

impl<'a> Facts<'a> {
    /// What a tool declares of itself; nothing is known of the agent, whose trust is that of a new one.
    #[must_use]
    pub fn of(meta: &'a ToolMeta) -> Self {
        Self {
            meta,
            in_scope: None,
            undeclared_name: false,
            policy: None,
            screen: None,
            trust: 0.5,
            against: 0.0,
            drift: None,
            usual: None,
        }
    }

    /// Says whether the tool is in the agent's scope, where it has one.
    #[must_use]
    pub fn with_scope(mut self, in_scope: bool) -> Self {
        self.in_scope = Some(in_scope);
        self
    }

    /// Says that nothing declares the tool's name.
    #[must_use]
    pub fn with_undeclared_name(mut self) -> Self {
        self.undeclared_name = true;
        self
    }

    /// Says what policies decided, where any name the tool.
    #[must_use]
    pub fn with_policy(mut self, decision: Decision) -> Self {
        self.policy = Some(decision);
        self
    }

    /// Says what the screen decided, where it found something in the call.
    #[must_use]
    pub fn with_screen(mut self, decision: Decision) -> Self {
        self.screen = Some(decision);
        self
    }

    /// Says the agent's trust, 0 to 1; what is no number is none.
    #[must_use]
    pub fn with_trust(mut self, trust: f64) -> Self {
        self.trust = share(trust);
        self
    }

    /// Says how much evidence stands against the agent.
    #[must_use]
    pub fn with_evidence_against(mut self, evidence: f64) -> Self {
        self.against = if evidence.is_nan() { f64::MAX } else { evidence.max(0.0) };
        self
    }

    /// Says whether an alarm of drift is open, where the agent is watched.
    #[must_use]
    pub fn with_drift(mut self, alarm: Option<Severity>) -> Self {
        self.drift = Some(alarm);
        self
    }

    /// Says which share of such calls is usual for agents of this kind, where that is known; counts while the agent is not watched.
    #[must_use]
    pub fn with_usual(mut self, usual: Option<f64>) -> Self {
        self.usual = usual.map(share);
        self
    }

    /// What the tool declares of itself.
    #[must_use]
    pub fn meta(&self) -> &ToolMeta {
        self.meta
    }

    /// The agent's trust.
    #[must_use]
    pub fn trust(&self) -> f64 {
        self.trust
    }
}

/// What a dimension says of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    concern: f64,
    confidence: f64,
    veto: bool,
    reason: Cow<'static, str>,
}

impl Finding {
    /// A concern, 0 (none) to 1, and why. What is no number is the largest.
    #[must_use]
    pub fn new(concern: f64, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            concern: if concern.is_nan() { 1.0 } else { concern.clamp(0.0, 1.0) },
            confidence: 1.0,
            veto: false,
            reason: reason.into(),
        }
    }

    /// How sure it is, 0 to 1; entirely when nothing is said.
    #[must_use]
    pub fn with_confidence(mut self, confidence: f64) -> Self {
        self.confidence = if confidence.is_nan() {
            1.0
        } else {
            confidence.clamp(0.0, 1.0)
        };
        self
    }

    /// Denies the call, whatever the score.
    #[must_use]
    pub fn veto(mut self) -> Self {
        self.veto = true;
        self
    }
}

/// One way to look at a call. Ethical and jurisdictional rules are yours to give: implement this.
pub trait Dimension: Send + Sync + 'static {
    /// Its stable name, in snake case.
    fn name(&self) -> &str;

    /// What it says of a call; none where it knows nothing that bears on it.
    fn assess(&self, facts: &Facts<'_>) -> Option<Finding>;
}

/// Dimensions, their weights, and the thresholds of a preset. Clones share them.
#[derive(Clone)]
pub struct Assessor {
    preset: Preset,
    dimensions: Arc<Vec<(Box<dyn Dimension>, f64)>>,
    archetypes: Arc<BTreeMap<String, Archetype>>,
}

impl Assessor {
    /// The fourteen standard dimensions, with a preset's weights and thresholds.
    #[must_use]
    pub fn new(preset: Preset) -> Self {
        let weighed = standard().into_iter().map(|dimension| {
            let weight = preset.weight(dimension.name());
            (dimension, weight)
        });
        let dimensions = Arc::new(weighed.collect());
        Self {
            preset,
            dimensions,
            archetypes: Arc::default(),
        }
    }

    /// Adds a dimension of your own with a weight of at least 0; one of a standard name takes its place.
    /// A weight that is no number is the largest.
    #[must_use]
    pub fn with(self, dimension: impl Dimension, weight: f64) -> Self {
        let weight = if weight.is_nan() { f64::MAX } else { weight.max(0.0) };
        let mut dimensions: Vec<(Box<dyn Dimension>, f64)> = Vec::new();
        match Arc::try_unwrap(self.dimensions) {
            Ok(own) => dimensions.extend(own.into_iter().filter(|(other, _)| other.name() != dimension.name())),
            // shared already: the standard ones again
            Err(_) => {
                let fresh = Self::new(self.preset.clone());
                if let Ok(own) = Arc::try_unwrap(fresh.dimensions) {
                    dimensions.extend(own.into_iter().filter(|(other, _)| other.name() != dimension.name()));
                }
            }
        }
        dimensions.push((Box::new(dimension), weight));
        Self {
            preset: self.preset,
            dimensions: Arc::new(dimensions),
            archetypes: self.archetypes,
        }
    }

    /// Says of what kind an agent is: what is usual for it until its own calls are learnt.
    #[must_use]
    pub fn archetype(mut self, agent: impl Into<String>, archetype: Archetype) -> Self {
        Arc::make_mut(&mut self.archetypes).insert(agent.into(), archetype);
        self
    }

    /// Which share of such calls is usual for agents of this one's kind; none where nobody said of what kind it is.
    #[must_use]
    pub fn usual(&self, agent: &str, tool: &ToolMeta) -> Option<f64> {
        if self.archetypes.is_empty() {
            return None;
        }
        self.archetypes
            .get(agent)
            .map(|archetype| archetype.share(Effect::of(tool)))
    }

    /// The preset.
    #[must_use]
    pub fn preset(&self) -> &Preset {
        &self.preset
    }

    /// Names and weights, for the digest of rules.
    pub(crate) fn rules(&self) -> String {
        let weights: Vec<_> = self
            .dimensions
            .iter()
            .map(|(dimension, weight)| (dimension.name(), weight))
            .collect();
        format!("{:?} {weights:?} {:?}", self.preset, self.archetypes)
    }

    /// Assesses a call.
    #[must_use]
    pub fn assess(&self, facts: &Facts<'_>) -> Assessment {
        let each = self.dimensions.iter().map(|(dimension, weight)| Assessed {
            name: dimension.name().to_owned(),
            weight: *weight,
            finding: dimension.assess(facts),
        });
        decide(&self.preset, facts.trust, each.collect())
    }
}

impl fmt::Debug for Assessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assessor")
            .field("preset", &self.preset)
            .finish_non_exhaustive()
    }
}

/// What one dimension said, and how much it weighs.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessed {
    name: String,
    weight: f64,
    finding: Option<Finding>,
}

impl Assessed {
    /// The dimension.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its score, 0 to 1, where 1 is no concern; none where it was not assessed.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        self.finding.as_ref().map(|finding| 1.0 - finding.concern)
    }

    /// How sure it is.
    #[must_use]
    pub fn confidence(&self) -> Option<f64> {
        self.finding.as_ref().map(|finding| finding.confidence)
    }

    /// Its weight: 0 where it was not assessed.
    #[must_use]
    pub fn weight(&self) -> f64 {
        if self.finding.is_some() { self.weight } else { 0.0 }
    }

    /// Why, in words.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.finding.as_ref().map_or("not_assessed", |finding| &finding.reason)
    }

    /// What it leaves of the score.
    fn factor(&self) -> f64 {
        self.finding.as_ref().map_or(1.0, |finding| {
            let strength = if self.weight.is_finite() && self.weight < 1e300 {
                self.weight / (1.0 + self.weight)
            } else {
                1.0
            };
            1.0 - finding.concern * finding.confidence * strength
        })
    }
}

/// A call, assessed.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    ucs: f64,
    tier: u8,
    decision: Decision,
    dimensions: Vec<Assessed>,
    explanation: String,
}

impl Assessment {
    /// The unified confidence score, 0 to 1.
    #[must_use]
    pub fn ucs(&self) -> f64 {
        self.ucs
    }

    /// The tier that decided: 1 a gate, 2 the score, 3 deliberation.
    #[must_use]
    pub fn tier(&self) -> u8 {
        self.tier
    }

    /// What it makes of the call.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// Every dimension, those that were not assessed as well.
    #[must_use]
    pub fn dimensions(&self) -> &[Assessed] {
        &self.dimensions
    }

    /// Why, and what would have to change for another decision.
    #[must_use]
    pub fn explanation(&self) -> &str {
        &self.explanation
    }

    /// Name and score of each dimension that was assessed.
    pub(crate) fn scores(&self) -> BTreeMap<String, f64> {
        let scored = self.dimensions.iter();
        scored
            .filter_map(|dimension| Some((dimension.name.clone(), dimension.score()?)))
            .collect()
    }
}

/// The tiers.
fn decide(preset: &Preset, trust: f64, dimensions: Vec<Assessed>) -> Assessment {
    let ucs = score(trust, dimensions.iter());
    let may_veto = |dimension: &&Assessed| {
        dimension.finding.as_ref().is_some_and(|finding| {
            finding.veto || (preset.may_veto(&dimension.name) && finding.concern * finding.confidence >= VETO)
        })
    };
    let worry = |dimension: &&Assessed| {
        dimension.weight >= 1.0
            && dimension
                .finding
                .as_ref()
                .is_some_and(|finding| finding.concern * finding.confidence >= DELIBERATED)
    };
    let (tier, decision, why) = if let Some(veto) = dimensions.iter().find(may_veto) {
        (
            1,
            Decision::Deny,
            format!("`{}` has a veto: {}", veto.name, veto.reason()),
        )
    } else if ucs < preset.deny() {
        (
            2,
            Decision::Deny,
            below(trust, &dimensions, ucs, preset.deny(), "denied"),
        )
    } else if ucs < preset.escalate() {
        (
            2,
            Decision::Escalate,
            below(trust, &dimensions, ucs, preset.escalate(), "escalated"),
        )
    } else if let Some(worry) = dimensions.iter().find(worry).filter(|_| trust < preset.trust()) {
        let why = format!(
            "trust {trust:.3} is below {:.3} and `{}` is a concern: {}; with that trust or without the concern it would be allowed",
            preset.trust(),
            worry.name,
            worry.reason()
        );
        (3, Decision::Escalate, why)
    } else {
        let why = format!(
            "UCS {ucs:.3}: it would be escalated below {:.3}, and denied below {:.3}",
            preset.escalate(),
            preset.deny()
        );
        (if trust < preset.trust() { 3 } else { 2 }, Decision::Allow, why)
    };
    Assessment {
        ucs,
        tier,
        decision,
        dimensions,
        explanation: why,
    }
}

fn score<'a>(trust: f64, dimensions: impl Iterator<Item = &'a Assessed>) -> f64 {
    let product: f64 = dimensions.map(Assessed::factor).product();
    share((1.0 - TRUST_SHARE * (1.0 - share(trust))) * product)
}

/// Says which concerns keep the score below a threshold, and what would lift it.
fn below(trust: f64, dimensions: &[Assessed], ucs: f64, limit: f64, what: &str) -> String {
    let mut worst: Vec<&Assessed> = dimensions.iter().filter(|dimension| dimension.factor() < 1.0).collect();
    worst.sort_by(|one, other| one.factor().total_cmp(&other.factor()));
    let reasons: Vec<_> = worst
        .iter()
        .take(3)
        .map(|one| format!("`{}` ({})", one.name, one.reason()))
        .collect();
    let without = |gone: usize| {
        let kept = dimensions
            .iter()
            .filter(|one| !worst.iter().take(gone).any(|worst| worst.name == one.name));
        score(trust, kept)
    };
    let change = (1..=worst.len()).find(|gone| without(*gone) >= limit);
    let change = match change {
        Some(gone) => {
            let names: Vec<_> = worst.iter().take(gone).map(|one| format!("`{}`", one.name)).collect();
            format!("without {} it would be {:.3}", names.join(" and "), without(gone))
        }
        None => "more trust alone would have to lift it".to_owned(),
    };
    format!(
        "UCS {ucs:.3} is below {limit:.3}, so it is {what}, for {}; {change}",
        reasons.join(", ")
    )
}

fn share(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }
}
