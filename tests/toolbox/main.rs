//! Governed functions as tools: described from their signatures, called by name, judged as ever.
#![expect(
    clippy::too_many_arguments,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod refusals;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use managed_agents::testing::FakeGovernor;
use managed_agents::{
    DenialKind, Dialect, GovernanceDenied, Harness, Outcome, Reason, ToolStatus, Toolbox, ToolboxProblemKind, Verdict,
    governed,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Item {
    /// Stock-keeping unit.
    sku: String,
    count: u8,
}

/// Where things are kept.
trait Stock: Send + Sync {
    fn name(&self) -> &str;
}

struct Cellar;

impl Stock for Cellar {
    fn name(&self) -> &str {
        "cellar"
    }
}

#[derive(Default)]
struct Ran(AtomicUsize);

/// Put an order together.
#[governed(risk = low, reversible, idempotent)]
async fn pack(
    /// Who gets it.
    to: &str,
    items: &[Item],
    #[governed(range = 1..=5)] boxes: u8,
    note: Option<&str>,
    label: Cow<'_, str>,
    folder: &Path,
    extra: BTreeMap<String, Value>,
    #[governed(state)] stock: &dyn Stock,
    #[governed(state)] ran: Arc<Ran>,
) -> Result<String, GovernanceDenied> {
    ran.0.fetch_add(1, Ordering::SeqCst);
    let count: u32 = items.iter().map(|item| u32::from(item.count)).sum();
    Ok(format!(
        "{to}: {count} things in {boxes} from {}, {note:?}, {label}, {}, {extra:?}",
        stock.name(),
        folder.display()
    ))
}

fn packing() -> Toolbox {
    Toolbox::new()
        .shared::<dyn Stock>(Arc::new(Cellar))
        .state(Ran::default())
        .tool(pack::tool())
        .build()
        .unwrap()
}

async fn harness() -> Harness {
    Harness::builder().in_memory().agent_id("packer").build().await.unwrap()
}

#[tokio::test]
async fn every_kind_of_parameter_is_read_from_json() {
    let input = r#"{"to":"Ann \"A\"","items":[{"sku":"a","count":2},{"sku":"b","count":3}],"boxes":2,
        "label":"x\ty","folder":"/tmp/a","extra":{"k":[1]}}"#;
    let result = harness().await.scope(packing().call("pack", input)).await;
    assert_eq!(
        result.text(),
        "Ann \"A\": 5 things in 2 from cellar, None, x\ty, /tmp/a, {\"k\": Array [Number(1)]}"
    );
    assert_eq!(result.status(), ToolStatus::Done);
}

#[test]
fn the_definition_comes_from_signature_and_doc_comments_without_state() {
    let definition = packing().definitions(Dialect::Claude).remove(0);
    assert_eq!(definition["name"], "pack");
    assert_eq!(definition["description"], "Put an order together.");
    let schema = &definition["input_schema"];
    // sorted: their order depends on what else is in the build
    let mut properties: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    properties.sort_unstable();
    assert_eq!(properties, ["boxes", "extra", "folder", "items", "label", "note", "to"]);
    assert_eq!(
        schema["required"],
        json!(["to", "items", "boxes", "label", "folder", "extra"])
    );
    assert_eq!(schema["properties"]["to"]["description"], "Who gets it.");
    assert_eq!(schema["properties"]["boxes"]["minimum"], 1);
    assert_eq!(schema["properties"]["boxes"]["maximum"], 5);
    assert_eq!(
        schema["$defs"]["Item"]["properties"]["sku"]["description"],
        "Stock-keeping unit."
    );
    let mcp = packing().definitions(Dialect::Mcp).remove(0);
    assert_eq!(
        mcp["annotations"],
        json!({"readOnlyHint": false, "destructiveHint": false, "idempotentHint": true})
    );
}

#[test]
fn missing_state_is_an_error_at_build_that_names_tool_and_type() {
    let error = Toolbox::new().tool(pack::tool()).build().unwrap_err();
    assert_eq!(error.problems().len(), 2);
    assert!(
        error
            .problems()
            .iter()
            .all(|p| p.kind() == ToolboxProblemKind::MissingState)
    );
    let text = error.to_string();
    assert!(text.contains("tool `pack` needs `stock: &dyn Stock`"), "{text}");
    assert!(text.contains("tool `pack` needs `ran: Arc<Ran>`"), "{text}");
}

#[tokio::test]
async fn a_value_outside_its_range_is_refused_before_the_governor_is_asked() {
    let governor = FakeGovernor::new();
    let harness = Harness::builder()
        .in_memory()
        .agent_id("p")
        .governor(governor.clone())
        .build()
        .await
        .unwrap();
    let input = r#"{"to":"a","items":[],"boxes":6,"label":"","folder":"","extra":{}}"#;
    let result = harness.scope(packing().call("pack", input)).await;
    assert_eq!(result.denial().unwrap().kind(), DenialKind::InvalidArguments);
    assert!(result.text().contains("1..=5"), "{}", result.text());
    assert!(governor.calls().is_empty());
}

