//! Nothing that counts depends on the order in which a JSON object lists its keys: neither on the order that a caller chose,
//! nor on whether `serde_json` keeps it, which any crate of a program can switch on (`preserve_order`). These are the same
//! assertions in every build.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use managed_agents::harness::HarnessBuilder;
use managed_agents::testing::FakeGovernor;
use managed_agents::{Harness, ToolCall, ToolMeta, Verdict};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Keys in falling order, at each depth, with one that sorts otherwise in UTF-16 than in UTF-8.
const FALLING: &str =
    r#"{"zeta":"last","path":{"z":[{"y":1,"x":2}],"a":null},"b":-0.0,"alpha":"first","\uff41":2,"\ud83d\ude00":1}"#;
/// The same in the order of RFC 8785 (UTF-16).
const SORTED: &str = "{\"alpha\":\"first\",\"b\":-0.0,\"path\":{\"a\":null,\"z\":[{\"x\":2,\"y\":1}]},\"zeta\":\"last\",\"\u{1f600}\":1,\"\u{ff41}\":2}";

async fn judged(input: impl Into<Input>, change: impl FnOnce(HarnessBuilder) -> HarnessBuilder) -> Arc<ToolCall> {
    let governor = FakeGovernor::always(Verdict::allow());
    let builder = Harness::builder()
        .in_memory()
        .agent_id("a")
        .governor(governor.clone())
        .declare(ToolMeta::new("t"));
    let harness = change(builder).build().await.unwrap();
    let permit = match input.into() {
        Input::Text(text) => harness.govern("t", text).await,
        Input::Value(value) => harness.govern("t", value).await,
    };
    permit.unwrap().finish(managed_agents::Outcome::Ok);
    governor.calls().remove(0)
}

enum Input {
    Text(&'static str),
    Value(Value),
}

impl From<&'static str> for Input {
    fn from(text: &'static str) -> Self {
        Self::Text(text)
    }
}

impl From<Value> for Input {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

/// The object with the keys of every object in it inserted in falling order.
fn falling(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|one, other| other.0.cmp(one.0));
            Value::Object(
                members
                    .into_iter()
                    .map(|(key, value)| (key.clone(), falling(value)))
                    .collect(),
            )
        }
        Value::Array(values) => values.iter().map(falling).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn the_canonical_form_and_its_digest_do_not_follow_the_order_of_keys() {
    let value: Value = serde_json::from_str(SORTED).unwrap();
    for input in [
        Input::from(FALLING),
        Input::from(SORTED),
        falling(&value).into(),
        value.into(),
    ] {
        let call = judged(input, |builder| builder).await;
        assert_eq!(call.reveal_arguments(), SORTED);
        let expected = format!(
            r#"{{"v":"ma-call/1","agent":"a","tool":"t","definition":"{}","ids":{{}},"arguments":{SORTED}}}"#,
            call.meta().definition()
        );
        assert_eq!(String::from_utf8(call.reveal_canonical()).unwrap(), expected);
        let salted = [expected.as_bytes(), call.salt().reveal()].concat();
        assert_eq!(call.digest().as_bytes()[..], Sha256::digest(&salted)[..]);
    }
}

#[tokio::test]
async fn neither_do_the_target_and_what_is_shown() {
    for input in [
        Input::from(FALLING),
        falling(&serde_json::from_str(SORTED).unwrap()).into(),
    ] {
        let call = judged(input, |builder| builder.redact("t", "/path/z/*/y")).await;
        // `path` is no text here, so it is the first argument that is one
        assert_eq!(call.target(), "first");
        let shown: Value = serde_json::from_str(&call.arguments()).unwrap();
        assert_eq!(shown.pointer("/path/z/0/y").unwrap(), "[redacted]");
        assert!(
            call.arguments()
                .contains(r#"{"a":null,"z":[{"x":2,"y":"[redacted]"}]}"#)
        );
    }
}
