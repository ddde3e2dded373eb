//! Configurations of agents, and each way past governance that there is in them.

use managed_agents::claude::GapKind;
use serde_json::{Value, json};

fn ask() -> Value {
    json!({"type": "always_ask"})
}

pub(crate) fn allow() -> Value {
    json!({"type": "always_allow"})
}

pub(crate) fn toolset(default: &Value, configs: &Value) -> Value {
    json!({"type": "agent_toolset_20260401", "default_config": default, "configs": configs})
}

fn mcp(default: &Value, configs: &Value) -> Value {
    json!({"type": "mcp_toolset", "mcp_server_name": "linear", "default_config": default, "configs": configs})
}

const BUILT_IN: [&str; 8] = [
    "bash",
    "edit",
    "read",
    "write",
    "glob",
    "grep",
    "web_fetch",
    "web_search",
];

/// An agent, and the ways past that there are.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) agent: Value,
    pub(crate) gaps: Vec<(String, GapKind)>,
}

fn case(name: &'static str, tools: &[Value], gaps: &[(&str, GapKind)]) -> Case {
    Case {
        name,
        agent: json!({"name": "shop", "model": "m", "tools": tools}),
        gaps: gaps
            .iter()
            .map(|(place, kind)| ((*place).to_owned(), kind.clone()))
            .collect(),
    }
}

pub(crate) fn cases(member: &str) -> Vec<Case> {
    let off = json!({"enabled": false, "permission_policy": ask()});
    let all = |kind: GapKind| BUILT_IN.map(|name| (name, kind.clone()));
    let with = |mut case: Case, field: &str, value: Value| {
        case.agent[field] = value;
        case
    };
    let linear = json!([{"type": "url", "name": "linear", "url": "https://mcp.example"}]);
    vec![
        case(
            "1 everything asks",
            &[
                json!({"type": "custom", "name": "lookup", "description": "x", "input_schema": {"type": "object"}}),
                toolset(
                    &json!({"enabled": true, "permission_policy": ask()}),
                    &json!([{"name": "bash", "permission_policy": ask()}]),
                ),
                mcp(&json!({"permission_policy": ask()}), &json!([])),
            ],
            &[],
        ),
        case(
            "2 the default allows",
            &[toolset(&json!({"permission_policy": allow()}), &json!([]))],
            &all(GapKind::AlwaysAllow),
        ),
        case(
            "3 the service judges",
            &[toolset(&json!({"permission_policy": {"type": "auto"}}), &json!([]))],
            &all(GapKind::Auto),
        ),
        case(
            "4 nothing is said",
            &[json!({"type": "agent_toolset_20260401"})],
            &all(GapKind::Unset),
        ),
        case(
            "5 an entry opens what the default closes",
            &[toolset(
                &json!({"enabled": true, "permission_policy": ask()}),
                &json!([{"name": "bash", "permission_policy": allow()}, {"name": "read", "enabled": true}]),
            )],
            &[("bash", GapKind::AlwaysAllow)],
        ),
        case(
            "6 an entry switches on what is off and open",
            &[toolset(
                &json!({"enabled": false, "permission_policy": allow()}),
                &json!([{"name": "write", "enabled": true}, {"name": "edit", "enabled": true, "permission_policy": ask()}]),
            )],
            &[("write", GapKind::AlwaysAllow)],
        ),
        case(
            "7 what is open is off",
            &[
                toolset(
                    &off,
                    &json!([{"name": "bash", "enabled": false, "permission_policy": allow()}]),
                ),
                mcp(&json!({"enabled": false, "permission_policy": allow()}), &json!([])),
            ],
            &[],
        ),
        case(
            "8 a server's tools",
            &[mcp(
                &json!({"permission_policy": ask()}),
                &json!([{"name": "create_issue", "permission_policy": allow()}, {"name": "list", "permission_policy": {"type": "auto"}}]),
            )],
            &[
                ("mcp linear: create_issue", GapKind::AlwaysAllow),
                ("mcp linear: list", GapKind::Auto),
            ],
        ),
        with(
            case(
                "9 a server whose tools nobody configured",
                &[],
                &[("mcp linear", GapKind::ServerWithoutTools)],
            ),
            "mcp_servers",
            linear,
        ),
        case(
            "10 kinds and policies that are not known",
            &[
                json!({"type": "agent_toolset_20270101"}),
                toolset(
                    &json!({"enabled": false}),
                    &json!([{"name": "grep", "enabled": true, "permission_policy": {"type": "ask_twice"}}]),
                ),
            ],
            &[
                ("a tool", GapKind::UnknownTool),
                ("grep", GapKind::UnknownPolicy("ask_twice".to_owned())),
            ],
        ),
        with(
            case(
                "11 a subagent's tools",
                &[toolset(&off, &json!([]))],
                &[("bash", GapKind::AlwaysAllow)],
            ),
            "multiagent",
            json!({"type": "coordinator", "agents": [{"type": "agent", "id": member, "version": 1}, {"type": "self"}]}),
        ),
        with(
            case(
                "12 agents that are made up",
                &[],
                &[("subagents", GapKind::InlineAgents), ("bash", GapKind::AlwaysAllow)],
            ),
            "multiagent",
            json!({
                "type": "multiagent_20261001",
                "subagents": {"type": "enabled", "predefined_agents": [{"type": "agent", "id": member, "version": 1}], "inline_agents": {"type": "disabled"}},
                "workflows": {"type": "enabled", "predefined_agents": [], "inline_agents": {"type": "enabled"}},
            }),
        ),
        with(
            case("13 nobody is made up", &[], &[]),
            "multiagent",
            json!({
                "type": "multiagent_20261001", "subagents": {"type": "disabled"}, "workflows": {"type": "disabled"},
                "advisor": {"type": "enabled", "model": "m"},
            }),
        ),
        with(
            case(
                "14 a way of working together that is not known",
                &[],
                &[("subagents", GapKind::UnknownSubagents)],
            ),
            "multiagent",
            json!({"type": "swarm", "agents": []}),
        ),
    ]
}