#[tokio::test]
async fn with_no_harness_a_tool_of_a_toolbox_does_not_run() {
    let input = r#"{"to":"a","items":[],"boxes":1,"label":"","folder":"","extra":{}}"#;
    let result = packing().call("pack", input).await;
    assert_eq!(result.denial().unwrap().kind(), DenialKind::NoHarness);
}

/// Wait.
#[governed(risk = low, read_only)]
async fn wait(ms: u64) -> Result<u64, GovernanceDenied> {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    Ok(ms)
}

#[tokio::test(start_paused = true)]
async fn calls_run_side_by_side_and_dropping_them_cancels_their_bodies() {
    let own = harness().await;
    let toolbox = Toolbox::new().harness(&own).tool(wait::tool()).build().unwrap();
    let begun = tokio::time::Instant::now();
    let results = toolbox
        .call_all(&[("wait", r#"{"ms":50}"#), ("wait", r#"{"ms":100}"#)])
        .await;
    assert_eq!(begun.elapsed().as_millis() / 10, 10);
    assert_eq!((results[0].text(), results[1].text()), ("50", "100"));
    let long = [("wait", r#"{"ms":5000}"#); 10];
    let _ = tokio::time::timeout(Duration::from_millis(10), toolbox.call_all(&long)).await;
    let cancelled = own.records().into_iter().skip(2);
    let outcomes: Vec<_> = cancelled.map(|entry| entry.outcome().map(|o| o.outcome())).collect();
    assert_eq!(outcomes, [Some(Outcome::Cancelled); 8]);
}

/// Sends mail.
struct Mailer {
    from: String,
}

#[governed]
impl Mailer {
    /// Send a message.
    #[governed(name = "mail.send", risk = low, reversible)]
    async fn send(&self, to: &str) -> Result<String, GovernanceDenied> {
        Ok(format!("{} to {to}", self.from))
    }

    /// Show the sender.
    #[governed(risk = low, read_only)]
    async fn sender(&self) -> Result<String, GovernanceDenied> {
        Ok(self.from.clone())
    }
}

#[tokio::test]
async fn methods_are_tools_with_their_receiver_and_a_dot_is_written_as_an_underscore() {
    let mailer = Arc::new(Mailer {
        from: "shop".to_owned(),
    });
    let toolbox = Toolbox::new()
        .harness(&harness().await)
        .tools(Mailer::tools(&mailer))
        .build()
        .unwrap();
    let names: Vec<_> = toolbox
        .definitions(Dialect::OpenAi)
        .iter()
        .map(|d| d["function"]["name"].clone())
        .collect();
    assert_eq!(names, ["mail_send", "sender"]);
    let results = toolbox
        .call_all(&[("mail_send", r#"{"to":"ann"}"#), ("sender", "{}")])
        .await;
    assert_eq!((results[0].text(), results[1].text()), ("shop to ann", "shop"));
}

/// Store a document.
#[governed(risk = low, reversible, exact, redact(body))]
async fn store(name: &str, body: &str) -> Result<usize, GovernanceDenied> {
    let _ = name;
    Ok(body.len())
}

#[tokio::test]
async fn what_is_wrong_with_a_redacted_argument_is_not_repeated() {
    let toolbox = Toolbox::new()
        .harness(&harness().await)
        .tool(store::tool())
        .build()
        .unwrap();
    for input in [
        r#"{"name":"a","body":{"x":"CANARY"}}"#,
        r#"{"name":"a","body":{"CANARY":1,"CANARY":1}}"#,
    ] {
        let result = toolbox.call("store", input).await;
        assert_eq!(result.text(), "argument `body` does not fit its schema");
    }
    let result = toolbox.call("store", r#"{"name":"a","body":"1234"}"#).await;
    assert_eq!(result.text(), "4");
}

#[tokio::test]
async fn the_governor_sees_the_typed_value_and_never_the_models_json() {
    let governor = FakeGovernor::new()
        .then(Verdict::allow())
        .then(Verdict::deny(Reason::new("x", "no")));
    let harness = Harness::builder()
        .in_memory()
        .agent_id("p")
        .governor(governor.clone())
        .build()
        .await
        .unwrap();
    let toolbox = Toolbox::new().harness(&harness).tool(store::tool()).build().unwrap();
    let input = "{ \"body\" : \"\\u0061\", \"name\":\"b\" }";
    assert_eq!(toolbox.call("store", input).await.text(), "1");
    assert_eq!(toolbox.call("store", input).await.denial().unwrap().code(), "x");
    assert_eq!(governor.calls()[0].reveal_arguments(), r#"{"body":"a","name":"b"}"#);
}
