//! Calls that wait for the people behind the service.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use managed_agents::audit::Disposition;
use managed_agents::{Decision, DenialKind, GovernanceDenied, Harness};
use tests::support::governance_server::{GovernanceServer, Script, verdict};

use super::{AGENT, governed_by, remote};

/// A service that escalates, and answers look-ups with each of `then` in turn, the last of them for ever.
async fn escalating(then: Vec<Script>) -> GovernanceServer {
    let asked = AtomicUsize::new(0);
    GovernanceServer::start(move |request| match request.method.as_str() {
        "POST" => Script::json(200, &verdict("ESCALATE", AGENT)),
        _ => {
            assert_eq!(request.path, "/api/v1/governance/evaluations/eval_1");
            let at = asked.fetch_add(1, Ordering::Relaxed).min(then.len() - 1);
            then[at].clone()
        }
    })
    .await
}

async fn wait_for(
    server: &GovernanceServer,
    patience: Duration,
    fail_open: bool,
) -> (Result<u8, GovernanceDenied>, Harness) {
    let harness = governed_by(remote(server))
        .wait_for_approval(patience)
        .fail_open(fail_open)
        .build()
        .await
        .unwrap();
    let result = once(&harness).await;
    (result, harness)
}

async fn once(harness: &Harness) -> Result<u8, GovernanceDenied> {
    harness.govern("weather", "{}").await?.run(async |_| Ok(7)).await
}

fn dispositions(harness: &Harness) -> Vec<Disposition> {
    harness
        .records()
        .iter()
        .map(|entry| entry.decision().disposition())
        .collect()
}

const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_waiting_call_runs_once_its_evaluation_is_allowed() {
    let still = Script::json(200, &verdict("ESCALATE", AGENT));
    let server = escalating(vec![still, Script::json(200, &verdict("ALLOW", AGENT))]).await;
    let (result, harness) = wait_for(&server, PATIENCE, false).await;
    assert_eq!(result.unwrap(), 7);
    assert_eq!(dispositions(&harness), [Disposition::Queued, Disposition::Approved]);
    // as when people of this harness approve: the judges escalated, and that stays on record
    let approved = harness.records().pop().unwrap();
    let record = approved.decision();
    assert_eq!(record.decision(), Decision::Escalate);
    assert_eq!(record.codes().collect::<Vec<_>>(), ["escalated"]);
    assert_eq!(record.evaluation_id().to_string(), "eval_1");
    assert_eq!(record.ticket(), Some("eval_1"));
}

#[tokio::test]
async fn the_model_is_told_what_it_waits_for_and_that_nobody_decided() {
    let server = escalating(vec![Script::json(200, &verdict("ESCALATE", AGENT))]).await;
    let harness = governed_by(remote(&server)).build().await.unwrap();
    let denied = once(&harness).await.unwrap_err();
    let told = denied.reason_for_model();
    assert!(
        told.starts_with("a person must approve this call first (ticket eval_1)."),
        "{told}"
    );
    let (result, _) = wait_for(&server, Duration::from_millis(300), false).await;
    let denied = result.unwrap_err();
    let told = denied.reason_for_model();
    assert!(told.starts_with("nobody has decided on this call in time"), "{told}");
    assert!(told.contains("(ticket eval_1)"), "{told}");
}

#[tokio::test]
async fn one_approved_evaluation_runs_one_call() {
    // a service that names every evaluation alike: the approval of the first must not run the second
    let server = escalating(vec![Script::json(200, &verdict("ALLOW", AGENT))]).await;
    let (result, harness) = wait_for(&server, PATIENCE, true).await;
    assert_eq!(result.unwrap(), 7);
    let denied = once(&harness).await.unwrap_err();
    assert_eq!(
        (denied.kind(), denied.code()),
        (DenialKind::Unavailable, "evaluation_reused")
    );
}

#[tokio::test]
async fn a_waiting_call_whose_evaluation_is_denied_or_answered_by_another_is_refused() {
    let deny = verdict("DENY", AGENT);
    let other_agent = verdict("ALLOW", "nmc-other");
    let other_evaluation = verdict("ALLOW", AGENT).replace("eval_1", "eval_2");
    for (script, code) in [
        (Script::json(200, &deny), "denied"),
        (Script::json(200, &other_agent), "verdict_mismatched"),
        (Script::json(200, &other_evaluation), "verdict_mismatched"),
        (Script::json(403, &deny), "http_403"),
        (Script::json(404, &deny), "http_404"),
        (Script::json(200, "<html>"), "answer_not_json"),
    ] {
        let server = escalating(vec![script]).await;
        let (result, harness) = wait_for(&server, PATIENCE, true).await;
        assert_eq!(result.unwrap_err().code(), code);
        let refused = harness.records().pop().unwrap();
        assert_eq!(refused.decision().decision(), Decision::Deny);
        assert_eq!(refused.decision().codes().collect::<Vec<_>>(), [code, "escalated"]);
        assert_eq!(
            dispositions(&harness),
            [Disposition::Queued, Disposition::Refused],
            "{code}"
        );
    }
}

#[tokio::test]
async fn an_outage_while_waiting_is_outlasted_and_never_lets_a_call_pass() {
    let away = || {
        vec![
            Script::json(503, "{}"),
            Script::AnswerAndReset(vec![]),
            Script::json(429, "{}"),
        ]
    };
    let mut then = away();
    then.push(Script::json(200, &verdict("ALLOW", AGENT)));
    let server = escalating(then).await;
    let (result, _) = wait_for(&server, Duration::from_secs(20), true).await;
    assert_eq!(result.unwrap(), 7);

    let server = escalating(away()).await;
    let (result, harness) = wait_for(&server, Duration::from_secs(1), true).await;
    assert_eq!(result.unwrap_err().kind(), DenialKind::Escalated);
    assert_eq!(dispositions(&harness), [Disposition::Queued]);
}
