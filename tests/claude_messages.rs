//! The agent loop over the Messages API, against a server that plays scripted turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use managed_agents::claude::{
    MessagesAgent, MessagesAgentBuilder, MessagesErrorKind, Run, StopReason,
};
use managed_agents::{
    Answer as Later, DenialKind, Endpoint, GovernanceDenied, Governor, GovernorError, Harness,
    Judgement, Reason, Secret, ToolCall, ToolStatus, Toolbox, Verdict, governed,
};
use serde_json::{Value, json};
use tests::http::{Answer, Server};

/// How often a body ran.
#[derive(Default)]
struct Ran(AtomicUsize);

/// Look up an order.
#[governed(risk = low, read_only)]
async fn lookup(
    /// The order's number.
    order: String,
    #[governed(state)] ran: &Ran,
) -> Result<String, GovernanceDenied> {
    ran.0.fetch_add(1, Ordering::SeqCst);
    // later calls end earlier
    tokio::time::sleep(Duration::from_millis(if order == "1" { 30 } else { 1 })).await;
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
struct Shop {
    server: Server,
    ran: Arc<Ran>,
    harness: Harness,
    toolbox: Toolbox,
}

impl Shop {
    async fn open(turns: impl IntoIterator<Item = Answer>) -> Self {
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
                .agent_id("shop")
                .governor(NoRefunds)
                .build()
                .await
                .unwrap(),
            toolbox,
        }
    }

    fn agent(&self) -> MessagesAgentBuilder {
        MessagesAgent::builder("claude-test")
            .tools(&self.toolbox)
            .api_key(Secret::parse("sk-ant-CANARY").unwrap())
            .base_url(Endpoint::parse(self.server.url()).unwrap())
    }

    async fn run(&self) -> Run {
        self.harness
            .scope(self.agent().build().unwrap().run("hello"))
            .await
            .unwrap()
    }

    fn ran(&self) -> usize {
        self.ran.0.load(Ordering::SeqCst)
    }

    /// The messages of a request.
    fn sent(&self, request: usize) -> Vec<Value> {
        self.server.asked()[request].json()["messages"]
            .as_array()
            .unwrap()
            .clone()
    }
}

fn turn(stop_reason: impl Into<Value>, content: &Value) -> Answer {
    Answer::json(&json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-test",
        "content": content, "stop_reason": stop_reason.into(), "stop_sequence": null,
        "usage": {"input_tokens": 10, "output_tokens": 2, "service_tier": "standard"},
    }))
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn tool_use(id: &str, name: &str, order: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": name, "input": {"order": order}})
}

fn done() -> Answer {
    turn("end_turn", &json!([text("Done.")]))
}

#[tokio::test]
async fn a_plain_answer_is_the_end_of_the_run() {
    let shop = Shop::open([done()]).await;
    let run = shop.run().await;
    assert_eq!(run.text(), "Done.");
    assert_eq!(run.stop_reason(), Some(&StopReason::EndTurn));
    assert_eq!((run.iterations(), run.limit_reached()), (1, false));
}

