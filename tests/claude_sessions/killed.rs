//! A process that dies at any moment: each body runs at most once, and never silently.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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
    let client = world::client_with(of("url"), of("key"));
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
    let server = ManagedServer::start(script().into_iter().map(|turn| match turn {
        Some(calls) => Turn::calls(calls),
        None => Turn::says("All done."),
    }));
    let server = server.await.unwrap();
    let stuck = async |session: String| panic!("{session} does not go on");
    let counted = killed_again_and_again("strict", server.url(), world::KEY, &stuck).await;
    println!("{counted}");
}

/// Four turns of three bookings and an issue; then the end.
pub(crate) fn script() -> Vec<Option<Vec<Value>>> {
    let book = |order: String| json!({"type": "agent.custom_tool_use", "name": "book", "input": {"order": order}});
    let turn = |turn: u32| {
        let books = (0..3).map(|at| book(format!("{turn}-{at}")));
        Some(books.chain([issue()]).collect())
    };
    (0..4).map(turn).chain([None]).collect()
}

/// Has sessions that play the [`script`] governed by processes that are killed, and says what was counted when nothing was amiss.
///
/// The first session's process lives; the time that the quickest has taken is that in which the others are killed, each at a
/// moment as good as another. A server that does not go on although every call is answered is told so with `stuck`.
pub(crate) async fn killed_again_and_again(name: &str, url: &str, key: &str, stuck: impl AsyncFn(String)) -> String {
    let place = std::env::temp_dir().join(format!("ma-killed-{name}-{}", std::process::id()));
    let client = world::client_with(url, key);
    let (mut killed, mut round, mut unknown, mut calls, mut resumed) = (0, 0, 0, 0, 0);
    let mut window = None;
    while killed < kills() {
        round += 1;
        let dir = place.join(round.to_string());
        std::fs::create_dir_all(&dir).unwrap();
        let environment = EnvironmentDraft::cloud(&format!("here-{round}"));
        let session = world::session(&client, &toolbox(&dir.join("log")), &environment).await;
        client
            .send(&session, &[managed_agents::claude::Outgoing::message("go")])
            .await
            .unwrap();
        let arguments = json!({"dir": dir, "url": url, "key": key, "session": session}).to_string();
        let mut of_this_session = 0;
        let mut progress = Progress::default();
        let until = Instant::now() + Duration::from_secs(120);
        while !is_over(&world::history(&client, &session).await) {
            assert!(Instant::now() < until, "round {round} has no end");
            let _ = std::fs::remove_file(dir.join("ready"));
            let mut child = Running::start(&arguments);
            child.until(|| dir.join("ready").exists()).await;
            let begun = Instant::now();
            let moment = match window {
                Some(window) if killed < kills() && of_this_session < MOST_KILLS => {
                    Duration::from_micros((killed * 2_654_435_761 + round * 40_503) % window)
                }
                _ => Duration::MAX,
            };
            while !child.ended() && begun.elapsed() < moment {
                if progress.is_stuck(&world::history(&client, &session).await) {
                    stuck(session.clone()).await;
                    resumed += 1;
                }
                let rest = moment.saturating_sub(begun.elapsed());
                tokio::time::sleep(rest.min(Duration::from_millis(20))).await;
            }
            if !child.ended() {
                child.kill();
                killed += 1;
                of_this_session += 1;
            } else if of_this_session == 0 {
                // a whole session: on a machine that is less busy than before, kills must come sooner
                let took = u64::try_from(begun.elapsed().as_micros()).unwrap().max(1);
                window = Some(window.map_or(took, |window: u64| window.min(took)));
            }
        }
        let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        let mut ran = BTreeMap::<&str, usize>::new();
        for order in log.lines() {
            *ran.entry(order).or_default() += 1;
        }
        let answers = answers(&world::history(&client, &session).await);
        assert_eq!(answers.len(), 16, "round {round}: {answers:?}");
        let mut told = 0;
        for (call, answers) in &answers {
            assert_eq!(answers.len(), 1, "round {round}: {call} {answers:?}");
            let Some(order) = call["input"]["order"].as_str() else {
                continue;
            };
            calls += 1;
            let times = ran.get(order).copied().unwrap_or(0);
            assert!(times <= 1, "round {round}: {order} ran {times} times");
            let said = answers[0]["content"][0]["text"].as_str().unwrap();
            if said.starts_with("outcome unknown") {
                told += 1;
                assert_eq!(answers[0]["is_error"], true);
            } else {
                assert_eq!(
                    (said, times),
                    (format!("booked {order}").as_str(), 1),
                    "round {round}: {log:?}"
                );
            }
        }
        unknown += told;
        let lost = managed_agents::claude::LostCall::all(&dir.join("home")).unwrap().len();
        assert_eq!(lost, told, "the operator is shown each call of which nobody knows");
    }
    let _ = std::fs::remove_dir_all(&place);
    format!(
        "{killed} kills in {round} sessions: {calls} calls, each once or told as unknown, {unknown} of them unknown; {resumed} times \
         the server did not go on by itself"
    )
}

/// Whether a session goes on.
#[derive(Default)]
pub(crate) struct Progress {
    events: usize,
    since: Option<Instant>,
}

impl Progress {
    /// Whether nothing has happened for a while, although every call is answered and the agent has not said its last.
    pub(crate) fn is_stuck(&mut self, history: &[Value]) -> bool {
        let answered = answers(history).iter().all(|(_, answers)| answers.len() == 1);
        if history.len() != self.events || is_over(history) || !answered {
            *self = Self {
                events: history.len(),
                since: Some(Instant::now()),
            };
        }
        let stuck = self.since.is_some_and(|since| since.elapsed() > Duration::from_secs(3));
        if stuck {
            self.since = Some(Instant::now());
        }
        stuck
    }
}

/// Whether the agent has said its last.
fn is_over(events: &[Value]) -> bool {
    let last = |event: &Value| event["type"] == "agent.message" && event["content"][0]["text"] == "All done.";
    events.iter().any(last)
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
    let arguments = json!({"dir": dir, "url": server.url(), "key": world::KEY, "session": session}).to_string();
    for _ in 0..2 {
        let mut child = Running::start(&arguments);
        child.until(|| false).await;
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

    /// Waits until something holds or the process has ended, for a minute at most.
    async fn until(&mut self, condition: impl Fn() -> bool) {
        let until = Instant::now() + Duration::from_secs(60);
        while !condition() && !self.ended() && Instant::now() < until {
            tokio::time::sleep(Duration::from_micros(500)).await;
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
