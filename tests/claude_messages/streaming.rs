//! Streamed answers: what is run is what a whole message says, and of any other nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use managed_agents::claude::{ApiErrorKind, MessagesAgentBuilder, StopReason, StreamEvent};
use serde_json::{Value, json};
use tests::http::Answer;

use crate::world::{Shop, done, events, streamed, text, tool_use, turn};

fn stream(shop: &Shop) -> MessagesAgentBuilder {
    shop.agent()
        .streaming(|_| {})
        .stream_patience(Duration::from_millis(200))
}

fn said() -> Answer {
    streamed("end_turn", &json!([text("Done.")]))
}

#[tokio::test]
async fn a_streamed_answer_is_asked_for_and_told_as_it_comes() {
    let content = json!([
        {"type": "thinking", "thinking": "hmm, well", "signature": "c2ln"},
        text("Looking it up."),
        tool_use("a", "lookup", "2"),
    ]);
    let shop = Shop::open([streamed("tool_use", &content), said()]).await;
    let told = Arc::<Mutex<Vec<String>>>::default();
    let log = Arc::clone(&told);
    let agent = shop.agent().streaming(move |event| {
        log.lock().unwrap().push(match event {
            StreamEvent::Text(text) => format!("text:{text}"),
            StreamEvent::Thinking(text) => format!("thinking:{text}"),
            StreamEvent::Calling(name) => format!("calling:{name}"),
            _ => "other".to_owned(),
        });
    });
    let run = shop.harness.scope(agent.build().unwrap().run("hello")).await.unwrap();
    assert_eq!((run.text(), shop.ran()), ("Done.", 1));
    assert_eq!((run.usage().input_tokens(), run.usage().output_tokens()), (20, 4));
    assert_eq!(shop.server.asked()[0].json()["stream"], true);
    assert_eq!(shop.server.asked()[0].header("accept"), Some("text/event-stream"));
    assert_eq!(shop.sent(1)[1], json!({"role": "assistant", "content": content}));
    let told = told.lock().unwrap().clone();
    assert!(told.contains(&"calling:lookup".to_owned()), "{told:?}");
    let text: String = told.iter().filter_map(|told| told.strip_prefix("text:")).collect();
    assert_eq!(text, "Looking it up.Done.");
}

