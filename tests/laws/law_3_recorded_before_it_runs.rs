//! Law 3, in memory: the decision is recorded before the body starts, and its outcome after, whatever becomes of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use managed_agents::audit::{
    Committed, DecisionRecord, Disposition, OutcomeRecord, RecordError, RecordErrorKind, Recorder, Sequence,
};
use managed_agents::testing::FakeGovernor;
use managed_agents::{
    Answer, Claims, Decision, DenialKind, GovernanceDenied, Harness, Outcome, Reason, ToolCall, Verdict, governed,
};

/// Runs a test in a thread and a runtime of its own, and fails when it does not end: a gate that waits for ever, or blocks
/// its thread for ever, breaks the law as much as one that does not wait.
fn in_time<F: Future>(test: impl FnOnce() -> F + Send + 'static) {
    let (ended, end) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        // dropped when the test ends, however that is
        let _ended = ended;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(test());
    });
    if end.recv_timeout(Duration::from_secs(10)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
        panic!("the test has not ended after 10 seconds");
    }
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    fn note(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Writes down what it is told, a little later than it is asked.
struct Slow(Journal);

impl Recorder for Slow {
    fn commit(
        &self,
        record: DecisionRecord,
        _call: Option<&Arc<ToolCall>>,
        _claims: Claims,
    ) -> Answer<Result<Committed, RecordError>> {
        let journal = self.0.clone();
        Answer::later(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            journal.note(format!("decided {}", record.disposition()));
            Ok(Committed::Done(Sequence::new(0)))
        })
    }

    fn conclude(&self, _place: Sequence, outcome: OutcomeRecord) {
        self.0.note(format!("ended {}", outcome.outcome()));
    }
}

/// Notes that it runs.
#[governed(risk = low, skip(journal))]
async fn run(journal: Journal, fail: bool) -> Result<(), GovernanceDenied> {
    journal.note("body");
    if fail {
        return Err(GovernanceDenied::new(DenialKind::Denied, "own", "an error of the body"));
    }
    Ok(())
}

#[test]
fn law_3_recorded_before_it_runs() {
    in_time(|| async {
        let journal = Journal::default();
        let harness = Harness::builder()
            .agent_id("a")
            .governor(FakeGovernor::always(Verdict::allow()))
            .recorder(Slow(journal.clone()))
            .build()
            .await
            .unwrap();
        harness.scope(run(journal.clone(), false)).await.unwrap();
        harness.scope(run(journal.clone(), true)).await.unwrap_err();
        assert_eq!(
            journal.lines(),
            [
                "decided allowed",
                "body",
                "ended ok",
                "decided allowed",
                "body",
                "ended error"
            ]
        );
    });
}

struct Broken;

impl Recorder for Broken {
    fn commit(
        &self,
        _record: DecisionRecord,
        _call: Option<&Arc<ToolCall>>,
        _claims: Claims,
    ) -> Answer<Result<Committed, RecordError>> {
        Answer::ready(Err(RecordError::new(RecordErrorKind::Full, "no space left")))
    }

    fn conclude(&self, _place: Sequence, _outcome: OutcomeRecord) {
        panic!("nothing ran");
    }
}

#[test]
fn law_3_a_decision_that_cannot_be_recorded_is_a_denial_whatever_else_is_set() {
    in_time(|| async {
        for observe in [false, true] {
            let journal = Journal::default();
            let builder = Harness::builder()
                .agent_id("a")
                .governor(FakeGovernor::always(Verdict::allow()))
                .recorder(Broken)
                .fail_open(true)
                .block_on_escalate(false);
            let builder = if observe {
                builder.dangerous().observe_only()
            } else {
                builder
            };
            let harness = builder.build().await.unwrap();
            let denied = harness.scope(run(journal.clone(), false)).await.unwrap_err();
            assert_eq!(denied.kind(), DenialKind::Unrecorded);
            assert_eq!(denied.code(), "record_full");
            assert!(harness.govern("job", "{}").await.is_err());
            assert!(journal.lines().is_empty());
        }
    });
}

struct AlwaysStale(Journal);

impl Recorder for AlwaysStale {
    fn commit(
        &self,
        record: DecisionRecord,
        _call: Option<&Arc<ToolCall>>,
        _claims: Claims,
    ) -> Answer<Result<Committed, RecordError>> {
        self.0.note(record.codes().next().unwrap_or("-").to_owned());
        Answer::ready(Ok(if record.disposition() == Disposition::Refused {
            Committed::Done(Sequence::new(0))
        } else {
            Committed::Stale
        }))
    }

