//! What is posted for a call.

use serde_json::{Map, Value};

use super::preset::PolicyPreset;
use crate::call::ToolCall;

/// Keys of `context` that say what is judged, and for whom; no added context stands in their place.
pub(super) const RESERVED: [&str; 4] = ["tool_input", "session_id", "platform", "source"];

/// The parts of a body that are the same for every call.
pub(super) struct Template {
    /// `,"platform":…,"source":…`
    origin: String,
    organisation: Map<String, Value>,
    /// `,"policy_hint":{…}` or nothing.
    hint: String,
}

impl Template {
    pub(super) fn new(platform: &str, organisation: Map<String, Value>, policy: Option<&PolicyPreset>) -> Self {
        let mut origin = String::new();
        origin.push_str(r#","platform":"#);
        push_string(&mut origin, platform);
        origin.push_str(r#","source":"#);
        push_string(&mut origin, &format!("managed-agents/{platform}"));
        Self {
            origin,
            organisation,
            hint: policy.map_or_else(String::new, |policy| format!(r#","policy_hint":{}"#, policy.hint())),
        }
    }

    pub(super) fn body(&self, call: &ToolCall, verb: &str) -> Vec<u8> {
        // the arguments are in canonical form already: they go in as they are, so that no number changes on the way
        let arguments = call.arguments();
        let mut body = String::with_capacity(arguments.len() + self.origin.len() + self.hint.len() + 256);
        body.push_str(r#"{"agent_id":"#);
        push_string(&mut body, call.agent().as_str());
        body.push_str(r#","action":"#);
        push_string(&mut body, verb);
        body.push_str(r#","target":"#);
        push_string(&mut body, &call.target());
        body.push_str(r#","context":{"tool_input":"#);
        body.push_str(&arguments);
        body.push_str(r#","session_id":"#);
        match call.session() {
            Some(session) => push_string(&mut body, session),
            None => body.push_str("null"),
        }
        body.push_str(&self.origin);
        self.push_added(&mut body, call.context());
        body.push('}');
        body.push_str(&self.hint);
        body.push('}');
        body.into_bytes()
    }

    /// The organisation's context and then the call's, whose values stand before the organisation's.
    fn push_added(&self, body: &mut String, of_call: Option<&Map<String, Value>>) {
        let empty = Map::new();
        let of_call = of_call.unwrap_or(&empty);
        let inherited = self.organisation.iter().filter(|(key, _)| !of_call.contains_key(*key));
        for (key, value) in inherited.chain(of_call) {
            if RESERVED.contains(&key.as_str()) {
                tracing::warn!(key, "context for the governance service not sent: the key is reserved");
                continue;
            }
            body.push(',');
            push_string(body, key);
            body.push(':');
            body.push_str(&value.to_string());
        }
    }
}

fn push_string(out: &mut String, text: &str) {
    out.push_str(&Value::from(text).to_string());
}
