//! What a governor said of a call.

mod basis;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::call::Digest;
use crate::word::words;
#[cfg(feature = "engine")]
pub(crate) use basis::AsInputs;
pub(crate) use basis::{Basis, Scores, millionths};

/// Whether a call may run. Ordered by restriction: `Allow < Escalate < Deny`, so the verdict of several judges is their
/// maximum.
///
/// # Examples
///
/// ```
/// use managed_agents::Decision;
/// assert_eq!(Decision::Allow.max(Decision::Escalate), Decision::Escalate);
/// assert_eq!(Decision::from_wire("MODIFY"), Decision::Deny);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there is no fourth answer: anything else is a denial"
)]
pub enum Decision {
    /// The body runs.
    Allow,
    /// A person must decide first.
    Escalate,
    /// The body does not run.
    Deny,
}

impl Decision {
    /// Reads the word that a governance service uses; every unknown word is [`Decision::Deny`].
    #[must_use]
    pub fn from_wire(word: &str) -> Self {
        match word {
            "ALLOW" => Self::Allow,
            "ESCALATE" => Self::Escalate,
            _ => Self::Deny,
        }
    }

    /// The stable word for it: `allow`, `escalate` or `deny`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.word()
    }
}

words!(Decision {
    Allow => "allow",
    Escalate => "escalate",
    Deny => "deny",
});

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Names one evaluation of one call, here or at a service.
///
/// # Examples
///
/// ```
/// use managed_agents::EvaluationId;
/// let id = EvaluationId::from("eval_7f");
/// assert_eq!(id.to_string(), "eval_7f");
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct EvaluationId(Repr);

#[derive(Clone, Eq, Hash, PartialEq)]
enum Repr {
    /// Made here: random for each harness, and counted; text is made when somebody reads it.
    Local(u64, u64),
    /// Made by a service.
    Given(Arc<str>),
}

/// The id of an evaluation that was made here, before it is one: two words that are copied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalEvaluation {
    pub(crate) harness: u64,
    pub(crate) number: u64,
}

#[cfg(all(test, feature = "sqlite"))]
impl EvaluationId {
    pub(crate) fn local(harness: u64, number: u64) -> Self {
        LocalEvaluation { harness, number }.into()
    }
}

impl From<LocalEvaluation> for EvaluationId {
    #[inline(always)]
    fn from(local: LocalEvaluation) -> Self {
        Self(Repr::Local(local.harness, local.number))
    }
}

impl From<&str> for EvaluationId {
    fn from(text: &str) -> Self {
        Self(Repr::Given(text.into()))
    }
}

impl fmt::Display for EvaluationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Local(harness, number) => write!(f, "eval_{harness:016x}{number:016x}"),
            Repr::Given(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for EvaluationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why a verdict is what it is: a stable code, a sentence for the model, and one for the operator.
///
/// # Examples
///
/// ```
/// use managed_agents::Reason;
/// let reason = Reason::new("out_of_scope", "this agent may not use `refund`");
/// assert_eq!(reason.code(), "out_of_scope");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reason {
    code: Cow<'static, str>,
    for_model: Cow<'static, str>,
    detail: Option<Cow<'static, str>>,
    /// Where the screen found it, for the record.
    found: Option<Box<Found>>,
    /// How many people must approve; 0 where nothing is said, which is one.
    approvers: u8,
}

/// Where in a call something was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Found {
    /// The top-level argument.
    pub(crate) argument: Box<str>,
    /// Where its text begins and ends, in bytes.
    pub(crate) span: Option<(usize, usize)>,
}

impl Reason {
    /// A reason that operator and model may both read. Neither text may hold the value of a redacted argument.
    #[must_use]
    pub fn new(code: impl Into<Cow<'static, str>>, for_model: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: code.into(),
            for_model: for_model.into(),
            detail: None,
            found: None,
            approvers: 0,
        }
    }

    /// States how many people must approve what this reason escalates.
    #[must_use]
    pub fn with_approvers(mut self, approvers: u8) -> Self {
        self.approvers = approvers;
        self
    }

    /// How many people must approve what this reason escalates: one, unless more are stated.
    #[must_use]
    pub fn approvers(&self) -> u8 {
        self.approvers.max(1)
    }

    /// Adds what only the operator should read.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says where it was found.
    #[cfg(feature = "screen")]
    pub(crate) fn found_in(mut self, found: Found) -> Self {
        self.found = Some(Box::new(found));
        self
    }

    /// Where it was found, if the screen did.
    pub(crate) fn found(&self) -> Option<&Found> {
        self.found.as_deref()
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The sentence for the model.
    #[must_use]
    pub fn for_model(&self) -> &str {
        &self.for_model
    }

    /// The sentence for the operator; the model's, where there is no other.
    #[must_use]
    pub fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or(&self.for_model)
    }
}

/// What a governor said of a call.
///
/// # Examples
///
/// ```
/// use managed_agents::{Decision, Reason, Verdict};
/// let verdict = Verdict::deny(Reason::new("closed", "the shop is closed"));
/// assert_eq!(verdict.decision(), Decision::Deny);
/// ```
#[derive(Clone, Debug)]
pub struct Verdict {
    decision: Decision,
    /// What a bare decision lacks: most calls are simply allowed, and then a verdict is a few words.
    details: Option<Box<Details>>,
    /// What it was reached on, shared with the record.
    basis: Option<Arc<Basis>>,
}

