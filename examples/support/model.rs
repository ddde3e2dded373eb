//! A stand-in for the Messages API: plays turns that were written down, whatever it is told, streamed where it is asked to.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::http::{Answer, Server};

/// Starts a server that answers each request with the next turn, and after the last with one that says so.
///
/// # Errors
///
/// When no port on loopback can be had.
pub async fn scripted(turns: impl IntoIterator<Item = Value>) -> io::Result<Server> {
    let turns: Mutex<VecDeque<Value>> = Mutex::new(turns.into_iter().collect());
    Server::start(move |request| {
        if request.path != "/v1/messages" {
            return Answer::from((404, json!({"type": "error", "error": {"type": "not_found_error"}})));
        }
        let next = turns.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let next = next.unwrap_or_else(|| says("The script is over."));
        match request.body.get("stream") {
            Some(Value::Bool(true)) => Answer::events(&streamed(&next)),
            _ => (200, next).into(),
        }
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

/// A turn as the events of a stream, texts and inputs in pieces.
fn streamed(turn: &Value) -> Vec<Value> {
    let field = |value: &Value, name: &str| value.get(name).cloned().unwrap_or_default();
    let mut begun = turn.clone();
    if let Some(begun) = begun.as_object_mut() {
        begun.insert("content".to_owned(), json!([]));
        begun.insert("stop_reason".to_owned(), Value::Null);
    }
    let mut events = vec![json!({"type": "message_start", "message": begun})];
    let content = field(turn, "content");
    for (index, block) in content.as_array().into_iter().flatten().enumerate() {
        let is_text = field(block, "type") == "text";
        let (name, whole) = if is_text {
            ("text", field(block, "text").as_str().unwrap_or_default().to_owned())
        } else {
            ("input", field(block, "input").to_string())
        };
        let mut empty = block.clone();
        if let Some(empty) = empty.as_object_mut() {
            empty.insert(name.to_owned(), if is_text { json!("") } else { json!({}) });
        }
        events.push(json!({"type": "content_block_start", "index": index, "content_block": empty}));
        let letters: Vec<char> = whole.chars().collect();
        for piece in letters.chunks(12) {
            let piece: String = piece.iter().collect();
            let delta = if is_text {
                json!({"type": "text_delta", "text": piece})
            } else {
                json!({"type": "input_json_delta", "partial_json": piece})
            };
            events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    let delta = json!({"stop_reason": field(turn, "stop_reason"), "stop_sequence": null});
    events.push(json!({"type": "message_delta", "delta": delta, "usage": field(turn, "usage")}));
    events.push(json!({"type": "message_stop"}));
    events
}
