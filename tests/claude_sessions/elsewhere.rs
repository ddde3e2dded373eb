//! A person who approves from another process.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use managed_agents::approval::ApproverKey;
use managed_agents::claude::{CallEnd, EnvironmentDraft, SessionGovernor};
use managed_agents::home::Home;
use managed_agents::store::StoreOptions;
use serde_json::{Value, json};
use tests::managed::{ManagedServer, Turn};

use crate::world::{self, Ran, answers, look, pay_back, quick};

pub(crate) fn home(dir: &Path) -> Home {
    std::fs::create_dir_all(dir).unwrap();
    Home::open(StoreOptions::new(dir.join("home")).high_water(dir.join("water"))).unwrap()
}

/// A process with the operator's key, which approves one call that waits in a data directory; killed when it is dropped.
pub(crate) struct Person(Child);

impl Person {
    pub(crate) fn start(dir: &Path, key: &ApproverKey) -> Self {
        let arguments = json!({"dir": dir, "key": key.reveal()}).to_string();
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "elsewhere::approves_what_waits_when_started_by_the_test_below",
            ])
            .env("CLAUDE_SESSIONS_PERSON", arguments)
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    /// It has approved.
    pub(crate) fn approved(&mut self) {
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the other process does; the test itself starts it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn approves_what_waits_when_started_by_the_test_below() {
    let Ok(arguments) = std::env::var("CLAUDE_SESSIONS_PERSON") else {
        return;
    };
    let arguments: Value = serde_json::from_str(&arguments).unwrap();
    let dir = PathBuf::from(arguments["dir"].as_str().unwrap());
    let seed: [u8; 32] = serde_json::from_value(arguments["key"].clone()).unwrap();
    let ann = ApproverKey::from_bytes(&seed);
    let builder = world::harness().approver("ann", ann.public()).home(&home(&dir));
    let harness = builder.build().await.unwrap();
    loop {
        let (looking, ann) = (harness.clone(), ann.clone());
        let decided = tokio::task::spawn_blocking(move || {
            let ticket = looking.pending().first().cloned()?;
            looking.approve(ticket.id(), &ann).unwrap();
            Some(())
        });
        if decided.await.unwrap().is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_escalation_that_is_approved_in_another_process_runs_once() {
    let dir = std::env::temp_dir().join(format!("ma-elsewhere-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let ann = ApproverKey::generate().unwrap();
    let server = ManagedServer::start([Turn::calls(vec![pay_back("7"), look("8")]), Turn::says("Refunded.")]);
    let server = server.await.unwrap();
    let client = world::client(server.url());
    let ran = Arc::<Ran>::default();
    let toolbox = world::toolbox(&ran);
    let session = world::session(&client, &toolbox, &EnvironmentDraft::cloud("here")).await;
    let builder = world::harness().approver("ann", ann.public()).home(&home(&dir));
    let harness = builder.build().await.unwrap();
    let mut person = Person::start(&dir, &ann);
    let governor = quick(SessionGovernor::builder(&client, &harness))
        .toolbox(&toolbox)
        .build()
        .unwrap();
    let governed = tokio::time::timeout(Duration::from_secs(60), governor.converse(&session, "go"));
    let report = governed.await.unwrap().unwrap();
    person.approved();
    assert_eq!(report.text(), "Refunded.");
    assert!(
        report.calls().iter().all(|call| call.end() == CallEnd::Done),
        "{report:?}"
    );
    assert_eq!(ran.all(), [("7".to_owned(), 1), ("8".to_owned(), 1)].into());
    let answers = answers(&server.world().events(&session));
    assert_eq!(answers[0].1[0]["content"][0]["text"], "refunded 120 for 7");
    println!("an approval from another process was seen, and its call ran once");
    let _ = std::fs::remove_dir_all(&dir);
}
