//! The failure matrix of the remote governor: what each failure is, and what it does to a governed call under either
//! fail mode.
#![cfg(test)]

#[path = "remote_matrix/cases.rs"]
mod cases;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use managed_agents::audit::Disposition;
use managed_agents::remote::Remote;
use managed_agents::{
    Answer, Decision, DenialKind, GovernanceDenied, Governor, GovernorError, GovernorErrorKind, Harness, Judgement,
    Outcome, Risk, ToolCall, ToolMeta,
};
use tests::support::governance_server::{GovernanceServer, Script};

use cases::{Case, Expected, Service, all, scripted};

const AGENT: &str = "nmc-7f3a";
const KEY: &str = "nm_test_canary-key";

/// Notes what the governor answered, on its way to the harness.
#[derive(Clone)]
struct Watched(Remote, Arc<Mutex<Option<Heard>>>);

type Heard = Result<Decision, (GovernorErrorKind, String, String)>;

impl Governor for Watched {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn decide(&self, call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
        let answer = self.0.decide(call);
        let heard = Arc::clone(&self.1);
        Answer::later(async move {
            let answer = answer.await;
            *heard.lock().unwrap() = Some(match &answer {
                Ok(judgement) => Ok(judgement.verdict().decision()),
                Err(error) => Err((error.kind(), error.code().to_owned(), format!("{error} {error:?}"))),
            });
            answer
        })
    }
}

/// What became of one governed call.
struct Run {
    heard: Heard,
    ran: bool,
    result: Result<(), GovernanceDenied>,
    decision: Decision,
    disposition: Disposition,
    codes: Vec<String>,
    outcome: Option<Outcome>,
}

async fn run(case: &Case, fail_open: bool) -> Run {
    let remote = case.service.remote().timeout(case.timeout).build().unwrap();
    let heard = Arc::new(Mutex::new(None));
    let harness = Harness::builder()
        .in_memory()
        .agent_id(AGENT)
        .governor(Watched(remote, Arc::clone(&heard)))
        .timeout(Duration::from_secs(90))
        .fail_open(fail_open)
        .declare(ToolMeta::new("weather").with_risk(Risk::Low).reversible())
        .build()
        .await
        .unwrap();
    let ran = AtomicBool::new(false);
    let body = async |_| {
        ran.store(true, Ordering::Relaxed);
        Ok::<_, GovernanceDenied>(())
    };
    let result = match harness.govern("weather", r#"{"city":"canary-city"}"#).await {
        Ok(permit) => permit.run(body).await,
        Err(denied) => Err(denied),
    };
    let records = harness.records();
    assert_eq!(records.len(), 1, "{}", case.name);
    let record = records[0].decision();
    let heard = heard.lock().unwrap().take().unwrap();
    Run {
        heard,
        ran: ran.into_inner(),
        result,
        decision: record.decision(),
        disposition: record.disposition(),
        codes: record.codes().map(str::to_owned).collect(),
        outcome: records[0].outcome().map(|outcome| outcome.outcome()),
    }
}

fn check(case: &Case, fail_open: bool, run: &Run) {
    let at = format!("{} (fail_open: {fail_open})", case.name);
    let outage = match (&case.expected, &run.heard) {
        (Expected::Verdict(expected, _), Ok(heard)) => {
            assert_eq!(heard, expected, "{at}");
            false
        }
        (Expected::Error(expected, code), Err((kind, heard, text))) => {
            assert_eq!((kind, heard.as_str()), (expected, *code), "{at}: {text}");
            assert!(!text.contains("canary"), "{at}: {text}");
            expected.is_outage()
        }
        (_, heard) => panic!("{at}: heard {heard:?}"),
    };
    let code = case.expected.code();
    let allowed = matches!(case.expected, Expected::Verdict(Decision::Allow, _));
    if allowed || (fail_open && outage) {
        assert!(run.ran && run.result.is_ok(), "{at}");
        assert_eq!(
            (run.decision, run.outcome),
            (Decision::Allow, Some(Outcome::Ok)),
            "{at}"
        );
        let (disposition, codes) = if allowed {
            (Disposition::Allowed, vec![])
        } else {
            (Disposition::FailOpen, vec!["fail_open", code])
        };
        assert_eq!(run.disposition, disposition, "{at}");
        assert_eq!(run.codes, codes, "{at}");
        return;
    }
    let denied = run.result.as_ref().expect_err(&at);
    assert!(!run.ran && run.outcome.is_none(), "{at}");
    let kind = match case.expected {
        Expected::Error(..) => DenialKind::Unavailable,
        Expected::Verdict(..) => DenialKind::Denied,
    };
    assert_eq!((denied.kind(), denied.code()), (kind, code), "{at}");
    assert_eq!(
        (run.decision, run.disposition),
        (Decision::Deny, Disposition::Refused),
        "{at}"
    );
    assert_eq!(run.codes, [code], "{at}");
    assert!(!format!("{denied} {denied:?}").contains("canary"), "{at}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_failure_is_a_denial_and_only_an_outage_passes_under_fail_open() {
    let cases = Arc::new(all().await);
    let mut runs = tokio::task::JoinSet::new();
    for at in 0..cases.len() {
        for fail_open in [false, true] {
            let cases = Arc::clone(&cases);
            runs.spawn(async move { (at, fail_open, run(&cases[at], fail_open).await) });
        }
    }
    let mut done = 0;
    while let Some(ended) = runs.join_next().await {
        let (at, fail_open, run) = ended.unwrap();
        check(&cases[at], fail_open, &run);
        done += 1;
    }
    assert_eq!(done, cases.len() * 2);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let bytes = b"HTTP/1.1 302 Found\r\nlocation: /api/v1/elsewhere\r\ncontent-length: 0\r\n\r\n".to_vec();
    let case = scripted(
        "http_302",
        Script::Answer(bytes),
        Expected::Error(GovernorErrorKind::Redirected, "http_302"),
    )
    .await;
    check(&case, true, &run(&case, true).await);
    let Service::Scripted(server) = &case.service else {
        panic!("the case is scripted");
    };
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn the_harness_own_limit_is_no_outage_since_an_answer_may_have_begun() {
    let server = GovernanceServer::start(|_| Script::AnswerAndStall(b"HTTP/1.1 200 OK\r\n".to_vec())).await;
    let remote = Remote::builder().endpoint(server.endpoint()).build().unwrap();
    let harness = Harness::builder()
        .in_memory()
        .agent_id(AGENT)
        .governor(remote)
        .timeout(Duration::from_millis(100))
        .fail_open(true)
        .build()
        .await
        .unwrap();
    let denied = harness.govern("weather", "{}").await.unwrap_err();
    assert_eq!(
        (denied.kind(), denied.code()),
        (DenialKind::Unavailable, "governor_overdue")
    );
}
