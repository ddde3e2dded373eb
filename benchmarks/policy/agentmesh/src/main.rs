//! Decisions by Cedar policies of the crate `agentmesh`.

#[path = "../../src/set.rs"]
mod set;

use std::collections::HashMap;

use agentmesh::governance_support::CedarEvaluator;
use serde_json::json;

fn main() {
    for count in [100, 1_000] {
        let (text, tools) = set::policies(count);
        let evaluator = CedarEvaluator::new(&text);
        let inputs: Vec<HashMap<String, serde_json::Value>> = (0..tools)
            .map(|tool| {
                let context = json!({
                    "input": set::input(tool),
                    "tool": { "risk_level": 1 },
                    "agent": { "id": "bench" },
                });
                HashMap::from([
                    ("principal".to_owned(), json!("Agent::\"bench\"")),
                    ("action".to_owned(), json!(format!("Action::\"tool_{tool}\""))),
                    ("resource".to_owned(), json!("Target::\"x\"")),
                    ("context".to_owned(), context),
                ])
            })
            .collect();
        set::median(&format!("agentmesh\t{count}"), tools, 5_000, |tool| evaluator.evaluate(&inputs[tool]).allow);
    }
}
