//! Events that are sent.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// An event to be sent to a session.
#[derive(Clone, PartialEq)]
pub struct Outgoing(Value);

impl Outgoing {
    /// Something that the user says.
    #[must_use]
    pub fn message(text: &str) -> Self {
        Self(json!({"type": "user.message", "content": [{"type": "text", "text": text}]}))
    }

    /// Stops what the session does; only a thread, where one is named.
    #[must_use]
    pub fn interrupt(thread: Option<&str>) -> Self {
        Self(match thread {
            Some(thread) => json!({"type": "user.interrupt", "session_thread_id": thread}),
            None => json!({"type": "user.interrupt"}),
        })
    }

    /// Allows a built-in or MCP tool to run.
    #[must_use]
    pub fn allow(event: &str) -> Self {
        Self(json!({"type": "user.tool_confirmation", "tool_use_id": event, "result": "allow"}))
    }

    /// Refuses it; the model is told why.
    #[must_use]
    pub fn deny(event: &str, why: &str) -> Self {
        Self(json!({
            "type": "user.tool_confirmation", "tool_use_id": event, "result": "deny", "deny_message": why,
        }))
    }

    /// The result of a custom tool.
    #[must_use]
    pub fn custom_result(event: &str, text: &str, is_error: bool) -> Self {
        Self(json!({
            "type": "user.custom_tool_result", "custom_tool_use_id": event,
            "content": [text_block(text)], "is_error": is_error,
        }))
    }

    /// The result of a built-in tool that ran at a worker.
    #[must_use]
    pub fn tool_result(event: &str, text: &str, is_error: bool) -> Self {
        Self(json!({
            "type": "user.tool_result", "tool_use_id": event, "content": [text_block(text)], "is_error": is_error,
        }))
    }

    /// Any event, as the API documents it.
    #[must_use]
    pub fn raw(event: Value) -> Self {
        Self(event)
    }

    /// Its `type`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    pub(in crate::claude) fn json(&self) -> String {
        self.0.to_string()
    }

    pub(in crate::claude) fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }
}

/// A text block may not be empty.
fn text_block(text: &str) -> Value {
    let text = if text.is_empty() { "(no output)" } else { text };
    json!({"type": "text", "text": text})
}

impl Serialize for Outgoing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Outgoing").field(&self.kind()).finish()
    }
}
