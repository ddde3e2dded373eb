//! What a model and a program are told when a call does not run to its end.

use managed_agents::testing::FakeGovernor;
use managed_agents::{DenialKind, GovernanceDenied, Harness, Outcome, Reason, ToolStatus, Toolbox, Verdict, governed};
use serde_json::Value;

use crate::harness;

/// Wire money.
#[governed(risk = critical, irreversible)]
async fn wire(cents: u64) -> Result<(), anyhow_like::Error> {
    let _ = cents;
    Ok(())
}

/// An error type that flattens what it is made from.
mod anyhow_like {
    use std::fmt;

    use managed_agents::GovernanceDenied;

    pub(super) struct Error(String);

    impl From<GovernanceDenied> for Error {
        fn from(_: GovernanceDenied) -> Self {
            Self("something went wrong".to_owned())
        }
    }

    impl fmt::Display for Error {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&self.0)
        }
    }
}

#[tokio::test]
async fn a_refusal_stays_typed_whatever_the_error_type_makes_of_it() {
    let toolbox = Toolbox::new()
        .harness(&harness().await)
        .tool(wire::tool())
        .build()
        .unwrap();
    let result = toolbox.call("wire", r#"{"cents":1}"#).await;
    assert_eq!(result.status(), ToolStatus::Denied);
    let denial = result.denial().unwrap();
    assert_eq!(denial.kind(), DenialKind::Escalated);
    assert!(denial.ticket().is_some());
    let told: Value = serde_json::from_str(result.text()).unwrap();
    assert_eq!(told["error"]["type"], "governance_denied");
}

/// Ask what another tool would.
#[governed(risk = low, read_only)]
async fn outer(catch: bool) -> Result<String, GovernanceDenied> {
    match wire(1).await {
        Err(_) if catch => Ok("went on without".to_owned()),
        Err(error) => Err(GovernanceDenied::new(DenialKind::Denied, "mine", error.to_string())),
        Ok(()) => Ok("wired".to_owned()),
    }
}

#[tokio::test]
async fn what_a_body_is_refused_is_not_the_calls_own_refusal() {
    let toolbox = Toolbox::new()
        .harness(&harness().await)
        .tool(outer::tool())
        .build()
        .unwrap();
    let results = toolbox
        .call_all(&[("outer", r#"{"catch":true}"#), ("outer", r#"{"catch":false}"#)])
        .await;
    assert_eq!(
        (results[0].status(), results[0].text()),
        (ToolStatus::Done, "went on without")
    );
    assert_eq!(results[1].status(), ToolStatus::Failed);
    assert!(results[1].denial().is_none());
}

/// Pass on what another tool says.
#[governed(risk = low, read_only)]
async fn relay() -> Result<(), GovernanceDenied> {
    secretive().await
}

/// Do what only some may.
#[governed(risk = low, read_only)]
async fn secretive() -> Result<(), GovernanceDenied> {
    Ok(())
}

#[tokio::test]
async fn the_operators_text_of_an_inner_refusal_does_not_reach_the_model() {
    let reason = Reason::new("x", "this is closed").with_detail("rule 7 of OPERATOR");
    let governor = FakeGovernor::new().then(Verdict::allow()).then(Verdict::deny(reason));
    let harness = Harness::builder()
        .in_memory()
        .agent_id("p")
        .governor(governor)
        .build()
        .await
        .unwrap();
    let toolbox = Toolbox::new().harness(&harness).tool(relay::tool()).build().unwrap();
    let result = toolbox.call("relay", "{}").await;
    assert_eq!((result.status(), result.text()), (ToolStatus::Failed, "this is closed"));
}

/// Take too long.
#[governed(risk = low, read_only, timeout = "5ms")]
async fn dawdle() -> Result<(), anyhow_like::Error> {
    std::future::pending().await
}

#[tokio::test]
async fn a_body_that_was_stopped_for_its_timeout_is_a_typed_refusal() {
    let toolbox = Toolbox::new()
        .harness(&harness().await)
        .tool(dawdle::tool())
        .build()
        .unwrap();
    let result = toolbox.call("dawdle", "{}").await;
    assert_eq!(result.denial().unwrap().kind(), DenialKind::TimedOut);
}

/// Take too long, whoever waits.
#[governed(risk = low, read_only, timeout = "5ms", cancel = finish)]
async fn dawdle_apart() -> Result<(), anyhow_like::Error> {
    std::future::pending().await
}

/// Pass on what another tool says, whoever waits.
#[governed(risk = low, read_only, cancel = finish)]
async fn relay_apart() -> Result<(), GovernanceDenied> {
    secretive().await
}

#[tokio::test]
async fn a_body_in_a_task_of_its_own_that_was_stopped_for_its_timeout_is_a_typed_refusal() {
    let own = harness().await;
    let toolbox = Toolbox::new().harness(&own).tool(dawdle_apart::tool()).build().unwrap();
    let result = toolbox.call("dawdle_apart", "{}").await;
    assert_eq!(result.status(), ToolStatus::Denied);
    assert_eq!(result.denial().unwrap().kind(), DenialKind::TimedOut);
    let outcome = own.records().last().unwrap().outcome().unwrap().outcome();
    assert_eq!(outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn the_operators_text_of_a_refusal_in_a_task_of_its_own_does_not_reach_the_model_either() {
    let reason = Reason::new("x", "this is closed").with_detail("rule 7 of OPERATOR");
    let governor = FakeGovernor::new().then(Verdict::allow()).then(Verdict::deny(reason));
    let harness = Harness::builder()
        .in_memory()
        .agent_id("p")
        .governor(governor)
        .build()
        .await
        .unwrap();
    let toolbox = Toolbox::new()
        .harness(&harness)
        .tool(relay_apart::tool())
        .build()
        .unwrap();
    let result = toolbox.call("relay_apart", "{}").await;
    assert_eq!((result.status(), result.text()), (ToolStatus::Failed, "this is closed"));
}

#[tokio::test]
async fn a_toolbox_with_a_harness_governs_as_that_and_keeps_a_session_of_it() {
    let own = harness().await;
    let other = Harness::builder().in_memory().agent_id("other").build().await.unwrap();
    let toolbox = Toolbox::new().harness(&own).tool(outer::tool()).build().unwrap();
    let input = r#"{"catch":true}"#;
    other.scope(toolbox.call("outer", input)).await;
    assert!(other.records().is_empty());
    assert!(!own.records().is_empty());
    own.session("s-1").scope(toolbox.call("outer", input)).await;
    assert_eq!(own.records().last().unwrap().decision().session(), Some("s-1"));
}

/// Fail in a way nobody planned.
#[governed(risk = low, read_only)]
async fn explode() -> Result<(), GovernanceDenied> {
    panic!("secret internals")
}

#[tokio::test]
async fn a_panic_is_recorded_and_told_without_internals() {
    let own = harness().await;
    let toolbox = Toolbox::new().harness(&own).tool(explode::tool()).build().unwrap();
    let result = toolbox.call("explode", "{}").await;
    assert_eq!(result.status(), ToolStatus::Panicked);
    assert!(!result.text().contains("secret"));
    let outcome = own.records().last().unwrap().outcome().unwrap().outcome();
    assert_eq!(outcome, Outcome::Panicked);
}
