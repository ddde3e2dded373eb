//! Law 7, for what the governed call itself says: a canary stands in every redacted argument, and is looked for in
//! everything that leaves the process or is printed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use managed_agents::approval::ApproverKey;
use managed_agents::testing::FakeGovernor;
use managed_agents::{
    DenialKind, GovernanceDenied, GovernedBy as _, Harness, Outcome, Reason, Toolbox, Verdict, governed,
};
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const CANARY: &str = "c4n4ry";

/// Everything that was said, by whomever.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<String>>);

impl Said {
    fn hear(&self, what: impl Debug) {
        writeln!(self.0.lock().unwrap(), "{what:?}").unwrap();
    }

    #[track_caller]
    fn holds_no_canary(&self) {
        let said = self.0.lock().unwrap();
        assert!(!said.is_empty());
        assert!(!said.contains(CANARY), "the canary sang:\n{said}");
    }
}

impl Visit for &Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.hear((field.name(), format!("{value:?}")));
    }
}

/// Hears every span and event.
impl Subscriber for Said {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.hear(span.metadata().name());
        span.record(&mut &*self);
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, values: &Record<'_>) {
        values.record(&mut &*self);
    }

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut &*self);
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

#[derive(Clone, Deserialize, schemars::JsonSchema, Serialize)]
struct Card {
    owner: String,
    number: String,
}

/// Charges a card.
#[governed(risk = high, redact(token, card.number), target = format!("card {token}"), skip(fail))]
async fn charge(token: &str, card: Card, cents: u64, fail: bool) -> Result<u64, GovernanceDenied> {
    let _ = (token, card);
    if fail {
        return Err(GovernanceDenied::new(DenialKind::Denied, "own", "declined"));
    }
    Ok(cents)
}

/// A value that tells on itself when it cannot be written.
struct Telltale;

impl Serialize for Telltale {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom(format!("cannot write {CANARY}")))
    }
}

/// Takes what cannot be written.
#[governed(risk = low, redact(value), no_tool)]
async fn telltale(value: Telltale) -> Result<(), GovernanceDenied> {
    let _ = value;
    Ok(())
}

/// Takes a number in a range.
#[governed(risk = low, redact(pin))]
async fn with_pin(#[governed(range = 1000..=9999)] pin: u32) -> Result<u32, GovernanceDenied> {
    Ok(pin)
}

fn card() -> Card {
    Card {
        owner: "Ann".to_owned(),
        number: CANARY.to_owned(),
    }
}

fn harness(said: &Said, governor: FakeGovernor) -> (Harness, ApproverKey) {
    let key = ApproverKey::generate().unwrap();
    let heard = said.clone();
    let harness = Harness::builder()
        .in_memory()
        .agent_id("shop")
        .governor(governor)
        .approver("ann", key.public())
        .redact("pay_by_name", "/secret")
        .redact("pay_by_name", "/list/inner")
        .on_verdict(move |event| {
            heard.hear(event);
            heard.hear(event.record().target());
            for reason in event.verdict().reasons() {
                heard.hear((reason.for_model(), reason.detail()));
            }
        })
        .build_blocking()
        .unwrap();
    (harness, key)
}

