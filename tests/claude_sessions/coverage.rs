//! Each way in which a tool can slip past is found, and none is invented.

use managed_agents::claude::{AgentDraft, EnvironmentKind, GapKind};
use serde_json::{Value, json};
use tests::managed::ManagedServer;

use crate::world::client;

fn ask() -> Value {
    json!({"type": "always_ask"})
}

fn allow() -> Value {
    json!({"type": "always_allow"})
}

fn toolset(default: &Value, configs: &Value) -> Value {
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
struct Case {
    name: &'static str,
    agent: Value,
    gaps: Vec<(String, GapKind)>,
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

fn cases(member: &str) -> Vec<Case> {
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

#[tokio::test]
async fn every_way_past_is_found_and_none_is_invented() {
    let server = ManagedServer::start([]).await.unwrap();
    let client = client(server.url());
    let member = server.world().put_agent(json!({
        "name": "member", "model": "m",
        "tools": [toolset(&json!({"enabled": false}), &json!([{"name": "bash", "enabled": true, "permission_policy": allow()}]))],
    }));
    let cases = cases(&member);
    for case in &cases {
        let id = server.world().put_agent(case.agent.clone());
        let coverage = client.coverage(&id).await.unwrap();
        let found: Vec<_> = coverage
            .gaps()
            .iter()
            .map(|gap| (gap.place().to_owned(), gap.kind().clone()))
            .collect();
        assert_eq!(found, case.gaps, "{}", case.name);
        assert_eq!(coverage.is_whole(), case.gaps.is_empty());
    }
    println!("{} configurations, each as it should be", cases.len());
}

#[tokio::test]
async fn the_fix_has_every_tool_ask_and_leaves_what_it_cannot_change() {
    let server = ManagedServer::start([]).await.unwrap();
    let client = client(server.url());
    let member = server.world().put_agent(
        json!({"name": "member", "model": "m", "tools": [toolset(&json!({"permission_policy": allow()}), &json!([]))]}),
    );
    for case in cases(&member) {
        let id = server.world().put_agent(case.agent.clone());
        let after = client.close_gaps(&id).await.unwrap();
        let left = after.gaps().iter().all(|gap| {
            gap.agent() == "member"
                || matches!(
                    gap.kind(),
                    GapKind::UnknownTool
                        | GapKind::ServerWithoutTools
                        | GapKind::InlineAgents
                        | GapKind::UnknownSubagents
                )
        });
        assert!(left, "{}: {after}", case.name);
        // what is off stays off, and other fields stay
        let agent: Value = serde_json::from_str(client.agent(&id).await.unwrap().raw()).unwrap();
        for (before, after) in case.agent["tools"]
            .as_array()
            .unwrap()
            .iter()
            .zip(agent["tools"].as_array().unwrap())
        {
            assert_eq!(
                before["default_config"]["enabled"], after["default_config"]["enabled"],
                "{}",
                case.name
            );
            assert_eq!(before.get("name"), after.get("name"));
        }
        // what asks already is not written again
        let version = client.agent(&id).await.unwrap().version();
        let again = client.close_gaps(&id).await.unwrap();
        assert_eq!(
            (client.agent(&id).await.unwrap().version(), again),
            (version, after),
            "{}",
            case.name
        );
    }
}

#[tokio::test]
async fn what_runs_at_a_worker_of_ones_own_is_no_way_past_and_the_web_is() {
    let server = ManagedServer::start([]).await.unwrap();
    let client = client(server.url());
    let id = server.world().put_agent(
        json!({"name": "a", "model": "m", "tools": [toolset(&json!({"permission_policy": allow()}), &json!([]))]}),
    );
    let agent = client.agent(&id).await.unwrap();
    let places = |coverage: managed_agents::claude::Coverage| {
        coverage
            .gaps()
            .iter()
            .map(|gap| gap.place().to_owned())
            .collect::<Vec<_>>()
    };
    let here = client.coverage_of(&agent, &EnvironmentKind::SelfHosted).await.unwrap();
    assert_eq!(places(here), ["web_fetch", "web_search"]);
    let unknown = client
        .coverage_of(&agent, &EnvironmentKind::Unknown("moon".to_owned()))
        .await
        .unwrap();
    assert_eq!(places(unknown).first().map(String::as_str), Some("the environment"));
}

#[tokio::test]
async fn agents_from_a_draft_ask_about_everything() {
    let server = ManagedServer::start([]).await.unwrap();
    let client = client(server.url());
    let draft = AgentDraft::new("a", "m")
        .built_in(["bash", "web_search"])
        .mcp_server("linear", "https://mcp.example");
    let agent = client.create_agent(&draft).await.unwrap();
    assert!(client.coverage(agent.id()).await.unwrap().is_whole());
}