#[tokio::test]
async fn a_request_is_what_the_api_documents() {
    let shop = Shop::open([done()]).await;
    let agent = shop
        .agent()
        .system("Be brief.")
        .max_tokens(64)
        .parameter("thinking", &json!({"type": "disabled"}));
    shop.harness
        .scope(agent.build().unwrap().run("hello"))
        .await
        .unwrap();
    let asked = shop.server.asked().remove(0);
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("POST", "/v1/messages")
    );
    assert_eq!(asked.header("x-api-key"), Some("sk-ant-CANARY"));
    assert_eq!(asked.header("authorization"), None);
    assert_eq!(asked.header("anthropic-version"), Some("2026-10-21"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    let body = asked.json();
    assert_eq!(body["model"], "claude-test");
    assert_eq!(body["system"], "Be brief.");
    assert_eq!(body["max_tokens"], 64);
    assert_eq!(body["thinking"]["type"], "disabled");
    assert_eq!(
        body["messages"],
        json!([{"role": "user", "content": "hello"}])
    );
    assert_eq!(body.get("stream"), None);
    assert_eq!(body["tools"][0]["name"], "lookup");
    assert_eq!(body["tools"][0]["description"], "Look up an order.");
    assert_eq!(
        body["tools"][0]["input_schema"],
        json!({
            "type": "object",
            "properties": {"order": {"type": "string", "description": "The order's number."}},
            "required": ["order"],
            "additionalProperties": false,
        })
    );
}

#[tokio::test]
async fn bearer_version_and_further_headers_are_settings() {
    let shop = Shop::open([done()]).await;
    let agent = shop
        .agent()
        .bearer(Secret::parse("sk-ant-oat01-x").unwrap())
        .api_version("2023-06-01")
        .header("anthropic-beta", "a,b");
    shop.harness
        .scope(agent.build().unwrap().run("hello"))
        .await
        .unwrap();
    let asked = shop.server.asked().remove(0);
    assert_eq!(asked.header("authorization"), Some("Bearer sk-ant-oat01-x"));
    assert_eq!(asked.header("x-api-key"), None);
    assert_eq!(asked.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(asked.header("anthropic-beta"), Some("a,b"));
}

#[tokio::test]
async fn all_results_go_into_one_user_message_in_the_order_of_the_calls() {
    let calls = json!([
        text("Looking."),
        tool_use("toolu_a", "lookup", "1"),
        tool_use("toolu_b", "lookup", "2"),
        tool_use("toolu_c", "lookup", "3"),
    ]);
    let shop = Shop::open([turn("tool_use", &calls), done()]).await;
    let run = shop.run().await;
    let sent = shop.sent(1);
    assert_eq!(sent.len(), 3);
    assert_eq!(
        sent[2],
        json!({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_a", "content": "order 1 is on its way"},
            {"type": "tool_result", "tool_use_id": "toolu_b", "content": "order 2 is on its way"},
            {"type": "tool_result", "tool_use_id": "toolu_c", "content": "order 3 is on its way"},
        ]})
    );
    assert_eq!((shop.ran(), run.calls().len(), run.iterations()), (3, 3, 2));
    assert_eq!(run.usage().input_tokens(), 20);
    assert_eq!(run.messages().len(), 4);
}

#[tokio::test]
async fn the_assistants_content_is_appended_unchanged_byte_for_byte() {
    let content = r#"[ {"type":"thinking","thinking":"\u0068m","signature":"c2ln"},
        {"type":"tool_use","id":"t","input":{"order" : "2"},"name":"lookup","caller":{"type":"direct"},"new":1e2} ]"#;
    let body = format!(
        r#"{{"type":"message","role":"assistant","stop_reason":"tool_use","content":{content}}}"#
    );
    let shop = Shop::open([Answer::text(&body), done()]).await;
    shop.run().await;
    assert_eq!(shop.ran(), 1);
    let sent = shop.server.asked()[1].body.clone();
    assert!(
        sent.contains(&format!(r#"{{"role":"assistant","content":{content}}}"#)),
        "{sent}"
    );
}

#[tokio::test]
async fn a_denied_call_is_an_error_beside_the_results_of_its_siblings() {
    let calls = json!([tool_use("a", "refund", "1"), tool_use("b", "lookup", "2")]);
    let shop = Shop::open([turn("tool_use", &calls), done()]).await;
    let run = shop.run().await;
    let results = shop.sent(1)[2]["content"].clone();
    assert_eq!(results[0]["is_error"], true);
    let told: Value = serde_json::from_str(results[0]["content"].as_str().unwrap()).unwrap();
    assert_eq!(
        told,
        json!({"type": "error", "error": {"type": "governance_denied", "message": "refunds are closed today"}})
    );
    assert_eq!(results[1]["content"], "order 2 is on its way");
    assert_eq!(results[1].get("is_error"), None);
    assert_eq!(shop.ran(), 1);
    let denial = run.calls()[0].result().denial().unwrap();
    assert_eq!(
        (denial.kind(), denial.code()),
        (DenialKind::Denied, "no_refunds")
    );
}

#[tokio::test]
async fn with_no_harness_in_scope_no_body_runs() {
    let calls = json!([tool_use("a", "lookup", "1")]);
    let shop = Shop::open([turn("tool_use", &calls), done()]).await;
    let run = shop.agent().build().unwrap().run("hello").await.unwrap();
    assert_eq!(shop.ran(), 0);
    assert_eq!(
        run.calls()[0].result().denial().unwrap().kind(),
        DenialKind::NoHarness
    );
}

#[tokio::test]
async fn tools_run_on_tool_use_alone_and_everything_else_stops() {
    let calls = json!([tool_use("a", "lookup", "1")]);
    let reasons = [
        json!("end_turn"),
        json!("max_tokens"),
        json!("stop_sequence"),
        json!("refusal"),
        json!("model_context_window_exceeded"),
        json!("something_new"),
        json!(null),
    ];
    for reason in reasons {
        let shop = Shop::open([turn(reason.clone(), &calls), done()]).await;
        let run = shop.run().await;
        assert_eq!((shop.ran(), shop.server.asked().len()), (0, 1), "{reason}");
        assert!(run.calls().is_empty());
        assert_eq!(run.stop_reason().is_none(), reason.is_null());
    }
    let shop = Shop::open([turn("something_new", &calls)]).await;
    let run = shop.run().await;
    assert_eq!(
        run.stop_reason(),
        Some(&StopReason::Other("something_new".to_owned()))
    );
}

#[tokio::test]
async fn tool_use_without_a_call_stops() {
    let shop = Shop::open([turn("tool_use", &json!([text("Hm.")])), done()]).await;
    assert_eq!(shop.run().await.text(), "Hm.");
    assert_eq!(shop.server.asked().len(), 1);
}

#[tokio::test]
async fn a_paused_turn_is_sent_back_unchanged_and_nothing_of_it_runs() {
    for reason in ["pause_turn", "compaction"] {
        let content = json!([text("Working."), tool_use("a", "lookup", "1")]);
        let shop = Shop::open([turn(reason, &content), done()]).await;
        let run = shop.run().await;
        assert_eq!(shop.ran(), 0);
        assert_eq!(
            shop.sent(1),
            [
                json!({"role": "user", "content": "hello"}),
                json!({"role": "assistant", "content": content})
            ]
        );
        assert_eq!(run.text(), "Done.");
    }
}

#[tokio::test]
async fn an_unknown_tool_and_a_tool_of_a_toolset_are_refused_by_name() {
    let mut member = tool_use("b", "lookup", "2");
    member["toolset_name"] = "browser".into();
    let calls = json!([
        tool_use("a", "launch", "1"),
        member,
        tool_use("c", "lookup", "3")
    ]);
    let shop = Shop::open([turn("tool_use", &calls), done()]).await;
    let run = shop.run().await;
    let results = shop.sent(1)[2]["content"].clone();
    assert_eq!(
        results[0]["content"],
        "unknown tool `launch`; the tools are `lookup`, `refund`"
    );
    assert_eq!(results[1]["content"], "unknown tool `browser:lookup`");
    assert_eq!(results[1]["toolset_name"], "browser");
    assert_eq!(
        (
            results[0]["is_error"].clone(),
            results[1]["is_error"].clone()
        ),
        (true.into(), true.into())
    );
    assert_eq!(results[2]["content"], "order 3 is on its way");
    assert_eq!(shop.ran(), 1);
    assert_eq!(run.calls()[1].result().status(), ToolStatus::UnknownTool);
}

#[tokio::test]
async fn arguments_with_a_key_twice_or_of_a_wrong_type_are_refused_before_judgement() {
    let content = r#"[{"type":"tool_use","id":"a","name":"lookup","input":{"order":"1","order":"2"}},
        {"type":"tool_use","id":"b","name":"lookup","input":{"order":7}},
        {"type":"tool_use","id":"c","name":"lookup","input":{}}]"#;
    let body = format!(r#"{{"role":"assistant","stop_reason":"tool_use","content":{content}}}"#);
    let shop = Shop::open([Answer::text(&body), done()]).await;
    shop.run().await;
    let results = shop.sent(1)[2]["content"].clone();
    assert_eq!(results[0]["content"], "argument `order` is given twice");
    assert_eq!(
        results[1]["content"],
        "argument `order`: invalid type: integer `7`, expected a string"
    );
    assert_eq!(results[2]["content"], "argument `order` is missing");
    assert_eq!(shop.ran(), 0);
    assert!(shop.harness.records().is_empty());
}

#[tokio::test]
async fn the_iteration_limit_holds_and_calls_of_the_last_answer_are_not_run() {
    let calls = json!([tool_use("a", "lookup", "1")]);
    let shop = Shop::open(vec![turn("tool_use", &calls); 5]).await;
    let agent = shop.agent().max_iterations(3).build().unwrap();
    let run = shop.harness.scope(agent.run("hello")).await.unwrap();
    assert!(run.limit_reached());
    assert_eq!(
        (run.iterations(), shop.server.asked().len(), shop.ran()),
        (3, 3, 2)
    );
}

#[tokio::test]
async fn a_conversation_goes_on_and_open_calls_are_answered_as_not_run() {
    let calls = json!([tool_use("a", "lookup", "1"), tool_use("b", "refund", "1")]);
    let shop = Shop::open([turn("max_tokens", &calls), done()]).await;
    let agent = shop.agent().build().unwrap();
    let run = shop.harness.scope(agent.run("hello")).await.unwrap();
    shop.harness
        .scope(agent.resume(run.into_messages(), "and now?"))
        .await
        .unwrap();
    let sent = shop.sent(1);
    assert_eq!(
        sent[2],
        json!({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": "this call was not run", "is_error": true},
            {"type": "tool_result", "tool_use_id": "b", "content": "this call was not run", "is_error": true},
            {"type": "text", "text": "and now?"},
        ]})
    );
    assert_eq!(shop.ran(), 0);
}

#[tokio::test]
async fn tools_that_ran_at_the_service_are_recorded_as_outside_governance() {
    let content = json!([
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [], "name": 7},
        {"type": "mcp_tool_use", "id": "m", "name": "post", "server_name": "slack", "input": {}},
        text("Found."),
    ]);
    let shop = Shop::open([turn("end_turn", &content)]).await;
    let run = shop.run().await;
    let outside: Vec<_> = run
        .ungoverned()
        .iter()
        .map(|u| (u.kind(), u.name(), u.server()))
        .collect();
    assert_eq!(
        outside,
        [
            ("server_tool_use", "web_search", None),
            ("mcp_tool_use", "post", Some("slack"))
        ]
    );
    assert_eq!(run.text(), "Found.");
}

