//! Against another project's server of Managed Agents, with turns that were written down in place of a model.
//!
//! Runs when `MANAGED_AGENTS_OMA_PYTHON` names a Python in which `open-managed-agents` is installed.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use managed_agents::claude::{CallEnd, EnvironmentDraft, ManagedAgents, SessionEnd, SessionGovernor, SessionStop};
use managed_agents::{Endpoint, Secret};
use serde_json::{Value, json};
use tests::support::program;
use tokio::net::{TcpListener, TcpStream};

use crate::chaos::points;
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
        for _ in 0..600 {
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

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn client(url: &str) -> ManagedAgents {
    ManagedAgents::builder()
        .api_key(Secret::parse("test-key").unwrap())
        .base_url(Endpoint::parse(url).unwrap())
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap()
}

async fn history(client: &ManagedAgents, session: &str) -> Vec<Value> {
    let events = client.events(session).await.unwrap();
    events
        .iter()
        .map(|event| serde_json::from_str(event.raw()).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_turn_is_governed_with_an_escalation_that_a_person_approves() {
    let turns = json!([
        {"tools": [pay_back("7"), look("7"), look("8"), bash("ask"), issue()]},
        {"text": "all done"},
    ]);
    let Some(server) = Server::start(&turns).await else {
        return;
    };
    let client = client(&server.url);
    let ran = Arc::<Ran>::default();
    let toolbox = world::toolbox(&ran);
    let session = world::session(&client, &toolbox, &EnvironmentDraft::cloud("here")).await;
    let ann = managed_agents::approval::ApproverKey::generate().unwrap();
    let harness = world::harness()
        .approver("ann", ann.public())
        .in_memory()
        .build()
        .await
        .unwrap();
    let governor = quick(SessionGovernor::builder(&client, &harness))
        .toolbox(&toolbox)
        .build()
        .unwrap();
    let person = async {
        let ticket = loop {
            match harness.pending().first() {
                Some(ticket) => break ticket.clone(),
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        harness.approve(ticket.id(), &ann).unwrap();
    };
    let (report, ()) = tokio::join!(governor.converse(&session, "go"), person);
    let report = report.unwrap();
    assert_eq!(
        report.end(),
        Some(&SessionEnd::Turn(SessionStop::EndTurn)),
        "{report:?}"
    );
    assert_eq!(report.calls().len(), 5);
    let answers = answers(&history(&client, &session).await);
    assert!(answers.iter().all(|(_, answers)| answers.len() == 1), "{answers:?}");
    assert_eq!(answers[0].1[0]["content"][0]["text"], "refunded 120 for 7");
    assert_eq!(
        (&answers[3].1[0]["result"], &answers[4].1[0]["result"]),
        (&json!("deny"), &json!("allow"))
    );
    assert_eq!(ran.all(), [("7".to_owned(), 2), ("8".to_owned(), 1)].into());
    println!("open-managed-agents: {} calls governed", report.calls().len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_holds_through_a_proxy_that_loses_doubles_delays_and_cuts() {
    let turns = json!([
        {"tools": [look("1"), look("2"), bash("ask"), issue()]},
        {"tools": [look("3"), issue()]},
        {"text": "all done"},
    ]);
    let Some(server) = Server::start(&turns).await else {
        return;
    };
    let direct = client(&server.url);
    let (mut faults, mut seed) = (0, 0);
    while faults < points() {
        seed += 1;
        let proxy = Proxy::start(&server.url, 1000 + seed).await;
        let ran = Arc::<Ran>::default();
        let toolbox = world::toolbox(&ran);
        let environment = EnvironmentDraft::cloud(&format!("here-{seed}"));
        let session = world::session(&direct, &toolbox, &environment).await;
        let harness = world::harness().in_memory().build().await.unwrap();
        let client = client(&proxy.url);
        let governor = quick(SessionGovernor::builder(&client, &harness))
            .toolbox(&toolbox)
            .build()
            .unwrap();
        let governed = tokio::time::timeout(Duration::from_secs(60), governor.converse(&session, "go"));
        let report = governed
            .await
            .unwrap_or_else(|_| panic!("seed {seed} hangs: {:?}", proxy.log()));
        let report = report.unwrap_or_else(|error| panic!("seed {seed}: {error}: {:?}", proxy.log()));
        let answers = answers(&history(&direct, &session).await);
        assert_eq!(answers.len(), 6, "seed {seed}: {report:?} {:?}", proxy.log());
        assert!(
            answers.iter().all(|(_, answers)| answers.len() == 1),
            "seed {seed}: {answers:?}"
        );
        assert!(
            ran.all().len() == 3 && ran.all().values().all(|times| *times == 1),
            "seed {seed}: {:?}",
            ran.all()
        );
        assert!(report.calls().iter().all(|call| call.end() != CallEnd::Unknown));
        faults += proxy.faults();
    }
    println!("open-managed-agents: {faults} faults in {seed} sessions");
}
