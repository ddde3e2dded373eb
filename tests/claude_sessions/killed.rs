//! A process that dies at any moment: each body runs at most once, and never silently.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use managed_agents::claude::{EnvironmentDraft, SessionGovernor};
use managed_agents::store::StoreOptions;
use managed_agents::{GovernanceDenied, Toolbox, governed};
use serde_json::{Value, json};
use tests::managed::{ManagedServer, Turn};

use crate::world::{self, answers, issue, quick};

/// Where bodies say that they ran.
struct Log(PathBuf);

impl Log {
    fn line(&self, line: &str) {
        use std::io::Write as _;
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&self.0);
        // one write a line: bodies run side by side, and `writeln!` would write the end of a line for itself
        file.unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

/// Book an order: the effect is a line in a file.
#[governed(risk = low, reversible)]
async fn book(order: String, #[governed(state)] log: &Log) -> Result<String, GovernanceDenied> {
    log.line(&order);
    if order == "crash" {
        std::process::abort();
    }
    tokio::time::sleep(Duration::from_millis(40)).await;
    Ok(format!("booked {order}"))
}

fn toolbox(log: &Path) -> Toolbox {
    Toolbox::new()
        .state(Log(log.to_owned()))
        .tool(book::tool())
        .build()
        .unwrap()
}

/// What the processes of this test do; the test itself starts them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn governs_a_session_when_started_by_the_test_below() {
    let Ok(arguments) = std::env::var("CLAUDE_SESSIONS_CHILD") else {
        return;
    };
    let arguments: Value = serde_json::from_str(&arguments).unwrap();
    let of = |name: &str| arguments[name].as_str().unwrap();
    let dir = PathBuf::from(of("dir"));
    let home =
        managed_agents::home::Home::open(StoreOptions::new(dir.join("home")).high_water(dir.join("water"))).unwrap();
    let harness = world::harness_of(&["book", "mcp__linear__create_issue"])
        .home(&home)
        .build()
        .await
        .unwrap();
    let client = world::client(of("url"));
    let governor = quick(SessionGovernor::builder(&client, &harness)).toolbox(&toolbox(&dir.join("log")));
    std::fs::write(dir.join("ready"), "").unwrap();
    governor.build().unwrap().run(of("session")).await.unwrap();
}

/// How often a process is killed: `MANAGED_AGENTS_CLAUDE_KILLS`, else 6.
fn kills() -> u64 {
    let kills = std::env::var("MANAGED_AGENTS_CLAUDE_KILLS");
    kills.ok().and_then(|kills| kills.parse().ok()).unwrap_or(6)
}

