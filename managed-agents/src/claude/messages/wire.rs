//! What goes over the wire: typed where the loop reads it, and otherwise as the API wrote it.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::run::{StopReason, UngovernedUse, Usage};
use crate::claude::api::ApiError;

/// A request. What does not change within a run is in `fixed`.
#[derive(Serialize)]
pub(super) struct Request<'a> {
    #[serde(flatten)]
    pub(super) fixed: &'a BTreeMap<String, Value>,
    pub(super) messages: &'a [Box<RawValue>],
}

/// An answer, read.
pub(super) struct Answer {
    /// The whole content array, as it came.
    pub(super) content: Box<RawValue>,
    pub(super) text: String,
    pub(super) calls: Vec<ToolUse>,
    pub(super) ungoverned: Vec<UngovernedUse>,
    pub(super) stop_reason: Option<StopReason>,
    pub(super) usage: Usage,
}

/// A `tool_use` block: a wish of the model, nothing more.
#[derive(Clone)]
pub(super) struct ToolUse {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) toolset: Option<String>,
    pub(super) input: Box<RawValue>,
}

#[derive(Deserialize)]
struct Envelope {
    content: Box<RawValue>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

/// A block of one of the kinds that the loop reads.
#[derive(Deserialize)]
struct Block<'a> {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    name: Option<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    text: Option<String>,
    toolset_name: Option<String>,
    server_name: Option<String>,
}

impl Answer {
    /// Reads the body of an answer. Unknown kinds of block and unknown fields are kept and passed over.
    pub(super) fn read(body: &[u8]) -> Result<Self, ApiError> {
        let envelope: Envelope = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
        Self::of(
            envelope.content,
            envelope.stop_reason,
            envelope.usage.unwrap_or_default(),
        )
    }

    /// Reads the content of an answer.
    pub(super) fn of(content: Box<RawValue>, stop_reason: Option<String>, usage: Usage) -> Result<Self, ApiError> {
        let blocks = blocks(&content)?;
        let mut text = String::new();
        let mut calls = Vec::new();
        let mut ungoverned = Vec::new();
        for block in blocks {
            match block.kind.as_str() {
                "text" => text.push_str(block.text.as_deref().unwrap_or_default()),
                "tool_use" => calls.push(ToolUse::read(block)?),
                "server_tool_use" | "mcp_tool_use" => {
                    ungoverned.push(UngovernedUse::new(block.id, block.kind, block.name, block.server_name));
                }
                _ => {}
            }
        }
        let mut ids = HashSet::new();
        if !calls.iter().all(|call| ids.insert(call.id.as_str())) {
            return Err(ApiError::malformed("the answer holds two tool calls with one id"));
        }
        Ok(Self {
            text,
            calls,
            ungoverned,
            stop_reason: stop_reason.map(StopReason::from),
            usage,
            content,
        })
    }
}

/// The blocks that the loop reads; those of other kinds are passed over, whatever they hold.
fn blocks(content: &RawValue) -> Result<Vec<Block<'_>>, ApiError> {
    let mut read = Vec::new();
    let all: Vec<&RawValue> = serde_json::from_str(content.get()).map_err(|error| unreadable(&error))?;
    for block in all {
        let kind: Kind = serde_json::from_str(block.get()).map_err(|error| unreadable(&error))?;
        if matches!(
            kind.kind.as_str(),
            "text" | "tool_use" | "server_tool_use" | "mcp_tool_use"
        ) {
            read.push(serde_json::from_str(block.get()).map_err(|error| unreadable(&error))?);
        }
    }
    Ok(read)
}

impl ToolUse {
    fn read(block: Block<'_>) -> Result<Self, ApiError> {
        match (block.id, block.name, block.input) {
            (Some(id), Some(name), Some(input)) => Ok(Self {
                id,
                name,
                toolset: block.toolset_name,
                input: input.to_owned(),
            }),
            _ => Err(ApiError::malformed(
                "the answer holds a tool call without id, name or input",
            )),
        }
    }
}

pub(super) fn unreadable(error: &serde_json::Error) -> ApiError {
    ApiError::unreadable("the answer is not a message", error)
}

/// The answer to one tool call.
#[derive(Serialize)]
pub(super) struct ToolResultBlock<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    tool_use_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    content: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_error: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    toolset_name: Option<&'a str>,
}

impl<'a> ToolResultBlock<'a> {
    pub(super) fn new(call: &'a ToolUse, content: &'a str, is_error: bool) -> Self {
        Self {
            kind: "tool_result",
            tool_use_id: &call.id,
            content,
            is_error,
            toolset_name: call.toolset.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct Text<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
}

#[derive(Serialize)]
struct Message<'a, C: ?Sized> {
    role: &'static str,
    content: &'a C,
}

/// The assistant's message, its content unchanged.
pub(super) fn assistant(content: &RawValue) -> Result<Box<RawValue>, ApiError> {
    message("assistant", content)
}

/// A user's message: the results first, then the text.
pub(super) fn user(results: &[ToolResultBlock<'_>], text: Option<&str>) -> Result<Box<RawValue>, ApiError> {
    let content: Result<Vec<_>, _> = results.iter().map(to_raw_value).collect();
    let mut content = content.map_err(|_| unwritable())?;
    if let Some(text) = text {
        if content.is_empty() {
            return message("user", text);
        }
        let block = Text { kind: "text", text };
        content.push(to_raw_value(&block).map_err(|_| unwritable())?);
    }
    message("user", &content)
}

fn message<C: Serialize + ?Sized>(role: &'static str, content: &C) -> Result<Box<RawValue>, ApiError> {
    to_raw_value(&Message { role, content }).map_err(|_| unwritable())
}

pub(super) fn unwritable() -> ApiError {
    ApiError::malformed("a message cannot be written as JSON")
}

/// The calls that the last message of a conversation leaves without a result: a run that stopped at the token limit, at
/// the iteration limit or by refusal ran none of them.
pub(super) fn open_calls(messages: &[Box<RawValue>]) -> Result<Vec<ToolUse>, ApiError> {
    #[derive(Deserialize)]
    struct Last<'a> {
        role: String,
        #[serde(borrow)]
        content: &'a RawValue,
    }
    let Some(last) = messages.last() else {
        return Ok(Vec::new());
    };
    let last: Last<'_> = serde_json::from_str(last.get()).map_err(|error| unreadable(&error))?;
    if last.role != "assistant" || !last.content.get().starts_with('[') {
        return Ok(Vec::new());
    }
    let blocks = blocks(last.content)?;
    let calls = blocks.into_iter().filter(|block| block.kind == "tool_use");
    calls.map(ToolUse::read).collect()
}
