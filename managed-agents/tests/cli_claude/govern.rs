//! `claude govern`, and what stops it.

use std::time::Duration;

use serde_json::json;

use crate::managed::Turn;
use crate::support::{World, bash, issue};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_is_governed_by_the_configuration_and_recorded() {
    let own = json!({"type": "agent.custom_tool_use", "name": "lookup", "input": {}});
    let turns = [
        Turn::calls(vec![bash("rm -rf /", "ask"), issue()]),
        Turn::says("All done."),
    ];
    let world = World::open("govern", turns).await;
    let session = world.session(|_| {}).await;
    let arguments = [
        "claude",
        "govern",
        &session,
        "--say",
        "go",
        "--agent-id",
        "shop",
        "--json",
    ];
    let run = world.run(&arguments).await.exits(0);
    let mut ends: Vec<_> = run
        .lines()
        .iter()
        .map(|line| {
            assert_eq!((&line["session"], &line["answered"]), (&json!(session), &json!(true)));
            (
                line["tool"].as_str().unwrap().to_owned(),
                line["end"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    ends.sort();
    assert_eq!(
        ends,
        [
            ("bash".to_owned(), "refused".to_owned()),
            ("mcp__linear__create_issue".to_owned(), "allowed".to_owned())
        ]
    );
    let answers = world.answers(&session);
    assert_eq!(
        (&answers[0][0]["result"], &answers[1][0]["result"]),
        (&json!("deny"), &json!("allow"))
    );
    assert_eq!(world.entries("decision").await.len(), 2);

    // what another program answers is left to it, and told when the governor is asked to end
    let other = world.session(|_| {}).await;
    world.server.world().tell(&other, own);
    let run = world.start(&["claude", "govern", &other, "--agent-id", "shop", "--stay", "--json"]);
    world.until(|world| world.server.world().is_followed(&other)).await;
    // the history is read as well
    tokio::time::sleep(Duration::from_millis(500)).await;
    run.signal("INT");
    let run = run.ended().await.exits(0);
    assert_eq!(
        (&run.lines()[0]["end"], &run.lines()[0]["tool"]),
        (&json!("not_ours"), &json!("lookup"))
    );
    assert!(world.is_interrupted(&other), "Ctrl-C interrupts the session");
    assert!(!format!("{}{}", run.out, run.err).contains("CANARY"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_with_ways_past_is_refused_unless_told_and_what_slips_past_is_recorded() {
    let world = World::open("gaps", [Turn::calls(vec![bash("ls", "allow")]), Turn::says("ok")]).await;
    let open = |agent: &mut serde_json::Value| {
        agent["tools"][0]["configs"][0]["permission_policy"] = json!({"type": "always_allow"});
    };
    let session = world.session(open).await;
    let arguments = [
        "claude",
        "govern",
        &session,
        "--say",
        "go",
        "--agent-id",
        "shop",
        "--json",
    ];
    let refused = world.run(&arguments).await.exits(1);
    assert!(refused.err.contains("bash"), "{}", refused.err);
    assert!(
        world
            .events(&session)
            .iter()
            .all(|event| event["type"] != "user.message")
    );
    let accepted = [arguments.as_slice(), &["--accept-gaps"]].concat();
    let run = world.run(&accepted).await.exits(0);
    assert_eq!(
        (&run.lines()[0]["end"], &run.lines()[0]["tool"]),
        (&json!("outside"), &json!("bash"))
    );
    let outside = world.entries("outside").await;
    assert_eq!((outside.len(), &outside[0]["agent"]), (1, &json!("shop")));
    assert_eq!(
        (
            &outside[0]["body"]["tool"],
            &outside[0]["body"]["session"],
            &outside[0]["body"]["why"]
        ),
        (&json!("bash"), &json!(session), &json!("not_asked"))
    );
    // the report counts it among what was not judged
    let report = ["report", "--framework", "soc2", "--format", "json"];
    let report = world.run(&report).await.exits(0);
    let report: serde_json::Value = serde_json::from_str(&report.out).unwrap();
    assert_eq!(
        report["figures"]["evidence"]["exceptions"]["count"], 1,
        "{}",
        report["figures"]["evidence"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_session_is_interrupted_by_a_stop_from_the_command_line() {
    for (test, target) in [("stop-agent", "--agent=shop"), ("stop-all", "--everything")] {
        let world = World::open(test, [Turn::says("Hello.")]).await;
        let session = world.session(|_| {}).await;
        world.say(&session).await;
        let governor = world.start(&["claude", "govern", &session, "--agent-id", "shop", "--stay"]);
        world.until(|world| world.server.world().is_followed(&session)).await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(!world.is_interrupted(&session));
        world.run(&["stop", target, "--reason", "runaway"]).await.exits(0);
        world.until(|world| world.is_interrupted(&session)).await;
        let run = governor.ended().await.exits(2);
        assert!(run.out.contains("the session was stopped"), "{}", run.out);
        // and nothing is governed while the stop holds
        let session = world.session(|_| {}).await;
        world
            .run(&["claude", "govern", &session, "--agent-id", "shop"])
            .await
            .exits(2);
        assert!(world.is_interrupted(&session));
    }
}
