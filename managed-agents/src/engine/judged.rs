//! Scope, declared risk and policies, and what a record needs so that they can be asked again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Engine;
use super::behaviour::Bearing;
use super::hexadecimal;
use crate::call::{Digest, ToolCall};
use crate::governor::{Claims, Held, Judgement};
use crate::limit::{Counted, Rests, Stands};
use crate::policy::{Counting, Facts, Judged, Policies, Said};
use crate::verdict::{AsInputs, Basis, Decision, Scores, Verdict};

/// What stands in a record as `inputs`: all that was judged on beside the call itself, and what came of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inputs {
    /// The digest of scopes and policies.
    #[serde(with = "hexadecimal")]
    pub(crate) rules: Digest,
    /// What the engine itself decided, before the screen and people.
    pub(crate) decision: Decision,
    #[serde(default)]
    pub(crate) facts: Facts,
    /// What of the agent's behaviour it rests on, where it is remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) behaviour: Option<Bearing>,
    /// What the call counts if it runs, by the name of the counter.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) counted: BTreeMap<String, u64>,
}

impl AsInputs for Inputs {
    fn json(&self) -> Cow<'_, str> {
        // texts and numbers always have a JSON form
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

/// A verdict of policies that read the history, for the transaction that counts.
#[derive(Debug)]
struct Rested {
    call: Arc<ToolCall>,
    said: Said,
    basis: Arc<Basis<Inputs>>,
    counting: Counting,
}

impl Rests for Rested {
    fn counted(&self) -> &Arc<Counted> {
        &self.counting.counted
    }

    fn reads(&self) -> usize {
        self.counting.reads()
    }

    fn on(&self, counts: &[i64]) -> Stands {
        let inputs = &self.basis.inputs;
        let runs = inputs.decision == Decision::Allow;
        if self.counting.saw(counts) {
            self.counting.note(counts, runs);
            return Stands::Same;
        }
        let (facts, said) = self.counting.again(&self.call, &inputs.facts, counts);
        // scope, risk and behaviour do not count: what policies say is the same, and so is the verdict
        let same = said.is_same(&self.said);
        self.counting.note(counts, same && runs);
        if !same {
            return Stands::Other;
        }
        let inputs = Inputs {
            facts,
            ..inputs.clone()
        };
        Stands::Told(inputs.json().into())
    }
}

impl Engine {
    pub(super) fn judge_with(&self, policies: &Policies, call: &Arc<ToolCall>) -> Judgement {
        let Judged {
            said,
            facts,
            digest,
            counting,
        } = policies.judge(call, SystemTime::now(), Some(self));
        let bearing = self.behaviour.as_ref().map(|own| own.bearing(call));
        let kept = counting.as_ref().map(|_| said.clone());
        let policies = said.policies.clone();
        let (verdict, scores) = self.combined(call, said, bearing.as_ref());
        let decision = verdict.decision();
        let rules = self.rules_with(digest);
        let inputs = Inputs {
            rules,
            decision,
            facts,
            behaviour: bearing,
            counted: counting.as_ref().map(Counting::amounts).unwrap_or_default(),
        };
        let basis = Arc::new(Basis {
            rules,
            policies,
            scores,
            inputs,
        });
        let verdict = verdict.with_basis(Arc::<Basis<Inputs>>::clone(&basis));
        let Some((counting, said)) = counting.zip(kept) else {
            return verdict.into();
        };
        let rested = Rested {
            call: Arc::clone(call),
            said,
            basis,
            counting,
        };
        let claims = Claims {
            held: Held {
                history: Some(Arc::new(rested)),
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
    ) -> (Verdict, Vec<Arc<str>>) {
        match &self.policies {
            Some(policies) => {
                let said = policies.judge_on(call, facts);
                let ids = said.policies.clone();
                (self.combined(call, said, bearing).0, ids)
            }
            None => (
                self.behaves(call, bearing, None).restricting(self.judge(call)).0,
                Vec::new(),
            ),
        }
    }

    /// The most restrictive of scope, policies, behaviour and, where no permit names the tool, its declared risk.
    fn combined(&self, call: &ToolCall, said: Said, bearing: Option<&Bearing>) -> (Verdict, Option<Scores>) {
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
        self.behaves(call, bearing, policy).restricting(verdict)
    }

    /// The digest of scopes and policies.
    pub(super) fn rules_with(&self, policies: Digest) -> Digest {
        let parts = [self.scopes_digest(), policies];
        let [scopes, _] = parts;
        let combined = || rules_of(scopes, policies);
        let (of, first) = self.combined.get_or_init(|| (parts, combined()));
        if *of == parts { *first } else { combined() }
    }
}

/// The digest of scopes and policies, whether an engine judges by them or not.
pub(super) fn rules_of(scopes: Digest, policies: Digest) -> Digest {
    let hash = Sha256::new()
        .chain_update(scopes.as_bytes())
        .chain_update(policies.as_bytes());
    Digest::new(hash.finalize().into())
}
