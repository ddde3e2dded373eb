//! What the embedded engine takes to decide, without screen and store: with no policy, and with 100 and 1 000 Cedar policies,
//! ten for each tool and four for all; with policies that read the history; whether it stays so after a million decisions; and
//! how long a set takes to be read again. Beside it the floor in the same run: SHA-256 of 4 KB, in turns.
//!
//! Whether age slows decisions is measured against a young copy of this very program on the same core (`beside`).
//!
//! Prints lines for `benchmarks/run policy`, which asks peers in the same run.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that fails should stop"
)]

mod beside;
mod policy_set;

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use beside::Beside;
use managed_agents::policy::{Policies, PoliciesBuilder};
use managed_agents::{
    Answer, Decision, Engine, Governor, GovernorError, Harness, Judgement, Outcome, Risk, ToolCall, ToolMeta, Verdict,
};
use policy_set::{Dialect, FORBIDDEN, Timed, input, text, tools};
use serde_json::{Value, json};

/// How many decisions are timed one by one.
const TIMED: usize = 50_000;
/// How many lie between the first time and the last.
const MANY: usize = 1_000_000;
/// A condition that reads the history.
const WINDOW: &str = "&& context.history.calls_1h <= 100000000";

/// What is measured, by name. The last is more than a decision: a call by name, whose decision and outcome are recorded and counted
/// in memory, so that the history that policies read goes on.
const NAMES: [&str; 5] = [
    "0",
    "100",
    "1000",
    "100, reading the history",
    "100, reading the history, called and recorded",
];

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

fn harness(tools: usize, governor: impl Governor) -> Harness {
    let builder = Harness::builder().in_memory().agent_id("bench").governor(governor);
    let declared = (0..tools).fold(builder, |builder, tool| {
        builder.declare(ToolMeta::new(format!("tool_{tool}")).with_risk(Risk::Low))
    });
    declared.build_blocking().unwrap()
}

fn calls(tools: usize, input: impl Fn(usize) -> Value) -> Vec<Arc<ToolCall>> {
    let kept = Kept::default();
    let harness = harness(tools, kept.clone());
    for number in 0..tools {
        let permit = harness.govern_blocking(&format!("tool_{number}"), input(number));
        permit.unwrap().finish(Outcome::Ok);
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

fn engine(policies: usize, window: &str) -> Engine {
    Engine::new().policies(&builder(policies, window).load().unwrap())
}

fn decide(engine: &Engine, call: &Arc<ToolCall>) -> Judgement {
    engine.decide(black_box(call)).now().ok().unwrap().unwrap()
}

/// What is measured: the nth decision, which is kept while it is timed.
type Subject = Box<dyn FnMut(usize) -> Option<Judgement>>;

fn subject(name: &str) -> Subject {
    let (engine, count) = match name {
        "0" => (Engine::new(), 100),
        "100" => (engine(100, ""), 100),
        "1000" => (engine(1_000, ""), 1_000),
        _ => (engine(100, WINDOW), 100),
    };
    let tools = tools(count);
    if name == NAMES[4] {
        let harness = harness(tools, engine);
        let names: Vec<_> = (0..tools).map(|tool| format!("tool_{tool}")).collect();
        return Box::new(move |number| {
            let tool = number % tools;
            let permit = harness.govern_blocking(&names[tool], input(tool)).unwrap();
            permit.finish(Outcome::Ok);
            None
        });
    }
    let calls = calls(tools, input);
    Box::new(move |number| Some(decide(&engine, &calls[number % calls.len()])))
}

/// The subject once it is warm, and once over every tool.
fn warm(name: &str) -> Subject {
    let mut subject = subject(name);
    for number in 0..TIMED {
        let judged = subject(number);
        assert!(judged.is_none_or(|judged| judged.verdict().decision() == Decision::Allow));
    }
    subject
}

fn measure(name: &str) {
    let mut subject = warm(name);
    if name != NAMES[4] {
        Timed::of(TIMED, 100, &mut subject).print(name);
    }
    let mut young = Beside::start(name);
    let before = young.turns(&mut subject);
    for number in 0..MANY {
        black_box(subject(number));
    }
    let after = young.turns(&mut subject);
    println!(
        "flat\t{name}\t{before}\t{after}\t{}",
        after.ratio() / before.ratio() - 1.0
    );
}

fn main() {
    if let Some(name) = beside::asked() {
        return beside::answer(&mut *warm(&name));
    }
    beside::stay_on_one_core();
    NAMES.into_iter().for_each(measure);
    for count in [100, 1_000] {
        let forbidden = calls(1, |_| json!({ "amount": FORBIDDEN, "to": "DE02120300000000202051" }));
        let judged = decide(&engine(count, ""), &forbidden[0]);
        assert_eq!(judged.verdict().decision(), Decision::Deny);
    }

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
