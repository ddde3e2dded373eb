//! The engine's assessment of a call, where it has an assessor.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;

use super::Engine;
use super::behaviour::Bearing;
use super::hexadecimal;
use crate::assessment::{Assessment, Facts};
use crate::call::{Digest, Origin, ToolCall};
use crate::verdict::{AsInputs, Basis, Decision, Reason, Scores, Verdict};

/// What behaviour and assessment say of a call.
pub(super) struct Said {
    /// Nothing where all is as it should be.
    verdict: Option<Verdict>,
    /// What the assessment made of it.
    scores: Option<Scores>,
}

impl Said {
    /// Whether the verdict on the call rests on the agent's behaviour.
    pub(super) fn is_something(&self) -> bool {
        self.verdict.is_some() || self.scores.is_some()
    }

    /// A verdict with what is said here, and the scores.
    pub(super) fn restricting(self, verdict: Verdict) -> (Verdict, Option<Scores>) {
        match self.verdict {
            Some(said) => (verdict.restricted_by(said), self.scores),
            None => (verdict, self.scores),
        }
    }
}

/// The inputs of a verdict where no policies are.
#[derive(Debug, Serialize)]
struct Rested {
    #[serde(serialize_with = "hexadecimal::serialize")]
    rules: Digest,
    decision: Decision,
    #[serde(skip_serializing_if = "Option::is_none")]
    behaviour: Option<Bearing>,
}

impl AsInputs for Rested {
    fn json(&self) -> Cow<'_, str> {
        // texts and numbers always have a JSON form
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

impl Engine {
    /// What is said of a call because of its agent's behaviour and the assessment, with the scores.
    pub(super) fn behaves(&self, call: &ToolCall, bearing: Option<&Bearing>, policy: Option<Decision>) -> Said {
        let floor = self.behaviour.as_ref().zip(bearing);
        let floor = floor.and_then(|(behaviour, bearing)| behaviour.judge(bearing));
        let Some(assessment) = self.assessment(call, bearing, policy) else {
            return Said {
                verdict: floor,
                scores: None,
            };
        };
        let assessed = concern(&assessment);
        Said {
            verdict: match (floor, assessed) {
                (Some(floor), Some(assessed)) => Some(floor.restricted_by(assessed)),
                (floor, assessed) => floor.or(assessed),
            },
            scores: Some(assessment.scores()),
        }
    }

    /// The verdict, with the behaviour that it rests on where no policies are: it stands in the record, so that it can be judged again.
    pub(super) fn resting_on(&self, verdict: Verdict, behaviour: Option<Bearing>, scores: Option<Scores>) -> Verdict {
        let rules = self.scopes_digest();
        let inputs = Rested {
            rules,
            decision: verdict.decision(),
            behaviour,
        };
        verdict.with_basis(Arc::new(Basis {
            rules,
            policies: Vec::new(),
            scores,
            inputs,
        }))
    }

    /// The assessment of a call; none where nobody asked for it.
    pub(super) fn assessment(
        &self,
        call: &ToolCall,
        bearing: Option<&Bearing>,
        policy: Option<Decision>,
    ) -> Option<Assessment> {
        let assessor = self.assessor.as_ref()?;
        let archetype = bearing.and_then(|bearing| bearing.archetype.as_deref());
        let usual = assessor.usual_of(call.agent().as_str(), archetype, call.meta());
        let mut facts = Facts::of(call.meta()).with_usual(usual);
        if !self.scopes.is_empty() {
            facts = facts.with_scope(self.in_scope(call));
        }
        if call.origin() == Origin::Unknown && !self.knows_every_name {
            facts = facts.with_undeclared_name();
        }
        if let Some(policy) = policy {
            facts = facts.with_policy(policy);
        }
        if let Some(bearing) = bearing {
            facts = facts
                .with_trust(f64::from(bearing.trust) / 1e6)
                .with_evidence_against(f64::from(bearing.against) / 100.0);
            if let Some(screened) = bearing.screened {
                facts = facts.with_screen(screened);
            }
            if bearing.watched {
                facts = facts.with_drift(bearing.drift);
            }
        }
        Some(assessor.assess(&facts))
    }
}

/// What an assessment has against a call.
fn concern(assessment: &Assessment) -> Option<Verdict> {
    let reason =
        |for_model: &'static str| Reason::new("behaviour_confidence", for_model).with_detail(assessment.explanation());
    match assessment.decision() {
        Decision::Allow => None,
        Decision::Escalate => Some(Verdict::escalate(reason(
            "too much speaks against this call, so a person must approve it",
        ))),
        Decision::Deny => Some(Verdict::deny(reason(
            "too much speaks against this call; it was not run",
        ))),
    }
}

#[cfg(feature = "cedar")]
impl crate::policy::SignalSource for Engine {
    fn signals(&self, call: &ToolCall) -> crate::policy::Signals {
        let Some(behaviour) = &self.behaviour else {
            return crate::policy::Signals::default();
        };
        let bearing = behaviour.bearing(call);
        let ucs = self.assessment(call, Some(&bearing), None);
        crate::policy::Signals {
            ucs: ucs.map(|assessment| assessment.ucs()),
            ..behaviour.signals(call)
        }
    }
}
