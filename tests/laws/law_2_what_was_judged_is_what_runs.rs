//! Law 2: the judged arguments are the typed values that the body sees, and a permit yields the judged values.

use std::collections::BTreeMap;
use std::future::Future as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Waker};

use managed_agents::testing::FakeGovernor;
use managed_agents::{
    Answer, GovernanceDenied, Governor, GovernorError, Harness, Judgement, Outcome, ToolCall, Verdict, governed,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Order {
    id: u64,
    delta: i128,
    factor: f64,
    note: Option<String>,
    lines: BTreeMap<String, Line>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Line {
    Free,
    Item(i64),
    Range { from: u128, to: Option<f32> },
}

static SEEN: Mutex<Option<(Order, Option<u64>)>> = Mutex::new(None);

/// Keeps what it sees.
#[governed(risk = low)]
async fn keep(order: &Order, limit: Option<u64>) -> Result<(), GovernanceDenied> {
    *SEEN.lock().unwrap() = Some((order.clone(), limit));
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    order: Order,
    limit: Option<u64>,
}

fn order() -> impl Strategy<Value = Order> {
    let float = prop_oneof![
        any::<f64>().prop_filter("finite", |f| f.is_finite()),
        Just(-0.0),
        Just(5e-324)
    ];
    let line = prop_oneof![
        Just(Line::Free),
        any::<i64>().prop_map(Line::Item),
        (
            any::<u128>(),
            any::<Option<f32>>().prop_filter("finite", |f| f.is_none_or(f32::is_finite))
        )
            .prop_map(|(from, to)| Line::Range { from, to }),
    ];
    (
        prop_oneof![any::<u64>(), Just(u64::MAX), Just((1 << 53) + 1)],
        prop_oneof![any::<i128>(), Just(i128::MIN), Just(i128::MAX)],
        float,
        any::<Option<String>>(),
        prop::collection::btree_map(any::<String>(), line, 0..5),
    )
        .prop_map(|(id, delta, factor, note, lines)| Order {
            id,
            delta,
            factor,
            note,
            lines,
        })
}

fn harness(governor: &FakeGovernor) -> Harness {
    Harness::builder()
        .in_memory()
        .agent_id("a")
        .governor(governor.clone())
        .build_blocking()
        .unwrap()
}

async fn judged(order: &Order, limit: Option<u64>) -> (Arc<ToolCall>, (Order, Option<u64>)) {
    let governor = FakeGovernor::always(Verdict::allow());
    harness(&governor).scope(keep(order, limit)).await.unwrap();
    let seen = SEEN.lock().unwrap().take().unwrap();
    (governor.calls().remove(0), seen)
}

fn exact(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

/// Both properties in one test, since the body leaves what it saw in one place.
#[test]
fn law_2_what_was_judged_is_what_runs() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let calls = (
        order(),
        any::<Option<u64>>(),
        order(),
        any::<Option<u64>>(),
        any::<bool>(),
    );
    runner
        .run(&calls, |(order, limit, other, other_limit, same)| {
            let (call, seen) = runtime.block_on(judged(&order, limit));
            let decoded: Arguments = serde_json::from_str(call.reveal_arguments()).unwrap();
            prop_assert_eq!(exact(&decoded.order), exact(&seen.0), "judged and seen");
            prop_assert_eq!(decoded.limit, seen.1);
            let (other, other_limit) = if same {
                (order.clone(), limit)
            } else {
                (other, other_limit)
            };
            let (second, _) = runtime.block_on(judged(&other, other_limit));
            let equal = exact(&(&order, limit)) == exact(&(&other, other_limit));
            prop_assert_eq!(call.reveal_canonical() == second.reveal_canonical(), equal);
            prop_assert_ne!(call.digest(), second.digest(), "each record has its own salt");
            Ok(())
        })
        .unwrap();
}

/// A value whose `Serialize` shows less than it is.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema, Serialize)]
struct TwoFaced {
    shown: u8,
    #[serde(skip)]
    hidden: u8,
}

/// Says what it sees.
#[governed(risk = low, exact)]
async fn exactly(value: TwoFaced) -> Result<(u8, u8), GovernanceDenied> {
    Ok((value.shown, value.hidden))
}

#[tokio::test]
async fn law_2_an_exact_tool_runs_with_the_values_decoded_from_the_judged_bytes() {
    let governor = FakeGovernor::always(Verdict::allow());
    let value = TwoFaced { shown: 1, hidden: 2 };
    let seen = harness(&governor).scope(exactly(value)).await.unwrap();
    assert_eq!(seen, (1, 0), "what was shown runs, and what was not does not");
}

#[tokio::test]
async fn law_2_a_permit_yields_the_judged_values() {
    let governor = FakeGovernor::always(Verdict::allow());
    let harness = harness(&governor);
    let permit = harness
        .govern("t", r#"{ "b" : 1e2, "a" : "\u0041" , "c": -0.0 }"#)
        .await
        .unwrap();
    assert_eq!(governor.calls()[0].reveal_arguments(), r#"{"a":"A","b":100,"c":-0.0}"#);
    assert_eq!(
        serde_json::to_string(permit.arguments()).unwrap(),
        governor.calls()[0].reveal_arguments()
    );
    permit.finish(Outcome::Ok);
    for json in [r#"{"a":1,"a":1}"#, r#"{"a":{"b":1,"b":2}}"#, "[]", "{"] {
        assert_eq!(harness.govern("t", json).await.unwrap_err().code(), "invalid_arguments");
    }
    assert_eq!(governor.calls().len(), 1);
}

struct Account(&'static str);

impl Account {
    fn id(&self) -> &'static str {
        self.0
    }
}

/// Uses an account.
#[governed(risk = high)]
async fn pay(#[governed(state(id = account.id()))] account: &Account, cents: u64) -> Result<u64, GovernanceDenied> {
    let _ = account;
    Ok(cents)
}

#[tokio::test]
async fn law_2_the_identity_of_state_is_part_of_the_judged_call() {
    let governor = FakeGovernor::always(Verdict::allow());
    let harness = harness(&governor);
    harness.scope(pay(&Account("one"), 5)).await.unwrap();
    harness.scope(pay(&Account("two"), 5)).await.unwrap();
    let calls = governor.calls();
    assert_ne!(calls[0].reveal_canonical(), calls[1].reveal_canonical());
    let text = String::from_utf8(calls[0].reveal_canonical()).unwrap();
    let definition = calls[0].meta().definition();
    assert_eq!(
        text,
        format!(
            r#"{{"v":"ma-call/1","agent":"a","tool":"pay","definition":"{definition}","ids":{{"account":"one"}},"arguments":{{"cents":5}}}}"#
        )
    );
}

/// Panics when it is asked first, and allows everything from then on.
struct PanicsOnce(AtomicBool);

impl Governor for PanicsOnce {
    fn name(&self) -> &'static str {
        "panics-once"
    }

    fn decide(&self, _call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
        assert!(self.0.swap(true, Ordering::Relaxed), "the first time");
        Answer::ready(Ok(Verdict::allow().into()))
    }
}

#[test]
fn a_call_whose_judge_panicked_is_not_judged_again_without_its_arguments() {
    static RAN: AtomicBool = AtomicBool::new(false);
    static HARNESS: OnceLock<Harness> = OnceLock::new();

    #[governed(risk = low, harness = HARNESS.get().unwrap())]
    async fn pay(cents: u64) -> Result<u64, GovernanceDenied> {
        RAN.store(true, Ordering::Relaxed);
        Ok(cents)
    }

    let harness = Harness::builder()
        .in_memory()
        .agent_id("a")
        .governor(PanicsOnce(AtomicBool::new(false)))
        .build_blocking()
        .unwrap();
    HARNESS.set(harness).unwrap();
    // not inside a scope, whose own future would not be polled again
    let mut call = Box::pin(pay(7));
    let mut poll = || {
        let mut context = Context::from_waker(Waker::noop());
        catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut context).is_ready()))
    };
    assert!(poll().is_err(), "the judge panics");
    assert!(!matches!(poll(), Ok(true)));
    assert!(!RAN.load(Ordering::Relaxed));
}
