//! A run that is cancelled: every call has a result, and the conversation can be carried on.

use std::future::ready;
use std::time::Duration;

use managed_agents::{Outcome, ToolStatus};
use serde_json::json;

use crate::world::{Shop, done, tool_use, turn};

#[tokio::test]
async fn cancelling_answers_every_open_call() {
    let calls = json!([
        tool_use("a", "lookup", "never"),
        tool_use("b", "lookup", "2"),
        tool_use("c", "refund", "3")
    ]);
    let shop = Shop::open([turn("tool_use", &calls), done()]).await;
    let agent = shop.agent().build().unwrap();
    let ended = |outcome| {
        let records = shop.harness.records();
        records
            .iter()
            .filter(|entry| entry.outcome().is_some_and(|ended| ended.outcome() == outcome))
            .count()
    };
    let cancel = async {
        while shop.harness.records().len() < 3 || ended(Outcome::Ok) < 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let run = shop.harness.scope(agent.run_until("hello", cancel)).await.unwrap();
    assert!(run.cancelled());
    let statuses: Vec<_> = run
        .calls()
        .iter()
        .map(|call| (call.id(), call.result().status()))
        .collect();
    assert_eq!(
        statuses,
        [
            ("a", ToolStatus::Cancelled),
            ("b", ToolStatus::Done),
            ("c", ToolStatus::Denied)
        ]
    );
    assert!(
        run.calls()[0]
            .result()
            .text()
            .contains("whether it took effect is not known")
    );
    assert_eq!(shop.server.asked().len(), 1, "nothing more is asked");
    assert_eq!(ended(Outcome::Cancelled), 1);

    let run = shop
        .harness
        .scope(agent.resume(run.into_messages(), "go on"))
        .await
        .unwrap();
    assert_eq!(run.text(), "Done.");
    let sent = shop.sent(1);
    let answered: Vec<_> = sent[2]["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| &result["tool_use_id"])
        .collect();
    assert_eq!(answered, ["a", "b", "c"]);
    assert_eq!(sent[2]["content"][0]["is_error"], true);
}

#[tokio::test]
async fn calls_beyond_those_that_run_at_once_are_not_begun_when_cancelled() {
    let calls: Vec<_> = (0..20)
        .map(|at| tool_use(&format!("t{at}"), "lookup", "never"))
        .collect();
    let shop = Shop::open([turn("tool_use", &calls.into())]).await;
    let agent = shop.agent().build().unwrap();
    let cancel = async {
        while shop.ran() < 8 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let run = shop.harness.scope(agent.run_until("hello", cancel)).await.unwrap();
    let not_begun = run
        .calls()
        .iter()
        .filter(|call| call.result().text().contains("was not run"))
        .count();
    assert_eq!((run.calls().len(), not_begun), (20, 12));
    assert_eq!(shop.ran(), 8);
}

#[tokio::test]
async fn a_run_cancelled_before_it_begins_asks_nothing() {
    let shop = Shop::open([done()]).await;
    let agent = shop.agent().build().unwrap();
    let run = shop.harness.scope(agent.run_until("hello", ready(()))).await.unwrap();
    assert!(run.cancelled());
    assert_eq!((run.iterations(), shop.server.asked().len()), (0, 0));
}
