//! What a policy is judged on beside the arguments: small, so that it fits into the record, and enough to judge again.

use std::collections::BTreeMap;

use cedar_policy::RestrictedExpression;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::kind::{Field, Kind, optional};
use super::walk::Reads;
use crate::call::{Origin, Reversibility, Risk, ToolMeta};
use crate::limit::WINDOWS;

/// What is known of an agent's behaviour, where something measures it. Scores are from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Signals {
    /// The trust that the agent has earned.
    pub trust: Option<f64>,
    /// The lower end of the interval of trust.
    pub trust_lower: Option<f64>,
    /// The unified confidence score of this call.
    pub ucs: Option<f64>,
    /// Whether the agent's behaviour has drifted.
    pub drifted: Option<bool>,
    /// The archetype in the agent's certificate.
    pub archetype: Option<String>,
    /// The zone in the agent's certificate.
    pub zone: Option<String>,
}

/// Whatever knows of an agent's behaviour: asked for each call whose policies read it. Must not block.
pub trait SignalSource: Send + Sync + 'static {
    /// What is known of the agent that makes this call.
    fn signals(&self, call: &crate::call::ToolCall) -> Signals;
}

/// The facts of one judgement, as they stand in the record. What no policy of the tool reads is left out.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Facts {
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) history: BTreeMap<String, i64>,
    /// In ten-thousandths, rounded down, as are the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trust: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trust_lower: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ucs: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) drifted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) archetype: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) zone: Option<String>,
}

impl Facts {
    #[cfg(feature = "cli")]
    pub(super) fn complete(&mut self, input: &BTreeMap<String, Field>, target: impl FnOnce() -> String) {
        self.at.get_or_insert(1_767_225_600);
        self.target.get_or_insert_with(target);
        for name in history_names(input) {
            self.history.entry(name).or_insert(0);
        }
    }

    pub(super) fn take_signals(&mut self, signals: Signals) {
        self.trust = signals.trust.map(ten_thousandths);
        self.trust_lower = signals.trust_lower.map(ten_thousandths);
        self.ucs = signals.ucs.map(ten_thousandths);
        self.drifted = signals.drifted;
        self.archetype = signals.archetype;
        self.zone = signals.zone;
    }
}

/// Rounded down: less trust never permits more. What is no number is none.
fn ten_thousandths(score: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0 to 10 000; NaN becomes 0"
    )]
    let score = (score.clamp(0.0, 1.0) * 10_000.0).floor() as u32;
    score
}

/// The names of a tool's history, beside the sums of its whole-number arguments.
pub(super) fn history_names(input: &BTreeMap<String, Field>) -> impl Iterator<Item = String> + '_ {
    let counts = WINDOWS
        .iter()
        .flat_map(|(window, _)| [format!("calls_{window}"), format!("agent_calls_{window}")]);
    let sums = input
        .iter()
        .filter(|(name, field)| field.kind == Kind::Long && !matches!(name.as_str(), "calls" | "agent_calls"))
        .flat_map(|(name, _)| WINDOWS.iter().map(move |(window, _)| format!("{name}_{window}")));
    counts.chain(["session_calls".to_owned()]).chain(sums)
}

