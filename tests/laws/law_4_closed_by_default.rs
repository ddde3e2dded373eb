//! Law 4: without a verdict that can be trusted a call is denied, each way with its own code.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use managed_agents::audit::Disposition;
use managed_agents::harness::CircuitBreaker;
use managed_agents::testing::FakeGovernor;
use managed_agents::{
    DenialKind, Digest, GovernanceDenied, GovernorError, GovernorErrorKind, Harness, Reason, Verdict, governed,
};

static RUNS: AtomicUsize = AtomicUsize::new(0);

/// Counts its runs.
#[governed(risk = low)]
async fn count(number: f64) -> Result<(), GovernanceDenied> {
    let _ = number;
    RUNS.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

/// Counts its runs; grave.
#[governed(risk = critical)]
async fn count_grave() -> Result<(), GovernanceDenied> {
    RUNS.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

/// Its argument would be screened.
#[governed(risk = low)]
async fn shell(#[governed(kind = shell)] command: String) -> Result<String, GovernanceDenied> {
    Ok(command)
}

async fn call(governor: FakeGovernor, fail_open: bool) -> (Result<(), GovernanceDenied>, Disposition) {
    let harness = Harness::builder()
        .in_memory()
        .agent_id("a")
        .governor(governor)
        .fail_open(fail_open)
        .timeout(Duration::from_millis(20))
        .build()
        .await
        .unwrap();
    let result = harness.scope(count(1.0)).await;
    (result, harness.records().last().unwrap().decision().disposition())
}

#[tokio::test]
async fn law_4_closed_by_default() {
    use GovernorErrorKind as Kind;
    let kinds = [
        (Kind::Unreachable, "governor_unreachable", true),
        (Kind::TimedOut, "governor_timed_out", true),
        (Kind::ServerError, "governor_failed", true),
        (Kind::CircuitOpen, "circuit_open", true),
        (Kind::Rejected, "governor_rejected", false),
        (Kind::Redirected, "governor_redirected", false),
        (Kind::Tls, "governor_tls", false),
        (Kind::Malformed, "governor_malformed", false),
        (Kind::Mismatched, "verdict_mismatched", false),
        (Kind::Overdue, "governor_overdue", false),
        (Kind::WouldBlock, "would_block", false),
        (Kind::Internal, "governor_internal", false),
    ];
    for (kind, code, outage) in kinds {
        let error = || FakeGovernor::new().then_fail(GovernorError::new(kind, "as scripted"));
        let (result, disposition) = call(error(), false).await;
        let denied = result.unwrap_err();
        assert_eq!((denied.kind(), denied.code()), (DenialKind::Unavailable, code));
        assert_eq!(disposition, Disposition::Refused);
        let (result, disposition) = call(error(), true).await;
        assert_eq!(result.is_ok(), outage, "{kind:?}");
        assert_eq!(disposition == Disposition::FailOpen, outage, "{kind:?}");
    }
}

#[tokio::test]
async fn law_4_a_governor_that_does_not_answer_in_time_is_a_denial() {
    let late = FakeGovernor::always(Verdict::allow()).delayed(Duration::from_secs(60));
    // nobody can say how far it had come: an answer may have begun, so failing open does not cover it
    for fail_open in [false, true] {
        let (result, disposition) = call(late.clone(), fail_open).await;
        assert_eq!(result.unwrap_err().code(), "governor_overdue");
        assert_eq!(disposition, Disposition::Refused);
    }
}

#[tokio::test]
async fn law_4_a_breaker_that_late_answers_opened_does_not_fail_open() {
    let late = FakeGovernor::always(Verdict::allow()).delayed(Duration::from_secs(60));
    let harness = Harness::builder()
        .in_memory()
        .agent_id("a")
        .governor(late.clone())
        .fail_open(true)
        .timeout(Duration::from_millis(20))
        .circuit_breaker(CircuitBreaker::new(2, Duration::from_secs(600)))
        .build()
        .await
        .unwrap();
    for code in ["governor_overdue", "governor_overdue", "circuit_open", "circuit_open"] {
        let denied = harness.scope(count(1.0)).await.unwrap_err();
        assert_eq!((denied.kind(), denied.code()), (DenialKind::Unavailable, code));
        let last = harness.records().pop().unwrap();
        assert_eq!(last.decision().disposition(), Disposition::Refused);
    }
    assert_eq!(late.calls().len(), 2, "the open breaker asks nobody");
}

#[tokio::test]
async fn law_4_a_verdict_that_does_not_fit_the_call_is_a_denial_even_when_failing_open() {
    let yesterday = SystemTime::now() - Duration::from_secs(86_400);
    for (verdict, code) in [
        (Verdict::allow().for_agent("b"), "verdict_mismatched"),
        (Verdict::allow().for_digest(Digest::new([7; 32])), "verdict_mismatched"),
        (Verdict::allow().until(yesterday), "verdict_expired"),
    ] {
        let (result, _) = call(FakeGovernor::always(verdict), true).await;
        assert_eq!(result.unwrap_err().code(), code);
    }
    let fits = Verdict::allow()
        .for_agent("a")
        .until(SystemTime::now() + Duration::from_secs(60));
    assert!(call(FakeGovernor::always(fits), false).await.0.is_ok());
}

#[tokio::test]
async fn law_4_arguments_that_cannot_be_represented_are_refused_before_anybody_judges() {
    let governor = FakeGovernor::always(Verdict::allow());
    let harness = Harness::builder()
        .in_memory()
        .agent_id("a")
        .governor(governor.clone())
        .build()
        .await
        .unwrap();
    let denied = harness.scope(count(f64::NAN)).await.unwrap_err();
    assert_eq!(
        (denied.kind(), denied.code()),
        (DenialKind::InvalidArguments, "unrepresentable")
    );
    let denied = harness.scope(shell("x".repeat(1 << 20))).await.unwrap_err();
    assert_eq!(denied.code(), "too_large");
    assert!(governor.calls().is_empty());
    assert_eq!(harness.records().len(), 2, "and the refusals are recorded");
}

#[cfg(not(feature = "screen"))]
#[tokio::test]
async fn law_4_an_argument_that_would_be_screened_escalates_without_a_screen() {
    let allow = FakeGovernor::always(Verdict::allow());
    for fail_open in [false, true] {
        let harness = Harness::builder()
            .in_memory()
            .agent_id("a")
            .governor(allow.clone())
            .fail_open(fail_open)
            .block_on_escalate(false)
            .build()
            .await
            .unwrap();
        let denied = harness.scope(shell("ls".to_owned())).await.unwrap_err();
        assert_eq!(
            (denied.kind(), denied.code()),
            (DenialKind::Escalated, "screen_missing")
        );
    }
}

#[cfg(feature = "screen")]
#[tokio::test]
async fn law_4_what_the_screen_stops_is_stopped_in_every_mode() {
    let allow = FakeGovernor::always(Verdict::allow());
    for (fail_open, block) in [(false, true), (true, true), (false, false), (true, false)] {
        let harness = Harness::builder()
            .in_memory()
            .agent_id("a")
            .governor(allow.clone())
            .fail_open(fail_open)
            .block_on_escalate(block)
            .build()
            .await
            .unwrap();
        for (command, kind, code) in [
            ("rm -rf ~", DenialKind::Denied, "destroy_home"),
            ("rm -rf /srv/data", DenialKind::Escalated, "destroy_outside"),
            ("echo \"unclosed", DenialKind::Escalated, "not_understood"),
        ] {
            let denied = harness.scope(shell(command.to_owned())).await.unwrap_err();
            assert_eq!((denied.kind(), denied.code()), (kind, code), "{command}");
        }
        assert!(harness.scope(shell("ls -la".to_owned())).await.is_ok());
    }
}

#[tokio::test]
async fn law_4_the_escalation_table_holds_row_by_row() {
    let escalate = || FakeGovernor::always(Verdict::escalate(Reason::new("ask", "ask")));
    let outage = || FakeGovernor::new().then_fail(GovernorError::new(GovernorErrorKind::Unreachable, "gone"));
    for (block, open) in [(true, false), (true, true), (false, false), (false, true)] {
        let build = |governor| {
            Harness::builder()
                .in_memory()
                .agent_id("a")
                .governor(governor)
                .block_on_escalate(block)
                .fail_open(open)
                .build_blocking()
                .unwrap()
        };
        let proceeds = !block && open;
        let harness = build(escalate());
        let result = harness.scope(count(2.0)).await;
        assert_eq!(result.is_ok(), proceeds, "block {block} open {open}");
        let record = harness.records().pop().unwrap();
        let expected = if proceeds {
            Disposition::ProceededUnapproved
        } else {
            Disposition::Queued
        };
        assert_eq!(record.decision().disposition(), expected);
        // a grave call never proceeds unapproved
        let denied = harness.scope(count_grave()).await.unwrap_err();
        assert_eq!(denied.kind(), DenialKind::Escalated);
        // an unreachable service
        let harness = build(outage());
        assert_eq!(harness.scope(count(3.0)).await.is_ok(), open);
    }
}

#[tokio::test]
async fn law_4_observing_suspends_judgement_and_nothing_else() {
    let harness = Harness::builder()
        .in_memory()
        .agent_id("a")
        .governor(FakeGovernor::always(Verdict::deny(Reason::new("no", "no"))))
        .dangerous()
        .observe_only()
        .build()
        .await
        .unwrap();
    harness.scope(count(4.0)).await.unwrap();
    let record = harness.records().pop().unwrap();
    assert!(!record.decision().is_enforced());
    assert_eq!(record.decision().decision().code(), "deny", "the would-be verdict");
    assert!(count(4.0).await.is_err(), "no harness");
    assert!(
        harness.scope(count(f64::INFINITY)).await.is_err(),
        "arguments that cannot be judged"
    );
}

#[test]
fn law_4_a_blocking_call_never_waits_inside_a_runtime_and_may_wait_outside() {
    /// Blocks.
    #[governed(risk = low, blocking)]
    fn blocks() -> Result<(), GovernanceDenied> {
        Ok(())
    }
    let harness = Harness::builder()
        .in_memory()
        .agent_id("a")
        .governor(FakeGovernor::always(Verdict::allow()).delayed(Duration::from_millis(5)))
        .build_blocking()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let denied = runtime.block_on(harness.scope(async { blocks() })).unwrap_err();
    assert_eq!((denied.kind(), denied.code()), (DenialKind::Unavailable, "would_block"));
    assert_eq!(harness.records().len(), 1, "the refusal is recorded");
    assert!(runtime.block_on(async { harness.govern_blocking("t", "{}") }).is_err());
    // outside every runtime it waits
    harness
        .govern_blocking("t", "{}")
        .unwrap()
        .finish(managed_agents::Outcome::Ok);
}
