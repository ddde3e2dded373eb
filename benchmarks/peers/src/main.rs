//! A decision in process: ours beside a peer's, in turns in one run, on one thread. Prints a table as Markdown.
//!
//! Each judges one allowed call and records it. What they do for it differs, and the table says how.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use agent_governance::{AgentMeshClient, ClientOptions};
use managed_agents::{GovernanceDenied, Harness, governed};

const TURNS: usize = 400;
const CALLS: usize = 100;
const POLICY: &str = r#"
version: "1.0"
agent: bench
policies:
  - name: capability-gate
    type: capability
    allowed_actions: ["transfer"]
    denied_actions: ["shell:*"]
"#;

/// Transfers money.
#[governed(risk = low)]
async fn transfer(from: &str, to: &str, cents: u64) -> Result<u64, GovernanceDenied> {
    Ok(black_box(cents + (from.len() + to.len()) as u64))
}

fn main() {
    let harness = Harness::builder()
        .in_memory()
        .agent_id("bench")
        .build_blocking()
        .unwrap();
    let peer = |policy: Option<&str>| {
        let options = ClientOptions {
            policy_yaml: policy.map(str::to_owned),
            ..ClientOptions::default()
        };
        AgentMeshClient::with_options("bench", options).unwrap()
    };
    let (with_policy, without_policy) = (peer(Some(POLICY)), peer(None));

    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    let mut theirs_without_policy = Vec::new();
    poll_once(harness.scope(async {
        // heads, rings and tables have their size before anything is measured
        for _ in 0..20_000 {
            call();
        }
        for _ in 0..TURNS {
            ours.push(nanoseconds(call));
            theirs.push(nanoseconds(|| ask(&with_policy)));
            theirs_without_policy.push(nanoseconds(|| ask(&without_policy)));
        }
    }));

    let ours = median(ours);
    println!("| | ns a call | over ours | judges |");
    println!("|---|--:|--:|---|");
    let row = |name: &str, median: f64, judges: &str| {
        println!("| {name} | {median:.0} | {:.1}× | {judges} |", median / ours);
    };
    row(
        "`#[governed]`, embedded engine",
        ours,
        "tool, agent and three typed arguments; digest of them; record before the body, outcome after; the body",
    );
    row(
        "agent-governance 3.2.2, one capability rule",
        median(theirs),
        "the name of an action; entry in a hash chain; trust score; no arguments, no body",
    );
    row(
        "the same without a policy",
        median(theirs_without_policy),
        "nothing: every action is allowed; the entry and the score as above",
    );
}

fn call() {
    poll_once(transfer(
        black_box("DE89370400440532013000"),
        black_box("GB29NWBK60161331926819"),
        black_box(1234),
    ))
    .unwrap();
}

fn ask(client: &AgentMeshClient) {
    let result = client.execute_with_governance(black_box("transfer"), None);
    assert!(result.allowed);
}

fn nanoseconds(work: impl Fn()) -> f64 {
    let start = Instant::now();
    for _ in 0..CALLS {
        work();
    }
    start.elapsed().as_secs_f64() * 1e9 / CALLS as f64
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn poll_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it should be ready at once"),
    }
}
