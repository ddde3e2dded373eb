//! Scope, declared risk and policies, and what a record needs so that they can be asked again.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Engine;
use super::behaviour::{Bearing, restricted};
use crate::call::{Digest, ToolCall};
use crate::governor::{Claims, Held, Judgement};
use crate::policy::{Facts, Policies, Said};
use crate::verdict::{Basis, Decision, Verdict};

/// What stands in a record as `inputs`: all that was judged on beside the call itself, and what came of it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inputs {
    /// The digest of scopes and policies, in hexadecimal digits.
    pub(crate) rules: String,
    /// What the engine itself decided, before the screen and people.
    pub(crate) decision: Decision,
    #[serde(default)]
    pub(crate) facts: Facts,
    /// What of the agent's behaviour it rests on, where it is remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) behaviour: Option<Bearing>,
}

impl Engine {
    pub(super) fn judge_with(&self, policies: &Policies, call: &ToolCall) -> Judgement {
        let judged = policies.judge(call, SystemTime::now(), Some(self));
        let ids = judged.said.policies.clone();
        let bearing = self.behaviour.as_ref().map(|own| own.bearing(call));
        let verdict = self.combined(call, judged.said, bearing.as_ref());
        let rules = self.rules_with(judged.digest);
        let inputs = Inputs {
            rules: rules.to_string(),
            decision: verdict.decision(),
            facts: judged.facts,
            behaviour: bearing,
        };
        let verdict = verdict.with_basis(Basis {
            rules,
            policies: ids,
            // texts and numbers always have a JSON form
            inputs: serde_json::to_string(&inputs).unwrap_or_default().into(),
        });
        // what is denied is given back at once
        let held = judged.held.filter(|_| verdict.decision() != Decision::Deny);
        let claims = Claims {
            held: Held {
                reservation: held,
                ..Held::default()
            },
            ..Claims::default()
        };
        Judgement::new(verdict, claims)
    }

    #[cfg(feature = "cli")]
    /// Judges a recorded call again, on the facts of its record.
    pub(crate) fn judge_again(
        &self,
        call: &ToolCall,
        facts: &Facts,
        bearing: Option<&Bearing>,
    ) -> (Verdict, Vec<std::sync::Arc<str>>) {
        match &self.policies {
            Some(policies) => {
                let said = policies.judge_on(call, facts);
                let ids = said.policies.clone();
                (self.combined(call, said, bearing), ids)
            }
            None => (
                restricted(self.judge(call), self.behaves(call, bearing, None)),
                Vec::new(),
            ),
        }
    }

    /// The most restrictive of scope, policies, behaviour and, where no permit names the tool, its declared risk.
    fn combined(&self, call: &ToolCall, said: Said, bearing: Option<&Bearing>) -> Verdict {
        let Said { verdict, named, .. } = said;
        let policy = verdict.as_ref().map(Verdict::decision);
        let own = match (self.out_of_scope(call), named) {
            (Some(denied), _) => denied,
            (None, true) => Verdict::allow(),
            (None, false) => self.by_risk(call),
        };
        let verdict = match verdict {
            Some(verdict) => own.restricted_by(verdict),
            None => own,
        };
        restricted(verdict, self.behaves(call, bearing, policy))
    }

    /// The digest of scopes and policies.
    pub(super) fn rules_with(&self, policies: Digest) -> Digest {
        let hash = Sha256::new()
            .chain_update(self.scopes_digest().as_bytes())
            .chain_update(policies.as_bytes());
        Digest::new(hash.finalize().into())
    }
}
