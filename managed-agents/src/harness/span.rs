//! The `tracing` span of a call, in the words of OpenTelemetry's semantic conventions for generative AI; never a value.

use tracing::field::Empty;

use crate::audit::Disposition;
use crate::call::ToolCall;
use crate::verdict::{EvaluationId, Verdict};

/// The span of a call, if anybody listens.
pub(super) fn of(call: &ToolCall) -> Option<Box<tracing::Span>> {
    let span = tracing::info_span!(
        target: "managed_agents",
        "execute_tool",
        otel.name = format_args!("execute_tool {}", call.tool()),
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = call.tool(),
        gen_ai.tool.r#type = "function",
        gen_ai.agent.id = call.agent().as_str(),
        gen_ai.conversation.id = call.session(),
        managed_agents.evaluation_id = Empty,
        managed_agents.decision = Empty,
        managed_agents.disposition = Empty,
        managed_agents.code = Empty,
        managed_agents.outcome = Empty,
        error.r#type = Empty,
    );
    (!span.is_disabled()).then(|| Box::new(span))
}

/// Says in the span what was decided.
pub(super) fn decided(span: &tracing::Span, verdict: &Verdict, disposition: Disposition, evaluation: &EvaluationId) {
    span.record("managed_agents.evaluation_id", tracing::field::display(evaluation));
    span.record("managed_agents.decision", verdict.decision().code());
    span.record("managed_agents.disposition", disposition.code());
    if let Some(reason) = verdict.reasons().first() {
        span.record("managed_agents.code", reason.code());
    }
    if !disposition.runs() {
        span.record("error.type", "governance_denied");
    }
}
