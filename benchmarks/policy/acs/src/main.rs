//! Decisions by Cedar policies, as Microsoft's Agent Control Specification makes them: its runtime, with its own Cedar
//! dispatcher. That one gives policies an empty context, so each policy asks first whether there are arguments to read; and
//! it makes the tool the resource.

#[path = "../../../../managed-agents/benches/policy_set/mod.rs"]
mod policy_set;

use std::sync::Arc;

use agent_control_specification::{
    AnnotatorDispatcher, AnnotatorInvocation, CedarBuiltinDispatcher, Decision, EnforcementMode, InterventionPoint,
    InterventionPointRequest, InterventionPointResult, Manifest, Runtime, RuntimeError,
};
use policy_set::{Dialect, FORBIDDEN, Timed, input, text, tools};
use serde_json::{Value, json};

/// No point asks for annotations.
struct None;

impl AnnotatorDispatcher for None {
    fn dispatch(&self, name: &str, _: &AnnotatorInvocation, _: &Value) -> Result<Value, RuntimeError> {
        Err(RuntimeError::AnnotationFailed(name.to_owned()))
    }
}

fn main() {
    let dialect = Dialect {
        scope: |tool| format!("action == Action::\"pre_tool_call\", resource == Tool::\"tool_{tool}\""),
        guard: "context has input && ",
    };
    for count in [100, 1_000] {
        let runtime = runtime(&text(count, &dialect, ""), tools(count));
        let calls: Vec<_> = (0..tools(count)).map(|tool| call(tool, input(tool))).collect();
        for call in &calls {
            let decided = decide(&runtime, call);
            assert_eq!(decided.verdict.decision, Decision::Allow, "{:?}", decided.verdict);
        }
        let timed = Timed::of(200_000 / count, 1, |number| decide(&runtime, &calls[number % calls.len()]));
        timed.print(&count.to_string());
        let forbidden = call(0, json!({ "amount": FORBIDDEN, "to": "DE02120300000000202051" }));
        println!("denies\t{}", decide(&runtime, &forbidden).verdict.decision == Decision::Deny);
    }
}

fn runtime(policies: &str, tools: usize) -> Runtime {
    let tools: serde_json::Map<String, Value> = (0..tools)
        .map(|tool| format!("tool_{tool}"))
        .map(|tool| (tool.clone(), json!({ "type": "Tool", "id": tool })))
        .collect();
    // JSON is YAML
    let manifest = json!({
        "agent_control_specification_version": "0.3.1-beta",
        "policies": { "bench": { "type": "cedar", "policy_set": policies } },
        "intervention_points": { "pre_tool_call": {
            "policy_target": "$snap.tool_call.args", "policy_target_kind": "tool_args",
            "tool_name_from": "$snap.tool_call.name", "policy": { "id": "bench" },
        } },
        "tools": tools,
    });
    let manifest = Manifest::from_yaml_str(&manifest.to_string()).unwrap();
    Runtime::new(manifest, Arc::new(None), Arc::new(CedarBuiltinDispatcher::new())).unwrap()
}

fn decide(runtime: &Runtime, snapshot: &Value) -> InterventionPointResult {
    runtime.evaluate_intervention_point(InterventionPointRequest {
        intervention_point: InterventionPoint::PreToolCall,
        snapshot: snapshot.clone(),
        mode: EnforcementMode::Enforce,
    })
}

fn call(tool: usize, input: Value) -> Value {
    json!({
        "envelope": {
            "agent": { "id": "bench", "version": "1.0", "name": "bench" },
            "session": { "id": "s", "started_at": "2026-01-01T00:00:00Z" },
            "intervention_point": "pre_tool_call", "timestamp": "2026-01-01T00:00:01Z",
            "budgets": { "tool_call_count": 0, "token_count": 0, "elapsed_seconds": 0.0, "cost_usd": 0.0 },
        },
        "tool_call": { "name": format!("tool_{tool}"), "args": input, "id": "call-1" },
    })
}
