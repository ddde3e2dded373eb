//! The agent loop against another project's server of the Messages API.
//!
//! Runs when `MANAGED_AGENTS_AIMOCK` names the `llmock` program of the npm package `@copilotkit/aimock`.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use managed_agents::claude::{MessagesAgent, StopReason};
use managed_agents::{Endpoint, GovernanceDenied, Harness, Secret, ToolStatus, Toolbox, governed};
use tests::support::program;
use tokio::net::{TcpListener, TcpStream};

/// Refund an order.
#[governed(risk = high, reversible)]
async fn refund(order: String, amount: u64) -> Result<String, GovernanceDenied> {
    Ok(format!("refunded {amount} for {order}"))
}

/// Look up an order.
#[governed(risk = low, read_only)]
async fn lookup(order: String) -> Result<String, GovernanceDenied> {
    Ok(format!("order {order} was paid"))
}

const FIXTURES: &str = r#"{"fixtures":[
    {"match":{"userMessage":"refund order 7","hasToolResult":false},"response":{"toolCalls":[
        {"name":"refund","arguments":{"order":"7","amount":120},"id":"toolu_A"},
        {"name":"lookup","arguments":{"order":"7"},"id":"toolu_B"}]}},
    {"match":{"toolCallId":"toolu_B"},"response":{"content":"Done: refunded."}}
]}"#;

#[tokio::test]
async fn aimock_plays_parallel_calls_and_takes_their_results_in_one_message() {
    let Some(program) = program("MANAGED_AGENTS_AIMOCK") else {
        println!("skipped: MANAGED_AGENTS_AIMOCK does not name aimock's `llmock`");
        return;
    };
    let (_server, url) = start(program.into()).await;
    let toolbox = Toolbox::new().tools([refund::tool(), lookup::tool()]).build().unwrap();
    let agent = MessagesAgent::builder("claude-opus-5-5")
        .tools(&toolbox)
        .api_key(Secret::parse("k").unwrap())
        .base_url(Endpoint::parse(&url).unwrap())
        .build()
        .unwrap();
    let harness = Harness::builder().in_memory().agent_id("shop").build().await.unwrap();
    let run = harness.scope(agent.run("refund order 7")).await.unwrap();
    assert_eq!(run.text(), "Done: refunded.");
    assert_eq!(run.stop_reason(), Some(&StopReason::EndTurn));
    let statuses: Vec<_> = run
        .calls()
        .iter()
        .map(|call| (call.id(), call.result().status()))
        .collect();
    assert_eq!(
        statuses,
        [("toolu_A", ToolStatus::Denied), ("toolu_B", ToolStatus::Done)]
    );
    assert_eq!(run.calls()[1].result().text(), "order 7 was paid");
}

/// Ended when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn start(program: PathBuf) -> (Running, String) {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let fixtures = std::env::temp_dir().join(format!("aimock-{port}.json"));
    std::fs::write(&fixtures, FIXTURES).unwrap();
    let server = Running(
        Command::new(program)
            .args(["-p", &port.to_string(), "-f"])
            .arg(&fixtures)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return (server, format!("http://127.0.0.1:{port}"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("aimock did not start");
}