    fn conclude(&self, _place: Sequence, _outcome: OutcomeRecord) {}
}

#[test]
fn law_3_a_call_whose_ground_keeps_changing_is_judged_three_times_and_then_denied() {
    in_time(|| async {
        let journal = Journal::default();
        let governor = FakeGovernor::always(Verdict::allow());
        let harness = Harness::builder()
            .agent_id("a")
            .governor(governor.clone())
            .recorder(AlwaysStale(journal.clone()))
            .build()
            .await
            .unwrap();
        let ran = Journal::default();
        let denied = harness.scope(run(ran.clone(), false)).await.unwrap_err();
        assert_eq!(denied.code(), "contended");
        assert_eq!(governor.calls().len(), 3);
        assert_eq!(journal.lines(), ["-", "-", "-", "contended"]);
        assert!(ran.lines().is_empty());
    });
}

async fn memory() -> Harness {
    Harness::builder()
        .in_memory()
        .agent_id("a")
        .governor(FakeGovernor::always(Verdict::allow()))
        .build()
        .await
        .unwrap()
}

fn outcome(harness: &Harness) -> Option<Outcome> {
    harness
        .records()
        .last()
        .unwrap()
        .outcome()
        .map(|record| record.outcome())
}

/// Never ends.
#[governed(risk = low)]
async fn forever() -> Result<(), GovernanceDenied> {
    std::future::pending().await
}

/// Ends too late.
#[governed(risk = low, timeout = "10ms", skip(dropped))]
async fn late(dropped: SetOnDrop) -> Result<(), GovernanceDenied> {
    let _dropped = dropped;
    std::future::pending().await
}

struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Panics.
#[governed(risk = low)]
async fn panics() -> Result<(), GovernanceDenied> {
    tokio::task::yield_now().await;
    panic!("as it must");
}

/// Ends after a while, whoever waits.
#[governed(risk = low, cancel = finish, skip(done))]
async fn finishes(done: Arc<AtomicBool>) -> Result<(), GovernanceDenied> {
    tokio::time::sleep(Duration::from_millis(20)).await;
    done.store(true, Ordering::SeqCst);
    Ok(())
}

#[test]
fn law_3_a_call_that_cannot_run_for_want_of_a_runtime_is_recorded_as_refused() {
    let harness = Harness::builder().in_memory().agent_id("a").build_blocking().unwrap();
    let call = std::pin::pin!(harness.scope(finishes(Arc::default())));
    // the engine and the record in memory answer at once
    let polled = call.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    let std::task::Poll::Ready(Err(denied)) = polled else {
        panic!("must be refused: {polled:?}");
    };
    assert_eq!((denied.kind(), denied.code()), (DenialKind::Unavailable, "no_runtime"));
    let records = harness.records();
    let record = records.last().unwrap().decision();
    assert_eq!(
        (record.tool(), record.disposition()),
        ("finishes", Disposition::Refused)
    );
    assert_eq!(record.codes().collect::<Vec<_>>(), ["no_runtime"]);
    assert_eq!(denied.evaluation_id(), Some(record.evaluation_id()));
}

#[test]
fn law_3_a_dropped_call_is_recorded_as_cancelled() {
    in_time(|| async {
        let harness = memory().await;
        let call = harness.scope(forever());
        assert!(tokio::time::timeout(Duration::from_millis(10), call).await.is_err());
        assert_eq!(outcome(&harness), Some(Outcome::Cancelled));
    });
}

#[test]
fn law_3_a_body_that_runs_too_long_is_dropped_and_recorded_as_timed_out() {
    in_time(|| async {
        let harness = memory().await;
        let dropped = Arc::new(AtomicBool::new(false));
        let call = harness.scope(late(SetOnDrop(Arc::clone(&dropped))));
        let denied = call.await.unwrap_err();
        assert_eq!(denied.kind(), DenialKind::TimedOut);
        assert!(
            dropped.load(Ordering::SeqCst),
            "the body was gone when the caller went on"
        );
        assert_eq!(outcome(&harness), Some(Outcome::TimedOut));
    });
}

#[test]
fn law_3_a_panicking_body_is_recorded_as_panicked() {
    in_time(|| async {
        let harness = memory().await;
        assert!(harness.spawn(panics()).await.unwrap_err().is_panic());
        assert_eq!(outcome(&harness), Some(Outcome::Panicked));
    });
}

