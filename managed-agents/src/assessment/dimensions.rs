//! The fourteen standard dimensions. They read what is declared, and never guess from names.

use super::{Dimension, Facts, Finding};
use crate::call::{ArgKind, Reversibility, Risk};
use crate::drift::Severity;
use crate::verdict::Decision;

/// The standard dimensions. Those for which nothing is known here are not assessed until somebody gives one of their name.
#[must_use]
pub fn standard() -> Vec<Box<dyn Dimension>> {
    vec![
        Box::new(ScopeCompliance),
        Box::new(AuthorityVerification),
        Box::new(Unknown("resource_boundaries")),
        Box::new(BehavioralConsistency),
        Box::new(CascadingImpact),
        Box::new(StakeholderImpact),
        Box::new(IncidentDetection),
        Box::new(IsolationIntegrity),
        Box::new(Unknown("temporal_compliance")),
        Box::new(Unknown("precedent_alignment")),
        Box::new(Transparency),
        Box::new(HumanOverride),
        Box::new(Unknown("ethical_alignment")),
        Box::new(Unknown("jurisdictional_compliance")),
    ]
}

/// Not assessed: its rules are the operator's to give.
struct Unknown(&'static str);

impl Dimension for Unknown {
    fn name(&self) -> &str {
        self.0
    }

    fn assess(&self, _facts: &Facts<'_>) -> Option<Finding> {
        None
    }
}

struct ScopeCompliance;

impl Dimension for ScopeCompliance {
    fn name(&self) -> &'static str {
        "scope_compliance"
    }

    fn assess(&self, facts: &Facts<'_>) -> Option<Finding> {
        Some(if facts.in_scope? {
            Finding::new(0.0, "the tool is in the agent's scope")
        } else {
            Finding::new(1.0, "the tool is outside the agent's scope").veto()
        })
    }
}

struct AuthorityVerification;

impl Dimension for AuthorityVerification {
    fn name(&self) -> &'static str {
        "authority_verification"
    }

    fn assess(&self, facts: &Facts<'_>) -> Option<Finding> {
        // the larger concern first: another fact against the call must not make it smaller
        Some(if facts.policy == Some(Decision::Deny) {
            Finding::new(1.0, "a policy forbids the call")
        } else if facts.undeclared_name {
            Finding::new(0.5, "nobody declared a tool of this name")
        } else {
            Finding::new(0.0, "the tool is declared, and nothing forbids the call")
        })
    }
}

struct BehavioralConsistency;

impl Dimension for BehavioralConsistency {
    fn name(&self) -> &'static str {
        "behavioral_consistency"
    }

    fn assess(&self, facts: &Facts<'_>) -> Option<Finding> {
        let Some(drift) = facts.drift else {
            return facts.usual.map(unusual);
        };
        Some(match drift {
            None => Finding::new(0.0, "the agent calls as it did"),
            Some(Severity::Moderate) => Finding::new(0.3, "the agent's calls have changed"),
            Some(Severity::High) => Finding::new(0.5, "the agent's calls have changed much"),
            Some(Severity::Critical) => Finding::new(0.8, "hardly any of the agent's calls are as they were"),
        })
    }
}

/// A call of which this share is usual for agents of a kind.
fn unusual(share: f64) -> Finding {
    if share < SELDOM {
        Finding::new(
            0.5 * (1.0 - share / SELDOM),
            "agents of this kind hardly ever make such calls, and this one is not learnt yet",
        )
    } else {
        Finding::new(
            0.0,
            "agents of this kind make such calls, and this one is not learnt yet",
        )
    }
}

/// What makes up less of the calls is done seldom.
const SELDOM: f64 = 0.05;

struct CascadingImpact;

