//! Each way in which a tool can slip past is found, and none is invented.

use managed_agents::claude::{AgentDraft, EnvironmentKind, GapKind};
use serde_json::{Value, json};
use tests::managed::ManagedServer;

use crate::configurations::{allow, cases, toolset};
use crate::world::client;

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
