//! A stand-in for the Messages API: plays turns that were written down, whatever it is told.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::http::Server;

/// Starts a server that answers each request with the next turn, and after the last with one that says so.
///
/// # Errors
///
/// When no port on loopback can be had.
pub async fn scripted(turns: impl IntoIterator<Item = Value>) -> io::Result<Server> {
    let turns: Mutex<VecDeque<Value>> = Mutex::new(turns.into_iter().collect());
    Server::start(move |request| {
        if request.path != "/v1/messages" {
            return (404, json!({"type": "error", "error": {"type": "not_found_error"}}));
        }
        let next = turns.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        (200, next.unwrap_or_else(|| says("The script is over.")))
    })
    .await
}

/// A turn in which the model says something and ends.
#[must_use]
pub fn says(text: &str) -> Value {
    turn("end_turn", &json!([{"type": "text", "text": text}]))
}

/// A turn in which the model calls tools.
#[must_use]
pub fn calls<const N: usize>(calls: [(&str, &str, Value); N]) -> Value {
    let content = calls.map(|(id, name, input)| json!({"type": "tool_use", "id": id, "name": name, "input": input}));
    turn("tool_use", &Value::from(content.to_vec()))
}

fn turn(stop_reason: &str, content: &Value) -> Value {
    json!({
        "id": "msg_scripted", "type": "message", "role": "assistant", "model": "scripted",
        "content": content, "stop_reason": stop_reason, "stop_sequence": null,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    })
}
