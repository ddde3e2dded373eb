//! Against another project's server of Managed Agents, with turns that were written down in place of a model.
//!
//! Runs when `MANAGED_AGENTS_OMA_PYTHON` names a Python in which `open-managed-agents` is installed.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use managed_agents::approval::ApproverKey;
use managed_agents::claude::{CallEnd, EnvironmentDraft, SessionEnd, SessionGovernor, SessionStop};
use serde_json::{Value, json};
use tests::support::program;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::chaos::points;
use crate::elsewhere::{Person, home};
use crate::killed::{Progress, killed_again_and_again, script};
use crate::proxy::Proxy;
use crate::world::{self, Ran, answers, bash, issue, look, pay_back, quick};

struct Server {
    child: Child,
    dir: PathBuf,
    url: String,
}

impl Server {
    async fn start(turns: &Value) -> Option<Self> {
        let Some(python) = program("MANAGED_AGENTS_OMA_PYTHON") else {
            println!("skipped: MANAGED_AGENTS_OMA_PYTHON does not name a Python with `open-managed-agents`");
            return None;
        };
        let port = {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap().port()
        };
        let dir = std::env::temp_dir().join(format!("ma-oma-{port}"));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("script.json"), turns.to_string()).unwrap();
        let log = std::fs::File::create(dir.join("log")).unwrap();
        let child = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/open_managed_agents.py"))
            .arg(port.to_string())
            .current_dir(&dir)
            .env("OMA_SCRIPT", dir.join("script.json"))
            .env("DATABASE_URL", "sqlite+aiosqlite:///oma.db")
            .env("OMA_RUNTIME_BACKEND", "local")
            .env("OMA_API_KEY", "test-key")
            .env("OMA_EVENT_POLL_INTERVAL_SECONDS", "0.05")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self {
            child,
            dir,
            url: format!("http://127.0.0.1:{port}"),
        };
        // on a busy disk its imports alone take half a minute
        for _ in 0..3_600 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(server);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "the server did not start: {}",
            std::fs::read_to_string(server.dir.join("log")).unwrap_or_default()
        );
    }
}