/// How often one session's process is killed at most.
const MOST_KILLS: u32 = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_at_any_moment_never_runs_a_body_twice_and_never_hides_that_one_may_have_run() {
    let place = std::env::temp_dir().join(format!("ma-killed-{}", std::process::id()));
    let (mut killed, mut round, mut unknown, mut calls) = (0, 0, 0, 0);
    while killed < kills() {
        round += 1;
        let dir = place.join(round.to_string());
        std::fs::create_dir_all(&dir).unwrap();
        let book = |order: String| json!({"type": "agent.custom_tool_use", "name": "book", "input": {"order": order}});
        let turn = |turn: u32| Turn::calls((0..3).map(|at| book(format!("{turn}-{at}"))).chain([issue()]).collect());
        let turns = (0..4).map(turn).chain([Turn::says("All done.")]);
        let server = ManagedServer::start(turns).await.unwrap();
        let client = world::client(server.url());
        let session = world::session(&client, &toolbox(&dir.join("log")), &EnvironmentDraft::cloud("here")).await;
        client
            .send(&session, &[managed_agents::claude::Outgoing::message("go")])
            .await
            .unwrap();
        let arguments = json!({"dir": dir, "url": server.url(), "session": session}).to_string();
        let over = || {
            server
                .world()
                .events(&session)
                .iter()
                .any(|event| event["type"] == "agent.message")
        };
        let mut of_this_session = 0;
        while !over() {
            let _ = std::fs::remove_file(dir.join("ready"));
            let mut child = Running::start(&arguments);
            child.until(|| dir.join("ready").exists());
            if killed == kills() || of_this_session == MOST_KILLS {
                child.until(|| false);
                continue;
            }
            // from here on each moment of some 400 ms, in which four turns are played, is as good as another
            let moment = (killed * 2_654_435_761 + round * 40_503) % 400_000;
            tokio::time::sleep(Duration::from_micros(moment)).await;
            if !child.ended() {
                child.kill();
                killed += 1;
                of_this_session += 1;
            }
        }
        let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        let mut ran = BTreeMap::<&str, usize>::new();
        for order in log.lines() {
            *ran.entry(order).or_default() += 1;
        }
        let events = server.world().events(&session);
        let answers = answers(&events);
        assert_eq!(answers.len(), 16);
        for (call, answers) in &answers {
            assert_eq!(answers.len(), 1, "round {round}: {call}");
            let Some(order) = call["input"]["order"].as_str() else {
                continue;
            };
            calls += 1;
            let times = ran.get(order).copied().unwrap_or(0);
            assert!(times <= 1, "round {round}: {order} ran {times} times");
            let said = answers[0]["content"][0]["text"].as_str().unwrap();
            if said.starts_with("outcome unknown") {
                unknown += 1;
                assert_eq!(answers[0]["is_error"], true);
            } else {
                assert_eq!((said, times), (format!("booked {order}").as_str(), 1), "round {round}");
            }
        }
        let lost = managed_agents::claude::LostCall::all(&dir.join("home")).unwrap().len();
        let told = answers
            .iter()
            .filter(|(_, answers)| {
                answers[0]["content"][0]["text"]
                    .as_str()
                    .is_some_and(|said| said.starts_with("outcome unknown"))
            })
            .count();
        assert_eq!(lost, told, "the operator is shown each call of which nobody knows");
    }
    let _ = std::fs::remove_dir_all(&place);
    println!(
        "{killed} kills in {round} sessions: {calls} calls, each once or told as unknown, {unknown} of them unknown"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_process_died_in_its_body_is_told_as_unknown_to_the_model_and_the_operator() {
    let dir = std::env::temp_dir().join(format!("ma-crashed-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let crash = json!({"type": "agent.custom_tool_use", "name": "book", "input": {"order": "crash"}});
    let server = ManagedServer::start([Turn::calls(vec![crash]), Turn::says("Oh.")])
        .await
        .unwrap();
    let client = world::client(server.url());
    let tools = toolbox(&dir.join("log"));
    let session = world::session(&client, &tools, &EnvironmentDraft::cloud("here")).await;
    client
        .send(&session, &[managed_agents::claude::Outgoing::message("go")])
        .await
        .unwrap();
    let arguments = json!({"dir": dir, "url": server.url(), "session": session}).to_string();
    for _ in 0..2 {
        let mut child = Running::start(&arguments);
        child.until(|| false);
    }
    assert_eq!(std::fs::read_to_string(dir.join("log")).unwrap(), "crash\n");
    let answers = answers(&server.world().events(&session));
    assert_eq!(answers[0].1.len(), 1);
    let said = answers[0].1[0]["content"][0]["text"].as_str().unwrap();
    assert!(said.starts_with("outcome unknown"), "{said}");
    let lost = managed_agents::claude::LostCall::all(&dir.join("home")).unwrap();
    assert_eq!(
        (lost.len(), lost[0].tool(), lost[0].session()),
        (1, "book", session.as_str())
    );
    let _ = std::fs::remove_dir_all(&dir);
}

struct Running(Child);

impl Running {
    fn start(arguments: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::governs_a_session_when_started_by_the_test_below"])
            .env("CLAUDE_SESSIONS_CHILD", arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    fn ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    fn until(&mut self, condition: impl Fn() -> bool) {
        for _ in 0..20_000 {
            if condition() || self.ended() {
                return;
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    fn kill(&mut self) {
        // SIGKILL: nothing is cleaned up
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
