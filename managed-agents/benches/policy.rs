//! What the embedded engine takes to decide, without screen and store: with no policy, and with 100 and 1 000 Cedar policies,
//! ten for each tool and four for all; with policies that read the history; whether it stays so after a million decisions; and
//! how long a set takes to be read again. Beside it the floor in the same run: SHA-256 of 4 KB, in turns.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that fails should stop"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use managed_agents::policy::{Policies, PoliciesBuilder};
use managed_agents::{Answer, Engine, Governor, GovernorError, Harness, Judgement, Risk, ToolCall, ToolMeta, Verdict};
use serde_json::json;
use sha2::{Digest as _, Sha256};

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

fn calls(tools: usize) -> Vec<Arc<ToolCall>> {
    let kept = Kept::default();
    let builder = Harness::builder().in_memory().agent_id("bench").governor(kept.clone());
    let declared = (0..tools).fold(builder, |builder, tool| {
        builder.declare(ToolMeta::new(format!("tool_{tool}")).with_risk(Risk::Low))
    });
    let harness = declared.build_blocking().unwrap();
    for number in 0..tools {
        let input = json!({ "amount": number % 900, "to": "DE02120300000000202051", "memo": "for the lamp" });
        let permit = harness.govern_blocking(&format!("tool_{number}"), input);
        permit.unwrap().finish(managed_agents::Outcome::Ok);
    }
    let mut kept = kept.0.lock().unwrap();
    std::mem::take(&mut *kept)
}

/// Ten policies for each tool, and four for all of them.
fn builder(policies: usize, history: bool) -> (PoliciesBuilder, usize) {
    let tools = policies / 10;
    let schema = json!({
        "type": "object", "required": ["amount", "to"],
        "properties": { "amount": {"type": "integer"}, "to": {"type": "string"}, "memo": {"type": "string"} },
    });
    let mut text = String::new();
    let window = if history {
        "&& context.history.calls_1h <= 100000000 "
    } else {
        ""
    };
    for tool in 0..tools {
        let action = format!("action == Action::\"tool_{tool}\"");
        writeln!(
            text,
            "permit(principal, {action}, resource) when {{ context.input.amount <= 1000 {window}}};"
        )
        .unwrap();
        for number in 1..8 {
            let amount = 10_000 + number;
            writeln!(
                text,
                "forbid(principal, {action}, resource) when {{ context.input.amount == {amount} }};"
            )
            .unwrap();
        }
        writeln!(
            text,
            "forbid(principal, {action}, resource) when {{ context.input.to like \"XX*\" }};"
        )
        .unwrap();
        writeln!(text, "@decision(\"escalate\") forbid(principal, {action}, resource) when {{ context.input has memo && context.input.memo like \"*urgent*\" }};").unwrap();
    }
    let builder = (0..tools).fold(Policies::builder(), |builder, tool| {
        builder.tool(format!("tool_{tool}"), &schema)
    });
    let all = "forbid(principal == Agent::\"a\", action, resource);\nforbid(principal == Agent::\"b\", action, resource);\n\
               forbid(principal, action, resource) when { context.tool.risk_level >= 4 };\n\
               forbid(principal, action, resource) when { context.agent.id == \"c\" };\n";
    (builder.text("all.cedar", all).text("tools.cedar", text), tools)
}

fn decide(engine: &Engine, call: &Arc<ToolCall>) -> Judgement {
    engine.decide(black_box(call)).now().ok().unwrap().unwrap()
}

/// Median and 99th percentile of decisions, and of the floor in between.
fn timed(engine: &Engine, calls: &[Arc<ToolCall>]) -> (Duration, Duration, Duration) {
    let bytes = vec![7_u8; 4_096];
    let mut times = Vec::with_capacity(TIMED);
    let mut floor = Vec::with_capacity(TIMED / 100);
    for number in 0..TIMED {
        let call = &calls[number % calls.len()];
        let begun = Instant::now();
        let judgement = decide(engine, call);
        times.push(begun.elapsed());
        drop(black_box(judgement));
        if number % 100 == 0 {
            let begun = Instant::now();
            black_box(Sha256::digest(black_box(&bytes)));
            floor.push(begun.elapsed());
        }
    }
    times.sort_unstable();
    floor.sort_unstable();
    (times[TIMED / 2], times[TIMED * 99 / 100], floor[floor.len() / 2])
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn measure(what: &str, engine: &Engine, calls: &[Arc<ToolCall>], budget: f64) {
    // warm, and once over every tool
    for number in 0..TIMED {
        black_box(decide(engine, &calls[number % calls.len()]));
    }
    let (median, p99, floor) = timed(engine, calls);
    println!(
        "{what}: median {:.2} µs (budget {budget} µs), p99 {:.2} µs = {:.1} of it (budget 4), {:.2} of SHA-256 of 4 KB",
        micros(median),
        micros(p99),
        micros(p99) / micros(median),
        micros(median) / micros(floor),
    );
    for number in 0..MANY {
        black_box(decide(engine, &calls[number % calls.len()]));
    }
    let (after, _, floor_after) = timed(engine, calls);
    let (before, after) = (micros(median) / micros(floor), micros(after) / micros(floor_after));
    println!(
        "{what}, after {MANY} decisions: {after:.2} of SHA-256 of 4 KB, {:+.0} % (budget ±15 %)",
        (after / before - 1.0) * 100.0
    );
}

fn main() {
    measure("no policy", &Engine::new(), &calls(10), 3.0);
    for count in [100, 1_000] {
        let (builder, tools) = builder(count, false);
        let policies = builder.load().unwrap();
        let engine = Engine::new().policies(&policies);
        measure(&format!("{count} policies"), &engine, &calls(tools), 15.0);
    }
    let (with_history, tools) = builder(100, true);
    let policies = with_history.load().unwrap();
    let engine = Engine::new().policies(&policies);
    measure("100 policies that read the history", &engine, &calls(tools), 15.0);

    let (set, _) = builder(1_000, false);
    let policies = set.load().unwrap();
    let mut times: Vec<_> = (0..5)
        .map(|_| {
            let begun = Instant::now();
            policies.reload().unwrap();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!(
        "{} policies read again: median {:.0} ms (budget 1000 ms)",
        policies.len(),
        micros(times[2]) / 1e3
    );
}
