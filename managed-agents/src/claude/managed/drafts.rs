//! What is sent to create something.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::tool::{Dialect, Toolbox};

/// Declares a draft: a JSON object with typed setters, and one for what this version has no setter for.
macro_rules! draft {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        #[must_use]
        pub struct $name(Map<String, Value>);

        impl $name {
            /// A field that has no setter here, as the API documents it. What is not JSON is left out.
            pub fn field<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Self {
                if let Ok(value) = serde_json::to_value(value) {
                    self.0.insert(name.to_owned(), value);
                }
                self
            }

            pub(super) fn body(&self) -> Value {
                Value::Object(self.0.clone())
            }
        }
    };
}

draft! {
    /// An agent to create, or what to change of one.
    AgentDraft
}

impl AgentDraft {
    /// An agent of a name and a model.
    pub fn new(name: &str, model: &str) -> Self {
        Self::default().field("name", name).field("model", model)
    }

    /// What to change of an agent: nothing yet.
    pub fn change() -> Self {
        Self::default()
    }

    /// The system prompt.
    pub fn system(self, text: &str) -> Self {
        self.field("system", text)
    }

    /// Custom tools: those of a toolbox, as it describes them, so that what Claude is told and what runs are the same.
    pub fn toolbox(mut self, toolbox: &Toolbox) -> Self {
        for tool in toolbox.definitions(Dialect::Claude) {
            if let Value::Object(mut tool) = tool {
                tool.insert("type".to_owned(), "custom".into());
                // the API requires one
                if tool
                    .get("description")
                    .and_then(Value::as_str)
                    .is_none_or(str::is_empty)
                {
                    let name = tool.get("name").cloned().unwrap_or_default();
                    tool.insert("description".to_owned(), name);
                }
                self.push("tools", Value::Object(tool));
            }
        }
        self
    }

    /// The built-in tools named here, each of which asks before it runs; all others are off.
    pub fn built_in<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let ask = json!({"type": "always_ask"});
        let configs: Vec<_> = names
            .into_iter()
            .map(|name| json!({"name": name, "enabled": true, "permission_policy": ask}))
            .collect();
        self.push(
            "tools",
            json!({
                "type": "agent_toolset_20260401",
                "default_config": {"enabled": false, "permission_policy": ask},
                "configs": configs,
            }),
        );
        self
    }

    /// An MCP server, each of whose tools asks before it runs.
    pub fn mcp_server(mut self, name: &str, url: &str) -> Self {
        self.push("mcp_servers", json!({"type": "url", "name": name, "url": url}));
        self.push(
            "tools",
            json!({
                "type": "mcp_toolset",
                "mcp_server_name": name,
                "default_config": {"enabled": true, "permission_policy": {"type": "always_ask"}},
            }),
        );
        self
    }

    /// A further tool, as the API documents it.
    pub fn tool(mut self, tool: Value) -> Self {
        self.push("tools", tool);
        self
    }

    /// All tools at once, as JSON.
    pub fn tools(self, tools: &[Value]) -> Self {
        self.field("tools", tools)
    }

    fn push(&mut self, list: &str, item: Value) {
        let list = self.0.entry(list).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(item);
        }
    }
}

draft! {
    /// An environment to create.
    EnvironmentDraft
}

impl EnvironmentDraft {
    /// An environment at Anthropic.
    pub fn cloud(name: &str) -> Self {
        Self::default()
            .field("name", name)
            .field("config", &json!({"type": "cloud"}))
    }

    /// An environment whose tools run where a worker of one's own runs.
    pub fn self_hosted(name: &str) -> Self {
        Self::default()
            .field("name", name)
            .field("config", &json!({"type": "self_hosted"}))
    }
}

draft! {
    /// A session to create.
    SessionDraft
}

impl SessionDraft {
    /// A session of the newest version of an agent.
    pub fn new(agent: &str, environment: &str) -> Self {
        Self::default()
            .field("agent", agent)
            .field("environment_id", environment)
    }

    /// A session of one version of an agent.
    pub fn of_version(agent: &str, version: u64, environment: &str) -> Self {
        let agent = json!({"type": "agent", "id": agent, "version": version});
        Self::default()
            .field("agent", &agent)
            .field("environment_id", environment)
    }

    /// What people see of it.
    pub fn title(self, title: &str) -> Self {
        self.field("title", title)
    }
}