#[derive(Clone, Debug, Default)]
struct Details {
    evaluation_id: Option<EvaluationId>,
    reasons: Vec<Reason>,
    agent: Option<Arc<str>>,
    digest: Option<Digest>,
    expires: Option<SystemTime>,
    scores: Option<Stated>,
}

/// Scores that a governor states.
#[derive(Clone, Debug)]
struct Stated {
    ucs: f64,
    tier: u8,
    dimensions: BTreeMap<String, f64>,
}

impl Stated {
    fn of(scores: &Scores) -> Self {
        let dimensions = scores.dimensions();
        Self {
            ucs: scores.ucs(),
            tier: scores.tier(),
            dimensions: dimensions
                .map(|(name, score)| (name.to_owned(), f64::from(score) / 1e6))
                .collect(),
        }
    }
}

impl Verdict {
    /// The body may run.
    #[must_use]
    pub fn allow() -> Self {
        Self::new(Decision::Allow)
    }

    /// The body may not run.
    #[must_use]
    pub fn deny(reason: Reason) -> Self {
        Self::new(Decision::Deny).with_reason(reason)
    }

    /// A person must decide.
    #[must_use]
    pub fn escalate(reason: Reason) -> Self {
        Self::new(Decision::Escalate).with_reason(reason)
    }

    /// A verdict with no reason yet.
    #[must_use]
    pub fn new(decision: Decision) -> Self {
        Self {
            decision,
            details: None,
            basis: None,
        }
    }

    /// Adds a reason.
    #[must_use]
    pub fn with_reason(mut self, reason: Reason) -> Self {
        self.details().reasons.push(reason);
        self
    }

    /// States the id that the governor gave this evaluation; else the harness gives one.
    #[must_use]
    pub fn with_evaluation_id(mut self, id: EvaluationId) -> Self {
        self.details().evaluation_id = Some(id);
        self
    }

    /// States for which agent the verdict holds; for any other it is a denial.
    #[must_use]
    pub fn for_agent(mut self, agent: impl Into<Arc<str>>) -> Self {
        self.details().agent = Some(agent.into());
        self
    }

    /// States for which call the verdict holds; for any other it is a denial.
    #[must_use]
    pub fn for_digest(mut self, digest: Digest) -> Self {
        self.details().digest = Some(digest);
        self
    }

    /// States until when the verdict holds; after it, it is a denial.
    #[must_use]
    pub fn until(mut self, expires: SystemTime) -> Self {
        self.details().expires = Some(expires);
        self
    }

    /// States the unified confidence score (0 to 1), the tier that decided, and the dimensions' scores (0 to 1).
    #[must_use]
    pub fn with_scores(mut self, ucs: f64, tier: u8, dimensions: BTreeMap<String, f64>) -> Self {
        self.details().scores = Some(Stated { ucs, tier, dimensions });
        self
    }

    /// The body may run, for what the verdict was reached on.
    pub(crate) fn allow_on(basis: Option<Arc<Basis>>) -> Self {
        Self { basis, ..Self::allow() }
    }

    /// States what the verdict was reached on.
    #[cfg(feature = "engine")]
    pub(crate) fn with_basis(mut self, basis: Arc<Basis>) -> Self {
        self.basis = Some(basis);
        self
    }

    /// What the verdict was reached on, where the governor says.
    pub(crate) fn basis(&self) -> Option<&Arc<Basis>> {
        self.basis.as_ref()
    }

    /// Whether the scores are no part of what it was reached on.
    pub(crate) fn states_scores(&self) -> bool {
        self.stated().is_some()
    }

    /// The scores that the governor states itself.
    fn stated(&self) -> Option<&Stated> {
        self.details.as_ref()?.scores.as_ref()
    }

    /// How many people must approve this escalation: the most that any of its reasons asks for.
    #[must_use]
    pub fn approvers(&self) -> u8 {
        self.reasons().iter().map(Reason::approvers).max().unwrap_or(1)
    }

    /// Allow, escalate or deny.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// Whether it is a decision and nothing else but what it was reached on.
    pub(crate) fn is_bare(&self) -> bool {
        self.details.is_none()
    }

    /// Whether it allows, with nothing that would have to be checked.
    pub(crate) fn is_bare_allow(&self) -> bool {
        self.decision == Decision::Allow && self.is_bare()
    }

    /// Names the evaluation; always there in what a harness hands out.
    #[must_use]
    pub fn evaluation_id(&self) -> Option<&EvaluationId> {
        self.details.as_ref()?.evaluation_id.as_ref()
    }

