//! What policies read as `context.history` is exact: however many callers and processes share a record, and over restarts.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use managed_agents::approval::ApproverKey;
use managed_agents::home::Home;
use managed_agents::policy::Policies;
use managed_agents::store::{Depth, Query, Reader, StoreOptions};
use managed_agents::{DenialKind, Engine, GovernanceDenied, Harness, Outcome, Risk, ToolMeta, governed};
use serde_json::json;

const LAW: &str = r#"
    permit(principal, action == Action::"pay", resource)
    when { context.input.cents > 0 && context.history.cents_24h + context.input.cents <= 700 && context.history.calls_24h < 200 };
    permit(principal, action == Action::"ask", resource);
    @decision("escalate")
    forbid(principal, action == Action::"ask", resource) when { context.history.calls_1h >= 1 };
    permit(principal, action == Action::"never_polled", resource) when { context.history.calls_24h < 3 };
    permit(principal, action == Action::"chat", resource) when { context.history.session_calls < 2 };
    forbid(principal, action == Action::"rarely", resource) when { context.history.agent_calls_24h > 4 };
"#;

fn policies(text: &str) -> Policies {
    let none = json!({"type": "object", "properties": {}});
    let cents = json!({"type": "object", "required": ["cents"], "properties": {"cents": {"type": "integer"}}});
    ["ask", "never_polled", "chat", "rarely"]
        .into_iter()
        .fold(Policies::builder().tool("pay", &cents), |builder, tool| {
            builder.tool(tool, &none)
        })
        .text("law.cedar", text)
        .load()
        .unwrap()
}

fn engine() -> Engine {
    // denials by the hundred would cost the agent its trust
    Engine::new().policies(&policies(LAW)).without_behaviour()
}

