//! Which calls of an agent would run without being asked about.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Value, json};

use super::api::ApiError;
use super::managed::{
    Agent, AgentDraft, AgentTool, EnvironmentKind, ManagedAgents, Multiagent, PermissionPolicy, RosterEntry,
    ToolConfig, Toolset,
};

/// Where calls of an agent can slip past: everything that it may call, and everything that its subagents may call, without
/// the client being asked.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: managed_agents::claude::ManagedAgents) -> Result<(), Box<dyn std::error::Error>> {
/// let coverage = client.coverage("agent_1").await?;
/// for gap in coverage.gaps() {
///     println!("{gap}");
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use]
pub struct Coverage {
    gaps: Vec<Gap>,
}

/// One way past.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Gap {
    agent: String,
    place: String,
    kind: GapKind,
}

/// Why a call would not be asked about.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum GapKind {
    /// Its policy is `always_allow`.
    AlwaysAllow,
    /// Its policy is `auto`: the service judges, and may allow without asking.
    Auto,
    /// It has no policy: the service's own default holds.
    Unset,
    /// Its policy is one that this version does not know.
    UnknownPolicy(String),
    /// It is a kind of tool that this version does not know.
    UnknownTool,
    /// A server whose tools have no entry, so that the service's own default holds for all of them.
    ServerWithoutTools,
    /// The agent may make up agents, which nobody can look at before they run.
    InlineAgents,
    /// The agent may let others work for it in a way that this version does not know.
    UnknownSubagents,
    /// The environment is of a kind that this version does not know, so where built-in tools run is not known.
    UnknownEnvironment,
}

impl Coverage {
    /// Every way past, in the order in which the agents and tools are given.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Whether the client is asked about every call.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.gaps.is_empty()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, gap) in self.gaps.iter().enumerate() {
            write!(f, "{}{gap}", if place == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl Gap {
    /// The agent, by name, or by id where it has none.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// What slips past: `bash`, `mcp linear`, `mcp linear: create_issue`.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> &GapKind {
        &self.kind
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { agent, place, kind } = self;
        write!(f, "agent `{agent}`: {place} ")?;
        match kind {
            GapKind::AlwaysAllow => f.write_str("runs without asking (`always_allow`)"),
            GapKind::Auto => f.write_str("may run without asking (`auto`)"),
            GapKind::Unset => f.write_str("has no policy, so the service's default holds"),
            GapKind::UnknownPolicy(word) => write!(f, "has a policy that is not known (`{word}`)"),
            GapKind::UnknownTool => f.write_str("is a kind of tool that is not known"),
            GapKind::ServerWithoutTools => f.write_str("has no entry for its tools, so the service's default holds"),
            GapKind::InlineAgents => f.write_str("may be made up while it runs, with tools that nobody has seen"),
            GapKind::UnknownSubagents => f.write_str("are of a kind that is not known"),
            GapKind::UnknownEnvironment => f.write_str("is of a kind that is not known"),
        }
    }
}

/// What is checked so far.
struct Check<'a> {
    client: &'a ManagedAgents,
    /// Built-in tools that work on files and commands run at a worker of one's own, where each is governed.
    here: bool,
    seen: HashSet<(String, Option<u64>)>,
    gaps: Vec<Gap>,
}

impl ManagedAgents {
    /// Checks an agent as it is now, and the agents that may work for it.
    ///
    /// # Errors
    ///
    /// [`ApiError`] when one of them cannot be looked at.
    pub async fn coverage(&self, agent: &str) -> Result<Coverage, ApiError> {
        let agent = self.agent(agent).await?;
        self.coverage_of(&agent, &EnvironmentKind::Cloud).await
    }

    /// Checks a session: the agent as the session runs it, in the session's environment.
    ///
    /// # Errors
    ///
    /// [`ApiError`] when something of it cannot be looked at.
    pub async fn session_coverage(&self, session: &str) -> Result<Coverage, ApiError> {
        let session = self.session(session).await?;
        let kind = match session.environment() {
            Some(environment) => self.environment(environment).await?.kind(),
            None => EnvironmentKind::Unknown(String::new()),
        };
        match session.agent() {
            Some(agent) => self.coverage_of(agent, &kind).await,
            None => Err(ApiError::malformed("the session does not say what its agent is")),
        }
    }

