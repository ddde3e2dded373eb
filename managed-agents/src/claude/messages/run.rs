//! What came of a run.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::wire::ToolUse;
use crate::tool::ToolResult;

/// What came of a run: the text, the whole conversation, and every call with its result.
///
/// `Debug` shows neither texts nor arguments.
#[derive(Clone, Default)]
pub struct Run {
    pub(super) messages: Vec<Box<RawValue>>,
    pub(super) text: String,
    pub(super) calls: Vec<RunCall>,
    pub(super) ungoverned: Vec<UngovernedUse>,
    pub(super) stop_reason: Option<StopReason>,
    pub(super) usage: Usage,
    pub(super) iterations: u32,
    pub(super) limit_reached: bool,
    pub(super) cancelled: bool,
}

impl Run {
    /// The text of the last answer.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The conversation, as JSON messages; what came from the API is unchanged, byte for byte.
    #[must_use]
    pub fn messages(&self) -> &[Box<RawValue>] {
        &self.messages
    }

    /// The conversation, to be carried on with [`MessagesAgent::resume`](super::MessagesAgent::resume).
    #[must_use]
    pub fn into_messages(self) -> Vec<Box<RawValue>> {
        self.messages
    }

    /// Every tool call that was answered, in order.
    #[must_use]
    pub fn calls(&self) -> &[RunCall] {
        &self.calls
    }

    /// Tools that ran at the service, where no harness sees them.
    #[must_use]
    pub fn ungoverned(&self) -> &[UngovernedUse] {
        &self.ungoverned
    }

    /// Why the last answer ended; `None` when the API gave no reason.
    #[must_use]
    pub fn stop_reason(&self) -> Option<&StopReason> {
        self.stop_reason.as_ref()
    }

    /// The tokens of all requests together.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// How many answers the model gave.
    #[must_use]
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// Whether the run ended because the model was asked as often as it may be. Calls in its last answer were not run.
    #[must_use]
    pub fn limit_reached(&self) -> bool {
        self.limit_reached
    }

    /// Whether the run ended because it was cancelled. Every call of its last answer has a result: its own where it had
    /// ended, else one that says that it was cancelled.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.cancelled
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("messages", &self.messages.len())
            .field("calls", &self.calls)
            .field("ungoverned", &self.ungoverned)
            .field("stop_reason", &self.stop_reason)
            .field("usage", &self.usage)
            .field("iterations", &self.iterations)
            .field("limit_reached", &self.limit_reached)
            .field("cancelled", &self.cancelled)
            .finish_non_exhaustive()
    }
}

/// A tool call of a run, with its result.
#[derive(Clone)]
pub struct RunCall {
    call: ToolUse,
    result: ToolResult,
}

impl RunCall {
    pub(super) fn new(call: ToolUse, result: ToolResult) -> Self {
        Self { call, result }
    }

    /// The API's id of the call.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.call.id
    }

    /// The tool, as the model named it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.call.name
    }

    /// The arguments as the model wrote them.
    #[must_use]
    pub fn input(&self) -> &str {
        self.call.input.get()
    }

    /// How the call ended, and what the model was told.
    #[must_use]
    pub fn result(&self) -> &ToolResult {
        &self.result
    }
}

impl fmt::Debug for RunCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunCall")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("result", &self.result)
            .finish_non_exhaustive()
    }
}

/// A tool that ran at the service: it cannot be governed here, only recorded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UngovernedUse {
    id: Option<String>,
    kind: String,
    name: String,
    server: Option<String>,
}

impl UngovernedUse {
    pub(super) fn new(id: Option<String>, kind: String, name: Option<String>, server: Option<String>) -> Self {
        Self {
            id,
            kind,
            name: name.unwrap_or_default(),
            server,
        }
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The name under which it would be judged.
    pub(super) fn governed_name(&self) -> Cow<'_, str> {
        match &self.server {
            Some(server) => format!("mcp__{server}__{}", self.name).into(),
            None => self.name.as_str().into(),
        }
    }

    /// `server_tool_use` or `mcp_tool_use`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The tool.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The MCP server, where there is one.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }
}

/// Why an answer ended.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum StopReason {
    /// The model was done.
    EndTurn,
    /// The model wants tools called: the only reason for which any is.
    ToolUse,
    /// The token limit of the answer was reached.
    MaxTokens,
    /// A stop sequence was met.
    StopSequence,
    /// The service paused a long turn; it is sent back unchanged.
    PauseTurn,
    /// The service compacted the conversation; it is sent back unchanged.
    Compaction,
    /// The model refused.
    Refusal,
    /// The context is full.
    ContextWindowExceeded,
    /// A reason that this version does not know.
    Other(String),
}

impl From<String> for StopReason {
    fn from(word: String) -> Self {
        match word.as_str() {
            "end_turn" => Self::EndTurn,
            "tool_use" => Self::ToolUse,
            "max_tokens" => Self::MaxTokens,
            "stop_sequence" => Self::StopSequence,
            "pause_turn" => Self::PauseTurn,
            "compaction" => Self::Compaction,
            "refusal" => Self::Refusal,
            "model_context_window_exceeded" => Self::ContextWindowExceeded,
            _ => Self::Other(word),
        }
    }
}

/// Tokens, as the API counts them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
pub struct Usage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
}

impl Usage {
    /// Tokens read that no cache held.
    #[must_use]
    pub fn input_tokens(&self) -> u64 {
        self.input_tokens.unwrap_or(0)
    }

    /// Tokens written.
    #[must_use]
    pub fn output_tokens(&self) -> u64 {
        self.output_tokens.unwrap_or(0)
    }

    /// Tokens written to the cache.
    #[must_use]
    pub fn cache_creation_input_tokens(&self) -> u64 {
        self.cache_creation_input_tokens.unwrap_or(0)
    }

    /// Tokens read from the cache.
    #[must_use]
    pub fn cache_read_input_tokens(&self) -> u64 {
        self.cache_read_input_tokens.unwrap_or(0)
    }

    /// Takes over what a later event of the same answer counts: totals, where it has any.
    pub(super) fn overwrite(&mut self, later: Self) {
        self.input_tokens = later.input_tokens.or(self.input_tokens);
        self.output_tokens = later.output_tokens.or(self.output_tokens);
        self.cache_creation_input_tokens = later.cache_creation_input_tokens.or(self.cache_creation_input_tokens);
        self.cache_read_input_tokens = later.cache_read_input_tokens.or(self.cache_read_input_tokens);
    }

    pub(super) fn add(&mut self, other: Self) {
        let sum = |a: Option<u64>, b: Option<u64>| Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0)));
        self.input_tokens = sum(self.input_tokens, other.input_tokens);
        self.output_tokens = sum(self.output_tokens, other.output_tokens);
        self.cache_creation_input_tokens = sum(self.cache_creation_input_tokens, other.cache_creation_input_tokens);
        self.cache_read_input_tokens = sum(self.cache_read_input_tokens, other.cache_read_input_tokens);
    }
}
