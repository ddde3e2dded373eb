//! `claude coverage`.

use managed_agents::claude::GapKind;
use serde_json::{Value, json};

use crate::configurations::{allow, cases, toolset};
use crate::support::{Run, World};

fn word(kind: &GapKind) -> &'static str {
    match kind {
        GapKind::AlwaysAllow => "always_allow",
        GapKind::Auto => "auto",
        GapKind::Unset => "unset",
        GapKind::UnknownPolicy(_) => "unknown_policy",
        GapKind::UnknownTool => "unknown_tool",
        GapKind::ServerWithoutTools => "server_without_tools",
        GapKind::InlineAgents => "inline_agents",
        GapKind::UnknownSubagents => "unknown_subagents",
        GapKind::UnknownEnvironment => "unknown_environment",
        other => panic!("{other:?} has no word"),
    }
}

fn found(run: &Run) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let lines = run.lines();
    lines
        .iter()
        .map(|line| (text(&line["place"]), text(&line["kind"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_past_is_told_and_the_fix_is_written() {
    let world = World::open("coverage", []).await;
    let open = toolset(
        &json!({"enabled": false}),
        &json!([{"name": "bash", "enabled": true, "permission_policy": allow()}]),
    );
    let member = json!({"name": "member", "model": "m", "tools": [open]});
    let member = world.server.world().put_agent(member);
    let cases = cases(&member);
    let (mut whole, mut fixed) = (0, 0);
    for case in &cases {
        let id = world.server.world().put_agent(case.agent.clone());
        let expected: Vec<_> = case
            .gaps
            .iter()
            .map(|(place, kind)| (place.clone(), word(kind).to_owned()))
            .collect();
        let code = if expected.is_empty() { 0 } else { 2 };
        let told = world.run(&["claude", "coverage", &id, "--json"]).await.exits(code);
        assert_eq!(found(&told), expected, "{}", case.name);
        let plain = world.run(&["claude", "coverage", &id]).await.exits(code);
        assert_eq!(
            plain.out.contains("each call is asked about before it runs"),
            expected.is_empty(),
            "{}: {}",
            case.name,
            plain.out
        );
        // what can be fixed is, and what it says afterwards is what a new look says
        let after = world.run(&["claude", "coverage", &id, "--fix", "--json"]).await;
        let again = world.run(&["claude", "coverage", &id, "--json"]).await;
        assert_eq!(
            (after.code, found(&after)),
            (again.code, found(&again)),
            "{}",
            case.name
        );
        let left = again.lines();
        assert!(
            left.iter().all(|line| {
                line["agent"] == "member"
                    || [
                        "unknown_tool",
                        "server_without_tools",
                        "inline_agents",
                        "unknown_subagents",
                    ]
                    .contains(&line["kind"].as_str().unwrap())
            }),
            "{}: {left:?}",
            case.name
        );
        assert_eq!(again.code, Some(if left.is_empty() { 0 } else { 2 }), "{}", case.name);
        whole += usize::from(expected.is_empty());
        fixed += usize::from(!expected.is_empty() && left.is_empty());
    }
    println!(
        "{} configurations on the command line, {whole} of them whole, {fixed} made whole",
        cases.len()
    );
    assert!(cases.len() >= 12 && fixed >= 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_checked_as_it_runs_and_errors_are_told() {
    let world = World::open("coverage-session", []).await;
    let session = world.session(|_| {}).await;
    world.run(&["claude", "coverage", "--session", &session]).await.exits(0);
    world.server.world().change_session_agent(&session, |agent| {
        agent["tools"][0]["configs"][0]["permission_policy"] = allow();
    });
    let told = world
        .run(&["claude", "coverage", "--session", &session, "--json"])
        .await
        .exits(2);
    assert_eq!(told.lines()[0]["kind"], "always_allow");
    // an agent that is not there, and a key that is not
    let none = world.run(&["claude", "coverage", "agent_none"]).await.exits(1);
    assert!(none.err.contains("404"), "{}", none.err);
    let usage = world.run(&["claude", "coverage", "--session", &session, "--fix"]).await;
    assert_ne!(usage.code, Some(0), "a session has no fix of its own");
    assert!(!format!("{}{}", none.out, none.err).contains("CANARY"));
}