    /// Checks an agent in an environment of a kind.
    ///
    /// # Errors
    ///
    /// [`ApiError`] when an agent that may work for it cannot be looked at.
    pub async fn coverage_of(&self, agent: &Agent, environment: &EnvironmentKind) -> Result<Coverage, ApiError> {
        let mut check = Check {
            client: self,
            here: *environment == EnvironmentKind::SelfHosted,
            seen: HashSet::new(),
            gaps: Vec::new(),
        };
        if let EnvironmentKind::Unknown(_) = environment {
            check.gap(agent, "the environment".to_owned(), GapKind::UnknownEnvironment);
        }
        check.agents(agent.clone()).await?;
        Ok(Coverage { gaps: check.gaps })
    }

    /// Has every tool of an agent ask: writes `always_ask` into the default and into every entry of each of its toolsets, as a
    /// new version of the agent, unless it says so already. What it cannot change is in the coverage that comes back:
    /// subagents, and what this version does not know.
    ///
    /// # Errors
    ///
    /// [`ApiError`] when the agent cannot be read or changed; somebody else's change meanwhile is one.
    pub async fn close_gaps(&self, agent: &str) -> Result<Coverage, ApiError> {
        let before = self.agent(agent).await?;
        let tools = asking(&before)?;
        if let Some(tools) = tools {
            let change = AgentDraft::change().tools(&tools);
            self.update_agent(agent, Some(before.version()), &change).await?;
        }
        self.coverage(agent).await
    }
}

impl Check<'_> {
    /// An agent and all that may work for it, each once.
    async fn agents(&mut self, first: Agent) -> Result<(), ApiError> {
        let mut waiting = vec![first];
        while let Some(agent) = waiting.pop() {
            if !self.seen.insert((agent.id().to_owned(), Some(agent.version()))) {
                continue;
            }
            self.tools(&agent);
            let entries = match agent.multiagent() {
                None => continue,
                Some(Multiagent::Coordinator(entries)) => entries,
                Some(Multiagent::Members { agents, inline }) => {
                    if *inline {
                        self.gap(&agent, "subagents".to_owned(), GapKind::InlineAgents);
                    }
                    agents
                }
                Some(Multiagent::Unknown(_)) => {
                    self.gap(&agent, "subagents".to_owned(), GapKind::UnknownSubagents);
                    continue;
                }
            };
            for entry in entries {
                match entry {
                    RosterEntry::Itself | RosterEntry::Advisor => {}
                    RosterEntry::Whole(agent) => waiting.push((**agent).clone()),
                    RosterEntry::Reference { id, version } => waiting.push(match version {
                        Some(version) => self.client.agent_version(id, *version).await?,
                        None => self.client.agent(id).await?,
                    }),
                    RosterEntry::Unknown(_) => {
                        self.gap(&agent, "subagents".to_owned(), GapKind::UnknownSubagents);
                    }
                }
            }
        }
        Ok(())
    }

    fn tools(&mut self, agent: &Agent) {
        for tool in agent.tools() {
            match tool {
                // the client runs it
                AgentTool::Custom { .. } => {}
                AgentTool::BuiltIn(tools) => self.built_in(agent, tools),
                AgentTool::Mcp { server, tools } => self.mcp(agent, server, tools),
                AgentTool::Unknown(_) => self.gap(agent, "a tool".to_owned(), GapKind::UnknownTool),
            }
        }
        for server in agent.mcp_servers() {
            let has_entry = |tool: &AgentTool| matches!(tool, AgentTool::Mcp { server: of, .. } if of == server.name());
            if !agent.tools().iter().any(has_entry) {
                let place = format!("mcp {}", server.name());
                self.gap(agent, place, GapKind::ServerWithoutTools);
            }
        }
    }

    fn built_in(&mut self, agent: &Agent, tools: &Toolset) {
        let here = if self.here { HERE } else { &[] };
        let own: Vec<_> = tools.configs().iter().filter_map(ToolConfig::name).collect();
        let further = own
            .iter()
            .copied()
            .filter(|name| !HERE.contains(name) && !THERE.contains(name));
        let names = HERE.iter().chain(THERE).copied().chain(further);
        for name in names.filter(|name| !here.contains(name)) {
            // an entry that stands twice is as open as the more open of the two
            let entries: Vec<_> = tools
                .configs()
                .iter()
                .filter(|entry| entry.name() == Some(name))
                .collect();
            if entries.is_empty() {
                self.effective(agent, name.to_owned(), tools.default_config(), None);
            }
            for entry in entries {
                self.effective(agent, name.to_owned(), tools.default_config(), Some(entry));
            }
        }
    }

    fn mcp(&mut self, agent: &Agent, server: &str, tools: &Toolset) {
        self.effective(agent, format!("mcp {server}"), tools.default_config(), None);
        for entry in tools.configs() {
            let place = format!("mcp {server}: {}", entry.name().unwrap_or("?"));
            self.effective(agent, place, tools.default_config(), Some(entry));
        }
    }

    /// What holds for a tool, from its own entry and the default of its set.
    fn effective(&mut self, agent: &Agent, place: String, default: Option<&ToolConfig>, entry: Option<&ToolConfig>) {
        let of = [entry, default];
        let enabled = of.iter().flatten().find_map(|config| config.enabled());
        let policy = of.iter().flatten().find_map(|config| config.policy());
        let kind = match policy {
            // what is not said to be off counts as on
            _ if enabled == Some(false) => return,
            Some(PermissionPolicy::AlwaysAsk) => return,
            Some(PermissionPolicy::AlwaysAllow) => GapKind::AlwaysAllow,
            Some(PermissionPolicy::Auto) => GapKind::Auto,
            Some(PermissionPolicy::Unknown(word)) => GapKind::UnknownPolicy(word.clone()),
            None => GapKind::Unset,
        };
        self.gap(agent, place, kind);
    }

    fn gap(&mut self, agent: &Agent, place: String, kind: GapKind) {
        let name = if agent.name().is_empty() {
            agent.id()
        } else {
            agent.name()
        };
        let gap = Gap {
            agent: name.to_owned(),
            place,
            kind,
        };
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }
}