/// The context of one tool in Cedar's JSON form of schemas.
pub(super) fn schema(input: &BTreeMap<String, Field>) -> Value {
    let text = || json!({"type": "String"});
    let long = || json!({"type": "Long"});
    let truth = || json!({"type": "Boolean"});
    let decimal = || json!({"type": "Extension", "name": "decimal"});
    let record = |fields: Vec<(&str, Value)>| {
        let fields: Map<String, Value> = fields
            .into_iter()
            .map(|(name, kind)| (name.to_owned(), optional(kind, true)))
            .collect();
        json!({"type": "Record", "attributes": fields})
    };
    let history: Map<String, Value> = history_names(input)
        .map(|name| (name, optional(long(), true)))
        .collect();
    let mut trust = Map::new();
    trust.insert("score".to_owned(), optional(decimal(), true));
    trust.insert("lower".to_owned(), optional(decimal(), false));
    let fields = [
        ("input", super::kind::cedar_record(input), true),
        ("input_lossy", truth(), true),
        (
            "tool",
            record(vec![
                ("name", text()),
                ("risk", text()),
                ("risk_level", long()),
                ("reversibility", text()),
                ("read_only", truth()),
                ("declared", truth()),
            ]),
            true,
        ),
        ("agent", record(vec![("id", text())]), true),
        ("archetype", text(), false),
        ("zone", text(), false),
        ("session", text(), false),
        ("target", text(), true),
        (
            "now",
            record(vec![("unix", long()), ("hour", long()), ("weekday", long())]),
            true,
        ),
        ("history", json!({"type": "Record", "attributes": history}), true),
        ("trust", json!({"type": "Record", "attributes": trust}), false),
        ("ucs", decimal(), false),
        ("drifted", truth(), false),
    ];
    let fields: Map<String, Value> = fields
        .into_iter()
        .map(|(name, kind, required)| (name.to_owned(), optional(kind, required)))
        .collect();
    json!({"type": "Record", "attributes": fields})
}

/// The context but for the arguments.
pub(super) fn context(
    facts: &Facts,
    reads: &Reads,
    agent: &str,
    tool: &ToolMeta,
    origin: Origin,
    out: &mut Vec<(String, RestrictedExpression)>,
) {
    let long = RestrictedExpression::new_long;
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let truth = RestrictedExpression::new_bool;
    let mut put = |name: &str, value: Option<RestrictedExpression>| {
        if let Some(value) = value.filter(|_| reads.reads(name)) {
            out.push((name.to_owned(), value));
        }
    };
    if reads.reads("tool") {
        put(
            "tool",
            record([
                ("name", text(tool.name())),
                ("risk", text(risk(tool.risk()).0)),
                ("risk_level", long(risk(tool.risk()).1)),
                ("reversibility", text(reversibility(tool.reversibility()))),
                ("read_only", truth(tool.is_read_only())),
                ("declared", truth(tool.is_declared() && origin != Origin::Unknown)),
            ]),
        );
    }
    if reads.reads("agent") {
        put("agent", record([("id", text(agent))]));
    }
    put("archetype", facts.archetype.as_deref().map(text));
    put("zone", facts.zone.as_deref().map(text));
    put("session", facts.session.as_deref().map(text));
    put("target", facts.target.as_deref().map(text));
    if let Some(at) = facts.at {
        // 1970-01-01 was a Thursday; Monday is 1
        let weekday = (at.div_euclid(86_400) + 3).rem_euclid(7) + 1;
        let hour = at.rem_euclid(86_400) / 3_600;
        put(
            "now",
            record([("unix", long(at)), ("hour", long(hour)), ("weekday", long(weekday))]),
        );
    }
    if reads.reads("history") {
        let counts = facts.history.iter().map(|(name, count)| (name.clone(), long(*count)));
        put("history", RestrictedExpression::new_record(counts).ok());
    }
    if let Some(score) = facts.trust {
        let lower = facts.trust_lower.map(|lower| ("lower", decimal(lower)));
        put("trust", record([("score", decimal(score))].into_iter().chain(lower)));
    }
    put("ucs", facts.ucs.map(decimal));
    put("drifted", facts.drifted.map(truth));
}

fn record(fields: impl IntoIterator<Item = (&'static str, RestrictedExpression)>) -> Option<RestrictedExpression> {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
    RestrictedExpression::new_record(fields).ok()
}

fn decimal(ten_thousandths: u32) -> RestrictedExpression {
    RestrictedExpression::new_decimal(format!("{}.{:04}", ten_thousandths / 10_000, ten_thousandths % 10_000))
}

fn risk(risk: Risk) -> (&'static str, i64) {
    match risk {
        Risk::Low => ("low", 1),
        Risk::Medium => ("medium", 2),
        Risk::High => ("high", 3),
        Risk::Critical => ("critical", 4),
    }
}

fn reversibility(reversibility: Reversibility) -> &'static str {
    match reversibility {
        Reversibility::Unknown => "unknown",
        Reversibility::Reversible => "reversible",
        Reversibility::Irreversible => "irreversible",
        Reversibility::Compensable => "compensable",
    }
}
