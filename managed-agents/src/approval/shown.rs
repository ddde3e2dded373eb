//! What people are shown of a waiting call: kept encrypted beside the record, under the data subject's key.

use serde::{Deserialize, Serialize};

use crate::call::{Reversibility, Risk, ToolCall};
use crate::verdict::Reason;

/// A waiting call as people see it. Its texts are an attacker's until somebody has looked: print them through
/// [`Escaped`](crate::Escaped).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ShownCall {
    /// What the tool does.
    pub description: String,
    /// The arguments as one JSON object, redacted ones replaced by `[redacted]`.
    pub arguments: String,
    /// Whether something in them is redacted.
    pub redacted: bool,
    /// What the call is aimed at, where the tool says so; redacted where it must be.
    pub target: Option<String>,
    /// `low`, `medium`, `high` or `critical`.
    pub risk: String,
    /// `reversible`, `irreversible` or `unknown`.
    pub reversibility: String,
    /// Whether the tool says that it only reads.
    pub read_only: bool,
    /// Whether the call may be approved with other arguments.
    pub editable: bool,
    /// Parameters whose values nobody judged.
    pub not_judged: Vec<String>,
    /// Why it was escalated.
    pub reasons: Vec<ShownReason>,
}

/// Why a call was escalated, as people see it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ShownReason {
    /// The stable code.
    pub code: String,
    /// The sentence for the operator.
    pub detail: String,
    /// How many people it asks for.
    pub approvers: u8,
}

impl ShownCall {
    pub(crate) fn of(call: &ToolCall, reasons: &[Reason]) -> Self {
        let meta = call.meta();
        Self {
            description: meta.description().to_owned(),
            arguments: call.arguments(),
            redacted: call.has_redactions(),
            target: call.declared_target().map(String::from),
            risk: match meta.risk() {
                Risk::Low => "low",
                Risk::Medium => "medium",
                Risk::High => "high",
                Risk::Critical => "critical",
            }
            .to_owned(),
            reversibility: match meta.reversibility() {
                Reversibility::Reversible => "reversible",
                Reversibility::Irreversible => "irreversible",
                _ => "unknown",
            }
            .to_owned(),
            read_only: meta.is_read_only(),
            editable: call.is_editable(),
            not_judged: meta.not_judged().map(str::to_owned).collect(),
            reasons: reasons.iter().map(ShownReason::of).collect(),
        }
    }
}

impl ShownReason {
    fn of(reason: &Reason) -> Self {
        Self {
            code: reason.code().to_owned(),
            detail: reason.detail().to_owned(),
            approvers: reason.approvers(),
        }
    }
}
