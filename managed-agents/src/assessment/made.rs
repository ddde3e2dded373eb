//! A call, assessed: the score, the tiers, and the words for both once somebody asks.

use std::sync::Arc;

use super::assessor::{Panel, Weighed};
use super::finding::Finding;
use super::share;
use crate::verdict::{Decision, Scores};

/// How much of the score trust decides: at no trust this much is missing.
const TRUST_SHARE: f64 = 0.2;
/// A concern that large is enough for a veto, in a dimension that may veto.
const VETO: f64 = 0.8;
/// A concern that large is deliberated on.
const DELIBERATED: f64 = 0.5;

/// A call, assessed.
#[derive(Clone, Debug)]
pub struct Assessment {
    panel: Arc<Panel>,
    trust: f64,
    ucs: f64,
    tier: u8,
    decision: Decision,
    why: Why,
    /// What each dimension of the panel said.
    findings: Box<[Option<Finding>]>,
}

/// What decided. Of the dimensions, where it stands in the panel.
#[derive(Clone, Copy, Debug)]
enum Why {
    Veto(usize),
    /// The score is below a threshold.
    Below(f64),
    /// Trust is low, and a dimension is a concern.
    Worry(usize),
    Nothing,
}

impl Assessment {
    /// The tiers.
    pub(super) fn new(panel: &Arc<Panel>, trust: f64, findings: Box<[Option<Finding>]>) -> Self {
        let preset = &panel.preset;
        let (mut product, mut veto, mut worry) = (1.0, None, None);
        for (at, (weighed, finding)) in panel.weighed.iter().zip(&findings).enumerate() {
            let Some(finding) = finding else { continue };
            let concern = finding.concern * finding.confidence;
            product *= 1.0 - concern * weighed.strength;
            if veto.is_none() && (finding.veto || (weighed.may_veto && concern >= VETO)) {
                veto = Some(at);
            }
            if worry.is_none() && weighed.weight >= 1.0 && concern >= DELIBERATED {
                worry = Some(at);
            }
        }
        let ucs = score(trust, product);
        let trusted = trust >= preset.trust();
        let (tier, decision, why) = match (veto, worry) {
            (Some(veto), _) => (1, Decision::Deny, Why::Veto(veto)),
            _ if ucs < preset.deny() => (2, Decision::Deny, Why::Below(preset.deny())),
            _ if ucs < preset.escalate() => (2, Decision::Escalate, Why::Below(preset.escalate())),
            _ if trusted => (2, Decision::Allow, Why::Nothing),
            (_, Some(worry)) => (3, Decision::Escalate, Why::Worry(worry)),
            (_, None) => (3, Decision::Allow, Why::Nothing),
        };
        Self {
            panel: Arc::clone(panel),
            trust,
            ucs,
            tier,
            decision,
            why,
            findings,
        }
    }

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
    pub fn dimensions(&self) -> impl ExactSizeIterator<Item = Assessed<'_>> + Clone {
        let findings = self.findings.iter().map(Option::as_ref);
        self.panel
            .weighed
            .iter()
            .zip(findings)
            .map(|(weighed, finding)| Assessed { weighed, finding })
    }

    /// Why, and what would have to change for another decision: made when it is asked for.
    #[must_use]
    pub fn explanation(&self) -> String {
        let (preset, trust, ucs) = (&self.panel.preset, self.trust, self.ucs);
        let named = |at| {
            self.dimensions()
                .nth(at)
                .map_or(("", ""), |one| (one.name(), one.reason()))
        };
        match self.why {
            Why::Veto(at) => {
                let (name, reason) = named(at);
                format!("`{name}` has a veto: {reason}")
            }
            Why::Below(limit) => self.below(limit),
            Why::Worry(at) => {
                let (name, reason) = named(at);
                format!(
                    "trust {trust:.3} is below {:.3} and `{name}` is a concern: {reason}; with that trust or without the concern it would \
                     be allowed",
                    preset.trust()
                )
            }
            Why::Nothing => format!(
                "UCS {ucs:.3}: it would be escalated below {:.3}, and denied below {:.3}",
                preset.escalate(),
                preset.deny()
            ),
        }
    }

    /// Says which concerns keep the score below a threshold, and what would lift it.
    fn below(&self, limit: f64) -> String {
        let mut worst: Vec<Assessed<'_>> = self.dimensions().filter(|one| one.factor() < 1.0).collect();
        worst.sort_by(|one, other| one.factor().total_cmp(&other.factor()));
        let reasons: Vec<_> = worst
            .iter()
            .take(3)
            .map(|one| format!("`{}` ({})", one.name(), one.reason()))
            .collect();
        let without = |gone: usize| {
            let kept = worst.iter().skip(gone);
            score(self.trust, kept.map(Assessed::factor).product())
        };
        let change = match (1..=worst.len()).find(|gone| without(*gone) >= limit) {
            Some(gone) => {
                let gone_names = worst.iter().take(gone).map(|one| format!("`{}`", one.name()));
                let names: Vec<_> = gone_names.collect();
                format!("without {} it would be {:.3}", names.join(" and "), without(gone))
            }
            None => "more trust alone would have to lift it".to_owned(),
        };
        let what = match self.decision {
            Decision::Deny => "denied",
            _ => "escalated",
        };
        format!(
            "UCS {:.3} is below {limit:.3}, so it is {what}, for {}; {change}",
            self.ucs,
            reasons.join(", ")
        )
    }

    /// What stands in the verdict and in the record.
    pub(crate) fn scores(&self) -> Scores {
        let mut scores = Scores::new(self.ucs, self.tier, &self.panel.names);
        for (weighed, finding) in self.panel.weighed.iter().zip(&self.findings) {
            if let Some(finding) = finding {
                scores.set(weighed.place, 1.0 - finding.concern);
            }
        }
        scores
    }
}

/// What one dimension said, and how much it weighs.
#[derive(Clone, Copy)]
pub struct Assessed<'a> {
    weighed: &'a Weighed,
    finding: Option<&'a Finding>,
}

impl<'a> Assessed<'a> {
    /// The dimension.
    #[must_use]
    pub fn name(&self) -> &'a str {
        &self.weighed.name
    }

    /// Its score, 0 to 1, where 1 is no concern; none where it was not assessed.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        self.finding.map(|finding| 1.0 - finding.concern)
    }

    /// How sure it is.
    #[must_use]
    pub fn confidence(&self) -> Option<f64> {
        self.finding.map(|finding| finding.confidence)
    }

    /// Its weight: 0 where it was not assessed.
    #[must_use]
    pub fn weight(&self) -> f64 {
        if self.finding.is_some() {
            self.weighed.weight
        } else {
            0.0
        }
    }

    /// Why, in words.
    #[must_use]
    pub fn reason(&self) -> &'a str {
        self.finding.map_or("not_assessed", |finding| &finding.reason)
    }

    /// What it leaves of the score.
    fn factor(&self) -> f64 {
        self.finding.map_or(1.0, |finding| {
            1.0 - finding.concern * finding.confidence * self.weighed.strength
        })
    }
}

impl std::fmt::Debug for Assessed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assessed")
            .field("name", &self.name())
            .field("weight", &self.weighed.weight)
            .field("finding", &self.finding)
            .finish()
    }
}

fn score(trust: f64, product: f64) -> f64 {
    share((1.0 - TRUST_SHARE * (1.0 - share(trust))) * product)
}
