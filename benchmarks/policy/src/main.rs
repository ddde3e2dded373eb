//! Decisions by Cedar policies: ours, and those of the crate `agent_control_specification` with its Cedar dispatcher.

mod set;

use std::sync::{Arc, Mutex};

use agent_control_specification_core::{CedarBuiltinDispatcher, CedarPolicyDispatcher as _, CedarPolicyInvocation};
use managed_agents::policy::Policies;
use managed_agents::{Answer, Decision, Engine, Governor, GovernorError, Harness, Judgement, Risk, ToolCall, ToolMeta, Verdict};
use serde_json::json;

/// Keeps the calls that it is asked about.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Arc<ToolCall>>>>);

impl Governor for Kept {
    fn name(&self) -> &'static str {
        "kept"
    }

    fn decide(&self, call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
        self.0.lock().expect("nobody panics").push(Arc::clone(call));
        Answer::ready(Ok(Verdict::allow().into()))
    }
}

fn calls(tools: usize) -> Vec<Arc<ToolCall>> {
    let kept = Kept::default();
    let builder = Harness::builder().in_memory().agent_id("bench").governor(kept.clone());
    let harness = (0..tools)
        .fold(builder, |builder, tool| builder.declare(ToolMeta::new(format!("tool_{tool}")).with_risk(Risk::Low)))
        .build_blocking()
        .expect("a harness");
    for tool in 0..tools {
        let permit = harness.govern_blocking(&format!("tool_{tool}"), set::input(tool)).expect("allowed");
        permit.finish(managed_agents::Outcome::Ok);
    }
    let kept = std::mem::take(&mut *kept.0.lock().expect("nobody panics"));
    kept
}

fn main() {
    for count in [100, 1_000] {
        let (text, tools) = set::policies(count);
        let schema = json!({
            "type": "object", "required": ["amount", "to"],
            "properties": { "amount": {"type": "integer"}, "to": {"type": "string"}, "memo": {"type": "string"} },
        });
        let builder = (0..tools).fold(Policies::builder(), |builder, tool| builder.tool(format!("tool_{tool}"), &schema));
        let policies = builder.text("set.cedar", text).load().expect("policies");
        let engine = Engine::new().policies(&policies);
        let calls = calls(tools);
        set::median(&format!("ours\t{count}"), tools, 20_000, |tool| {
            let judgement = engine.decide(&calls[tool]).now().ok().expect("at once").expect("a verdict");
            judgement.verdict().decision() == Decision::Allow
        });

        // its requests carry tool and agent, and the point in the agent's loop as the action: the same number of policies over those
        let mut theirs = String::new();
        for tool in 0..tools {
            let effect = if tool % 10 == 9 { "forbid" } else { "permit" };
            for _ in 0..10 {
                theirs.push_str(&format!("{effect}(principal == Agent::\"bench\", action, resource == Tool::\"tool_{tool}\");\n"));
            }
        }
        let dispatcher = CedarBuiltinDispatcher::new();
        let invocations: Vec<_> = (0..tools)
            .map(|tool| CedarPolicyInvocation {
                policy_set: Some(theirs.clone()),
                policy_path: None,
                entities_path: None,
                schema_path: None,
                query: None,
                input: json!({
                    "intervention_point": "pre_tool_call",
                    "tool": { "name": format!("tool_{tool}") },
                    "snapshot": { "envelope": { "agent": { "id": "bench" } }, "tool_call": { "args": set::input(tool) } },
                }),
                canonical_input: String::new(),
            })
            .collect();
        set::median(&format!("agent_control_specification\t{count}"), tools, 200, |tool| {
            let verdict = dispatcher.evaluate_cedar(&invocations[tool]).expect("a verdict");
            verdict["decision"] == "allow"
        });
    }
}