#[test]
fn law_3_a_call_dropped_by_another_panic_is_cancelled_and_did_not_panic() {
    in_time(|| async {
        let harness = memory().await;
        let inner = harness.clone();
        let task = tokio::spawn(async move {
            let mut call = Box::pin(inner.scope(forever()));
            assert!(tokio::time::timeout(Duration::from_millis(5), &mut call).await.is_err());
            panic!("somebody else's");
        });
        assert!(task.await.unwrap_err().is_panic());
        assert_eq!(outcome(&harness), Some(Outcome::Cancelled));
    });
}

#[test]
fn law_3_a_body_that_must_finish_does_so_when_its_caller_is_gone() {
    in_time(|| async {
        let harness = memory().await;
        let done = Arc::new(AtomicBool::new(false));
        let call = harness.scope(finishes(Arc::clone(&done)));
        assert!(tokio::time::timeout(Duration::from_millis(5), call).await.is_err());
        assert_eq!(outcome(&harness), None);
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(done.load(Ordering::SeqCst));
        assert_eq!(outcome(&harness), Some(Outcome::Ok));
    });
}

#[test]
fn law_3_a_permit_that_nobody_reports_on_is_recorded_as_unreported() {
    in_time(|| async {
        let harness = memory().await;
        drop(harness.govern("job", "{}").await.unwrap());
        assert_eq!(outcome(&harness), Some(Outcome::Unreported));
        harness.govern("job", "{}").await.unwrap().finish(Outcome::Ok);
        assert_eq!(outcome(&harness), Some(Outcome::Ok));
        let result: Result<(), GovernanceDenied> = harness
            .govern("job", "{}")
            .await
            .unwrap()
            .run(async |_| panics().await)
            .await;
        assert_eq!(result.unwrap_err().code(), "no_harness");
        assert_eq!(outcome(&harness), Some(Outcome::Error));
    });
}