#[tokio::test]
async fn streamed_or_not_the_same_is_run_and_sent_back() {
    let mut member = tool_use("b", "lookup", "2");
    member["toolset_name"] = "browser".into();
    let mut from_code = tool_use("d", "lookup", "4");
    from_code["caller"] = json!({"type": "code_execution_20260120", "tool_id": "srvtoolu_1"});
    let cases = [
        (
            "tool_use",
            json!([
                text("é…"),
                tool_use("a", "lookup", "1"),
                tool_use("b", "lookup", "2"),
                tool_use("c", "refund", "3")
            ]),
        ),
        ("tool_use", json!([tool_use("a", "launch", "1"), member, from_code])),
        (
            "tool_use",
            json!([{"type": "tool_use", "id": "a", "name": "lookup", "input": {}}]),
        ),
        ("pause_turn", json!([text("Working."), tool_use("a", "lookup", "1")])),
        ("max_tokens", json!([tool_use("a", "lookup", "1")])),
        ("refusal", json!([tool_use("a", "lookup", "1")])),
        ("something_new", json!([tool_use("a", "lookup", "1")])),
        (
            "end_turn",
            json!([
                {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
                {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
                {"type": "mcp_tool_use", "id": "m", "name": "post", "server_name": "slack", "input": {}},
                text("Found."),
            ]),
        ),
    ];
    for (reason, content) in cases {
        let plain = Shop::open([turn(reason, &content), done()]).await;
        let agent = plain.agent().build().unwrap();
        let one = plain.harness.scope(agent.run("hello")).await.unwrap();
        let live = Shop::open([streamed(reason, &content), said()]).await;
        let agent = stream(&live).build().unwrap();
        let other = live.harness.scope(agent.run("hello")).await.unwrap();
        assert_eq!(
            (plain.ran(), one.calls().len()),
            (live.ran(), other.calls().len()),
            "{content}"
        );
        assert_eq!((one.text(), one.stop_reason()), (other.text(), other.stop_reason()));
        assert_eq!(one.ungoverned(), other.ungoverned());
        assert_eq!(one.usage(), other.usage());
        let messages =
            |shop: &Shop| -> Vec<Vec<Value>> { (0..shop.server.asked().len()).map(|at| shop.sent(at)).collect() };
        assert_eq!(messages(&plain), messages(&live), "{content}");
    }
}

#[tokio::test]
async fn a_stream_that_ends_without_message_stop_runs_nothing_wherever_it_ends() {
    let whole = streamed(
        "tool_use",
        &json!([tool_use("a", "lookup", "1"), tool_use("b", "refund", "2")]),
    );
    for cut in (0..whole.length())
        .step_by(97)
        .chain([whole.length() - 2, whole.length() - 1])
    {
        let shop = Shop::open([whole.clone().truncated(cut), whole.clone().broken_off(cut), said()]).await;
        let agent = stream(&shop).build().unwrap();
        let run = shop.harness.scope(agent.run("hello")).await.unwrap();
        assert_eq!(
            (run.text(), shop.ran(), shop.server.asked().len()),
            ("Done.", 0, 3),
            "cut at {cut}"
        );
        assert_eq!(shop.harness.records().len(), 0, "nothing was judged");
    }
}

#[tokio::test]
async fn a_stream_that_stalls_is_given_up_and_asked_for_again() {
    let whole = streamed("tool_use", &json!([tool_use("a", "lookup", "1")]));
    let restarted = Arc::<Mutex<u32>>::default();
    let count = Arc::clone(&restarted);
    let shop = Shop::open([whole.stalled(400), said()]).await;
    let agent = shop
        .agent()
        .stream_patience(Duration::from_millis(100))
        .streaming(move |event| {
            if event == StreamEvent::Restarted {
                *count.lock().unwrap() += 1;
            }
        });
    let run = shop.harness.scope(agent.build().unwrap().run("hello")).await.unwrap();
    assert_eq!((run.text(), shop.ran(), *restarted.lock().unwrap()), ("Done.", 0, 1));
}

#[tokio::test]
async fn a_stream_that_keeps_ending_early_is_an_error_after_three_attempts() {
    let whole = streamed("tool_use", &json!([tool_use("a", "lookup", "1")]));
    let short = whole.clone().truncated(whole.length() - 60);
    let shop = Shop::open(vec![short; 4]).await;
    let agent = stream(&shop).build().unwrap();
    let error = shop.harness.scope(agent.run("hello")).await.unwrap_err();
    assert_eq!(
        (error.kind(), shop.server.asked().len(), shop.ran()),
        (ApiErrorKind::Truncated, 3, 0)
    );
    assert_eq!(
        error.into_run().unwrap().messages().len(),
        1,
        "the conversation is as it was"
    );
}

#[tokio::test]
async fn an_error_in_the_stream_is_the_services_refusal() {
    let mut broken = events("tool_use", &json!([tool_use("a", "lookup", "1")]));
    broken.truncate(5);
    let say = |kind: &str| json!({"type": "error", "error": {"type": kind, "message": "no sk-ant-CANARY"}});
    broken.push(say("overloaded_error"));
    let shop = Shop::open([Answer::events(&broken), said()]).await;
    let run = shop
        .harness
        .scope(stream(&shop).build().unwrap().run("hello"))
        .await
        .unwrap();
    assert_eq!((run.text(), shop.ran()), ("Done.", 0));
    broken.pop();
    broken.push(say("invalid_request_error"));
    let shop = Shop::open([Answer::events(&broken), said()]).await;
    let error = shop
        .harness
        .scope(stream(&shop).build().unwrap().run("hello"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ApiErrorKind::Status, Some("invalid_request_error"))
    );
    assert_eq!(shop.server.asked().len(), 1);
    assert!(!error.to_string().contains("CANARY"), "{error}");
}

#[tokio::test]
async fn events_out_of_order_run_nothing() {
    let good = events("tool_use", &json!([tool_use("a", "lookup", "1")]));
    let mut cases = Vec::new();
    for at in 0..good.len() {
        if good[at]["type"] != "ping" {
            let mut less = good.clone();
            less.remove(at);
            cases.push(less);
        }
    }
    let mut twice = good.clone();
    twice.insert(1, good[0].clone());
    cases.push(twice);
    let mut new_delta = good.clone();
    new_delta[2]["delta"] = json!({"type": "new_delta", "x": "y"});
    cases.push(new_delta);
    for events in cases {
        let shop = Shop::open(vec![Answer::events(&events); 3]).await;
        let agent = stream(&shop).max_iterations(1).build().unwrap();
        // some of these are cut inputs, which are no JSON; some lack what ends them
        let _ = shop.harness.scope(agent.run("hello")).await;
        assert_eq!(shop.ran(), 0, "{events:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_stream_is_refused_and_its_errors_are_read() {
    let calls = json!([tool_use("a", "lookup", "1")]);
    let shop = Shop::open([turn("tool_use", &calls)]).await;
    let error = shop
        .harness
        .scope(stream(&shop).build().unwrap().run("hello"))
        .await
        .unwrap_err();
    assert_eq!((error.kind(), shop.ran()), (ApiErrorKind::Malformed, 0));
    let busy = Answer::text(r#"{"type":"error","error":{"type":"rate_limit_error"}}"#)
        .status(429)
        .header("retry-after-ms", "1");
    let shop = Shop::open([busy.clone(), busy, said()]).await;
    let run = shop
        .harness
        .scope(stream(&shop).build().unwrap().run("hello"))
        .await
        .unwrap();
    assert_eq!((run.text(), run.stop_reason()), ("Done.", Some(&StopReason::EndTurn)));
}

#[tokio::test]
async fn strict_and_caching_are_the_users_to_set() {
    let shop = Shop::open([said()]).await;
    let agent = stream(&shop)
        .strict()
        .tool_parameter("refund", "cache_control", &json!({"type": "ephemeral"}))
        .system_blocks(&json!([{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]));
    shop.harness.scope(agent.build().unwrap().run("hello")).await.unwrap();
    let body = shop.server.asked()[0].json();
    assert_eq!(body["system"][0]["cache_control"]["type"], "ephemeral");
    assert_eq!(
        (&body["tools"][0]["strict"], &body["tools"][1]["strict"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(body["tools"][0].get("cache_control"), None);
    assert_eq!(body["tools"][1]["cache_control"]["type"], "ephemeral");
    for (tool, name) in [
        ("refund", "type"),
        ("refund", "input_schema"),
        ("refund", "name"),
        ("nobody", "strict"),
    ] {
        let error = shop.agent().tool_parameter(tool, name, &true).build().unwrap_err();
        assert_eq!(error.kind(), ApiErrorKind::Configuration);
        assert!(error.to_string().contains(name), "{error}");
    }
}
