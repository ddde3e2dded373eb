//! A data directory for each test, the program over it, and a governed program that writes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use managed_agents::{GovernanceDenied, Harness, Risk, ToolMeta};
use serde_json::Value;

/// A directory that is removed when the test ends.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-record-{test}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// With a record in it.
    pub(crate) fn begun(test: &str) -> Self {
        let place = Self::new(test);
        place.run(&["init", "--origin", "test.example/log"]).ok();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_managed-agents"));
        command.args(arguments).current_dir(&self.0).stdin(Stdio::null());
        for name in ["ENDPOINT", "API_KEY", "AGENT_ID", "PLATFORM"] {
            command.env_remove(format!("MANAGED_AGENTS_{name}"));
        }
        // where the platform's places would be, there is nothing
        for name in ["XDG_DATA_HOME", "XDG_STATE_HOME", "HOME"] {
            command.env(name, self.path("platform"));
        }
        command.env("MANAGED_AGENTS_HOME", self.path("data"));
        command.arg("--high-water").arg(self.path("mark"));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.command(arguments).output().unwrap().into()
    }

    /// A governed program.
    pub(crate) fn harness(&self, agent: &str) -> Harness {
        self.try_harness(agent).unwrap()
    }

    pub(crate) fn try_harness(&self, agent: &str) -> Result<Harness, managed_agents::harness::BuildError> {
        Harness::builder()
            .agent_id(agent)
            .data_dir(self.path("data"))
            .high_water_mark(self.path("mark"))
            .declare(ToolMeta::new("send").with_risk(Risk::Low).reversible())
            .declare(ToolMeta::new("pay").with_risk(Risk::Low).reversible())
            .redact("pay", "/card")
            .build_blocking()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One call in a session, which runs if it may.
pub(crate) fn call(harness: &Harness, session: &str, tool: &str, input: &Value) -> Result<(), GovernanceDenied> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let permit = harness.session(session).govern(tool, input.clone()).await?;
        permit.run(async |_| Ok::<_, GovernanceDenied>(())).await
    })
}

/// Calls that were allowed, and ended.
pub(crate) fn calls(harness: &Harness, count: usize) {
    for number in 0..count {
        let input = serde_json::json!({ "to": "ann@example.com", "text": format!("letter {number}") });
        call(harness, "monday", "send", &input).unwrap();
    }
}

pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// It went well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.exits(0)
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.out.contains(text) || self.err.contains(text),
            "`{text}` is not said:\n{}\n{}",
            self.out,
            self.err
        );
        self
    }

    pub(crate) fn json(&self) -> Vec<Value> {
        let lines = self.out.lines();
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
