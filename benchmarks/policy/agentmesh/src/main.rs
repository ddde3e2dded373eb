//! Decisions by Cedar policies, as Microsoft's `agentmesh` makes them: its evaluator, with the set read beforehand.

#[path = "../../../../managed-agents/benches/policy_set/mod.rs"]
mod policy_set;

use std::collections::HashMap;

use agentmesh::CedarEvaluator;
use policy_set::{Dialect, FORBIDDEN, Timed, input, text, tools};
use serde_json::{Value, json};

fn main() {
    let dialect = Dialect {
        scope: |tool| format!("action == Action::\"tool_{tool}\", resource"),
        guard: "",
    };
    for count in [100, 1_000] {
        let evaluator = CedarEvaluator::new(&text(count, &dialect, ""));
        assert!(evaluator.diagnostics().is_empty(), "{:?}", evaluator.diagnostics());
        let calls: Vec<_> = (0..tools(count)).map(|tool| call(tool, input(tool))).collect();
        for call in &calls {
            let decided = evaluator.evaluate(call);
            assert!(decided.allow, "{decided:?}");
        }
        let timed = Timed::of(20_000_000 / (count * 100), 10, |number| evaluator.evaluate(&calls[number % calls.len()]));
        timed.print(&count.to_string());
        let forbidden = call(0, json!({ "amount": FORBIDDEN, "to": "DE02120300000000202051" }));
        println!("denies\t{}", !evaluator.evaluate(&forbidden).allow);
    }
}

fn call(tool: usize, input: Value) -> HashMap<String, Value> {
    HashMap::from([
        ("principal".to_owned(), json!("Agent::\"bench\"")),
        ("action".to_owned(), json!(format!("Action::\"tool_{tool}\""))),
        ("resource".to_owned(), json!(format!("Target::\"tool_{tool}\""))),
        ("context".to_owned(), json!({ "input": input })),
    ])
}
