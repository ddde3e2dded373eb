//! Stops that another process states, and what the record holds of calls that no harness was asked about.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use managed_agents::approval::ApproverKey;
use managed_agents::audit::entry::Entry;
use managed_agents::claude::{EnvironmentDraft, ManagedAgents, Outgoing, SessionEnd, SessionGovernor};
use managed_agents::interrupt::{Stop, Target};
use managed_agents::store::Reader;
use managed_agents::{Harness, Toolbox};
use serde_json::{Value, json};
use tests::managed::{ManagedServer, Turn};

use crate::elsewhere::home;
use crate::world::{self, Ran, answers, bash, issue, look, pay_back, quick};

/// A session whose record is on the disk.
struct Kept {
    dir: PathBuf,
    server: ManagedServer,
    client: ManagedAgents,
    harness: Harness,
    ran: Arc<Ran>,
    toolbox: Toolbox,
    session: String,
}

impl Kept {
    async fn open(name: &str, turns: impl IntoIterator<Item = Turn>) -> Self {
        let dir = std::env::temp_dir().join(format!("ma-stops-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        let server = ManagedServer::start(turns).await.unwrap();
        let client = world::client(server.url());
        let ran = Arc::<Ran>::default();
        let toolbox = world::toolbox(&ran);
        let session = world::session(&client, &toolbox, &EnvironmentDraft::cloud("here")).await;
        let ann = ApproverKey::generate().unwrap();
        let builder = world::harness().approver("ann", ann.public()).home(&home(&dir));
        let harness = builder.build().await.unwrap();
        Self {
            dir,
            server,
            client,
            harness,
            ran,
            toolbox,
            session,
        }
    }

    fn governor(&self) -> managed_agents::claude::SessionGovernorBuilder {
        quick(SessionGovernor::builder(&self.client, &self.harness)).toolbox(&self.toolbox)
    }

    async fn say(&self, text: &str) {
        self.client
            .send(&self.session, &[Outgoing::message(text)])
            .await
            .unwrap();
    }

    fn events(&self) -> Vec<Value> {
        self.server.world().events(&self.session)
    }

    fn is_interrupted(&self) -> bool {
        self.events().iter().any(|event| event["type"] == "user.interrupt")
    }

    /// What the record says ran outside.
    fn outside(&self) -> Vec<Value> {
        let entries = Reader::open(self.dir.join("home"))
            .unwrap()
            .entries(0, usize::MAX)
            .unwrap();
        let outside = entries.iter().filter(|entry| entry.kind() == "outside");
        let body = |entry: &Entry| serde_json::from_str(entry.raw("body").unwrap()).unwrap();
        outside.map(body).collect()
    }

    async fn until(&self, condition: impl Fn(&Self) -> bool) {
        let until = Instant::now() + Duration::from_secs(20);
        while !condition(self) {
            assert!(Instant::now() < until, "{:?}", self.events());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// What the other process does; the tests themselves start it.
#[test]
fn states_a_stop_when_started_by_the_tests_below() {
    let Ok(arguments) = std::env::var("CLAUDE_SESSIONS_STOP") else {
        return;
    };
    let arguments: Value = serde_json::from_str(&arguments).unwrap();
    let target: Target = arguments["target"].as_str().unwrap().parse().unwrap();
    let stop = Stop::of(target).because("runaway");
    let stop = if arguments["drill"] == true {
        stop.as_drill()
    } else {
        stop
    };
    home(Path::new(arguments["dir"].as_str().unwrap())).stop(&stop).unwrap();
}

/// Has another process state a stop, and waits until it has.
async fn stopped_elsewhere(dir: &Path, target: &str, drill: bool) {
    let arguments = json!({"dir": dir, "target": target, "drill": drill}).to_string();
    let state = move || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "stops::states_a_stop_when_started_by_the_tests_below"])
            .env("CLAUDE_SESSIONS_STOP", arguments)
            .stdout(Stdio::null())
            .status()
    };
    assert!(tokio::task::spawn_blocking(state).await.unwrap().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_session_is_interrupted_by_another_processs_stop() {
    for (name, drill) in [("agent", false), ("session", false), ("everything", true)] {
        let world = Kept::open(name, [Turn::says("Hello.")]).await;
        let target = match name {
            "agent" => "agent/shop".to_owned(),
            "session" => format!("session/{}", world.session),
            everything => everything.to_owned(),
        };
        let governor = world.governor().stay().build().unwrap();
        world.say("go").await;
        let person = async {
            let said = |world: &Kept| world.events().iter().any(|event| event["type"] == "agent.message");
            world.until(said).await;
            // longer than anything that is looked after for a while by itself
            tokio::time::sleep(Duration::from_millis(2500)).await;
            assert!(!world.is_interrupted());
            stopped_elsewhere(&world.dir, &target, drill).await;
            let stated = Instant::now();
            world.until(Kept::is_interrupted).await;
            stated.elapsed()
        };
        let governed = async {
            let report = tokio::time::timeout(Duration::from_secs(30), governor.run(&world.session)).await;
            report.unwrap().unwrap()
        };
        let (report, took) = tokio::join!(governed, person);
        assert_eq!(report.end(), Some(&SessionEnd::Stopped), "{name}");
        println!(
            "an idle session was interrupted {took:?} after the process had ended that stated the stop ({target})"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_waits_for_a_person_is_interrupted_by_another_processs_stop() {
    let world = Kept::open("waits", [Turn::calls(vec![pay_back("7")]), Turn::says("ok")]).await;
    let governor = world.governor().build().unwrap();
    let person = async {
        while world.harness.pending().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(2500)).await;
        stopped_elsewhere(&world.dir, "agent/shop", false).await;
    };
    let governed = tokio::time::timeout(Duration::from_secs(30), governor.converse(&world.session, "go"));
    let (report, ()) = tokio::join!(governed, person);
    assert_eq!(report.unwrap().unwrap().end(), Some(&SessionEnd::Stopped));
    assert!(world.is_interrupted());
    assert!(world.ran.all().is_empty());
    assert_eq!(answers(&world.events())[0].1.len(), 1, "the call was answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_that_does_not_arrive_is_sent_again() {
    let world = Kept::open("again", [Turn::calls(vec![look("never")])]).await;
    // every other request is lost, or its answer is
    let proxy = crate::proxy::Proxy::start_with(world.server.url(), 3, 2).await;
    let client = world::client(&proxy.url);
    let governor = quick(SessionGovernor::builder(&client, &world.harness))
        .toolbox(&world.toolbox)
        .build()
        .unwrap();
    world.say("go").await;
    let person = async {
        while world.ran.all().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stopped_elsewhere(&world.dir, "everything", false).await;
    };
    let governed = tokio::time::timeout(Duration::from_secs(50), governor.run(&world.session));
    let (report, ()) = tokio::join!(governed, person);
    assert_eq!(report.unwrap().unwrap().end(), Some(&SessionEnd::Stopped));
    assert!(world.is_interrupted());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ran_without_asking_is_in_the_record_once_whoever_governs_when() {
    let turns = [
        Turn::calls(vec![bash("allow"), bash("deny"), look("1")]),
        Turn::says("ok"),
    ];
    let world = Kept::open("outside", turns).await;
    let report = world
        .governor()
        .build()
        .unwrap()
        .converse(&world.session, "go")
        .await
        .unwrap();
    assert_eq!((report.outside().len(), report.outside()[0].runs_on()), (1, false));
    // another governor reads the same history
    let again = world.governor().build().unwrap().run(&world.session).await.unwrap();
    assert_eq!(again.outside(), report.outside());
    let outside = world.outside();
    assert_eq!(
        outside,
        [json!({
            "call": report.outside()[0].event(), "session": world.session, "tool": "bash", "v": "ma-outside/1", "why": "not_asked",
        })]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_allowed_and_runs_on_when_its_session_is_stopped_is_recorded_as_outside() {
    let world = Kept::open(
        "on",
        [Turn::calls(vec![issue()]).without_ends(), Turn::says("never said")],
    )
    .await;
    let governor = world.governor().build().unwrap();
    let person = async {
        world
            .until(|world| {
                answers(&world.events())
                    .first()
                    .is_some_and(|(_, answers)| answers.len() == 1)
            })
            .await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        stopped_elsewhere(&world.dir, "agent/shop", false).await;
    };
    let governed = tokio::time::timeout(Duration::from_secs(30), governor.converse(&world.session, "go"));
    let (report, ()) = tokio::join!(governed, person);
    let report = report.unwrap().unwrap();
    assert_eq!(report.end(), Some(&SessionEnd::Stopped));
    assert_eq!((report.outside().len(), report.outside()[0].runs_on()), (1, true));
    assert!(world.is_interrupted());
    let outside = world.outside();
    assert_eq!(
        (outside.len(), &outside[0]["tool"], &outside[0]["why"]),
        (1, &json!("mcp__linear__create_issue"), &json!("runs_on"))
    );
    // and nobody claims to know how it ended
    let ended = |world: &Kept| {
        let reader = Reader::open(world.dir.join("home")).unwrap();
        let entries = reader.entries(0, usize::MAX).unwrap();
        let outcomes = entries.iter().filter_map(Entry::outcome);
        outcomes.map(|outcome| outcome.reveal().to_owned()).collect::<Vec<_>>()
    };
    world.until(|world| !ended(world).is_empty()).await;
    assert_eq!(ended(&world), ["unreported"]);
}
