//! A world of one agent, one server and two tools.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use managed_agents::claude::{MessagesAgent, MessagesAgentBuilder, Run};
use managed_agents::{
    Answer as Later, Endpoint, GovernanceDenied, Governor, GovernorError, Harness, Judgement, Reason, Secret, ToolCall,
    Toolbox, Verdict, governed,
};
use serde_json::{Value, json};
use tests::http::{Answer, Server};

/// How often a body ran.
#[derive(Default)]
pub(crate) struct Ran(AtomicUsize);

/// Look up an order.
#[governed(risk = low, read_only)]
async fn lookup(
    /// The order's number.
    order: String,
    #[governed(state)] ran: &Ran,
) -> Result<String, GovernanceDenied> {
    ran.0.fetch_add(1, Ordering::SeqCst);
    // later calls end earlier, and one does not end
    let milliseconds = match order.as_str() {
        "never" => 3_600_000,
        "1" => 30,
        _ => 1,
    };
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    Ok(format!("order {order} is on its way"))
}

/// Refund an order.
#[governed(risk = low, reversible)]
async fn refund(order: String, #[governed(state)] ran: &Ran) -> Result<(), GovernanceDenied> {
    ran.0.fetch_add(1, Ordering::SeqCst);
    let _ = order;
    Ok(())
}

/// Refuses refunds.
struct NoRefunds;

impl Governor for NoRefunds {
    fn name(&self) -> &str {
        "no-refunds"
    }

    fn decide(&self, call: &Arc<ToolCall>) -> Later<Result<Judgement, GovernorError>> {
        let verdict = match call.tool() {
            "refund" => Verdict::deny(Reason::new("no_refunds", "refunds are closed today")),
            _ => Verdict::allow(),
        };
        Later::ready(Ok(verdict.into()))
    }
}

/// A world of one agent.
pub(crate) struct Shop {
    pub(crate) server: Server,
    ran: Arc<Ran>,
    pub(crate) harness: Harness,
    toolbox: Toolbox,
}

impl Shop {
    pub(crate) async fn open(turns: impl IntoIterator<Item = Answer>) -> Self {
        let ran = Arc::<Ran>::default();
        let toolbox = Toolbox::new()
            .shared(Arc::clone(&ran))
            .tool(lookup::tool())
            .tool(refund::tool())
            .build()
            .unwrap();
        Self {
            server: Server::start(turns).await,
            ran,
            harness: Harness::builder()
                .in_memory()
                .agent_id("shop")
                .governor(NoRefunds)
                .build()
                .await
                .unwrap(),
            toolbox,
        }
    }

    pub(crate) fn agent(&self) -> MessagesAgentBuilder {
        MessagesAgent::builder("claude-test")
            .tools(&self.toolbox)
            .api_key(Secret::parse("sk-ant-CANARY").unwrap())
            .base_url(Endpoint::parse(self.server.url()).unwrap())
    }

    pub(crate) async fn run(&self) -> Run {
        self.harness
            .scope(self.agent().build().unwrap().run("hello"))
            .await
            .unwrap()
    }

    pub(crate) fn ran(&self) -> usize {
        self.ran.0.load(Ordering::SeqCst)
    }

    /// The messages of a request.
    pub(crate) fn sent(&self, request: usize) -> Vec<Value> {
        self.server.asked()[request].json()["messages"]
            .as_array()
            .unwrap()
            .clone()
    }
}

pub(crate) fn turn(stop_reason: impl Into<Value>, content: &Value) -> Answer {
    Answer::json(&json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-test",
        "content": content, "stop_reason": stop_reason.into(), "stop_sequence": null,
        "usage": {"input_tokens": 10, "output_tokens": 2, "service_tier": "standard"},
    }))
}

pub(crate) fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

pub(crate) fn tool_use(id: &str, name: &str, order: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": name, "input": {"order": order}})
}

pub(crate) fn done() -> Answer {
    turn("end_turn", &json!([text("Done.")]))
}

/// An answer, streamed: texts and inputs in pieces of a few letters.
pub(crate) fn streamed(stop_reason: impl Into<Value>, content: &Value) -> Answer {
    Answer::events(&events(stop_reason, content))
}

/// The events of a streamed answer.
pub(crate) fn events(stop_reason: impl Into<Value>, content: &Value) -> Vec<Value> {
    let mut events = vec![json!({"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-test", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 10, "output_tokens": 1},
    }})];
    for (index, block) in content.as_array().unwrap().iter().enumerate() {
        let mut begun = block.clone();
        let (field, delta, whole) = match block["type"].as_str().unwrap() {
            "text" => ("text", "text_delta", block["text"].as_str().unwrap().to_owned()),
            "thinking" => (
                "thinking",
                "thinking_delta",
                block["thinking"].as_str().unwrap().to_owned(),
            ),
            "tool_use" | "server_tool_use" | "mcp_tool_use" => {
                ("input", "input_json_delta", block["input"].to_string())
            }
            _ => ("", "", String::new()),
        };
        if !field.is_empty() {
            begun[field] = if field == "input" { json!({}) } else { json!("") };
        }
        if field == "thinking" {
            begun["signature"] = json!("");
        }
        events.push(json!({"type": "content_block_start", "index": index, "content_block": begun}));
        let letters: Vec<char> = whole.chars().collect();
        for piece in letters.chunks(5) {
            let piece: String = piece.iter().collect();
            let key = if field == "input" { "partial_json" } else { field };
            events.push(json!({"type": "content_block_delta", "index": index, "delta": {"type": delta, key: piece}}));
            events.push(json!({"type": "ping"}));
        }
        if field == "thinking" {
            let signature = &block["signature"];
            events.push(json!({"type": "content_block_delta", "index": index,
                "delta": {"type": "signature_delta", "signature": signature}}));
        }
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(json!({"type": "message_delta",
        "delta": {"stop_reason": stop_reason.into(), "stop_sequence": null}, "usage": {"output_tokens": 2}}));
    events.push(json!({"type": "message_stop"}));
    events
}
