//! What the embedded engine takes to decide, without screen and store: with no policy, and with 100 and 1 000 Cedar policies,
//! ten for each tool and four for all; with policies that read the history; whether it stays so after a million decisions; and
//! how long a set takes to be read again. Beside it the floor in the same run: SHA-256 of 4 KB, in turns.
//!
//! Prints lines for `benchmarks/run policy`, which asks peers in the same run.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that fails should stop"
)]

mod policy_set;

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use managed_agents::policy::{Policies, PoliciesBuilder};
use managed_agents::{
    Answer, Decision, Engine, Governor, GovernorError, Harness, Judgement, Risk, ToolCall, ToolMeta, Verdict,
};
use policy_set::{Dialect, FORBIDDEN, Timed, input, text, tools};
use serde_json::{Value, json};

/// How many decisions are timed one by one.
const TIMED: usize = 50_000;
/// How many lie between the first time and the last.
const MANY: usize = 1_000_000;

/// Keeps the calls that it is asked about.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Arc<ToolCall>>>>);

impl Governor for Kept {
    fn name(&self) -> &'static str {
        "kept"
    }

    fn decide(&self, call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
        self.0.lock().unwrap().push(Arc::clone(call));
        Answer::ready(Ok(Verdict::allow().into()))
    }
}

fn calls(tools: usize, input: impl Fn(usize) -> Value) -> Vec<Arc<ToolCall>> {
    let kept = Kept::default();
    let builder = Harness::builder().in_memory().agent_id("bench").governor(kept.clone());
    let declared = (0..tools).fold(builder, |builder, tool| {
        builder.declare(ToolMeta::new(format!("tool_{tool}")).with_risk(Risk::Low))
    });
    let harness = declared.build_blocking().unwrap();
    for number in 0..tools {
        let permit = harness.govern_blocking(&format!("tool_{number}"), input(number));
        permit.unwrap().finish(managed_agents::Outcome::Ok);
    }
    let mut kept = kept.0.lock().unwrap();
    std::mem::take(&mut *kept)
}

fn builder(policies: usize, window: &str) -> PoliciesBuilder {
    let schema = json!({
        "type": "object", "required": ["amount", "to"],
        "properties": { "amount": {"type": "integer"}, "to": {"type": "string"}, "memo": {"type": "string"} },
    });
    let dialect = Dialect {
        scope: |tool| format!("action == Action::\"tool_{tool}\", resource"),
        guard: "",
    };
    let builder = (0..tools(policies)).fold(Policies::builder(), |builder, tool| {
        builder.tool(format!("tool_{tool}"), &schema)
    });
    builder.text("bench.cedar", text(policies, &dialect, window))
}

fn decide(engine: &Engine, call: &Arc<ToolCall>) -> Judgement {
    engine.decide(black_box(call)).now().ok().unwrap().unwrap()
}

fn measure(name: &str, engine: &Engine, calls: &[Arc<ToolCall>]) {
    // warm, and once over every tool
    for number in 0..TIMED {
        let judged = decide(engine, &calls[number % calls.len()]);
        assert_eq!(judged.verdict().decision(), Decision::Allow);
    }
    let timed = || Timed::of(TIMED, 100, |number| decide(engine, &calls[number % calls.len()]));
    let before = timed();
    before.print(name);
    for number in 0..MANY {
        black_box(decide(engine, &calls[number % calls.len()]));
    }
    println!("flat\t{name}\t{}\t{}", before.ratio(), timed().ratio());
}

fn main() {
    measure("0", &Engine::new(), &calls(10, input));
    for count in [100, 1_000] {
        let policies = builder(count, "").load().unwrap();
        let engine = Engine::new().policies(&policies);
        measure(&count.to_string(), &engine, &calls(tools(count), input));
        let forbidden = calls(1, |_| json!({ "amount": FORBIDDEN, "to": "DE02120300000000202051" }));
        assert_eq!(decide(&engine, &forbidden[0]).verdict().decision(), Decision::Deny);
    }
    let policies = builder(100, "&& context.history.calls_1h <= 100000000").load().unwrap();
    let engine = Engine::new().policies(&policies);
    measure("100, reading the history", &engine, &calls(tools(100), input));

    let policies = builder(1_000, "").load().unwrap();
    let mut times: Vec<_> = (0..5)
        .map(|_| {
            let begun = Instant::now();
            policies.reload().unwrap();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("reload\t{}\t{}", policies.len(), times[2].as_nanos());
}
