//! `claude run` and `claude lost`.

use std::path::Path;

use managed_agents::claude::{AgentDraft, EnvironmentDraft, SessionDraft};
use serde_json::{Value, json};

use crate::managed::Turn;
use crate::support::{World, bash, built_in};

/// An environment, and a session in it that was told to go.
async fn hosted(world: &World) -> (String, String) {
    let tools = [json!({"type": "agent_toolset_20260401",
        "default_config": {"enabled": true, "permission_policy": {"type": "always_allow"}},
        "configs": [{"name": "web_fetch", "enabled": false}, {"name": "web_search", "enabled": false}]})];
    let agent = AgentDraft::new("coder", "m").tools(&tools);
    let agent = world.client.create_agent(&agent).await.unwrap();
    let environment = world
        .client
        .create_environment(&EnvironmentDraft::self_hosted("here"))
        .await;
    let environment = environment.unwrap().id().to_owned();
    let session = SessionDraft::new(agent.id(), &environment);
    let session = world.client.create_session(&session).await.unwrap().id().to_owned();
    world.say(&session).await;
    (environment, session)
}

fn worker<'a>(environment: &'a str, workspace: &'a Path) -> [&'a str; 9] {
    [
        "claude",
        "run",
        environment,
        "--workspace",
        workspace.to_str().unwrap(),
        "--agent-id",
        "shop",
        "--approval-limit",
        "1",
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_runs_what_is_allowed_in_its_workspace_and_keeps_its_key_to_itself() {
    let turns = [
        Turn::calls(vec![
            built_in("write", &json!({"file_path": "a/b.txt", "content": "hello"}), "ask"),
            built_in("read", &json!({"file_path": "/etc/passwd"}), "allow"),
            bash("env | grep -c CANARY", "allow"),
            bash("rm -rf /", "allow"),
        ]),
        Turn::calls(vec![bash("wc -c < a/b.txt", "allow")]),
        Turn::says("Done."),
    ];
    let world = World::open("worker", turns).await;
    let (environment, session) = hosted(&world).await;
    let workspace = world.path("work");
    let program = world.start(&worker(&environment, &workspace));
    world.until(|world| !world.answers(&session).concat().is_empty()).await;
    // what runs under the same account, as commands do, cannot read the key that the program was started with
    let started_with = std::fs::read(format!("/proc/{}/environ", program.id()));
    if reads_everything() {
        println!("skipped: whether a command reads the program's key, by an account that may read everything");
    } else if cfg!(target_os = "linux") {
        assert_eq!(started_with.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
    }
    let over = |world: &World| {
        world
            .events(&session)
            .iter()
            .any(|event| event["type"] == "agent.message")
    };
    world.until(over).await;
    // it gives the session back before it takes another
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    program.signal("TERM");
    let run = program.ended().await.exits(0);
    let answers = world.answers(&session);
    let told = |at: usize| {
        let results = answers[at].iter().filter(|answer| answer["type"] == "user.tool_result");
        let denied = answers[at].iter().filter(|answer| answer["result"] == "deny");
        let text = |answer: &Value| answer["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        (results.chain(denied).map(text).collect::<String>(), answers[at].len())
    };
    assert_eq!(std::fs::read_to_string(workspace.join("a/b.txt")).unwrap(), "hello");
    assert!(!told(1).0.contains("root:"), "{:?}", told(1));
    assert!(
        told(2).0.starts_with('0'),
        "no key is in a command's environment: {:?}",
        told(2)
    );
    assert_eq!(told(4).0, "5");
    let ends: Vec<_> = run
        .lines()
        .iter()
        .map(|line| line["end"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ends.len(), 5, "{}", run.out);
    assert!(
        !format!("{}{}", run.out, run.err).contains("CANARY"),
        "{}{}",
        run.out,
        run.err
    );
    assert_eq!(world.server.world().refused(), [""; 0]);
}

/// Whether this process has CAP_SYS_PTRACE.
fn reads_everything() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        let set = line.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
        set.is_some_and(|set| set & (1 << 19) != 0)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_worker_was_killed_is_not_run_again_and_is_shown() {
    let slow = bash("echo begun >> log; sleep 2", "allow");
    let world = World::open("lost", [Turn::calls(vec![slow]), Turn::says("Oh.")]).await;
    assert_eq!(world.run(&["claude", "lost", "--json"]).await.exits(0).out, "");
    let (environment, session) = hosted(&world).await;
    let workspace = world.path("work");
    let log = workspace.join("log");
    let first = world.start(&worker(&environment, &workspace));
    world.until(|_| log.exists()).await;
    first.signal("KILL");
    first.ended().await;
    // the service hands its work to the next
    world.server.world().requeue(&session);
    let second = world.start(&worker(&environment, &workspace));
    world.until(|world| !world.answers(&session)[0].is_empty()).await;
    second.signal("TERM");
    second.ended().await.exits(0);
    let answer = &world.answers(&session)[0][0];
    assert!(
        answer["content"][0]["text"]
            .as_str()
            .unwrap()
            .starts_with("outcome unknown"),
        "{answer}"
    );
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "begun\n", "it ran once");
    let lost = world.run(&["claude", "lost", "--json"]).await.exits(2);
    let line = &lost.lines()[0];
    assert_eq!((&line["session"], &line["tool"]), (&json!(session), &json!("bash")));
    let plain = world.run(&["claude", "lost"]).await.exits(2);
    assert!(
        plain.out.contains("bash") && plain.out.contains(&session),
        "{}",
        plain.out
    );
}