#[tokio::test]
async fn tools_that_would_run_at_the_service_cannot_be_declared() {
    let shop = Shop::open([]).await;
    for name in ["tools", "mcp_servers", "stream", "messages"] {
        let error = shop
            .agent()
            .parameter(name, &json!([]))
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), MessagesErrorKind::Configuration);
        assert!(error.to_string().contains(name));
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_twice_and_no_more() {
    for status in [408, 409, 429, 500, 503, 529] {
        let busy = Answer::text(
            r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#,
        )
        .status(status)
        .header("retry-after-ms", "1");
        let shop = Shop::open([busy.clone(), busy.clone(), done()]).await;
        assert_eq!(shop.run().await.text(), "Done.");
        let shop = Shop::open(vec![busy; 4]).await;
        let agent = shop.agent().build().unwrap();
        let error = shop.harness.scope(agent.run("hello")).await.unwrap_err();
        assert_eq!(
            (error.status(), error.code()),
            (Some(status), Some("overloaded_error"))
        );
        assert_eq!(shop.server.asked().len(), 3);
    }
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    let cases = [
        Answer::text("{}").status(400),
        Answer::text("{}").status(401),
        Answer::text("{}").status(404),
        Answer::text("{}")
            .status(302)
            .header("location", "http://127.0.0.1:1/"),
        Answer::text("{}")
            .status(503)
            .header("x-should-retry", "false"),
        Answer::text("{}").status(429).header("retry-after", "3600"),
        Answer::text("<html>")
            .status(404)
            .header("content-type", "text/html"),
    ];
    for answer in cases {
        let shop = Shop::open([answer.clone(), done()]).await;
        let agent = shop.agent().build().unwrap();
        let error = shop.harness.scope(agent.run("hello")).await.unwrap_err();
        assert_eq!(error.kind(), MessagesErrorKind::Status, "{answer:?}");
        assert_eq!(shop.server.asked().len(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn the_service_says_whether_to_try_again() {
    let refusal = Answer::text("{}")
        .status(400)
        .header("x-should-retry", "true")
        .header("retry-after", "0");
    let shop = Shop::open([refusal, done()]).await;
    assert_eq!(shop.run().await.text(), "Done.");
}

#[tokio::test]
async fn an_answer_that_broke_off_is_asked_for_again_and_nothing_of_it_runs() {
    let calls = json!([tool_use("a", "lookup", "1")]);
    let shop = Shop::open([turn("tool_use", &calls).broken_off(120), done()]).await;
    assert_eq!(shop.run().await.text(), "Done.");
    assert_eq!(shop.ran(), 0);
}

#[tokio::test]
async fn of_an_answer_that_cannot_be_read_nothing_runs() {
    let good = tool_use("a", "lookup", "1");
    let bodies = [
        "{}".to_owned(),
        "[]".to_owned(),
        "not json".to_owned(),
        r#"{"content":"text","stop_reason":"end_turn"}"#.to_owned(),
        format!(r#"{{"content":[{good}],"stop_reason":"tool_use","stop_reason":"tool_use"}}"#),
        format!(
            r#"{{"content":[{good},{{"type":"tool_use","name":"lookup","input":{{}}}}],"stop_reason":"tool_use"}}"#
        ),
        format!(r#"{{"content":[{good},{good}],"stop_reason":"tool_use"}}"#),
        format!(r#"{{"content":[{good},{{"text":"no type"}}],"stop_reason":"tool_use"}}"#),
    ];
    for body in bodies {
        let shop = Shop::open([Answer::text(&body)]).await;
        let agent = shop.agent().build().unwrap();
        let error = shop.harness.scope(agent.run("hello")).await.unwrap_err();
        assert_eq!(error.kind(), MessagesErrorKind::Malformed, "{body}");
        assert_eq!(shop.ran(), 0, "{body}");
    }
}

#[tokio::test]
async fn an_answer_over_16_mib_is_not_read() {
    let shop = Shop::open([turn("end_turn", &json!([text(&"x".repeat(17 << 20))]))]).await;
    let agent = shop.agent().build().unwrap();
    let error = shop.harness.scope(agent.run("hello")).await.unwrap_err();
    assert_eq!(error.kind(), MessagesErrorKind::TooLarge);
}

#[tokio::test]
async fn a_run_that_breaks_off_tells_what_had_happened() {
    let calls = json!([tool_use("a", "lookup", "1")]);
    let refusal = Answer::text(
        r#"{"error":{"type":"invalid_request_error","details":{"error_code":"no_credit"}}}"#,
    )
    .status(400)
    .header("request-id", "req_7");
    let shop = Shop::open([turn("tool_use", &calls), refusal]).await;
    let agent = shop.agent().build().unwrap();
    let error = shop.harness.scope(agent.run("hello")).await.unwrap_err();
    assert_eq!(
        (error.code(), error.request_id()),
        (Some("no_credit"), Some("req_7"))
    );
    let run = error.into_run().unwrap();
    assert_eq!((run.calls().len(), run.messages().len()), (1, 3));
}

#[tokio::test]
async fn the_key_is_in_no_error_and_no_debug_output() {
    let echo =
        Answer::text(r#"{"error":{"type":"sk-ant-CANARY","message":"bad key sk-ant-CANARY"}}"#)
            .status(401);
    let shop = Shop::open([echo]).await;
    let agent = shop.agent();
    let mut shown = format!("{agent:?}");
    let agent = agent.build().unwrap();
    let error = shop.harness.scope(agent.run("hello")).await.unwrap_err();
    shown.push_str(&format!("{agent:?} {error:?} {error}"));
    assert!(!shown.contains("CANARY"), "{shown}");
    assert!(shown.contains("bad key [redacted]"), "{shown}");
}

#[tokio::test]
async fn debug_of_a_run_shows_neither_arguments_nor_texts() {
    let calls = json!([tool_use("a", "lookup", "CANARY")]);
    let shop = Shop::open([
        turn("tool_use", &calls),
        turn("end_turn", &json!([text("CANARY")])),
    ])
    .await;
    let run = shop.run().await;
    assert!(run.text().contains("CANARY") && run.calls()[0].input().contains("CANARY"));
    assert!(!format!("{run:?}").contains("CANARY"));
}

#[tokio::test]
async fn an_unreachable_service_is_an_error_and_not_a_hang() {
    let shop = Shop::open([]).await;
    let agent = shop
        .agent()
        .base_url(Endpoint::parse("http://127.0.0.1:1").unwrap())
        .build()
        .unwrap();
    let error = shop.harness.scope(agent.run("hello")).await.unwrap_err();
    assert_eq!(error.kind(), MessagesErrorKind::Connection);
}
