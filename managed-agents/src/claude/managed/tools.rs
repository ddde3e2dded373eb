//! What an agent may call, and what must be asked first.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A tool of an agent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AgentTool {
    /// A tool that the client runs.
    Custom {
        /// Its name.
        name: String,
    },
    /// The built-in tools of `agent_toolset_20260401`.
    BuiltIn(Toolset),
    /// The tools of an MCP server.
    Mcp {
        /// The server.
        server: String,
        /// Which of its tools may be called, and how.
        tools: Toolset,
    },
    /// A kind that this version does not know, as it came.
    Unknown(Box<RawValue>),
}

/// Which tools of a set may be called, and what must be asked first.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Toolset {
    #[serde(default)]
    default_config: Option<ToolConfig>,
    #[serde(default)]
    configs: Option<Vec<ToolConfig>>,
}

/// The configuration of one tool of a set, or what holds where it says nothing.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ToolConfig {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    permission_policy: Option<PermissionPolicy>,
}

/// What must be asked before a tool runs.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PermissionPolicy {
    /// The client is asked before each call: the only policy under which every call can be governed.
    AlwaysAsk,
    /// Nobody is asked.
    AlwaysAllow,
    /// The service judges each call, and may allow it without asking.
    Auto,
    /// A policy that this version does not know.
    Unknown(String),
}

/// An MCP server of an agent.
#[derive(Clone, Debug, Deserialize)]
pub struct McpServer {
    name: String,
    #[serde(default)]
    url: Option<String>,
}

impl McpServer {
    /// The name by which tools refer to it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

impl Toolset {
    /// What holds for tools that have no entry of their own, or where it says nothing.
    #[must_use]
    pub fn default_config(&self) -> Option<&ToolConfig> {
        self.default_config.as_ref()
    }

    /// The entries of single tools.
    #[must_use]
    pub fn configs(&self) -> &[ToolConfig] {
        self.configs.as_deref().unwrap_or_default()
    }
}

impl ToolConfig {
    /// The tool; none in a default.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether it may be called, where that is said.
    #[must_use]
    pub fn enabled(&self) -> Option<bool> {
        self.enabled
    }

    /// What must be asked first, where that is said.
    #[must_use]
    pub fn policy(&self) -> Option<&PermissionPolicy> {
        self.permission_policy.as_ref()
    }
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    mcp_server_name: Option<String>,
}

impl<'de> Deserialize<'de> for AgentTool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let kind = serde_json::from_str::<Kind>(raw.get());
        // a tool of a known kind that cannot be read is no better known than one of another kind
        Ok(match kind {
            Ok(Kind {
                kind, name: Some(name), ..
            }) if kind == "custom" => Self::Custom { name },
            Ok(Kind { kind, .. }) if kind == "agent_toolset_20260401" => match serde_json::from_str(raw.get()) {
                Ok(tools) => Self::BuiltIn(tools),
                Err(_) => Self::Unknown(raw),
            },
            Ok(Kind {
                kind,
                mcp_server_name: Some(server),
                ..
            }) if kind == "mcp_toolset" => match serde_json::from_str(raw.get()) {
                Ok(tools) => Self::Mcp { server, tools },
                Err(_) => Self::Unknown(raw),
            },
            _ => Self::Unknown(raw),
        })
    }
}

impl<'de> Deserialize<'de> for PermissionPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let kind = serde_json::from_str::<Kind>(raw.get()).map(|kind| kind.kind);
        Ok(match kind.as_deref() {
            Ok("always_ask") => Self::AlwaysAsk,
            Ok("always_allow") => Self::AlwaysAllow,
            Ok("auto") => Self::Auto,
            Ok(other) => Self::Unknown(other.to_owned()),
            Err(_) => Self::Unknown(String::new()),
        })
    }
}