impl Dimension for CascadingImpact {
    fn name(&self) -> &'static str {
        "cascading_impact"
    }

    fn assess(&self, facts: &Facts<'_>) -> Option<Finding> {
        let meta = facts.meta();
        Some(match meta.reversibility() {
            Reversibility::Irreversible => Finding::new(0.6, "what it does cannot be undone"),
            _ if meta.is_read_only() => Finding::new(0.0, "it changes nothing"),
            Reversibility::Reversible => Finding::new(0.0, "what it does can be undone"),
            _ => Finding::new(0.2, "nobody said whether what it does can be undone"),
        })
    }
}

struct StakeholderImpact;

impl Dimension for StakeholderImpact {
    fn name(&self) -> &'static str {
        "stakeholder_impact"
    }

    fn assess(&self, facts: &Facts<'_>) -> Option<Finding> {
        Some(match facts.meta().risk() {
            Risk::Low => Finding::new(0.0, "it is of low risk"),
            Risk::Medium => Finding::new(0.1, "it is of medium risk"),
            Risk::High => Finding::new(0.5, "it is of high risk"),
            Risk::Critical => Finding::new(0.7, "it is of critical risk"),
        })
    }
}

struct IncidentDetection;

impl Dimension for IncidentDetection {
    fn name(&self) -> &'static str {
        "incident_detection"
    }

    fn assess(&self, facts: &Facts<'_>) -> Option<Finding> {
        // half of the concern at twenty, which is four grave denials
        let concern = facts.against.min(1e9) / (facts.against.min(1e9) + 20.0);
        let (found, what) = match facts.screen {
            Some(Decision::Deny) => (0.9, "the screen forbids what the arguments would do"),
            Some(Decision::Escalate) => (0.5, "the screen lets people decide on what the arguments would do"),
            _ => (0.0, ""),
        };
        if found > concern {
            return Some(Finding::new(found, what));
        }
        let reason = if concern > 0.0 {
            "denials or alarms stand against the agent"
        } else {
            "nothing stands against the agent"
        };
        Some(Finding::new(concern, reason))
    }
}

/// How far a call can reach beyond its tool, by the kinds that its arguments are declared to be.
struct IsolationIntegrity;

impl Dimension for IsolationIntegrity {
    fn name(&self) -> &'static str {
        "isolation_integrity"
    }

    fn assess(&self, facts: &Facts<'_>) -> Option<Finding> {
        let kinds = facts.meta().arguments().iter().filter_map(|argument| argument.kind);
        let worst = kinds.map(|kind| match kind {
            ArgKind::Shell => (30, "an argument is a command, which may do anything that its user may"),
            ArgKind::Sql => (20, "an argument is a statement for a database"),
            ArgKind::Url => (10, "an argument says where on the network it goes"),
            ArgKind::Path => (5, "an argument is a path"),
        });
        let (hundredths, reason) = worst.max_by_key(|(hundredths, _)| *hundredths)?;
        Some(Finding::new(f64::from(hundredths) / 100.0, reason))
    }
}

struct Transparency;

impl Dimension for Transparency {
    fn name(&self) -> &'static str {
        "transparency"
    }

    fn assess(&self, facts: &Facts<'_>) -> Option<Finding> {
        let meta = facts.meta();
        Some(if meta.not_judged().next().is_some() {
            Finding::new(0.2, "not all of its arguments are judged")
        } else if !meta.is_declared() {
            Finding::new(0.1, "the tool declares nothing of itself")
        } else {
            Finding::new(0.0, "the tool says what it is, and all of the call is judged")
        })
    }
}

struct HumanOverride;

impl Dimension for HumanOverride {
    fn name(&self) -> &'static str {
        "human_override"
    }

    fn assess(&self, facts: &Facts<'_>) -> Option<Finding> {
        Some(match facts.policy? {
            Decision::Escalate => Finding::new(0.5, "a policy lets people decide"),
            Decision::Deny => Finding::new(0.5, "a policy forbids the call, and people may not"),
            Decision::Allow => Finding::new(0.0, "no policy asks for a person"),
        })
    }
}
