//! What a service answers, read strictly.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::call::AgentId;
use crate::governor::{GovernorError, GovernorErrorKind};
use crate::http::bounded;
use crate::verdict::{Decision, EvaluationId, Reason, Verdict};

/// The most characters of an evaluation's id.
const MAX_ID: usize = 128;

/// The most dimensions that are kept.
const MAX_DIMENSIONS: usize = 64;

/// An answer whose every field is of its type and in its range.
#[derive(Debug)]
pub(super) struct WireVerdict {
    word: String,
    allowed: Option<bool>,
    agent: String,
    evaluation: String,
    ucs: f64,
    tier: u8,
    reasoning: Option<String>,
    dimensions: BTreeMap<String, f64>,
}

/// Fields that must be there have no default; `null` stands for nothing where the wire says so, and is an error
/// elsewhere. A field given twice is an error.
#[derive(Deserialize)]
struct Wire {
    verdict: String,
    agent_id: String,
    evaluation_id: String,
    #[serde(default, deserialize_with = "present")]
    allowed: Option<bool>,
    #[serde(default)]
    ucs: f64,
    #[serde(default = "first_tier")]
    tier: u8,
    #[serde(default)]
    latency_ms: f64,
    #[serde(default)]
    reasoning: Option<String>,
    #[serde(default)]
    dimensions: Dimensions,
}

/// A list of objects from `/govern`, a map of name and score from `/governance/evaluate`.
#[derive(Default)]
struct Dimensions(BTreeMap<String, f64>);

pub(super) fn parse(json: &[u8]) -> Result<WireVerdict, GovernorError> {
    let wire: Wire = serde_json::from_slice(json).map_err(|error| match error.classify() {
        // a data error would repeat what was found
        serde_json::error::Category::Data => {
            invalid("the answer is not a verdict: a field is missing or of a wrong type")
        }
        _ => GovernorError::new(GovernorErrorKind::Malformed, "the answer is not JSON").with_code("answer_not_json"),
    })?;
    if !is_share(wire.ucs) || !wire.dimensions.0.values().copied().all(is_share) {
        return Err(invalid("the answer is not a verdict: a score is not between 0 and 1"));
    }
    if wire.latency_ms < 0.0 {
        return Err(invalid("the answer is not a verdict: its latency is negative"));
    }
    if !is_id(&wire.evaluation_id) {
        return Err(invalid("the answer is not a verdict: its evaluation id is none"));
    }
    Ok(WireVerdict {
        word: wire.verdict,
        allowed: wire.allowed,
        agent: wire.agent_id,
        evaluation: wire.evaluation_id,
        ucs: wire.ucs,
        tier: wire.tier,
        reasoning: wire.reasoning.filter(|text| !text.trim().is_empty()),
        dimensions: wire.dimensions.0,
    })
}

impl WireVerdict {
    /// Itself, if it is for this agent.
    pub(super) fn for_agent(self, agent: &AgentId) -> Result<Self, GovernorError> {
        if self.agent == agent.as_str() {
            return Ok(self);
        }
        Err(GovernorError::new(
            GovernorErrorKind::Mismatched,
            format!("the verdict is for agent `{}`", bounded(&self.agent)),
        ))
    }

    /// Itself, if it is of this evaluation.
    pub(super) fn of_evaluation(self, evaluation: &str) -> Result<Self, GovernorError> {
        if self.evaluation == evaluation {
            return Ok(self);
        }
        Err(GovernorError::new(
            GovernorErrorKind::Mismatched,
            format!("the verdict is of evaluation `{}`", bounded(&self.evaluation)),
        ))
    }

    /// What a harness makes of it: every unknown word, and an ALLOW that says it is none, is a denial.
    pub(super) fn into_verdict(self) -> Verdict {
        let text = self.reasoning.as_deref().map(bounded);
        let reason = |code: &'static str, otherwise: &'static str| match text.clone() {
            Some(text) => Reason::new(code, text),
            None => Reason::new(code, otherwise),
        };
        let verdict = match (Decision::from_wire(&self.word), self.allowed) {
            (Decision::Allow, Some(false)) => Verdict::deny(
                reason("allowed_false", "the governance service did not allow this call")
                    .with_detail("the service answered ALLOW and `allowed: false`"),
            ),
            (Decision::Allow, _) => match text {
                Some(text) => Verdict::allow().with_reason(Reason::new("allowed", text)),
                None => Verdict::allow(),
            },
            (Decision::Escalate, _) => Verdict::escalate(reason("escalated", "the governance service leaves it to a person")),
            (Decision::Deny, _) if self.word == "DENY" => {
                Verdict::deny(reason("denied", "the governance service denied this call"))
            }
            (Decision::Deny, _) => Verdict::deny(
                reason("unknown_verdict", "the governance service did not allow this call").with_detail(format!(
                    "the service answered with the unknown verdict `{}`",
                    bounded(&self.word)
                )),
            ),
        };
        verdict
            .for_agent(self.agent)
            .with_evaluation_id(EvaluationId::from(self.evaluation.as_str()))
            .with_scores(self.ucs, self.tier, self.dimensions)
    }
}

fn invalid(detail: &'static str) -> GovernorError {
    GovernorError::new(GovernorErrorKind::Malformed, detail).with_code("answer_not_a_verdict")
}

fn is_share(score: f64) -> bool {
    (0.0..=1.0).contains(&score)
}

/// Visible ASCII, and no step of a path.
fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && text.bytes().any(|byte| byte != b'.')
}

fn first_tier() -> u8 {
    1
}

/// Reads a field that may be missing and may not be `null`.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Dimensions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || serde::de::Error::custom("dimensions are a list of objects or a map of scores");
        let scores = match Value::deserialize(deserializer)? {
            Value::Object(map) => map
                .into_iter()
                .map(|(name, score)| Ok((name, score.as_f64().ok_or_else(wrong)?)))
                .collect::<Result<Vec<_>, D::Error>>()?,
            Value::Array(list) => list
                .into_iter()
                .filter_map(|entry| match entry {
                    Value::Object(entry) => named_score(&entry).map(|(name, score)| Ok((name.to_owned(), score))),
                    _ => Some(Err(wrong())),
                })
                .collect::<Result<_, D::Error>>()?,
            _ => return Err(wrong()),
        };
        let kept = scores.into_iter().take(MAX_DIMENSIONS);
        Ok(Self(kept.map(|(name, score)| (bounded(&name), score)).collect()))
    }
}

/// What an entry of the list says, where it says it in the usual way; the wire leaves its keys open.
fn named_score(entry: &serde_json::Map<String, Value>) -> Option<(&str, f64)> {
    let name = entry.get("name").or_else(|| entry.get("dimension"))?.as_str()?;
    Some((name, entry.get("score")?.as_f64()?))
}

#[cfg(test)]
mod tests;
