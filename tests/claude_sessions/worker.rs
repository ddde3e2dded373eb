//! A worker of a self-hosted environment.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use managed_agents::claude::{
    AgentDraft, EnvironmentDraft, EnvironmentWorker, Outgoing, SessionDraft, SessionEnd, Workspace,
};
use managed_agents::{Harness, Outcome};
use serde_json::{Value, json};
use tests::managed::{ManagedServer, Turn};

use crate::world::{self, answers};

struct Place {
    dir: PathBuf,
    server: ManagedServer,
    client: managed_agents::claude::ManagedAgents,
    environment: String,
    session: String,
    harness: Harness,
}

impl Place {
    async fn open(name: &str, turns: Vec<Turn>) -> Self {
        let dir = std::env::temp_dir().join(format!("ma-worker-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("a.txt"), "one\ntwo\n").unwrap();
        let server = ManagedServer::start(turns).await.unwrap();
        let client = world::client(server.url());
        // at a worker, asking or not makes no difference: each call is judged here
        let tools = [json!({"type": "agent_toolset_20260401",
            "default_config": {"enabled": true, "permission_policy": {"type": "always_allow"}},
            "configs": [{"name": "web_fetch", "enabled": false}, {"name": "web_search", "enabled": false}]})];
        let agent = client
            .create_agent(&AgentDraft::new("coder", "m").tools(&tools))
            .await
            .unwrap();
        let environment = client
            .create_environment(&EnvironmentDraft::self_hosted("here"))
            .await
            .unwrap()
            .id()
            .to_owned();
        let session = client
            .create_session(&SessionDraft::new(agent.id(), &environment))
            .await
            .unwrap()
            .id()
            .to_owned();
        client.send(&session, &[Outgoing::message("go")]).await.unwrap();
        let harness = world::harness_of(&["bash", "read", "write"])
            .in_memory()
            .build()
            .await
            .unwrap();
        Self {
            dir,
            server,
            client,
            environment,
            session,
            harness,
        }
    }

    fn worker(&self) -> EnvironmentWorker {
        let workspace = Workspace::open(&self.dir).unwrap();
        EnvironmentWorker::new(&self.client, &self.harness, &self.environment, workspace)
            .poll(Duration::from_millis(20))
            .approval_limit(Duration::from_millis(400))
    }

    fn events(&self) -> Vec<Value> {
        self.server.world().events(&self.session)
    }

    async fn until(&self, condition: impl Fn(&[Value]) -> bool) {
        while !condition(&self.events()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn call(name: &str, input: &Value, permission: &str) -> Value {
    json!({"type": "agent.tool_use", "name": name, "input": input, "evaluated_permission": permission})
}

#[tokio::test]
async fn built_in_tools_run_here_each_call_judged() {
    let turns = vec![
        Turn::calls(vec![
            call("read", &json!({"file_path": "a.txt"}), "allow"),
            call("write", &json!({"file_path": "b/c.txt", "content": "new"}), "ask"),
            call("bash", &json!({"command": "wc -l < a.txt"}), "allow"),
            call("bash", &json!({"command": "rm -rf /"}), "allow"),
            call("read", &json!({"file_path": "../../../etc/passwd"}), "allow"),
        ]),
        Turn::says("Done."),
    ];
    let place = Place::open("runs", turns).await;
    let told = Arc::<Mutex<Vec<Option<SessionEnd>>>>::default();
    let log = Arc::clone(&told);
    let worker = place.worker().on_session(move |_, report| {
        log.lock()
            .unwrap()
            .push(report.as_ref().ok().and_then(|report| report.end().cloned()));
    });
    let over = async {
        while told.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    worker.run_until(over).await.unwrap();
    let events = place.events();
    let results = |at: usize| {
        let answers = &answers(&events)[at].1;
        answers
            .iter()
            .find(|event| event["type"] == "user.tool_result")
            .cloned()
            .unwrap_or_default()
    };
    assert_eq!(results(0)["content"][0]["text"], "one\ntwo\n");
    assert_eq!(results(1)["is_error"], false);
    assert_eq!(std::fs::read_to_string(place.dir.join("b/c.txt")).unwrap(), "new");
    assert_eq!(results(2)["content"][0]["text"], "2");
    assert_eq!(results(3)["is_error"], true);
    assert_eq!(results(4)["is_error"], true);
    assert!(!results(4).to_string().contains("root:"));
    assert_eq!(place.server.world().refused(), [""; 0]);
    assert!(events.iter().any(|event| event["type"] == "agent.message"));
}

#[tokio::test]
async fn a_lost_lease_ends_what_runs_for_it() {
    let slow = call("bash", &json!({"command": "sleep 60", "timeout_ms": 60000}), "allow");
    let place = Place::open("lease", vec![Turn::calls(vec![slow]), Turn::says("Done.")]).await;
    let worker = place.worker();
    let lose = async {
        // it runs
        while place.harness.records().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        place.server.world().lose_leases();
        let cancelled = || {
            let records = place.harness.records();
            records.iter().any(|entry| {
                entry
                    .outcome()
                    .is_some_and(|ended| ended.outcome() == Outcome::Cancelled)
            })
        };
        while !cancelled() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(20), worker.run_until(lose)).await;
    ended.unwrap().unwrap();
}

#[tokio::test]
async fn a_worker_that_ends_cancels_what_it_runs_and_answers_it() {
    let slow = call("bash", &json!({"command": "sleep 60"}), "allow");
    let place = Place::open("ends", vec![Turn::calls(vec![slow]), Turn::says("Done.")]).await;
    let worker = place.worker();
    let end = async {
        while place.harness.records().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    worker.run_until(end).await.unwrap();
    place.until(|events| !answers(events)[0].1.is_empty()).await;
    let answer = &answers(&place.events())[0].1[0];
    assert_eq!(answer["is_error"], true);
}
