//! Decisions on recorded calls: ours beside a peer's, in turns in one run, on one thread.
//!
//!     screen-peers OUT CALLS.jsonl...
//!
//! Writes `ours.jsonl` and `shellfirm.jsonl` into OUT: one `{"id","decision","micros"}` a line, the time being the median
//! of five.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use managed_agents::Decision;
use managed_agents::screen::StandardScreen;
use serde_json::{Value, json};
use shellfirm::Settings;
use shellfirm::agent::{self, assess_command};
use shellfirm::checks::Check;
use shellfirm::env::Environment;

const TURNS: usize = 5;

/// A machine on which every path exists and nothing can be run: what a guard says of a command should not depend on the
/// machine that measures it.
struct Anywhere;

impl Environment for Anywhere {
    fn var(&self, _key: &str) -> Option<String> {
        None
    }

    fn current_dir(&self) -> shellfirm::error::Result<PathBuf> {
        Ok(PathBuf::from("/home/user/project"))
    }

    fn path_exists(&self, path: &Path) -> bool {
        // no policy of its own: reading one that is not there would cost it time
        !path.to_string_lossy().contains("shellfirm")
    }

    fn home_dir(&self) -> Option<PathBuf> {
        Some(PathBuf::from("/home/user"))
    }

    fn run_command(&self, _cmd: &str, _args: &[&str], _timeout_ms: u64) -> Option<String> {
        None
    }

    fn read_file(&self, path: &Path) -> shellfirm::error::Result<String> {
        Err(shellfirm::error::Error::Other(format!(
            "{} is not read",
            path.display()
        )))
    }

    fn find_file_upward(&self, _start: &Path, _name: &str) -> Option<PathBuf> {
        None
    }
}

struct Peer {
    settings: Settings,
    checks: Vec<Check>,
}

impl Peer {
    /// Only commands are its business; it lets every other call pass.
    fn decide(&self, arguments: &Value) -> &'static str {
        let Some(command) = ["command", "cmd"].iter().find_map(|key| arguments.get(key)?.as_str()) else {
            return "allow";
        };
        match assess_command(command, &self.settings, &self.checks, &Anywhere, &self.settings.agent) {
            Ok(assessment) => match assessment.decision {
                agent::Decision::Allow => "allow",
                agent::Decision::Ask => "escalate",
                agent::Decision::Deny => "deny",
            },
            Err(_) => "deny",
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().expect("usage: screen-peers OUT CALLS.jsonl..."));
    let mut calls = Vec::new();
    for file in arguments {
        for line in BufReader::new(File::open(file).unwrap()).lines() {
            let call: Value = serde_json::from_str(&line.unwrap()).unwrap();
            calls.push(call);
        }
    }
    let settings = Settings::default();
    let peer = Peer {
        checks: settings.get_active_checks().unwrap(),
        settings,
    };
    let screen = StandardScreen::default();
    let ours = |call: &Value| match screen
        .check_value(call["tool_name"].as_str().unwrap_or_default(), &call["tool_input"])
        .decision()
    {
        Decision::Allow => "allow",
        Decision::Escalate => "escalate",
        Decision::Deny => "deny",
    };
    let theirs = |call: &Value| peer.decide(&call["tool_input"]);
    // patterns are compiled when they are first needed
    for call in &calls {
        black_box((ours(call), theirs(call)));
    }
    let mut times = vec![([0.0; TURNS], [0.0; TURNS]); calls.len()];
    for turn in 0..TURNS {
        for (call, (a, b)) in calls.iter().zip(&mut times) {
            a[turn] = micros(|| ours(black_box(call)));
            b[turn] = micros(|| theirs(black_box(call)));
        }
    }
    let mut files =
        ["ours", "shellfirm"].map(|name| BufWriter::new(File::create(out.join(format!("{name}.jsonl"))).unwrap()));
    for (call, (a, b)) in calls.iter().zip(times) {
        for (file, (decision, times)) in files.iter_mut().zip([(ours(call), a), (theirs(call), b)]) {
            let line = json!({ "id": call["id"], "decision": decision, "micros": median(times) });
            writeln!(file, "{line}").unwrap();
        }
    }
}

fn micros<T>(work: impl FnOnce() -> T) -> f64 {
    let began = Instant::now();
    black_box(work());
    began.elapsed().as_secs_f64() * 1e6
}

fn median(mut times: [f64; TURNS]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[TURNS / 2]
}