/// The tools of an agent as they are when each asks; none where they are so already.
fn asking(agent: &Agent) -> Result<Option<Vec<Value>>, ApiError> {
    let unreadable = |_| ApiError::malformed("the agent's tools cannot be read");
    let mut whole: Value = serde_json::from_str(agent.raw()).map_err(unreadable)?;
    let Some(Value::Array(before)) = whole.get_mut("tools").map(Value::take) else {
        return Ok(None);
    };
    let mut tools = before.clone();
    for tool in tools.iter_mut().filter_map(Value::as_object_mut) {
        let kind = tool.get("type").and_then(Value::as_str).unwrap_or_default();
        if !matches!(kind, "agent_toolset_20260401" | "mcp_toolset") {
            continue;
        }
        let ask = json!({"type": "always_ask"});
        let default = tool.entry("default_config").or_insert_with(|| json!({}));
        if !default.is_object() {
            *default = json!({});
        }
        let configs = tool
            .get("configs")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let configs: Vec<_> = configs
            .into_iter()
            .map(|mut config| {
                if let Some(config) = config.as_object_mut() {
                    config.insert("permission_policy".to_owned(), ask.clone());
                }
                config
            })
            .collect();
        if let Some(Value::Object(default)) = tool.get_mut("default_config") {
            default.insert("permission_policy".to_owned(), ask);
        }
        if !configs.is_empty() {
            tool.insert("configs".to_owned(), configs.into());
        }
    }
    Ok((tools != before).then_some(tools))
}

/// Built-in tools that run where the environment is.
const HERE: &[&str] = &["bash", "edit", "read", "write", "glob", "grep"];

/// Built-in tools that run at Anthropic whatever the environment.
const THERE: &[&str] = &["web_fetch", "web_search"];
