//! The engine's assessment of a call, where it has an assessor.

use super::Engine;
use super::behaviour::Bearing;
use crate::assessment::{Assessment, Facts};
use crate::call::{Origin, ToolCall};
use crate::verdict::{Basis, Decision, Reason, Verdict};

impl Engine {
    /// What is said of a call because of its agent's behaviour and the assessment, with the scores.
    pub(super) fn behaves(
        &self,
        call: &ToolCall,
        bearing: Option<&Bearing>,
        policy: Option<Decision>,
    ) -> Option<Verdict> {
        let floor = self.behaviour.as_ref().zip(bearing);
        let floor = floor.and_then(|(behaviour, bearing)| behaviour.judge(bearing));
        let assessed = self
            .assessment(call, bearing, policy)
            .map(|assessment| verdict(&assessment));
        match (floor, assessed) {
            (Some(floor), Some(assessed)) => Some(floor.restricted_by(assessed)),
            (floor, assessed) => floor.or(assessed),
        }
    }

    /// The verdict, with the behaviour that it rests on where no policies are: it stands in the record, so that it can be judged again.
    pub(super) fn resting_on(&self, verdict: Verdict, behaviour: &Bearing) -> Verdict {
        #[derive(serde::Serialize)]
        struct Inputs<'a> {
            rules: String,
            decision: Decision,
            behaviour: &'a Bearing,
        }
        let rules = self.scopes_digest();
        let inputs = Inputs {
            rules: rules.to_string(),
            decision: verdict.decision(),
            behaviour,
        };
        verdict.with_basis(Basis {
            rules,
            policies: Vec::new(),
            // texts and numbers always have a JSON form
            inputs: serde_json::to_string(&inputs).unwrap_or_default().into(),
        })
    }

    /// The assessment of a call; none where nobody asked for it.
    pub(super) fn assessment(
        &self,
        call: &ToolCall,
        bearing: Option<&Bearing>,
        policy: Option<Decision>,
    ) -> Option<Assessment> {
        let assessor = self.assessor.as_ref()?;
        let usual = assessor.usual(call.agent().as_str(), call.meta());
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

fn verdict(assessment: &Assessment) -> Verdict {
    let reason = |for_model: &'static str| {
        Reason::new("behaviour_confidence", for_model).with_detail(assessment.explanation().to_owned())
    };
    let verdict = match assessment.decision() {
        Decision::Allow => Verdict::allow(),
        Decision::Escalate => {
            Verdict::escalate(reason("too much speaks against this call, so a person must approve it"))
        }
        Decision::Deny => Verdict::deny(reason("too much speaks against this call; it was not run")),
    };
    verdict.with_scores(assessment.ucs(), assessment.tier(), assessment.scores())
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
