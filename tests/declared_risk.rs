//! The verdict with no policy written, row by row: the table in `docs/escalation.md`, in the README and at `Engine`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use managed_agents::audit::Disposition;
use managed_agents::{ArgKind, Engine, GovernanceDenied, Harness, Outcome, Risk, ToolMeta, governed};

/// Declares nothing.
#[governed]
async fn bare() -> Result<(), GovernanceDenied> {
    Ok(())
}

/// Verdict and code of a call by name.
async fn judged(harness: &Harness, tool: &str) -> (String, Option<String>) {
    if let Ok(permit) = harness.govern(tool, r#"{"a":"x"}"#).await {
        permit.finish(Outcome::Ok);
    }
    let record = harness.records().pop().unwrap();
    let decision = record.decision();
    (
        decision.decision().to_string(),
        decision.codes().next().map(str::to_owned),
    )
}

async fn harness(engine: Engine, tools: &[ToolMeta]) -> Harness {
    let mut builder = Harness::builder().in_memory().agent_id("clerk").governor(engine);
    for tool in tools {
        builder = builder.declare(tool.clone());
    }
    builder.build().await.unwrap()
}

#[tokio::test]
async fn the_first_row_of_the_declared_risk_table_that_fits_decides() {
    let rows = [
        (ToolMeta::new("low").with_risk(Risk::Low), None),
        (ToolMeta::new("medium").with_risk(Risk::Medium), None),
        (ToolMeta::new("reads").read_only(), None),
        (ToolMeta::new("nothing_declared"), None),
        (ToolMeta::new("high").with_risk(Risk::High), Some("risk_high")),
        (
            ToolMeta::new("reads_much").with_risk(Risk::High).read_only(),
            Some("risk_high"),
        ),
        (
            ToolMeta::new("critical").with_risk(Risk::Critical).irreversible(),
            Some("risk_critical"),
        ),
        (
            ToolMeta::new("forever").with_risk(Risk::Low).irreversible(),
            Some("irreversible"),
        ),
    ];
    let tools: Vec<_> = rows.iter().map(|(tool, _)| tool.clone()).collect();
    let harness = harness(Engine::new(), &tools).await;
    for (tool, code) in rows {
        let decision = if code.is_some() { "escalate" } else { "allow" };
        let expected = (decision.to_owned(), code.map(str::to_owned));
        assert_eq!(judged(&harness, tool.name()).await, expected, "{}", tool.name());
    }
    let (decision, code) = judged(&harness, "heard_of_by_nobody").await;
    assert_eq!(
        (decision.as_str(), code.as_deref()),
        ("escalate", Some("undeclared_name"))
    );
}

#[tokio::test]
async fn out_of_scope_stands_above_every_other_row() {
    let tools = [
        ToolMeta::new("mine").with_risk(Risk::Low),
        ToolMeta::new("yours").with_risk(Risk::Low),
        ToolMeta::new("grave").with_risk(Risk::Critical),
    ];
    let engine = Engine::new().scope("clerk", ["mine"]);
    let clerk = harness(engine, &tools).await;
    assert_eq!(judged(&clerk, "mine").await.0, "allow");
    for tool in ["yours", "grave", "heard_of_by_nobody"] {
        let (decision, code) = judged(&clerk, tool).await;
        assert_eq!((decision.as_str(), code.as_deref()), ("deny", Some("out_of_scope")));
    }
    // once one agent has a scope, an agent without one may use nothing
    let other = harness(Engine::new().scope("somebody", ["mine"]), &tools).await;
    assert_eq!(judged(&other, "mine").await.0, "deny");
}

#[tokio::test]
async fn a_bare_attribute_counts_as_medium_and_is_recorded_as_undeclared() {
    let harness = harness(Engine::new(), &[]).await;
    harness.scope(bare()).await.unwrap();
    let record = harness.records().pop().unwrap();
    assert_eq!(record.decision().disposition(), Disposition::Allowed);
    assert_eq!(record.decision().meta().risk(), Risk::Medium);
    assert!(record.decision().is_undeclared());
    assert_eq!(harness.undeclared(), ["bare"]);
}

#[cfg(feature = "screen")]
#[tokio::test]
async fn what_the_screen_does_not_understand_is_escalated() {
    let tool = ToolMeta::new("screened")
        .with_risk(Risk::Low)
        .with_argument("command", ArgKind::Shell);
    let harness = harness(Engine::new(), &[tool]).await;
    let judged = async |command: &str| {
        let input = serde_json::json!({ "command": command }).to_string();
        harness
            .govern("screened", input)
            .await
            .err()
            .map(|denied| denied.code().to_owned())
    };
    assert_eq!(judged("ls -la").await, None);
    assert_eq!(
        judged("$PROGRAM_FROM_OUTSIDE x").await.as_deref(),
        Some("unresolved_code")
    );
    assert_eq!(judged("echo 'unclosed").await.as_deref(), Some("not_understood"));
}

#[cfg(not(feature = "screen"))]
#[tokio::test]
async fn what_nothing_can_screen_is_escalated() {
    for kind in [ArgKind::Shell, ArgKind::Sql, ArgKind::Path, ArgKind::Url] {
        let tool = ToolMeta::new("screened").with_risk(Risk::Low).with_argument("a", kind);
        let harness = harness(Engine::new(), &[tool]).await;
        let (decision, code) = judged(&harness, "screened").await;
        assert_eq!(
            (decision.as_str(), code.as_deref()),
            ("escalate", Some("screen_missing"))
        );
    }
}
