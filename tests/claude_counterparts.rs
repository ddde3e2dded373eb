//! The agent loop against other projects' servers of the Messages API, and beside the official client.
//!
//! Each test runs when a variable of the environment names its counterpart: `MANAGED_AGENTS_AIMOCK` the `llmock` program of
//! the npm package `@copilotkit/aimock`, `MANAGED_AGENTS_LLMOCK` the program of the Python package `llmock`, and
//! `MANAGED_AGENTS_ANTHROPIC_PYTHON` a Python in which `anthropic` is installed.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use managed_agents::claude::{MessagesAgent, MessagesAgentBuilder, MessagesError, Run, StopReason};
use managed_agents::{Endpoint, GovernanceDenied, Harness, Secret, ToolStatus, Toolbox, governed};
use serde_json::{Value, json};
use tests::http::{Answer, Asked, Server};
use tests::support::program;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
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

/// Close an order.
#[governed(risk = low, reversible)]
async fn close(order: String) -> Result<String, CloseError> {
    Err(CloseError::Open(order))
}

#[derive(Debug, thiserror::Error)]
enum CloseError {
    #[error("order {0} cannot be closed")]
    Open(String),
    #[error(transparent)]
    Denied(#[from] GovernanceDenied),
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
    let (_server, url) = aimock(program.into(), &[]).await;
    for streamed in [false, true] {
        let run = refund_order_7(&url, streamed).await.unwrap();
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
    println!("aimock: both runs as scripted");
}

#[tokio::test]
async fn aimock_with_chaos_never_gets_a_call_run_that_no_whole_answer_asked_for() {
    let Some(program) = program("MANAGED_AGENTS_AIMOCK") else {
        println!("skipped: MANAGED_AGENTS_AIMOCK does not name aimock's `llmock`");
        return;
    };
    let chaos = [
        "--chaos-drop",
        "0.2",
        "--chaos-malformed",
        "0.2",
        "--chaos-disconnect",
        "0.2",
        "-c",
        "7",
    ];
    let (_server, url) = aimock(program.into(), &chaos).await;
    let (mut done, mut failed) = (0, 0);
    for _ in 0..12 {
        match refund_order_7(&url, true).await {
            Ok(run) => {
                assert_eq!((run.text(), run.calls().len()), ("Done: refunded.", 2));
                done += 1;
            }
            Err(error) => {
                let calls = error.into_run().unwrap().calls().len();
                assert!(calls == 0 || calls == 2, "{calls}");
                failed += 1;
            }
        }
    }
    println!("aimock with chaos: {done} runs done, {failed} broken off");
}

#[tokio::test]
async fn llmock_finds_no_fault_in_how_faults_are_met() {
    let Some(program) = program("MANAGED_AGENTS_LLMOCK") else {
        println!("skipped: MANAGED_AGENTS_LLMOCK does not name the program `llmock`");
        return;
    };
    let port = free_port().await;
    let server = Command::new(program)
        .args(["serve", "--port", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _server = Running(server.unwrap());
    up(port).await;
    let call = |name: &str| json!({"type": "reply", "tool_calls": [{"name": name, "arguments": {"order": "7"}}]});
    let fault = |kind: &str| json!({"type": "stream_fault", "kind": kind, "after_chunks": 4});
    let fail = |status: u16, wait: f64| json!({"type": "fail", "status": status, "retry_after": wait});
    let cases = [
        (
            "429 with retry-after",
            vec![fail(429, 0.3), fail(429, 0.3), call("lookup")],
            true,
            1,
        ),
        (
            "503 and 529",
            vec![fail(503, 0.1), fail(529, 0.1), call("lookup")],
            true,
            1,
        ),
        ("truncated twice", vec![fault("truncate"), fault("truncate")], true, 1),
        ("cut within the call", vec![call("lookup"), fault("truncate")], true, 0),
        ("disconnected", vec![fault("disconnect")], true, 1),
        ("stalled", vec![fault("stall")], true, 1),
        ("not JSON", vec![fault("malformed")], false, 0),
        ("400", vec![fail(400, 0.0)], false, 0),
        (
            "a call of a tool that is not there",
            vec![json!({"type": "tool_fault", "kind": "unknown_tool"})],
            true,
            0,
        ),
        (
            "arguments that are not JSON",
            vec![json!({"type": "tool_fault", "kind": "malformed_arguments"})],
            false,
            0,
        ),
    ];
    for (name, behaviours, well, most) in cases {
        ask(port, "/_llmock/reset", "").await;
        ask(port, "/_llmock/scenario", &json!({"behaviors": behaviours}).to_string()).await;
        let url = format!("http://127.0.0.1:{port}/anthropic");
        let toolbox = Toolbox::new().tool(lookup::tool()).build().unwrap();
        let agent = agent(&url, &toolbox)
            .streaming(|_| {})
            .stream_patience(Duration::from_millis(500))
            .build()
            .unwrap();
        let harness = Harness::builder().in_memory().agent_id("shop").build().await.unwrap();
        let run = harness.scope(agent.run("Look up order 7.")).await;
        let verdict = ask(port, "/_llmock/verdict?format=text", "").await;
        println!("llmock: {name}: {}", verdict.lines().last().unwrap_or_default().trim());
        assert!(!verdict.contains("FAIL"), "{name}: {verdict}");
        assert_eq!(run.is_ok(), well, "{name}: {run:?}\n{verdict}");
        let ran = harness
            .records()
            .iter()
            .filter(|entry| entry.outcome().is_some())
            .count();
        assert!(
            ran >= most.min(usize::from(well)) && ran <= 1,
            "{name}: {ran} ran\n{verdict}"
        );
    }
}

/// The conversation of each request, as far as a service reads it: who says what, in which order. The official client leaves
/// out what the service remembers (`thread`), and that is put back here.
fn said(asked: &[Asked], replies: &[&Value]) -> Vec<Value> {
    let block = |block: &Value| match block["type"].as_str() {
        Some("tool_result") => {
            let text = match &block["content"] {
                Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
                text => text.as_str().unwrap_or_default().to_owned(),
            };
            json!({
                "type": "tool_result", "tool_use_id": block["tool_use_id"], "text": text,
                "is_error": block["is_error"].as_bool().unwrap_or(false),
            })
        }
        _ => {
            let fields = block.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
            Value::Object(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
    };
    let message = |message: &Value| match &message["content"] {
        Value::Array(blocks) => {
            json!({"role": message["role"], "content": blocks.iter().map(block).collect::<Vec<_>>()})
        }
        text => json!({"role": message["role"], "content": text}),
    };
    let mut said: Vec<Vec<Value>> = Vec::new();
    for body in asked.iter().map(Asked::json) {
        let new = body["messages"].as_array().unwrap().iter().map(message);
        let known = match (body["thread"]["type"].as_str(), said.last()) {
            (Some("continue"), Some(before)) => {
                let reply = json!({"role": "assistant", "content": replies[said.len() - 1]});
                before.iter().cloned().chain([message(&reply)]).collect()
            }
            _ => Vec::new(),
        };
        let whole = known.into_iter().chain(new).collect();
        said.push(whole);
    }
    said.into_iter().map(Value::from).collect()
}

#[tokio::test]
async fn what_is_sent_is_what_the_official_tool_runner_sends() {
    let Some(python) = program("MANAGED_AGENTS_ANTHROPIC_PYTHON") else {
        println!("skipped: MANAGED_AGENTS_ANTHROPIC_PYTHON does not name a Python with `anthropic`");
        return;
    };
    let tool_use = |id: &str, name: &str| json!({"type": "tool_use", "id": id, "name": name, "input": {"order": "7"}});
    let text = |text: &str| json!({"type": "text", "text": text});
    let cases = [
        (
            "one call",
            vec![("tool_use", json!([text("Looking."), tool_use("a", "lookup")]))],
        ),
        (
            "parallel calls",
            vec![(
                "tool_use",
                json!([
                    tool_use("a", "lookup"),
                    tool_use("b", "lookup"),
                    tool_use("c", "lookup")
                ]),
            )],
        ),
        (
            "two rounds",
            vec![
                ("tool_use", json!([tool_use("a", "lookup")])),
                ("tool_use", json!([tool_use("b", "lookup")])),
            ],
        ),
        (
            "a refused call and its sibling",
            vec![("tool_use", json!([tool_use("a", "close"), tool_use("b", "lookup")]))],
        ),
        (
            "thinking kept",
            vec![(
                "tool_use",
                json!([{"type": "thinking", "thinking": "hm", "signature": "c2ln"}, tool_use("a", "lookup")]),
            )],
        ),
        (
            "paused",
            vec![(
                "pause_turn",
                json!([text("Working."), {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}]),
            )],
        ),
        ("cut off", vec![("max_tokens", json!([tool_use("a", "lookup")]))]),
        (
            "refused by the model",
            vec![("refusal", json!([tool_use("a", "lookup")]))],
        ),
    ];
    for (name, turns) in &cases {
        let script = |turns: &[(&str, Value)]| -> Vec<Answer> {
            let end = ("end_turn", json!([text("Done.")]));
            let all = turns.iter().chain([&end]);
            all.map(|(reason, content)| Answer::json(&json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5-5", "content": content,
                "stop_reason": reason, "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1},
            }))).collect()
        };
        let official = Server::start(script(turns)).await;
        let url = official.url().to_owned();
        let (python, script_file) = (
            python.clone(),
            concat!(env!("CARGO_MANIFEST_DIR"), "/claude_tool_runner.py"),
        );
        let ended = tokio::task::spawn_blocking(move || Command::new(python).arg(script_file).arg(url).output());
        let ended = ended.await.unwrap().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));

        let ours = Server::start(script(turns)).await;
        let toolbox = Toolbox::new().tools([close::tool(), lookup::tool()]).build().unwrap();
        let agent = agent(ours.url(), &toolbox).build().unwrap();
        let harness = Harness::builder().in_memory().agent_id("shop").build().await.unwrap();
        harness.scope(agent.run("Look up order 7.")).await.unwrap();
        let replies: Vec<_> = turns.iter().map(|(_, content)| content).collect();
        assert_eq!(
            said(&ours.asked(), &replies),
            said(&official.asked(), &replies),
            "{name}"
        );
    }
    println!("the official tool_runner sent the same in {} cases", cases.len());
}

fn agent(url: &str, toolbox: &Toolbox) -> MessagesAgentBuilder {
    MessagesAgent::builder("claude-opus-5-5")
        .tools(toolbox)
        .api_key(Secret::parse("k").unwrap())
        .base_url(Endpoint::parse(url).unwrap())
}

async fn refund_order_7(url: &str, streamed: bool) -> Result<Run, MessagesError> {
    let toolbox = Toolbox::new().tools([refund::tool(), lookup::tool()]).build().unwrap();
    let agent = agent(url, &toolbox);
    let agent = if streamed { agent.streaming(|_| {}) } else { agent };
    let harness = Harness::builder().in_memory().agent_id("shop").build().await.unwrap();
    harness.scope(agent.build().unwrap().run("refund order 7")).await
}

/// Posts a body, or asks without one, and gives the answer's body.
async fn ask(port: u16, path: &str, body: &str) -> String {
    let method = if path.contains("verdict") { "GET" } else { "POST" };
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 2"), "{path}: {answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// Ended when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn aimock(program: PathBuf, more: &[&str]) -> (Running, String) {
    let port = free_port().await;
    let fixtures = std::env::temp_dir().join(format!("aimock-{port}.json"));
    std::fs::write(&fixtures, FIXTURES).unwrap();
    let server = Running(
        Command::new(program)
            .args(["-p", &port.to_string(), "-f"])
            .arg(&fixtures)
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    up(port).await;
    (server, format!("http://127.0.0.1:{port}"))
}

async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

async fn up(port: u16) {
    for _ in 0..400 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the counterpart did not start");
}