impl Server {
    /// Sees to it that a session goes on; it has no end. Under load this server at times does not begin the next turn although
    /// it has every answer.
    async fn keep_going(&self, session: &str) {
        let client = world::client_with(&self.url, KEY);
        let mut progress = Progress::default();
        loop {
            if progress.is_stuck(&world::history(&client, session).await) {
                println!("open-managed-agents did not go on by itself");
                self.resume(session).await;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Has a session go on; of this server alone.
    async fn resume(&self, session: &str) {
        let log = std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        println!("the server's last words: {:?}", log.lines().last());
        let address = self.url.strip_prefix("http://").unwrap();
        let request = format!(
            "POST /v1/sessions/{session}/resume HTTP/1.1\r\nhost: {address}\r\nx-api-key: {KEY}\r\nconnection: close\r\n\
             anthropic-version: 2023-06-01\r\nanthropic-beta: managed-agents-2026-04-01\r\ncontent-length: 0\r\n\r\n"
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        // it may have gone on in the meantime
        let runs = answer.starts_with("HTTP/1.1 409") && answer.contains("Cannot resume a running session");
        assert!(runs || answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The key that the server takes.
const KEY: &str = "test-key";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_turn_is_governed_with_an_escalation_that_a_person_approves_in_another_process() {
    let turns = json!([
        {"tools": [pay_back("7"), look("8"), look("9"), bash("ask"), issue()]},
        {"text": "All done."},
    ]);
    let Some(server) = Server::start(&turns).await else {
        return;
    };
    let client = world::client_with(&server.url, KEY);
    let ran = Arc::<Ran>::default();
    let toolbox = world::toolbox(&ran);
    let session = world::session(&client, &toolbox, &EnvironmentDraft::cloud("here")).await;
    let ann = ApproverKey::generate().unwrap();
    let builder = world::harness().approver("ann", ann.public()).home(&home(&server.dir));
    let harness = builder.build().await.unwrap();
    let governor = quick(SessionGovernor::builder(&client, &harness))
        .toolbox(&toolbox)
        .build()
        .unwrap();
    let mut person = Person::start(&server.dir, &ann);
    let governed = tokio::time::timeout(Duration::from_secs(60), governor.converse(&session, "go"));
    let report = tokio::select! {
        report = governed => report.unwrap().unwrap(),
        () = server.keep_going(&session) => panic!("it has no end"),
    };
    person.approved();
    assert_eq!(
        report.end(),
        Some(&SessionEnd::Turn(SessionStop::EndTurn)),
        "{report:?}"
    );
    assert_eq!(report.calls().len(), 5);
    check(&world::history(&client, &session).await, &ran);
    println!(
        "open-managed-agents: {} calls governed, one of them approved by another process",
        report.calls().len()
    );
}

/// Each body ran once, and each call has one answer: as the rules have it.
fn check(history: &[Value], ran: &Ran) {
    let answers = answers(history);
    assert!(answers.iter().all(|(_, answers)| answers.len() == 1), "{answers:?}");
    for (call, answers) in &answers {
        let answer = &answers[0];
        let order = call["input"]["order"].as_str().unwrap_or_default();
        match call["name"].as_str().unwrap() {
            "refund" => assert_eq!(answer["content"][0]["text"], format!("refunded 120 for {order}")),
            "lookup" => assert_eq!(answer["content"][0]["text"], format!("order {order} was paid")),
            "bash" => assert_eq!(answer["result"], "deny"),
            _ => assert_eq!(answer["result"], "allow"),
        }
    }
    let custom = answers
        .iter()
        .filter(|(call, _)| call["type"] == "agent.custom_tool_use");
    assert_eq!(ran.all().len(), custom.count());
    assert!(ran.all().values().all(|times| *times == 1), "{:?}", ran.all());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_holds_through_a_proxy_that_loses_doubles_delays_and_cuts() {
    let turns = json!([
        {"tools": [pay_back("0"), look("1"), look("2"), bash("ask"), issue()]},
        {"tools": [look("3"), issue()]},
        {"text": "All done."},
    ]);
    let Some(server) = Server::start(&turns).await else {
        return;
    };
    let direct = world::client_with(&server.url, KEY);
    let (mut faults, mut seed, mut kinds) = (0, 0, [0; 7]);
    while faults < points() {
        seed += 1;
        let proxy = Proxy::start(&server.url, 1000 + seed).await;
        let ran = Arc::<Ran>::default();
        let toolbox = world::toolbox(&ran);
        let environment = EnvironmentDraft::cloud(&format!("here-{seed}"));
        let session = world::session(&direct, &toolbox, &environment).await;
        let dir = server.dir.join(seed.to_string());
        let ann = ApproverKey::generate().unwrap();
        let builder = world::harness().approver("ann", ann.public()).home(&home(&dir));
        let harness = builder.build().await.unwrap();
        let client = world::client_with(&proxy.url, KEY);
        let governor = quick(SessionGovernor::builder(&client, &harness))
            .toolbox(&toolbox)
            .build()
            .unwrap();
        let mut person = Person::start(&dir, &ann);
        let governed = tokio::time::timeout(Duration::from_secs(60), governor.converse(&session, "go"));
        let report = tokio::select! {
            report = governed => report,
            () = server.keep_going(&session) => panic!("it has no end"),
        };
        let report = report.unwrap_or_else(|_| panic!("seed {seed} hangs: {:?}", proxy.log()));
        let report = report.unwrap_or_else(|error| panic!("seed {seed}: {error}: {:?}", proxy.log()));
        person.approved();
        let history = world::history(&direct, &session).await;
        assert_eq!(answers(&history).len(), 7, "seed {seed}: {report:?} {:?}", proxy.log());
        check(&history, &ran);
        assert!(report.calls().iter().all(|call| call.end() != CallEnd::Unknown));
        faults += proxy.faults();
        for (sum, count) in kinds.iter_mut().zip(proxy.by_kind()) {
            *sum += count;
        }
    }
    let [dropped, doubled, delayed, kept, cut, lost, unheard] = kinds;
    println!(
        "open-managed-agents: {faults} faults in {seed} sessions: {dropped} events dropped, {doubled} doubled, {delayed} delayed, \
         {kept} reordered, {cut} streams cut, {lost} requests and {unheard} answers lost"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_at_any_moment_never_runs_a_body_twice_here_either() {
    let turns = script().into_iter().map(|turn| match turn {
        Some(calls) => json!({"tools": calls}),
        None => json!({"text": "All done."}),
    });
    let Some(server) = Server::start(&turns.collect()).await else {
        return;
    };
    let stuck = async |session: String| server.resume(&session).await;
    let counted = killed_again_and_again("oma", &server.url, KEY, &stuck).await;
    println!("open-managed-agents: {counted}");
}
