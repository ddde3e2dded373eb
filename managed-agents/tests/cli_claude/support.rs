//! A data directory and a server for each test, and the program over both.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use managed_agents::claude::{AgentDraft, EnvironmentDraft, ManagedAgents, Outgoing, SessionDraft};
use managed_agents::{Endpoint, Secret};
use serde_json::{Value, json};

use crate::managed::{ManagedServer, Turn};

pub(crate) struct World {
    dir: PathBuf,
    pub(crate) server: ManagedServer,
    pub(crate) client: ManagedAgents,
}

/// What the program printed, and how it ended.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// What was printed, a JSON object a line.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let lines = self.out.lines().filter(|line| line.starts_with('{'));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }
}

/// The program, running; killed when it is dropped.
pub(crate) struct Running(Option<Child>);

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.0.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end, for half a minute at most.
    pub(crate) async fn ended(mut self) -> Run {
        let mut child = self.0.take().unwrap();
        let until = Instant::now() + Duration::from_secs(30);
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > until {
                let _ = child.kill();
                panic!("the program does not end: {:?}", child.wait_with_output());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let done = child.wait_with_output().unwrap();
        Run {
            code: done.status.code(),
            out: String::from_utf8(done.stdout).unwrap(),
            err: String::from_utf8(done.stderr).unwrap(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl World {
    pub(crate) async fn open(test: &str, turns: impl IntoIterator<Item = Turn>) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-claude-{test}"));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(dir.join("work")).unwrap();
        let server = ManagedServer::start(turns).await.unwrap();
        let client = ManagedAgents::builder()
            .api_key(Secret::parse("k").unwrap())
            .base_url(Endpoint::parse(server.url()).unwrap())
            .build()
            .unwrap();
        let world = Self { dir, server, client };
        world.configure("[scopes]\nshop = [\"read\", \"write\", \"bash\", \"mcp__linear__create_issue\"]\n");
        world.run(&["init", "--origin", "test.example/log"]).await.exits(0);
        world
    }

    /// Writes the configuration; of an MCP server's tool it says that it may run.
    pub(crate) fn configure(&self, more: &str) {
        let tool = "[tools.mcp__linear__create_issue]\nrisk = \"low\"\nreversible = true\n";
        std::fs::write(self.path("managed-agents.toml"), format!("{more}{tool}")).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_managed-agents"));
        command
            .args(arguments)
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in ["ENDPOINT", "API_KEY", "AGENT_ID", "PLATFORM"] {
            command.env_remove(format!("MANAGED_AGENTS_{name}"));
        }
        for name in ["XDG_DATA_HOME", "XDG_STATE_HOME", "HOME"] {
            command.env(name, self.path("platform"));
        }
        command
            .env("MANAGED_AGENTS_HOME", self.path("data"))
            .env("ANTHROPIC_API_KEY", "sk-CANARY-api")
            .env("ANTHROPIC_ENVIRONMENT_KEY", "sk-CANARY-environment")
            .env("ANTHROPIC_BASE_URL", self.server.url())
            .arg("--high-water")
            .arg(self.path("mark"));
        Running(Some(command.spawn().unwrap()))
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Run {
        self.start(arguments).ended().await
    }

    /// A session of an agent that asks about everything, unless `change` opens it.
    pub(crate) async fn session(&self, change: impl FnOnce(&mut Value)) -> String {
        let agent = AgentDraft::new("shop", "m")
            .built_in(["bash", "read"])
            .mcp_server("linear", "https://mcp.example/sse");
        let agent = self.client.create_agent(&agent).await.unwrap();
        let environment = self.client.create_environment(&EnvironmentDraft::cloud("here")).await;
        let session = SessionDraft::new(agent.id(), environment.unwrap().id());
        let session = self.client.create_session(&session).await.unwrap().id().to_owned();
        self.server.world().change_session_agent(&session, change);
        session
    }

    pub(crate) async fn say(&self, session: &str) {
        self.client.send(session, &[Outgoing::message("go")]).await.unwrap();
    }

    pub(crate) fn events(&self, session: &str) -> Vec<Value> {
        self.server.world().events(session)
    }

    pub(crate) fn is_interrupted(&self, session: &str) -> bool {
        self.events(session)
            .iter()
            .any(|event| event["type"] == "user.interrupt")
    }

    /// What a client answered to the calls of a session, in the order of the calls.
    pub(crate) fn answers(&self, session: &str) -> Vec<Vec<Value>> {
        let events = self.events(session);
        let calls = events.iter().filter(|event| {
            let kind = event["type"].as_str().unwrap();
            kind.starts_with("agent.") && kind.ends_with("tool_use")
        });
        let answers = |call: &Value| {
            let of = |event: &&Value| {
                event["type"].as_str().unwrap().starts_with("user.") && event["tool_use_id"] == call["id"]
            };
            events.iter().filter(of).cloned().collect()
        };
        calls.map(answers).collect()
    }

    pub(crate) async fn until(&self, condition: impl Fn(&Self) -> bool) {
        let until = Instant::now() + Duration::from_secs(30);
        while !condition(self) {
            assert!(Instant::now() < until, "it does not come");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Entries of the record, of a type.
    pub(crate) async fn entries(&self, kind: &str) -> Vec<Value> {
        let all = self.run(&["audit", "export", "--format", "jsonl"]).await.exits(0);
        let of_kind = |entry: &Value| entry["type"] == kind;
        all.lines().into_iter().filter(of_kind).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

pub(crate) fn bash(command: &str, permission: &str) -> Value {
    built_in("bash", &json!({"command": command}), permission)
}

pub(crate) fn built_in(name: &str, input: &Value, permission: &str) -> Value {
    json!({"type": "agent.tool_use", "name": name, "input": input, "evaluated_permission": permission})
}

pub(crate) fn issue() -> Value {
    json!({
        "type": "agent.mcp_tool_use", "name": "create_issue", "mcp_server_name": "linear", "input": {"title": "x"},
        "evaluated_permission": "ask",
    })
}
