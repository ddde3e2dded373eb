//! Setting an agent up.

use std::collections::BTreeMap;
use std::env;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::agent::MessagesAgent;
use super::error::MessagesError;
use super::transport::{Key, Transport};
use crate::http::{Endpoint, Secret};
use crate::tool::{Dialect, Toolbox};

/// Sets an agent up; made by [`MessagesAgent::builder`].
#[derive(Debug)]
#[must_use = "an agent is only there when it is built"]
pub struct MessagesAgentBuilder {
    fixed: BTreeMap<String, Value>,
    refused: Vec<String>,
    toolbox: Option<Toolbox>,
    key: Option<Key>,
    endpoint: Option<Endpoint>,
    version: String,
    headers: Vec<(String, String)>,
    timeout: Duration,
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
            key: None,
            endpoint: None,
            version: DEFAULT_VERSION.to_owned(),
            headers: Vec::new(),
            timeout: Duration::from_secs(600),
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

    /// The key, sent as `x-api-key`; `ANTHROPIC_API_KEY` when not said, where it is set and not
    /// empty. Neither `Debug` nor an error shows it.
    pub fn api_key(mut self, key: Secret) -> Self {
        self.key = Some(Key::new(key, false));
        self
    }

    /// A key or token that is sent as `Authorization: Bearer` instead.
    pub fn bearer(mut self, token: Secret) -> Self {
        self.key = Some(Key::new(token, true));
        self
    }

    /// Where the API is, without `/v1/messages`; `ANTHROPIC_BASE_URL`, where it is set and not empty, else
    /// `https://api.anthropic.com`, when not said.
    pub fn base_url(mut self, base: Endpoint) -> Self {
        self.endpoint = Some(base);
        self
    }

    /// The version of the API, sent as `anthropic-version`; `2026-10-21` when not said.
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// A further header, such as `anthropic-beta`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The longest that one answer may take; ten minutes when not said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`MessagesError`] of kind [`Configuration`](super::MessagesErrorKind::Configuration) says which setting is missing or
    /// wrong.
    pub fn build(mut self) -> Result<MessagesAgent, MessagesError> {
        if let Some(name) = self.refused.first() {
            return Err(MessagesError::configuration(format!(
                "the parameter `{name}` cannot be set: it has a setting of its own, is not JSON, or would run tools \
                 outside governance"
            )));
        }
        if self.max_iterations == 0 {
            return Err(MessagesError::configuration("`max_iterations` must be at least 1"));
        }
        let key = match (self.key, set("ANTHROPIC_API_KEY")) {
            (Some(key), _) => key,
            (None, Some(key)) => Secret::parse(&key)
                .map(|key| Key::new(key, false))
                .map_err(|error| MessagesError::configuration(format!("`ANTHROPIC_API_KEY`: {error}")))?,
            (None, None) => {
                return Err(MessagesError::configuration(
                    "no API key: set `ANTHROPIC_API_KEY` or call `.api_key(…)`",
                ));
            }
        };
        let endpoint = match (self.endpoint, set("ANTHROPIC_BASE_URL")) {
            (Some(endpoint), _) => endpoint,
            (None, base) => Endpoint::parse(base.as_deref().unwrap_or(DEFAULT_BASE_URL))
                .map_err(|error| MessagesError::configuration(format!("`ANTHROPIC_BASE_URL`: {error}")))?,
        };
        self.headers.push(("anthropic-version".to_owned(), self.version));
        let transport = Transport::new(&endpoint, key, &self.headers, self.timeout)?;
        let tools = self.toolbox.as_ref().map(|tools| tools.definitions(Dialect::Claude));
        if let Some(tools) = tools.filter(|tools| !tools.is_empty()) {
            self.fixed.insert("tools".to_owned(), tools.into());
        }
        Ok(MessagesAgent {
            transport,
            toolbox: self.toolbox,
            fixed: self.fixed,
            max_iterations: self.max_iterations,
        })
    }
}

fn set(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

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

const DEFAULT_BASE_URL: &str = "https://api.anthropic.com";

const DEFAULT_VERSION: &str = "2026-10-21";

const DEFAULT_MAX_TOKENS: u32 = 4096;

const DEFAULT_MAX_ITERATIONS: u32 = 20;
