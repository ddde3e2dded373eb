//! What the loop makes of each answer.

use managed_agents::claude::{ApiErrorKind, StopReason};
use managed_agents::{DenialKind, Secret, ToolStatus};
use serde_json::{Value, json};
use tests::http::Answer;

use crate::world::{Shop, done, text, tool_use, turn};

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
    shop.harness.scope(agent.build().unwrap().run("hello")).await.unwrap();
    let asked = shop.server.asked().remove(0);
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/v1/messages"));
    assert_eq!(asked.header("x-api-key"), Some("sk-ant-CANARY"));
    assert_eq!(asked.header("authorization"), None);
    assert_eq!(asked.header("anthropic-version"), Some("2026-10-21"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    let body = asked.json();
    assert_eq!(body["model"], "claude-test");
    assert_eq!(body["system"], "Be brief.");
    assert_eq!(body["max_tokens"], 64);
    assert_eq!(body["thinking"]["type"], "disabled");
    assert_eq!(body["messages"], json!([{"role": "user", "content": "hello"}]));
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
    shop.harness.scope(agent.build().unwrap().run("hello")).await.unwrap();
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
    let body = format!(r#"{{"type":"message","role":"assistant","stop_reason":"tool_use","content":{content}}}"#);
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
    assert_eq!((denial.kind(), denial.code()), (DenialKind::Denied, "no_refunds"));
}

#[tokio::test]
async fn with_no_harness_in_scope_no_body_runs() {
    let calls = json!([tool_use("a", "lookup", "1")]);
    let shop = Shop::open([turn("tool_use", &calls), done()]).await;
    let run = shop.agent().build().unwrap().run("hello").await.unwrap();
    assert_eq!(shop.ran(), 0);
    assert_eq!(run.calls()[0].result().denial().unwrap().kind(), DenialKind::NoHarness);
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
    assert_eq!(run.stop_reason(), Some(&StopReason::Other("something_new".to_owned())));
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
    let calls = json!([tool_use("a", "launch", "1"), member, tool_use("c", "lookup", "3")]);
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
        (results[0]["is_error"].clone(), results[1]["is_error"].clone()),
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
    let records = shop.harness.records();
    assert_eq!(records.len(), 3, "each refusal is recorded");
    assert!(
        records
            .iter()
            .all(|entry| entry.decision().codes().eq(["invalid_arguments"]))
    );
}

#[tokio::test]
async fn the_iteration_limit_holds_and_calls_of_the_last_answer_are_not_run() {
    let calls = json!([tool_use("a", "lookup", "1")]);
    let shop = Shop::open(vec![turn("tool_use", &calls); 5]).await;
    let agent = shop.agent().max_iterations(3).build().unwrap();
    let run = shop.harness.scope(agent.run("hello")).await.unwrap();
    assert!(run.limit_reached());
    assert_eq!((run.iterations(), shop.server.asked().len(), shop.ran()), (3, 3, 2));
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
        let error = shop.agent().parameter(name, &json!([])).build().unwrap_err();
        assert_eq!(error.kind(), ApiErrorKind::Configuration);
        assert!(error.to_string().contains(name));
    }
}

#[tokio::test]
async fn debug_of_a_run_shows_neither_arguments_nor_texts() {
    let calls = json!([tool_use("a", "lookup", "CANARY")]);
    let shop = Shop::open([turn("tool_use", &calls), turn("end_turn", &json!([text("CANARY")]))]).await;
    let run = shop.run().await;
    assert!(run.text().contains("CANARY") && run.calls()[0].input().contains("CANARY"));
    assert!(!format!("{run:?}").contains("CANARY"));
}