    /// Why, the deciding reason first.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        self.details.as_ref().map_or(&[], |details| details.reasons.as_slice())
    }

    /// The agent that the governor judged, where it says.
    #[must_use]
    pub fn agent(&self) -> Option<&str> {
        self.details.as_ref()?.agent.as_deref()
    }

    /// The call that the governor judged, where it says.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.details.as_ref()?.digest
    }

    /// Until when the verdict holds, where the governor says.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        self.details.as_ref()?.expires
    }

    /// The unified confidence score, 0 to 1, where the governor gives one.
    #[must_use]
    pub fn ucs(&self) -> Option<f64> {
        let stated = self.stated().map(|stated| stated.ucs);
        stated.or_else(|| Some(self.basis.as_ref()?.scores.as_ref()?.ucs()))
    }

    /// The tier that decided (1 gate, 2 score, 3 deliberation), where the governor gives one.
    #[must_use]
    pub fn tier(&self) -> Option<u8> {
        let stated = self.stated().map(|stated| stated.tier);
        stated.or_else(|| Some(self.basis.as_ref()?.scores.as_ref()?.tier()))
    }

    /// Name and score (0 to 1) of each assessed dimension; empty where the governor gives none.
    pub fn dimensions(&self) -> impl Iterator<Item = (&str, f64)> + '_ {
        let stated = self.stated();
        let assessed = self.basis.as_ref().filter(|_| stated.is_none());
        let assessed = assessed.and_then(|basis| basis.scores.as_ref());
        let stated = stated
            .into_iter()
            .flat_map(|stated| stated.dimensions.iter().map(|(name, score)| (name.as_str(), *score)));
        let assessed = assessed
            .into_iter()
            .flat_map(|scores| scores.dimensions().map(|(name, score)| (name, f64::from(score) / 1e6)));
        stated.chain(assessed)
    }

    /// The more restrictive of two verdicts: its decision, with the reasons of both, its own first (law 5).
    #[must_use]
    pub fn restricted_by(self, other: Self) -> Self {
        let (mut first, mut second) = if other.decision > self.decision {
            (other, self)
        } else {
            (self, other)
        };
        let is_scored = first.ucs().is_some();
        match (first.basis.is_some(), second.basis.take()) {
            (false, basis) => first.basis = basis,
            (true, Some(basis)) if !is_scored && second.stated().is_none() => {
                first.details().scores = basis.scores.as_ref().map(Stated::of);
            }
            (true, _) => {}
        }
        let Some(second) = second.details else {
            return first;
        };
        let details = first.details();
        details.reasons.extend(second.reasons);
        details.evaluation_id = details.evaluation_id.take().or(second.evaluation_id);
        details.agent = details.agent.take().or(second.agent);
        details.digest = details.digest.or(second.digest);
        if !is_scored {
            details.scores = details.scores.take().or(second.scores);
        }
        details.expires = match (details.expires, second.expires) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        first
    }

    fn details(&mut self) -> &mut Details {
        self.details.get_or_insert_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_word_but_allow_and_escalate_is_a_denial() {
        for word in ["DENY", "MODIFY", "SUSPEND", "allow", "", "ALLOW "] {
            assert_eq!(Decision::from_wire(word), Decision::Deny, "{word}");
        }
    }

    #[test]
    fn the_more_restrictive_verdict_wins_whatever_the_order() {
        let all = [Decision::Allow, Decision::Escalate, Decision::Deny];
        for a in all {
            for b in all {
                let both = Verdict::new(a).restricted_by(Verdict::new(b));
                assert_eq!(both.decision(), a.max(b));
            }
        }
    }

    #[cfg(feature = "engine")]
    #[test]
    fn the_scores_of_the_stricter_verdict_count_wherever_they_stand() {
        let stated = |decision, ucs| Verdict::new(decision).with_scores(ucs, 2, BTreeMap::new());
        let assessed = |decision, ucs: Option<f64>| {
            let names: Arc<[Arc<str>]> = Arc::new(["care".into()]);
            let scores = ucs.map(|ucs| {
                let mut scores = Scores::new(ucs, 3, &names);
                scores.set(0, ucs);
                scores
            });
            let inputs: Box<str> = "{}".into();
            Verdict::new(decision).with_basis(Arc::new(Basis {
                rules: Digest::ZERO,
                policies: Vec::new(),
                scores,
                inputs,
            }))
        };
        let (allow, deny) = (Decision::Allow, Decision::Deny);
        for (one, other, expected) in [
            (Verdict::new(deny), assessed(allow, Some(0.5)), Some(0.5)),
            (assessed(deny, Some(0.25)), assessed(allow, Some(0.5)), Some(0.25)),
            (assessed(deny, None), assessed(allow, Some(0.5)), Some(0.5)),
            (assessed(deny, Some(0.25)), stated(allow, 0.5), Some(0.25)),
            (stated(deny, 0.25), assessed(allow, Some(0.5)), Some(0.25)),
            (assessed(deny, None), stated(allow, 0.5), Some(0.5)),
            (assessed(deny, None), assessed(allow, None), None),
        ] {
            for both in [one.clone().restricted_by(other.clone()), other.restricted_by(one)] {
                assert_eq!((both.decision(), both.ucs()), (deny, expected));
                let named: Vec<_> = both.dimensions().collect();
                assert!(named.is_empty() || named == [("care", expected.unwrap())], "{named:?}");
            }
        }
    }
}