#[tokio::test]
async fn a_redacted_value_is_in_nothing_that_is_said() {
    let said = Said::default();
    let guard = tracing::subscriber::set_default(said.clone());
    let governor = FakeGovernor::new()
        .then(Verdict::allow())
        .then(Verdict::allow())
        .then(Verdict::deny(Reason::new("no", "no")))
        .then(Verdict::escalate(Reason::new("ask", "ask")))
        .then(Verdict::escalate(Reason::new("ask", "ask")));
    let (harness, key) = harness(&said, governor.clone());
    said.hear(&harness);
    // another test of this process may just have met the span with nobody listening, and have had that remembered
    tracing::callsite::rebuild_interest_cache();

    for fail in [false, true, false, false] {
        let call = charge(CANARY, card(), 5, fail);
        said.hear(format!("{call:p}", call = &raw const call));
        let result = call.governed_by(&harness).await;
        if let Err(denied) = &result {
            said.hear((denied.to_string(), denied.detail().to_owned(), denied.to_tool_error()));
        }
        said.hear(result);
    }
    for ticket in harness.pending() {
        said.hear((&ticket, ticket.arguments()));
        harness.approve(ticket.id(), &key).unwrap();
    }
    said.hear((&harness, &key));
    charge(CANARY, card(), 5, false).governed_by(&harness).await.unwrap();

    for call in governor.calls() {
        assert!(
            call.reveal_arguments().contains(CANARY),
            "judges in this process see true values"
        );
        said.hear(&call);
        said.hear((call.arguments(), call.target(), call.salt()));
        assert!(call.arguments().contains(r#""owner":"Ann""#), "and the rest is shown");
    }
    for entry in harness.records() {
        said.hear(&entry);
        said.hear((entry.decision().target(), entry.decision().codes().collect::<Vec<_>>()));
    }

    let result = telltale(Telltale).governed_by(&harness).await.unwrap_err();
    said.hear((&result, result.to_string()));
    drop(guard);
    said.holds_no_canary();
    assert!(said.0.lock().unwrap().contains("execute_tool"), "the spans were heard");
}

#[tokio::test]
async fn a_redacted_value_that_is_out_of_range_is_not_named() {
    let said = Said::default();
    let (harness, _) = harness(&said, FakeGovernor::always(Verdict::allow()));
    let denied = with_pin(123_454_321).governed_by(&harness).await.unwrap_err();
    assert_eq!(denied.code(), "out_of_range");
    assert!(!format!("{denied} {denied:?} {}", denied.to_tool_error()).contains("123454321"));
}

#[tokio::test]
async fn a_redacted_value_of_the_wrong_type_is_not_repeated_to_the_model() {
    let said = Said::default();
    let (harness, _) = harness(&said, FakeGovernor::always(Verdict::allow()));
    let tools = Toolbox::new()
        .harness(&harness)
        .tool(charge::tool())
        .tool(with_pin::tool())
        .build();
    // `skip` keeps an argument from judgement, not from the model: it is still one of the tool's
    let tools = tools.unwrap();
    for json in [
        format!(r#"{{"token":{{"{CANARY}":1}},"card":{{"owner":"a","number":"b"}},"cents":1,"fail":false}}"#),
        format!(r#"{{"token":"x","card":{{"owner":"a","number":["{CANARY}"]}},"cents":1,"fail":false}}"#),
        format!(r#"{{"token":"x","card":"{CANARY}","cents":1,"fail":false}}"#),
    ] {
        let result = tools.call("charge", &json).await;
        assert!(result.is_error());
        said.hear((&result, result.text()));
    }
    let result = tools.call("with_pin", &format!(r#"{{"pin":"{CANARY}"}}"#)).await;
    said.hear((&result, result.text()));
    said.holds_no_canary();
}

#[tokio::test]
async fn what_is_redacted_by_name_stays_home_as_well() {
    let said = Said::default();
    let guard = tracing::subscriber::set_default(said.clone());
    let governor = FakeGovernor::always(Verdict::allow());
    let (harness, _) = harness(&said, governor.clone());
    let json = format!(r#"{{"secret":"{CANARY}","list":[{{"inner":"{CANARY}"}},{{"inner":"{CANARY}"}}],"note":"n"}}"#);
    let permit = harness.govern("pay_by_name", json.as_str()).await.unwrap();
    said.hear(&permit);
    assert_eq!(
        permit.arguments()["secret"],
        CANARY,
        "who runs the call has the true values"
    );
    permit.finish(Outcome::Ok);
    let call = governor.calls().remove(0);
    said.hear((call.arguments(), call.target(), &call));
    assert_eq!(call.target(), "n");
    // broken JSON is not quoted either
    let denied = harness
        .govern("pay_by_name", &*format!(r#"{{"secret":"{CANARY}""#))
        .await
        .unwrap_err();
    said.hear((&denied, denied.to_string(), denied.to_tool_error()));
    let denied = harness
        .govern(
            "pay_by_name",
            &*format!(r#"{{"secret":"{CANARY}","secret":"{CANARY}"}}"#),
        )
        .await
        .unwrap_err();
    said.hear((&denied, denied.to_string(), denied.to_tool_error()));
    drop(guard);
    said.holds_no_canary();
}

/// Panics with what it was given.
#[governed(risk = low, redact(secret))]
async fn panics(secret: String) -> Result<(), GovernanceDenied> {
    panic!("lost {secret}");
}

#[tokio::test]
async fn a_panic_in_a_tool_reaches_the_model_without_its_text() {
    let said = Said::default();
    let (harness, _) = harness(&said, FakeGovernor::always(Verdict::allow()));
    let tools = Toolbox::new().harness(&harness).tool(panics::tool()).build().unwrap();
    let result = tools.call("panics", &format!(r#"{{"secret":"{CANARY}"}}"#)).await;
    assert!(result.is_error());
    said.hear((&result, result.text()));
    said.holds_no_canary();
    let outcome = harness.records().pop().unwrap().outcome().unwrap();
    assert_eq!(outcome.outcome(), Outcome::Panicked);
}
