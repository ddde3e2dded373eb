//! What the loop makes of a service that fails.

use managed_agents::Endpoint;
use managed_agents::claude::ApiErrorKind;
use serde_json::json;
use tests::http::Answer;

use crate::world::{Shop, done, text, tool_use, turn};

#[tokio::test]
async fn what_may_pass_is_tried_again_twice_and_no_more() {
    for status in [408, 409, 429, 500, 503, 529] {
        let busy = Answer::text(r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#)
            .status(status)
            .header("retry-after-ms", "1");
        let shop = Shop::open([busy.clone(), busy.clone(), done()]).await;
        assert_eq!(shop.run().await.text(), "Done.");
        let shop = Shop::open(vec![busy; 4]).await;
        let agent = shop.agent().build().unwrap();
        let error = shop.harness.scope(agent.run("hello")).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(status), Some("overloaded_error")));
        assert_eq!(shop.server.asked().len(), 3);
    }
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    let cases = [
        Answer::text("{}").status(400),
        Answer::text("{}").status(401),
        Answer::text("{}").status(404),
        Answer::text("{}").status(302).header("location", "http://127.0.0.1:1/"),
        Answer::text("{}").status(503).header("x-should-retry", "false"),
        Answer::text("{}").status(429).header("retry-after", "3600"),
        Answer::text("<html>").status(404).header("content-type", "text/html"),
    ];
    for answer in cases {
        let shop = Shop::open([answer.clone(), done()]).await;
        let agent = shop.agent().build().unwrap();
        let error = shop.harness.scope(agent.run("hello")).await.unwrap_err();
        assert_eq!(error.kind(), ApiErrorKind::Status, "{answer:?}");
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
        assert_eq!(error.kind(), ApiErrorKind::Malformed, "{body}");
        assert_eq!(shop.ran(), 0, "{body}");
    }
}

#[tokio::test]
async fn an_answer_over_16_mib_is_not_read() {
    let shop = Shop::open([turn("end_turn", &json!([text(&"x".repeat(17 << 20))]))]).await;
    let agent = shop.agent().build().unwrap();
    let error = shop.harness.scope(agent.run("hello")).await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::TooLarge);
}

#[tokio::test]
async fn a_run_that_breaks_off_tells_what_had_happened() {
    let calls = json!([tool_use("a", "lookup", "1")]);
    let refusal = Answer::text(r#"{"error":{"type":"invalid_request_error","details":{"error_code":"no_credit"}}}"#)
        .status(400)
        .header("request-id", "req_7");
    let shop = Shop::open([turn("tool_use", &calls), refusal]).await;
    let agent = shop.agent().build().unwrap();
    let error = shop.harness.scope(agent.run("hello")).await.unwrap_err();
    assert_eq!((error.code(), error.request_id()), (Some("no_credit"), Some("req_7")));
    let run = error.into_run().unwrap();
    assert_eq!((run.calls().len(), run.messages().len()), (1, 3));
}

#[tokio::test]
async fn the_key_is_in_no_error_and_no_debug_output() {
    let echo = Answer::text(r#"{"error":{"type":"sk-ant-CANARY","message":"bad key sk-ant-CANARY"}}"#).status(401);
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
async fn an_unreachable_service_is_an_error_and_not_a_hang() {
    let shop = Shop::open([]).await;
    let agent = shop
        .agent()
        .base_url(Endpoint::parse("http://127.0.0.1:1").unwrap())
        .build()
        .unwrap();
    let error = shop.harness.scope(agent.run("hello")).await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::Connection);
}
