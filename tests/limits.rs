//! Limits hold: however many callers, threads and processes there are, and whatever becomes of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use managed_agents::approval::ApproverKey;
use managed_agents::home::Home;
use managed_agents::limit::Limit;
use managed_agents::store::{Depth, Reader, StoreOptions};
use managed_agents::{DenialKind, Engine, GovernanceDenied, Harness, Outcome, Risk, ToolMeta, governed};
use proptest::prelude::*;
use serde_json::json;

const DAY: Duration = Duration::from_secs(86_400);

fn place(test: &str) -> (PathBuf, StoreOptions) {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("limits-{test}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let options = StoreOptions::new(dir.join("data")).high_water(dir.join("mark"));
    (dir, options)
}

fn pay() -> ToolMeta {
    ToolMeta::new("pay").with_risk(Risk::Low)
}

async fn in_memory(engine: Engine) -> Harness {
    Harness::builder()
        .in_memory()
        .agent_id("bot")
        .declare(pay())
        .declare(ToolMeta::new("look").with_risk(Risk::Low))
        .governor(engine)
        .build()
        .await
        .unwrap()
}

async fn durable(options: &StoreOptions, engine: Engine) -> (Home, Harness) {
    let home = Home::open(options.clone()).unwrap();
    let builder = Harness::builder()
        .agent_id("bot")
        .home(&home)
        .declare(pay())
        .governor(engine);
    let harness = builder.build().await.unwrap();
    (home, harness)
}

static AT_ONCE: AtomicI64 = AtomicI64::new(0);
static MOST_AT_ONCE: AtomicI64 = AtomicI64::new(0);

/// 64 callers, each as often as it says: how many ran, and how much they paid.
async fn hammer(harness: &Harness, each: u64) -> (u64, u64) {
    let callers: Vec<_> = (0..64_u64)
        .map(|caller| {
            let harness = harness.clone();
            tokio::spawn(async move {
                let (mut ran, mut paid) = (0, 0);
                for round in 0..each {
                    let cents = 1 + (caller * 7 + round * 13) % 9;
                    let Ok(permit) = harness.govern("pay", json!({ "cents": cents })).await else {
                        continue;
                    };
                    let now = AT_ONCE.fetch_add(1, Ordering::SeqCst) + 1;
                    MOST_AT_ONCE.fetch_max(now, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    AT_ONCE.fetch_sub(1, Ordering::SeqCst);
                    permit.finish(Outcome::Ok);
                    ran += 1;
                    paid += cents;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_callers_never_pass_a_limit_together() {
    for in_file in [false, true] {
        for (limit, calls, cents, at_once) in [
            (Limit::calls(100, DAY).of_tool("pay"), 100, u64::MAX, i64::MAX),
            (Limit::sum("cents", 300, DAY), u64::MAX, 300, i64::MAX),
            (Limit::running(3), u64::MAX, u64::MAX, 3),
        ] {
            let engine = Engine::new().limit(limit.clone());
            // a record of its own: whom a limit denied often is trusted less, and asked about
            let (dir, options) = place(&format!("callers-{}-{}", calls.min(1_000), cents.min(1_000)));
            let (home, harness) = if in_file {
                let (home, harness) = durable(&options, engine).await;
                (Some(home), harness)
            } else {
                (None, in_memory(engine).await)
            };
            MOST_AT_ONCE.store(0, Ordering::SeqCst);
            let (ran, paid) = hammer(&harness, 8).await;
            assert!(ran <= calls && paid <= cents, "{limit}: {ran} calls, {paid} cents");
            assert!(MOST_AT_ONCE.load(Ordering::SeqCst) <= at_once, "{limit}");
            if calls == 100 {
                assert_eq!(ran, 100, "what the limit leaves is not taken away");
            }
            assert!(ran > 0, "{limit}: {ran}");
            drop((harness, home));
            if in_file {
                let reader = Reader::open(dir.join("data")).unwrap();
                let report = reader.verify(Depth::Deep, |_| ()).unwrap();
                assert!(report.is_sound(), "{report:?}");
                drop(reader);
                std::fs::remove_dir_all(dir).unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "run in a process of its own"]
async fn a_process_that_pays() {
    let dir = PathBuf::from(std::env::var_os("LIMITS_DIR").unwrap());
    let options = StoreOptions::new(dir.join("data")).high_water(dir.join("mark"));
    let engine = Engine::new()
        .limit(Limit::calls(200, DAY).of_tool("pay"))
        .limit(Limit::sum("cents", 700, DAY));
    let (home, harness) = durable(&options, engine).await;
    let (ran, paid) = hammer(&harness, 6).await;
    println!("ran {ran} paid {paid} ");
    drop((harness, home));
}

fn child(test: &str, dir: &std::path::Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--ignored", "--nocapture", "--exact"])
        .env("LIMITS_DIR", dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn four_processes_never_pass_a_limit_together() {
    let (dir, options) = place("processes");
    let home = Home::open(options).unwrap();
    // registered before, so that the four do not all do it at once
    let agent = managed_agents::AgentId::parse("bot").unwrap();
    home.register(&managed_agents::identity::Enrolment::new(agent)).unwrap();
    drop(home);
    let children: Vec<_> = (0..4).map(|_| child("a_process_that_pays", &dir)).collect();
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
    assert!(ran <= 200 && paid <= 700, "{ran} calls, {paid} cents");
    // each paid 1 to 9 cents: no more of them could have been paid
    assert!(ran == 200 || paid > 700 - 9, "{ran} calls, {paid} cents");
    let report = Reader::open(dir.join("data"))
        .unwrap()
        .verify(Depth::Deep, |_| ())
        .unwrap();
    assert!(report.is_sound(), "{report:?}");
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
#[ignore = "run in a process of its own"]
async fn a_process_that_dies_with_a_call() {
    let dir = PathBuf::from(std::env::var_os("LIMITS_DIR").unwrap());
    let options = StoreOptions::new(dir.join("data")).high_water(dir.join("mark"));
    let (_home, harness) = durable(&options, Engine::new().limit(Limit::running(1))).await;
    let _permit = harness.govern("pay", json!({ "cents": 1 })).await.unwrap();
    println!("holds");
    tokio::time::sleep(Duration::from_secs(600)).await;
}

#[tokio::test]
async fn a_place_of_a_process_that_died_is_free_again_and_that_of_one_that_lives_is_not() {
    let (dir, options) = place("dead");
    let (home, harness) = durable(&options, Engine::new().limit(Limit::running(1))).await;
    let mut child = child("a_process_that_dies_with_a_call", &dir);
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    lines
        .by_ref()
        .map(Result::unwrap)
        .find(|line| line.contains("holds"))
        .unwrap();
    for _ in 0..3 {
        let denied = harness.govern("pay", json!({ "cents": 1 })).await.unwrap_err();
        assert_eq!(denied.code(), "limit_running");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let begun = Instant::now();
    let permit = loop {
        match harness.govern("pay", json!({ "cents": 1 })).await {
            Ok(permit) => break permit,
            Err(denied) => assert!(begun.elapsed() < Duration::from_secs(10), "{denied}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    permit.finish(Outcome::Ok);
    home.store().flush().await.unwrap();
    let report = home.store().reader().unwrap().verify(Depth::Deep, |_| ()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    drop((harness, home));
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn what_was_counted_outlives_the_process_and_what_never_began_does_not_count() {
    let (dir, options) = place("restart");
    let engine = || Engine::new().limit(Limit::calls(2, DAY));
    let (home, harness) = durable(&options, engine()).await;
    harness.govern("pay", "{}").await.unwrap().finish(Outcome::Ok);
    // a governed call that is stopped before its body begins
    for _ in 0..5 {
        let call = harness.scope(never_polled());
        drop(call);
    }
    drop((harness, home));
    let (home, harness) = durable(&options, engine()).await;
    harness.govern("pay", "{}").await.unwrap().finish(Outcome::Ok);
    assert_eq!(harness.govern("pay", "{}").await.unwrap_err().code(), "limit_calls");
    drop((harness, home));
    std::fs::remove_dir_all(dir).unwrap();
}

static BEGAN: AtomicU64 = AtomicU64::new(0);

#[governed(risk = low, reversible)]
async fn never_polled() -> Result<(), GovernanceDenied> {
    BEGAN.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

#[tokio::test]
async fn a_caller_that_goes_away_before_its_call_began_is_given_back() {
    let (dir, options) = place("gone");
    let (home, harness) = durable(
        &options,
        Engine::new().limit(Limit::calls(3, DAY)).limit(Limit::running(1)),
    )
    .await;
    for _ in 0..50 {
        let mut call = Box::pin(harness.scope(never_polled()));
        // its decision is on its way, and nobody waits for it
        let waker = std::task::Waker::noop();
        let polled = call.as_mut().poll(&mut std::task::Context::from_waker(waker));
        drop(call);
        if polled.is_ready() {
            continue;
        }
        home.store().flush().await.unwrap();
    }
    let began = BEGAN.load(Ordering::SeqCst);
    assert!(began <= 3);
    for _ in began..3 {
        harness.govern("pay", "{}").await.unwrap().finish(Outcome::Ok);
        home.store().flush().await.unwrap();
    }
    assert_eq!(harness.govern("pay", "{}").await.unwrap_err().code(), "limit_calls");
    drop((harness, home));
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn what_people_approve_beyond_a_limit_runs_once_and_counts() {
    let ann = ApproverKey::generate().unwrap();
    let limit = Limit::sum("cents", 100, DAY).of_tool("pay").escalates();
    let harness = Harness::builder()
        .in_memory()
        .agent_id("bot")
        .declare(pay())
        .approver("ann", ann.public())
        .governor(Engine::new().limit(limit).limit(Limit::size("to", 2)))
        .build()
        .await
        .unwrap();
    let pay = async |cents: u64| harness.govern("pay", json!({ "cents": cents, "to": ["a"] })).await;
    pay(90).await.unwrap().finish(Outcome::Ok);
    let asked = pay(20).await.unwrap_err();
    assert_eq!((asked.kind(), asked.code()), (DenialKind::Escalated, "limit_sum"));
    harness.approve(asked.ticket().unwrap(), &ann).unwrap();
    pay(20).await.unwrap().finish(Outcome::Ok);
    assert_eq!(pay(20).await.unwrap_err().kind(), DenialKind::Escalated, "once");
    assert_eq!(pay(1).await.unwrap_err().code(), "limit_sum", "110 of 100");
    let many = harness
        .govern("pay", json!({ "cents": 0, "to": ["a", "b", "c"] }))
        .await
        .unwrap_err();
    assert_eq!((many.kind(), many.code()), (DenialKind::Denied, "limit_size"));
    for odd in [json!("12"), json!(1.5), json!(1e30), json!([1])] {
        let denied = harness.govern("pay", json!({ "cents": odd })).await.unwrap_err();
        assert_eq!(denied.code(), "limit_sum");
    }
}

#[tokio::test]
async fn each_agent_is_limited_by_itself_and_tools_as_the_limit_says() {
    let record = managed_agents::store::MemoryRecorder::new();
    let harness = async |agent: &str| {
        Harness::builder()
            .recorder(record.clone())
            .agent_id(agent)
            .declare(pay())
            .declare(ToolMeta::new("look").with_risk(Risk::Low))
            .governor(
                Engine::new()
                    .limit(Limit::calls(1, DAY).of_tool("pay"))
                    .limit(Limit::calls(3, DAY)),
            )
            .build()
            .await
            .unwrap()
    };
    for agent in ["one", "other"] {
        let harness = harness(agent).await;
        let call = async |tool: &str| {
            harness
                .govern(tool, "{}")
                .await
                .map(|permit| permit.finish(Outcome::Ok))
                .is_ok()
        };
        assert!(call("pay").await);
        assert!(!call("pay").await);
        assert!(call("look").await && call("look").await);
        assert!(!call("look").await, "of all tools together");
    }
}

#[tokio::test]
async fn limits_of_one_thing_count_each_call_once() {
    let engine = || {
        let bot = managed_agents::AgentId::parse("bot").unwrap();
        Engine::new()
            .limit(Limit::calls(4, DAY))
            .limit(Limit::calls(3, DAY).escalates())
            .limit(Limit::running(9))
            .limit(Limit::running(2).of_agent(bot))
    };
    let (dir, options) = place("once");
    let (home, durable) = durable(&options, engine()).await;
    for harness in [&durable, &in_memory(engine()).await] {
        let call = async || harness.govern("pay", json!({ "cents": 1 })).await;
        let (first, second) = (call().await.unwrap(), call().await.unwrap());
        assert_eq!(call().await.unwrap_err().code(), "limit_running", "two of two run");
        first.finish(Outcome::Ok);
        second.finish(Outcome::Ok);
        call().await.unwrap().finish(Outcome::Ok);
        assert_eq!(
            call().await.unwrap_err().kind(),
            DenialKind::Escalated,
            "the fourth asks"
        );
    }
    drop((durable, home));
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn judgement_that_is_suspended_limits_nothing_and_records_what_it_would_have_said() {
    let harness = Harness::builder()
        .in_memory()
        .agent_id("bot")
        .declare(pay())
        .governor(Engine::new().limit(Limit::calls(1, DAY)).limit(Limit::running(0)))
        .dangerous()
        .observe_only()
        .build()
        .await
        .unwrap();
    for _ in 0..2 {
        harness.govern("pay", "{}").await.unwrap().finish(Outcome::Ok);
    }
    let records = harness.records();
    let codes: Vec<_> = records.last().unwrap().decision().codes().map(str::to_owned).collect();
    assert!(
        codes.contains(&"limit_calls".to_owned()) && codes.contains(&"limit_running".to_owned()),
        "{codes:?}"
    );
}

#[test]
fn limits_are_read_from_the_configuration_and_what_is_wrong_is_named() {
    use managed_agents::config::Config;
    let parse = |text: &str| Config::parse(text, "managed-agents.toml".as_ref());
    let good = "[[limits]]\ntool = \"pay\"\ncalls = 2\nper = \"1h\"\n[[limits]]\nagent = \"bot\"\nrunning = 1\n\
                [[limits]]\nsum = \"cents\"\nmost = 9\nper = \"24h\"\nexceeded = \"escalate\"\n[[limits]]\nsize = \"to\"\nmost = 1\n";
    let said = parse(good).unwrap().describe();
    for part in [
        "2 calls in 3600s, of `pay`",
        "1 calls at once",
        "9 as the sum of `cents`",
        "1 as the size of `to`",
    ] {
        assert!(said.contains(part), "{said}");
    }
    for (text, error) in [
        ("[[limits]]\ncalls = 2\n", "needs `per`"),
        ("[[limits]]\nrunning = 2\nper = \"1h\"\n", "means nothing"),
        ("[[limits]]\nsum = \"a\"\nper = \"1h\"\n", "needs `most`"),
        ("[[limits]]\ntool = \"a\"\n", "says one of"),
        ("[[limits]]\ncalls = 1\nrunning = 1\n", "says one of"),
        ("[[limits]]\ncalls = -1\nper = \"1h\"\n", "number"),
        ("[[limits]]\ncalls = 1\nper = \"5ms\"\n", "a second at least"),
        ("[[limits]]\ncals = 1\n", "did you mean `calls`"),
        ("[[limits]]\nrunning = 1\nexceeded = \"allow\"\n", "exceeded"),
    ] {
        let told = parse(text).unwrap_err().to_string();
        assert!(told.contains(error), "{text}: {told}");
    }
}

/// A limit, and what is said of a call by one who adds up by hand what ran before.
#[derive(Clone, Debug)]
struct Planned {
    what: Limited,
    most: u64,
    of_tool: bool,
    escalates: bool,
}

#[derive(Clone, Copy, Debug)]
enum Limited {
    Calls,
    Running,
    Sum,
    Size,
}

/// Whether it pays, and how much.
type Call = (bool, i64);

impl Planned {
    fn limit(&self) -> Limit {
        let limit = match self.what {
            Limited::Calls => Limit::calls(self.most, DAY),
            Limited::Running => Limit::running(self.most),
            Limited::Sum => Limit::sum("cents", self.most, DAY),
            Limited::Size => Limit::size("cents", self.most),
        };
        let limit = if self.of_tool { limit.of_tool("pay") } else { limit };
        if self.escalates { limit.escalates() } else { limit }
    }

    /// 0 where the call may run, 1 where people are asked, 2 where it is denied. What ran before runs still.
    fn says(&self, ran: &[Call], call: Call) -> u8 {
        let is_about = |(pays, _): &&Call| *pays || !self.of_tool;
        let with = || ran.iter().chain([&call]).filter(is_about);
        let comes_to = match self.what {
            _ if !is_about(&&call) => return 0,
            Limited::Calls | Limited::Running => with().count() as u64,
            Limited::Sum => with().map(|(_, cents)| cents.unsigned_abs()).sum(),
            Limited::Size => call.1.unsigned_abs(),
        };
        match (comes_to > self.most, self.escalates) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => 2,
        }
    }
}

fn planned() -> impl Strategy<Value = Planned> {
    let what = prop_oneof![
        (Just(Limited::Calls), 0..4_u64),
        (Just(Limited::Running), 0..3_u64),
        (Just(Limited::Sum), 0..40_u64),
        (Just(Limited::Size), 0..20_u64),
    ];
    (what, any::<bool>(), any::<bool>()).prop_map(|((what, most), of_tool, escalates)| Planned {
        what,
        most,
        of_tool,
        escalates,
    })
}

/// What each call of a story comes to, none of which ends: 0 runs, 1 asks, 2 is denied.
fn story(limits: &[Planned], calls: &[Call]) -> Vec<u8> {
    let engine = limits.iter().map(Planned::limit).fold(Engine::new(), Engine::limit);
    let harness = Harness::builder()
        .in_memory()
        .agent_id("bot")
        .declare(pay())
        .declare(ToolMeta::new("look").with_risk(Risk::Low))
        .governor(engine)
        .build_blocking()
        .unwrap();
    let mut open = Vec::new();
    let mut come_to = |(pays, cents): &Call| {
        let tool = if *pays { "pay" } else { "look" };
        match harness.govern_blocking(tool, json!({ "cents": cents })) {
            Ok(permit) => {
                open.push(permit);
                0
            }
            Err(denied) if denied.kind() == DenialKind::Escalated => 1,
            Err(_) => 2,
        }
    };
    calls.iter().map(&mut come_to).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn law_5_a_further_limit_never_permits_more(
        limits in proptest::collection::vec(planned(), 0..4),
        more in planned(),
        calls in proptest::collection::vec((any::<bool>(), 0..20_i64), 1..8),
    ) {
        let fewer = story(&limits, &calls);
        let limits = [limits, vec![more]].concat();
        let with = story(&limits, &calls);
        // as long as both have let the same calls run, the one with more limits is as strict or stricter
        for (fewer, with) in fewer.iter().zip(&with) {
            prop_assert!(with >= fewer);
            if fewer != with {
                break;
            }
        }
        // and each limit is kept, whatever the others say: the strictest of them decides
        let mut ran = Vec::new();
        for (call, came_to) in calls.iter().zip(with) {
            let strictest = limits.iter().map(|limit| limit.says(&ran, *call)).max().unwrap_or(0);
            prop_assert_eq!(came_to, strictest, "{:?} after {:?}", call, ran);
            if came_to == 0 {
                ran.push(*call);
            }
        }
    }
}