fn place(test: &str) -> (PathBuf, StoreOptions) {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("history-{test}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let options = options(&dir);
    (dir, options)
}

fn options(dir: &Path) -> StoreOptions {
    StoreOptions::new(dir.join("data")).high_water(dir.join("mark"))
}

fn declared() -> managed_agents::harness::HarnessBuilder {
    ["pay", "ask", "chat", "rarely"]
        .into_iter()
        .fold(Harness::builder().agent_id("bot"), |builder, tool| {
            builder.declare(ToolMeta::new(tool).with_risk(Risk::Low))
        })
}

async fn durable(options: &StoreOptions) -> (Home, Harness) {
    let home = Home::open(options.clone()).unwrap();
    let harness = declared().home(&home).governor(engine()).build().await.unwrap();
    (home, harness)
}

fn is_sound(dir: &Path) -> bool {
    let report = Reader::open(dir.join("data"))
        .unwrap()
        .verify(Depth::Deep, |_| ())
        .unwrap();
    if !report.is_sound() {
        println!("{report:?}");
    }
    report.is_sound()
}

/// 64 callers, each as often as it says: how many ran, and how much they paid.
async fn hammer(harness: &Harness, each: u64) -> (u64, u64) {
    let callers: Vec<_> = (0..64_u64)
        .map(|caller| {
            let harness = harness.clone();
            tokio::spawn(async move {
                let (mut ran, mut paid) = (0, 0);
                for round in 0..each {
                    let cents = 1 + (caller * 7 + round * 13) % 9;
                    if let Ok(permit) = harness.govern("pay", json!({ "cents": cents })).await {
                        tokio::task::yield_now().await;
                        permit.finish(Outcome::Ok);
                        ran += 1;
                        paid += cents;
                    }
                }
                (ran, paid)
            })
        })
        .collect();
    let mut all = (0, 0);
    for caller in callers {
        let (ran, paid) = caller.await.unwrap();
        all = (all.0 + ran, all.1 + paid);
    }
    all
}

fn fits(ran: u64, paid: u64) -> bool {
    // not one too many, and as many as there was room for: each pays 1 to 9
    ran <= 200 && paid <= 700 && (ran == 200 || paid > 700 - 9)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_callers_together_pass_no_condition_and_are_left_all_that_it_allows() {
    let harness = declared().in_memory().governor(engine()).build().await.unwrap();
    let (ran, paid) = hammer(&harness, 6).await;
    assert!(fits(ran, paid), "in memory: {ran} calls, {paid} cents");
    let (dir, options) = place("callers");
    let (home, harness) = durable(&options).await;
    let (ran, paid) = hammer(&harness, 6).await;
    assert!(fits(ran, paid), "in a file: {ran} calls, {paid} cents");
    drop((harness, home));
    assert!(is_sound(&dir));
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "run in a process of its own"]
async fn a_process_that_pays() {
    let dir = PathBuf::from(std::env::var_os("HISTORY_DIR").unwrap());
    let (home, harness) = durable(&options(&dir)).await;
    let (ran, paid) = hammer(&harness, 6).await;
    println!("ran {ran} paid {paid} ");
    drop((harness, home));
}

#[test]
fn four_processes_that_register_the_same_agent_at_once_pass_no_condition_together() {
    let (dir, _) = place("processes");
    let children: Vec<_> = (0..4)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["a_process_that_pays", "--ignored", "--nocapture", "--exact"])
                .env("HISTORY_DIR", &dir)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let (mut ran, mut paid) = (0, 0);
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let number = |word: &str| -> u64 {
            let rest = text.split_once(word).unwrap().1;
            rest.split_whitespace().next().unwrap().parse().unwrap()
        };
        ran += number("ran ");
        paid += number("paid ");
    }
    println!("four processes: {ran} of 200 calls, {paid} of 700 cents");
    assert!(fits(ran, paid), "{ran} calls, {paid} cents");
    assert!(is_sound(&dir));
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn what_was_counted_outlives_the_process_and_what_is_under_way_counts() {
    let (dir, options) = place("restart");
    let pay = async |harness: &Harness, cents: u64| harness.govern("pay", json!({ "cents": cents })).await;
    let (home, harness) = durable(&options).await;
    let under_way = pay(&harness, 300).await.unwrap();
    assert_eq!(pay(&harness, 401).await.unwrap_err().code(), "policy_no_permit");
    pay(&harness, 300).await.unwrap().finish(Outcome::Ok);
    under_way.finish(Outcome::Error);
    drop((harness, home));
    // nothing of it is in the memory of the second process: the record knows
    let (home, harness) = durable(&options).await;
    assert_eq!(pay(&harness, 101).await.unwrap_err().code(), "policy_no_permit");
    pay(&harness, 100).await.unwrap().finish(Outcome::Ok);
    assert_eq!(pay(&harness, 1).await.unwrap_err().code(), "policy_no_permit");
    // and the record says on what: not what the first guess was
    home.store().flush().await.unwrap();
    let reader = home.store().reader().unwrap();
    let page = reader.query(&Query::new().kind("decision").newest_first()).unwrap();
    let newest = page.entries().first().unwrap();
    let values = reader
        .values(managed_agents::audit::Sequence::new(newest.sequence()))
        .unwrap();
    let managed_agents::store::Values::Known(values) = values else {
        panic!("nothing was erased");
    };
    let inputs = values.iter().find(|value| value.path == "/inputs").unwrap();
    let inputs = String::from_utf8_lossy(&inputs.value);
    assert!(inputs.contains(r#""cents_24h":700"#), "{inputs}");
    drop((harness, home, reader));
    assert!(is_sound(&dir));
    std::fs::remove_dir_all(dir).unwrap();
}

static BEGAN: AtomicU64 = AtomicU64::new(0);

#[governed(risk = low, reversible)]
async fn never_polled() -> Result<(), GovernanceDenied> {
    BEGAN.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

#[tokio::test]
async fn a_call_that_is_cancelled_before_its_body_begins_is_given_back() {
    let (dir, options) = place("gone");
    let (home, harness) = durable(&options).await;
    for _ in 0..20 {
        let mut call = Box::pin(harness.scope(never_polled()));
        let waker = std::task::Waker::noop();
        // its decision is on its way, and nobody waits for it
        let polled = Future::poll(call.as_mut(), &mut std::task::Context::from_waker(waker));
        drop(call);
        if polled.is_pending() {
            home.store().flush().await.unwrap();
        }
    }
    let began = BEGAN.load(Ordering::SeqCst);
    assert!(began <= 3, "{began}");
    for _ in began..3 {
        harness.scope(never_polled()).await.unwrap();
        home.store().flush().await.unwrap();
    }
    let denied = harness.scope(never_polled()).await.unwrap_err();
    assert_eq!(denied.code(), "policy_no_permit");
    drop((harness, home));
    assert!(is_sound(&dir));
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn an_escalated_call_counts_when_it_is_redeemed_and_not_before() {
    let ann = ApproverKey::generate().unwrap();
    let harness = declared()
        .in_memory()
        .approver("ann", ann.public())
        .governor(engine())
        .build()
        .await
        .unwrap();
    let asks = async || harness.govern("ask", "{}").await;
    asks().await.unwrap().finish(Outcome::Ok);
    // the first that was asked for; the others wait for the same ticket
    let ticket = asks().await.unwrap_err();
    assert_eq!(ticket.kind(), DenialKind::Escalated);
    for _ in 0..3 {
        assert_eq!(asks().await.unwrap_err().ticket(), ticket.ticket());
    }
    let counted = |records: &[managed_agents::store::MemoryEntry]| {
        let ran = records.iter().filter(|record| record.outcome().is_some());
        ran.count()
    };
    assert_eq!(counted(&harness.records()), 1);
    harness.approve(ticket.ticket().unwrap(), &ann).unwrap();
    asks().await.unwrap().finish(Outcome::Ok);
    assert_eq!(asks().await.unwrap_err().kind(), DenialKind::Escalated, "once");
}

#[tokio::test]
async fn calls_are_counted_by_session_and_by_agent_where_any_policy_reads_that() {
    let harness = declared().in_memory().governor(engine()).build().await.unwrap();
    for name in ["one", "other"] {
        let session = harness.session(name);
        for number in 0..3 {
            let run = session
                .govern("chat", "{}")
                .await
                .map(|permit| permit.finish(Outcome::Ok));
            assert_eq!(run.is_ok(), number < 2, "{name} {number}");
        }
    }
    // four calls of another tool were counted for the agent, whose policies do not read that
    harness.govern("rarely", "{}").await.unwrap().finish(Outcome::Ok);
    let denied = harness.govern("rarely", "{}").await.unwrap_err();
    assert_eq!(denied.code(), "policy_forbids");
}

#[tokio::test]
async fn what_is_counted_is_made_anew_from_the_log_and_a_count_that_was_changed_is_found() {
    let (dir, options) = place("changed");
    let (home, harness) = durable(&options).await;
    for cents in [10, 20, 30] {
        harness
            .govern("pay", json!({ "cents": cents }))
            .await
            .unwrap()
            .finish(Outcome::Ok);
    }
    drop((harness, home));
    assert!(is_sound(&dir));
    // the mark of the row is right, and what it says is not what the log does
    Home::open(options.clone()).unwrap().store().flush().await.unwrap();
    let db = rusqlite::Connection::open(dir.join("data").join("record.db")).unwrap();
    let (key, part, amount): (Vec<u8>, i64, i64) = db
        .query_row("SELECT key, part, amount FROM counts WHERE amount = 60", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    let mut hash = <sha2::Sha256 as sha2::Digest>::new();
    sha2::Digest::update(&mut hash, &key);
    sha2::Digest::update(&mut hash, part.to_be_bytes());
    sha2::Digest::update(&mut hash, (amount - 50).to_be_bytes());
    let mark = sha2::Digest::finalize(hash)[..8].to_vec();
    let changed = db
        .execute(
            "UPDATE counts SET amount = ?1, mark = ?2 WHERE key = ?3 AND part = ?4",
            rusqlite::params![amount - 50, mark, key, part],
        )
        .unwrap();
    assert_eq!(changed, 1);
    drop(db);
    assert!(!is_sound(&dir));
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_recorder_that_keeps_no_counts_lets_nothing_run_that_is_counted() {
    struct Uncounting(managed_agents::store::MemoryRecorder);
    impl managed_agents::audit::Recorder for Uncounting {
        fn commit(
            &self,
            record: managed_agents::audit::DecisionRecord,
            call: Option<&std::sync::Arc<managed_agents::ToolCall>>,
            claims: managed_agents::Claims,
        ) -> managed_agents::Answer<Result<managed_agents::audit::Committed, managed_agents::audit::RecordError>>
        {
            self.0.commit(record, call, claims)
        }
        fn conclude(&self, place: managed_agents::audit::Sequence, outcome: managed_agents::audit::OutcomeRecord) {
            self.0.conclude(place, outcome);
        }
    }
    let recorder = Uncounting(managed_agents::store::MemoryRecorder::new());
    let harness = declared().recorder(recorder).governor(engine()).build().await.unwrap();
    let denied = harness.govern("pay", json!({ "cents": 1 })).await.unwrap_err();
    assert_eq!(denied.code(), "limit_uncounted");
}

#[tokio::test]
async fn what_a_candidate_reads_is_counted_for_it_too() {
    let live = policies(r#"permit(principal, action == Action::"chat", resource);"#);
    let none = json!({"type": "object", "properties": {}});
    let candidate = Policies::builder().tool("chat", &none).text(
        "next.cedar",
        r#"permit(principal, action == Action::"chat", resource) when { context.history.calls_1h < 2 && context.now.unix > 0 };"#,
    );
    live.shadow(&candidate).unwrap();
    let harness = declared()
        .in_memory()
        .governor(Engine::new().policies(&live))
        .build()
        .await
        .unwrap();
    for _ in 0..5 {
        harness.govern("chat", "{}").await.unwrap().finish(Outcome::Ok);
    }
    let report = live.shadow_report().unwrap();
    assert_eq!((report.judged, report.differing), (5, 3));
}
