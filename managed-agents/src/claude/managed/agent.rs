//! Agents.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::resource::resource;
use super::tools::{AgentTool, McpServer};

resource! {
    /// An agent, at one version; in a session, what the session runs.
    pub struct Agent {
        id: String,
        #[serde(default)]
        version: u64,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        tools: Option<Vec<AgentTool>>,
        #[serde(default)]
        mcp_servers: Option<Vec<McpServer>>,
        #[serde(default)]
        multiagent: Option<Multiagent>,
    }
}

impl Agent {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.fields.id
    }

    /// Its version; each change makes a new one.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.fields.version
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.fields.name.as_deref().unwrap_or_default()
    }

    /// What it may call.
    #[must_use]
    pub fn tools(&self) -> &[AgentTool] {
        self.fields.tools.as_deref().unwrap_or_default()
    }

    /// The MCP servers that it knows.
    #[must_use]
    pub fn mcp_servers(&self) -> &[McpServer] {
        self.fields.mcp_servers.as_deref().unwrap_or_default()
    }

    /// The agents that it may let work for it.
    #[must_use]
    pub fn multiagent(&self) -> Option<&Multiagent> {
        self.fields.multiagent.as_ref()
    }
}

/// The agents that an agent may let work for it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Multiagent {
    /// Agents of a roster.
    Coordinator(Vec<RosterEntry>),
    /// Saved agents, in threads or in workflows; and perhaps agents that it makes up itself.
    Members {
        /// The saved ones.
        agents: Vec<RosterEntry>,
        /// Whether it may make agents up, which nobody can look at before they run.
        inline: bool,
    },
    /// A kind that this version does not know, as it came.
    Unknown(Box<RawValue>),
}

/// An agent of a roster.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RosterEntry {
    /// A saved agent, by id.
    Reference {
        /// Its id.
        id: String,
        /// Its version, where one is fixed.
        version: Option<u64>,
    },
    /// An agent with all that it may call.
    Whole(Box<Agent>),
    /// The agent itself again.
    Itself,
    /// A model that is only asked for advice: it calls nothing.
    Advisor,
    /// A kind that this version does not know, as it came.
    Unknown(Box<RawValue>),
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    version: Option<u64>,
    #[serde(default)]
    tools: Option<Box<RawValue>>,
}

impl<'de> Deserialize<'de> for RosterEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if let Ok(id) = serde_json::from_str::<String>(raw.get()) {
            return Ok(Self::Reference { id, version: None });
        }
        let Ok(head) = serde_json::from_str::<Head>(raw.get()) else {
            return Ok(Self::Unknown(raw));
        };
        Ok(match (head.kind.as_str(), head.id, head.tools) {
            ("agent", Some(_), Some(_)) => match serde_json::from_str(raw.get()) {
                Ok(agent) => Self::Whole(Box::new(agent)),
                Err(_) => Self::Unknown(raw),
            },
            ("agent", Some(id), None) => Self::Reference {
                id,
                version: head.version,
            },
            ("self", _, _) => Self::Itself,
            ("advisor", _, _) => Self::Advisor,
            _ => Self::Unknown(raw),
        })
    }
}

/// The members of `multiagent_20261001`; where one is not there, it is enabled.
#[derive(Deserialize)]
struct Members {
    #[serde(default)]
    subagents: Member,
    #[serde(default)]
    workflows: Member,
}

#[derive(Default, Deserialize)]
struct Member {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    predefined_agents: Option<Vec<RosterEntry>>,
    #[serde(default)]
    inline_agents: Option<Switch>,
}

#[derive(Deserialize)]
struct Switch {
    #[serde(rename = "type", default)]
    kind: Option<String>,
}

impl<'de> Deserialize<'de> for Multiagent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Roster {
            agents: Vec<RosterEntry>,
        }
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let kind = serde_json::from_str::<Head>(raw.get())
            .map(|head| head.kind)
            .unwrap_or_default();
        Ok(match kind.as_str() {
            "coordinator" => match serde_json::from_str::<Roster>(raw.get()) {
                Ok(roster) => Self::Coordinator(roster.agents),
                Err(_) => Self::Unknown(raw),
            },
            "multiagent_20261001" => match serde_json::from_str::<Members>(raw.get()) {
                Ok(members) => Self::of(members),
                Err(_) => Self::Unknown(raw),
            },
            _ => Self::Unknown(raw),
        })
    }
}

impl Multiagent {
    fn of(members: Members) -> Self {
        let mut agents = Vec::new();
        let mut may_make_up = false;
        for member in [members.subagents, members.workflows] {
            if member.kind.as_deref() == Some("disabled") {
                continue;
            }
            let inline = member.inline_agents.and_then(|switch| switch.kind);
            may_make_up |= inline.as_deref() != Some("disabled");
            agents.extend(member.predefined_agents.unwrap_or_default());
        }
        Self::Members {
            agents,
            inline: may_make_up,
        }
    }
}