#[test]
fn law_3_every_verdict_reaches_record_session_and_callback_whatever_its_origin() {
    in_time(|| async {
        let journal = Journal::default();
        let heard = journal.clone();
        let governor = FakeGovernor::new()
            .then(Verdict::allow())
            .then(Verdict::deny(Reason::new("no", "no")))
            .then(Verdict::escalate(Reason::new("ask", "ask")));
        let harness = Harness::builder()
            .in_memory()
            .agent_id("a")
            .governor(governor)
            .on_verdict(move |event| {
                let record = event.record();
                heard.note(format!(
                    "{} {}",
                    record.disposition(),
                    record.codes().next().unwrap_or("-")
                ));
                panic!("a callback that panics changes nothing");
            })
            .build()
            .await
            .unwrap();
        let session = harness.session("s");
        session.govern("t", "{}").await.unwrap().finish(Outcome::Ok);
        session.govern("t", "{}").await.unwrap_err();
        session.govern("t", "{}").await.unwrap_err();
        // the script is over: no verdict
        session.govern("t", "{}").await.unwrap_err();
        // judged by nobody
        session.govern("t", r#"{"a":1,"a":2}"#).await.unwrap_err();
        assert_eq!(
            journal.lines(),
            [
                "allowed -",
                "refused no",
                "queued ask",
                "refused governor_internal",
                "refused invalid_arguments"
            ]
        );
        let records = harness.records();
        assert_eq!(records.len(), 5);
        assert!(records.iter().all(|entry| entry.decision().session() == Some("s")));
        let summary = session.summary();
        assert_eq!((summary.allowed(), summary.denied(), summary.escalated()), (1, 3, 1));
        assert_eq!(summary.evaluation_ids().len(), 5);
        assert_eq!(records[2].decision().decision(), Decision::Escalate);
    });
}

#[test]
fn law_3_a_call_made_by_a_body_names_its_parent() {
    in_time(|| async {
        /// Calls another tool.
        #[governed(risk = low)]
        async fn outer() -> Result<(), GovernanceDenied> {
            tokio::task::yield_now().await;
            run(Journal::default(), false).await
        }
        let harness = memory().await;
        harness.scope(outer()).await.unwrap();
        let records = harness.records();
        assert_eq!(records[0].decision().parent(), None);
        assert_eq!(
            records[1].decision().parent(),
            Some(records[0].decision().evaluation_id())
        );
    });
}

#[test]
fn law_3_a_dispatched_call_that_never_reaches_its_gate_is_recorded_as_refused() {
    in_time(|| async {
        let harness = memory().await;
        let tools = managed_agents::Toolbox::new()
            .harness(&harness)
            .tool(forever::tool())
            .build()
            .unwrap();
        assert!(tools.call("forever", r#"{"surplus":1}"#).await.is_error());
        assert!(tools.call("nothing", "{}").await.is_error());
        let records = harness.records();
        let refused: Vec<_> = records
            .iter()
            .map(|entry| {
                let record = entry.decision();
                (record.tool(), record.disposition(), record.codes().next().unwrap())
            })
            .collect();
        assert_eq!(
            refused,
            [
                ("forever", Disposition::Refused, "invalid_arguments"),
                ("nothing", Disposition::Refused, "unknown_tool")
            ]
        );
    });
}

/// Answers that something has changed when it is asked first, and writes down what it is told from then on.
struct ChangedOnce(Journal, AtomicBool);

impl Recorder for ChangedOnce {
    fn commit(
        &self,
        record: DecisionRecord,
        _call: Option<&Arc<ToolCall>>,
        _claims: Claims,
    ) -> Answer<Result<Committed, RecordError>> {
        if !self.1.swap(true, Ordering::Relaxed) {
            return Answer::ready(Ok(Committed::Stale));
        }
        self.0.note(format!("decided {}", record.disposition()));
        Answer::ready(Ok(Committed::Done(Sequence::new(0))))
    }

    fn conclude(&self, _place: Sequence, _outcome: OutcomeRecord) {
        panic!("nothing ran");
    }
}

#[test]
fn law_3_a_refusal_is_recorded_though_something_changed_meanwhile() {
    in_time(|| async {
        let journal = Journal::default();
        let changed = ChangedOnce(journal.clone(), AtomicBool::new(false));
        let harness = Harness::builder()
            .agent_id("a")
            .recorder(changed)
            .build()
            .await
            .unwrap();
        // no object: refused before anybody judges
        harness.govern("job", "[]").await.unwrap_err();
        assert_eq!(journal.lines(), ["decided refused"]);
    });
}

#[test]
fn a_record_has_one_place() {
    let both = Harness::builder()
        .in_memory()
        .agent_id("a")
        .recorder(Broken)
        .build_blocking();
    assert!(both.unwrap_err().to_string().contains("two places"));
}

#[cfg(feature = "sqlite")]
mod durable {
    use managed_agents::home::Home;
    use managed_agents::store::StoreOptions;
    use managed_agents::{GovernanceDenied, Harness, Outcome, governed};

    /// Answers at once.
    #[governed(risk = low, reversible, blocking)]
    fn double(n: u32) -> Result<u32, GovernanceDenied> {
        Ok(n * 2)
    }

    #[tokio::test]
    async fn law_3_a_blocking_tool_inside_a_runtime_waits_for_its_durable_record() {
        let dir = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("law-3-{}", std::process::id()));
        let options = StoreOptions::new(dir.join("data")).high_water(dir.join("mark"));
        let home = tokio::task::spawn_blocking(|| Home::open(options).unwrap())
            .await
            .unwrap();
        let harness = Harness::builder().agent_id("bot").home(&home).build().await.unwrap();
        let doubled = harness.scope(async { double(21) }).await.unwrap();
        assert_eq!(doubled, 42);
        harness
            .govern_blocking("double", r#"{"n": 1}"#)
            .unwrap()
            .finish(Outcome::Ok);
        home.store().flush().await.unwrap();
        let reader = home.store().reader().unwrap();
        let page = reader
            .query(&managed_agents::store::Query::new().tool("double"))
            .unwrap();
        assert_eq!(page.entries().len(), 2, "both decisions are on the disk");
        drop((harness, home));
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_directory_is_not_shared_with_a_weaker_promise_than_was_asked_for() {
        use managed_agents::store::Durability;
        let dir = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("promise-{}", std::process::id()));
        let builder = || {
            Harness::builder()
                .agent_id("bot")
                .data_dir(dir.join("data"))
                .high_water_mark(dir.join("mark"))
        };
        let first = builder().build_blocking().unwrap();
        builder().build_blocking().unwrap();
        let other = builder().durability(Durability::PowerLoss).build_blocking();
        assert!(other.unwrap_err().to_string().contains("another durability"));
        drop(first);
        builder().durability(Durability::PowerLoss).build_blocking().unwrap();
        std::fs::remove_dir_all(dir).unwrap();
    }
}
