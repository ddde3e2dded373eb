//! Law 1: a governed function called with no harness in scope is refused, and its body does not start.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicUsize, Ordering};

use managed_agents::testing::FakeGovernor;
use managed_agents::{DenialKind, GovernanceDenied, GovernedBy as _, Harness, Risk, ToolMeta, Verdict, governed};

static RUNS: AtomicUsize = AtomicUsize::new(0);

/// Counts its runs.
#[governed(risk = low)]
async fn count() -> Result<(), GovernanceDenied> {
    RUNS.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

/// Counts its runs, without awaiting.
#[governed(risk = low, blocking)]
fn count_blocking() -> Result<(), GovernanceDenied> {
    RUNS.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

/// Counts its runs, and is run to its end.
#[governed(risk = low, cancel = finish)]
async fn count_to_the_end() -> Result<(), GovernanceDenied> {
    RUNS.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

struct Counter;

#[governed]
impl Counter {
    /// Counts its runs.
    #[governed(risk = low)]
    async fn count(&self) -> Result<(), GovernanceDenied> {
        RUNS.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

async fn harness(agent: &str) -> Harness {
    Harness::builder()
        .in_memory()
        .agent_id(agent)
        .governor(FakeGovernor::always(Verdict::allow()))
        .declare(ToolMeta::new("count").with_risk(Risk::Low))
        .build()
        .await
        .unwrap()
}

/// One test, since what is installed and which scopes were entered is a matter of the whole process.
#[tokio::test]
async fn law_1_no_harness_no_run() {
    let refusals = [
        count().await.unwrap_err(),
        count_blocking().unwrap_err(),
        count_to_the_end().await.unwrap_err(),
        Counter.count().await.unwrap_err(),
    ];
    for denied in refusals {
        assert_eq!(denied.kind(), DenialKind::NoHarness);
        assert_eq!(denied.code(), "no_harness");
        assert!(
            denied.detail().contains("harness.scope("),
            "names the line to add: {denied}"
        );
    }
    assert_eq!(RUNS.load(Ordering::SeqCst), 0, "no body ran");

    let first = harness("first").await;
    first.scope(async { count().await.unwrap() }).await;
    assert_eq!(RUNS.load(Ordering::SeqCst), 1);

    // neither a task nor a thread inherits a scope; what counts is where the call is polled
    first
        .scope(async {
            assert_eq!(tokio::spawn(count()).await.unwrap().unwrap_err().code(), "no_harness");
            let elsewhere = std::thread::spawn(count_blocking).join().unwrap();
            assert_eq!(elsewhere.unwrap_err().code(), "no_harness");
        })
        .await;
    assert_eq!(RUNS.load(Ordering::SeqCst), 1);
    first.spawn(count()).await.unwrap().unwrap();
    tokio::spawn(count().governed_by(&first)).await.unwrap().unwrap();
    assert_eq!(RUNS.load(Ordering::SeqCst), 3);

    // installed, it governs calls outside every scope
    first.install().unwrap();
    assert!(first.install().is_err());
    count().await.unwrap();
    assert_eq!(RUNS.load(Ordering::SeqCst), 4);

    // until the scope of another harness was entered: then a task that lost its scope must not run as another agent
    let second = harness("second").await;
    second.scope(async { count().await.unwrap() }).await;
    assert_eq!(RUNS.load(Ordering::SeqCst), 5);
    let denied = count().await.unwrap_err();
    assert_eq!(denied.kind(), DenialKind::NoHarness);
    assert!(denied.detail().contains("harness.spawn("), "{denied}");
    let lost = second.scope(async { tokio::spawn(count()).await.unwrap() }).await;
    assert_eq!(lost.unwrap_err().kind(), DenialKind::NoHarness);
    assert_eq!(RUNS.load(Ordering::SeqCst), 5);
}
