//! A streamed answer, put together again.
//!
//! What comes is collected and nothing of it is judged: only a whole message, ended by `message_stop`, becomes an answer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::run::Usage;
use super::wire::{Answer, unreadable, unwritable};
use crate::claude::api::{Api, ApiError, ApiErrorKind, Call, Fault, MAX_BODY};

/// What an agent that streams tells while an answer comes: for showing, not for acting. Calls are told by name alone, for
/// what a model has begun to write is no call yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StreamEvent<'a> {
    /// A piece of the answer's text.
    Text(&'a str),
    /// A piece of the model's thinking.
    Thinking(&'a str),
    /// The model begins to write a call of this tool.
    Calling(&'a str),
    /// The answer broke off and is asked for again: what was told of it is no part of the answer.
    Restarted,
}

/// Asks once, and reads the answer to its end.
pub(super) async fn ask(
    api: &Api,
    body: &[u8],
    patience: Duration,
    tell: &(dyn Fn(StreamEvent<'_>) + Send + Sync),
) -> Result<Answer, Fault> {
    let deadline = api.deadline();
    let mut stream = api.events(Call::post("/v1/messages", body)).await?;
    let mut message = Message::default();
    while let Some(frame) = stream.next(patience, Some(deadline)).await? {
        if frame.name == "error" {
            return Err(api.event_refusal(&frame.data));
        }
        match message.take(&frame.data, tell)? {
            Step::Goes => {}
            Step::Failed => return Err(api.event_refusal(&frame.data)),
            Step::Ended => return Ok(message.into_answer()?),
        }
    }
    let error = ApiError::new(
        ApiErrorKind::Truncated,
        "the stream ended before the message did; nothing of it was run",
    );
    Err(Fault::new(error, true))
}

#[derive(Debug, Eq, PartialEq)]
enum Step {
    Goes,
    Failed,
    Ended,
}

/// A message on its way.
#[derive(Default)]
struct Message {
    begun: bool,
    blocks: Vec<Block>,
    stop_reason: Option<String>,
    usage: Usage,
    /// Of all content so far.
    bytes: usize,
}

/// A block on its way.
struct Block {
    fields: BTreeMap<String, Box<RawValue>>,
    /// Texts that deltas add to, by field.
    texts: BTreeMap<&'static str, String>,
    citations: Vec<Box<RawValue>>,
    /// The input, as far as it has come.
    input: String,
    ended: bool,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
struct MessageStart<'a> {
    #[serde(borrow)]
    message: Start<'a>,
}

#[derive(Deserialize)]
struct Start<'a> {
    #[serde(default, borrow)]
    content: Vec<&'a RawValue>,
    #[serde(default)]
    usage: Usage,
}

#[derive(Deserialize)]
struct BlockStart {
    index: usize,
    content_block: BTreeMap<String, Box<RawValue>>,
}

#[derive(Deserialize)]
struct BlockDelta<'a> {
    index: usize,
    #[serde(borrow)]
    delta: Delta<'a>,
}

#[derive(Deserialize)]
struct BlockStop {
    index: usize,
}

#[derive(Deserialize)]
struct MessageDelta {
    delta: End,
    #[serde(default)]
    usage: Usage,
}

#[derive(Deserialize)]
struct End {
    stop_reason: Option<String>,
}

/// What is added to a block: one of these, by its type.
#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    thinking: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    signature: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    partial_json: Option<Cow<'a, str>>,
    #[serde(default)]
    citation: Option<Box<RawValue>>,
    #[serde(default)]
    content: Option<Box<RawValue>>,
    #[serde(default)]
    encrypted_content: Option<Box<RawValue>>,
}

impl Message {
    /// Takes the next event. Whatever is out of order ends the message: what it would have been is not known.
    fn take(&mut self, data: &str, tell: &(dyn Fn(StreamEvent<'_>) + Send + Sync)) -> Result<Step, ApiError> {
        let Kind { kind } = read(data)?;
        self.bytes += data.len();
        if self.bytes > MOST_OVERHEAD * MAX_BODY {
            return Err(too_large());
        }
        match &*kind {
            "message_start" => {
                let MessageStart { message } = read(data)?;
                if self.begun || !message.content.is_empty() {
                    return Err(out_of_order());
                }
                self.begun = true;
                self.usage = message.usage;
            }
            "error" => return Ok(Step::Failed),
            "content_block_start" | "content_block_delta" | "content_block_stop" | "message_delta" | "message_stop"
                if !self.begun =>
            {
                return Err(out_of_order());
            }
            "content_block_start" => {
                let BlockStart { index, content_block } = read(data)?;
                if index != self.blocks.len() {
                    return Err(out_of_order());
                }
                let block = Block::new(content_block);
                if block.says("type").as_deref() == Some("tool_use")
                    && let Some(name) = block.says("name")
                {
                    tell(StreamEvent::Calling(&name));
                }
                self.blocks.push(block);
            }
            "content_block_delta" => {
                let BlockDelta { index, delta } = read(data)?;
                self.open(index)?.add(delta, tell)?;
            }
            "content_block_stop" => {
                let BlockStop { index } = read(data)?;
                self.open(index)?.end()?;
            }
            "message_delta" => {
                let MessageDelta { delta, usage } = read(data)?;
                self.stop_reason = delta.stop_reason.or(self.stop_reason.take());
                self.usage.overwrite(usage);
            }
            "message_stop" if self.blocks.iter().all(|block| block.ended) => return Ok(Step::Ended),
            "message_stop" => return Err(out_of_order()),
            // `ping`, and what may come to be
            _ => {}
        }
        Ok(Step::Goes)
    }

    fn open(&mut self, index: usize) -> Result<&mut Block, ApiError> {
        let block = self.blocks.get_mut(index).filter(|block| !block.ended);
        block.ok_or_else(out_of_order)
    }

    fn into_answer(self) -> Result<Answer, ApiError> {
        let content: Vec<_> = self.blocks.into_iter().map(|block| block.fields).collect();
        let content = to_raw_value(&content).map_err(|_| unwritable())?;
        if content.get().len() > MAX_BODY {
            return Err(too_large());
        }
        Answer::of(content, self.stop_reason, self.usage)
    }
}

impl Block {
    fn new(fields: BTreeMap<String, Box<RawValue>>) -> Self {
        Self {
            fields,
            texts: BTreeMap::new(),
            citations: Vec::new(),
            input: String::new(),
            ended: false,
        }
    }

    /// A field's text.
    fn says(&self, field: &str) -> Option<String> {
        serde_json::from_str(self.fields.get(field)?.get()).ok()
    }

    fn add(&mut self, delta: Delta<'_>, tell: &(dyn Fn(StreamEvent<'_>) + Send + Sync)) -> Result<(), ApiError> {
        match (&*delta.kind, &delta) {
            ("text_delta", Delta { text: Some(text), .. }) => {
                tell(StreamEvent::Text(text));
                self.text("text", text);
            }
            (
                "thinking_delta",
                Delta {
                    thinking: Some(thinking),
                    ..
                },
            ) => {
                tell(StreamEvent::Thinking(thinking));
                self.text("thinking", thinking);
            }
            (
                "signature_delta",
                Delta {
                    signature: Some(signature),
                    ..
                },
            ) => self.text("signature", signature),
            (
                "input_json_delta",
                Delta {
                    partial_json: Some(json),
                    ..
                },
            ) => self.input.push_str(json),
            (
                "citations_delta",
                Delta {
                    citation: Some(citation),
                    ..
                },
            ) => self.citations.push(citation.clone()),
            ("compaction_delta", _) => {
                let fields = [
                    ("content", delta.content),
                    ("encrypted_content", delta.encrypted_content),
                ];
                let fields = fields
                    .into_iter()
                    .filter_map(|(name, value)| Some((name.to_owned(), value?)));
                self.fields.extend(fields);
            }
            // the block could not be sent back unchanged
            _ => {
                return Err(ApiError::malformed(
                    "the stream holds a piece of a kind that is not known",
                ));
            }
        }
        Ok(())
    }

    fn text(&mut self, field: &'static str, more: &str) {
        if !self.texts.contains_key(field) {
            let begun = self.says(field).unwrap_or_default();
            self.texts.insert(field, begun);
        }
        if let Some(text) = self.texts.get_mut(field) {
            text.push_str(more);
        }
    }

    /// Settles what the deltas added up to. Input that is not JSON when it is whole makes the message unreadable.
    fn end(&mut self) -> Result<(), ApiError> {
        self.ended = true;
        for (field, text) in std::mem::take(&mut self.texts) {
            let text = to_raw_value(&text).map_err(|_| unwritable())?;
            self.fields.insert(field.to_owned(), text);
        }
        if !self.citations.is_empty() {
            let citations = to_raw_value(&self.citations).map_err(|_| unwritable())?;
            self.fields.insert("citations".to_owned(), citations);
        }
        if !self.input.is_empty() {
            let input: Box<RawValue> = read(&self.input)?;
            let begun = self.fields.insert("input".to_owned(), input);
            // two inputs, one at the beginning and one in pieces: neither is known to be meant
            if begun.is_some_and(|begun| !matches!(begun.get().trim(), "{}" | "null" | "\"\"")) {
                return Err(out_of_order());
            }
        }
        Ok(())
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, ApiError> {
    serde_json::from_str(text).map_err(|error| unreadable(&error))
}

fn too_large() -> ApiError {
    ApiError::new(ApiErrorKind::TooLarge, "the answer is larger than what is read")
}

fn out_of_order() -> ApiError {
    ApiError::malformed("the stream is not what the API documents: an event is out of order")
}

/// How much larger the events of an answer may be than the answer: a few letters a piece, each with its envelope.
const MOST_OVERHEAD: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn play(events: &[serde_json::Value]) -> Result<Option<Answer>, ApiError> {
        let mut message = Message::default();
        for event in events {
            if message.take(&event.to_string(), &|_| {})? == Step::Ended {
                return message.into_answer().map(Some);
            }
        }
        Ok(None)
    }

    fn events(input: &str, pieces: usize) -> Vec<serde_json::Value> {
        let mut events = vec![
            json!({"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 7, "output_tokens": 1}}}),
            json!({"type": "ping"}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "content_block_start", "index": 1,
                "content_block": {"type": "tool_use", "id": "t", "name": "lookup", "input": {}, "caller": {"type": "direct"}}}),
        ];
        let letters: Vec<char> = input.chars().collect();
        for piece in letters.chunks(letters.len().div_ceil(pieces.max(1)).max(1)) {
            let piece: String = piece.iter().collect();
            events.push(json!({"type": "content_block_delta", "index": 1,
                "delta": {"type": "input_json_delta", "partial_json": piece}}));
        }
        events.extend([
            json!({"type": "content_block_stop", "index": 1}),
            json!({"type": "something_new", "index": 1}),
            json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}}),
            json!({"type": "message_stop"}),
        ]);
        events
    }

    #[test]
    fn a_whole_stream_gives_the_blocks_with_the_input_as_it_was_written() {
        let answer = play(&events(r#"{"order":  "7", "n": 1e2}"#, 5)).unwrap().unwrap();
        assert_eq!(answer.calls[0].input.get(), r#"{"order":  "7", "n": 1e2}"#);
        assert_eq!((answer.usage.input_tokens(), answer.usage.output_tokens()), (7, 9));
        let content: serde_json::Value = serde_json::from_str(answer.content.get()).unwrap();
        assert_eq!(
            content[0],
            json!({"type": "thinking", "thinking": "hm", "signature": "c2ln"})
        );
        assert_eq!(content[1]["caller"]["type"], "direct");
    }

    #[test]
    fn a_call_without_input_has_an_empty_one() {
        let answer = play(&events("", 1)).unwrap().unwrap();
        assert_eq!(answer.calls[0].input.get(), "{}");
    }

    #[test]
    fn an_input_that_is_no_json_is_no_answer() {
        for input in [r#"{"order":"#, "{} {}", "nope", r#"{"a":1}}"#] {
            assert!(play(&events(input, 2)).is_err(), "{input}");
        }
    }

    #[test]
    fn a_delta_that_is_not_known_is_no_answer() {
        let mut events = events("{}", 1);
        events[3] = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "new_delta", "x": 1}});
        assert!(play(&events).is_err());
    }

    proptest! {
        #[test]
        fn no_beginning_of_a_stream_is_an_answer(kept in 0_usize..14, pieces in 1_usize..4) {
            let events = events(r#"{"order":"7"}"#, pieces);
            let kept = kept.min(events.len() - 1);
            prop_assert!(matches!(play(&events[..kept]), Ok(None)));
        }

        #[test]
        fn an_event_left_out_or_sent_twice_never_gives_another_call(at in 0_usize..14, twice in any::<bool>()) {
            let mut events = events(r#"{"order":"7"}"#, 1);
            let at = at.min(events.len() - 1);
            let event = events[at].clone();
            if twice { events.insert(at, event) } else { events.remove(at); }
            if let Ok(Some(answer)) = play(&events) {
                for call in &answer.calls {
                    // the input as it was written, or (its only piece lost) none, which the tool's schema refuses
                    let known = [r#"{"order":"7"}"#, "{}"].contains(&call.input.get());
                    prop_assert!(known);
                }
            }
        }
    }
}
