//! Setting an agent up.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::agent::MessagesAgent;
use super::error::MessagesError;
use super::stream::StreamEvent;
use crate::claude::api::{ApiError, Settings, connection_settings};
use crate::tool::{Dialect, Toolbox};

/// Sets an agent up; made by [`MessagesAgent::builder`].
#[must_use = "an agent is only there when it is built"]
pub struct MessagesAgentBuilder {
    fixed: BTreeMap<String, Value>,
    refused: Vec<String>,
    toolbox: Option<Toolbox>,
    /// Fields of every tool's description, and of single ones.
    tool_fields: Vec<(Option<String>, String, Value)>,
    settings: Settings,
    streaming: Option<Streaming>,
    patience: Duration,
    max_iterations: u32,
}

impl MessagesAgentBuilder {
    pub(super) fn new(model: String) -> Self {
        Self {
            fixed: BTreeMap::from([
                ("model".to_owned(), model.into()),
                ("max_tokens".to_owned(), DEFAULT_MAX_TOKENS.into()),
            ]),
            refused: Vec::new(),
            toolbox: None,
            tool_fields: Vec::new(),
            settings: Settings::default(),
            streaming: None,
            patience: DEFAULT_PATIENCE,
            max_iterations: DEFAULT_MAX_ITERATIONS,
        }
    }

    /// The tools of the agent. Only these are declared: tools that would run at the service cannot be governed.
    pub fn tools(mut self, toolbox: &Toolbox) -> Self {
        self.toolbox = Some(toolbox.clone());
        self
    }

    /// The system prompt.
    pub fn system(mut self, text: impl Into<String>) -> Self {
        self.fixed.insert("system".to_owned(), Value::String(text.into()));
        self
    }

    /// The system prompt as the API's blocks of text, for those that say where its cache ends (`cache_control`).
    pub fn system_blocks<T: Serialize + ?Sized>(mut self, blocks: &T) -> Self {
        match serde_json::to_value(blocks) {
            Ok(Value::Array(blocks)) => {
                self.fixed.insert("system".to_owned(), blocks.into());
            }
            _ => self.refused.push("system".to_owned()),
        }
        self
    }

    /// Says `strict` of every tool: the service then lets the model write only what fits a tool's schema. It says nothing
    /// about what a call may do; each is judged all the same.
    pub fn strict(mut self) -> Self {
        self.tool_fields.push((None, "strict".to_owned(), true.into()));
        self
    }

    /// A further field of one tool's description, such as `cache_control`. What the tool says of itself cannot be set, nor
    /// a `type`: those that are not the program's own run at the service.
    pub fn tool_parameter<T: Serialize + ?Sized>(mut self, tool: &str, name: &str, value: &T) -> Self {
        match serde_json::to_value(value) {
            Ok(value) if !OWN_OF_TOOL.contains(&name) => {
                self.tool_fields.push((Some(tool.to_owned()), name.to_owned(), value));
            }
            _ => self.refused.push(format!("{tool}.{name}")),
        }
        self
    }

    /// Has answers streamed, and told to `tell` as they come. What is run does not differ: a call only when the whole
    /// message has come and asks for it, and of a stream that ends before, nothing.
    pub fn streaming(mut self, tell: impl Fn(StreamEvent<'_>) + Send + Sync + 'static) -> Self {
        self.streaming = Some(Streaming(Arc::new(tell)));
        self
    }

    /// How long a stream may be silent; a minute when not said. Then it has failed, and is asked for again.
    pub fn stream_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The most tokens of one answer; 4096 when not said.
    pub fn max_tokens(mut self, tokens: u32) -> Self {
        self.fixed.insert("max_tokens".to_owned(), tokens.into());
        self
    }

    /// How often the model is asked in one run at most; 20 when not said. Calls in the last answer are not run.
    pub fn max_iterations(mut self, times: u32) -> Self {
        self.max_iterations = times;
        self
    }

    /// A further field of the request, such as `thinking` or `tool_choice`.
    ///
    /// What this builder sets itself, `stream`, and fields that declare tools which run at the service are refused when
    /// the agent is built.
    pub fn parameter<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Self {
        match serde_json::to_value(value) {
            Ok(value) if !OWN.contains(&name) => {
                self.fixed.insert(name.to_owned(), value);
            }
            _ => self.refused.push(name.to_owned()),
        }
        self
    }

    connection_settings!("The longest that one answer may take; ten minutes when not said.");

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`MessagesError`] of kind [`Configuration`](crate::claude::ApiErrorKind::Configuration) says which setting is missing or
    /// wrong.
    pub fn build(mut self) -> Result<MessagesAgent, MessagesError> {
        if let Some(name) = self.refused.first() {
            return Err(ApiError::configuration(format!(
                "the parameter `{name}` cannot be set: it has a setting of its own, is not JSON, or would run tools \
                 outside governance"
            ))
            .into());
        }
        if self.max_iterations == 0 {
            return Err(ApiError::configuration("`max_iterations` must be at least 1").into());
        }
        let tools = self.definitions()?;
        if !tools.is_empty() {
            self.fixed.insert("tools".to_owned(), tools.into());
        }
        if self.streaming.is_some() {
            self.fixed.insert("stream".to_owned(), true.into());
        }
        Ok(MessagesAgent {
            api: self.settings.connect()?,
            toolbox: self.toolbox,
            fixed: self.fixed,
            streaming: self.streaming,
            patience: self.patience,
            max_iterations: self.max_iterations,
        })
    }

    /// The tools as they are declared, with the fields that were set on them.
    fn definitions(&self) -> Result<Vec<Value>, ApiError> {
        let tools = self.toolbox.as_ref().map(|tools| tools.definitions(Dialect::Claude));
        let mut tools = tools.unwrap_or_default();
        for (of, name, value) in &self.tool_fields {
            let mut found = of.is_none();
            for tool in tools.iter_mut().filter_map(Value::as_object_mut) {
                if of.is_none() || tool.get("name").and_then(Value::as_str) == of.as_deref() {
                    found = true;
                    tool.insert(name.clone(), value.clone());
                }
            }
            if !found {
                let of = of.as_deref().unwrap_or_default();
                return Err(ApiError::configuration(format!(
                    "the parameter `{name}` is for a tool `{of}`, which is not among the tools"
                )));
            }
        }
        Ok(tools)
    }
}

impl fmt::Debug for MessagesAgentBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessagesAgentBuilder")
            .field("model", &self.fixed.get("model"))
            .field("settings", &self.settings)
            .field("toolbox", &self.toolbox)
            .field("streaming", &self.streaming.is_some())
            .finish_non_exhaustive()
    }
}

/// Who is told what a stream brings.
#[derive(Clone)]
pub(super) struct Streaming(pub(super) Arc<dyn Fn(StreamEvent<'_>) + Send + Sync>);

/// Fields that [`parameter`](MessagesAgentBuilder::parameter) does not set.
const OWN: &[&str] = &[
    "model",
    "max_tokens",
    "messages",
    "system",
    "stream",
    // declare tools that run at the service
    "tools",
    "mcp_servers",
    "container",
];

/// Fields that [`tool_parameter`](MessagesAgentBuilder::tool_parameter) does not set.
const OWN_OF_TOOL: &[&str] = &["name", "type", "description", "input_schema"];

/// The API sends a `ping` when it has nothing else to say.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(60);

const DEFAULT_MAX_TOKENS: u32 = 4096;

const DEFAULT_MAX_ITERATIONS: u32 = 20;
