//! What the screen costs: over the shell commands of recorded calls where there are some, over plain and dense commands of
//! 4 KB, and from 1 KB to 1 MB, where the time must grow as the text does. Beside it the floor in the same run: SHA-256
//! over as many bytes.
//!
//! Recorded calls are read from the directory that `MANAGED_AGENTS_CORPUS` names, else from `../shared/corpora/dev`.

#![expect(clippy::unwrap_used, reason = "a benchmark that fails should stop")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use divan::Bencher;
use divan::counter::BytesCount;
use managed_agents::screen::{Screen, StandardScreen};
use managed_agents::{GovernanceDenied, Harness, ToolCall, Verdict, governed};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How often each command is judged; its time is the median.
const TURNS: usize = 5;

fn main() {
    ordinary();
    recorded();
    long();
    linear();
    divan::main();
}

/// A payment of an ordinary kind.
#[governed]
async fn transfer(from: &str, to: &str, cents: u64) -> Result<u64, GovernanceDenied> {
    Ok(cents + (from.len() + to.len()) as u64)
}

/// Judges the call that it is given many times over, as every call is judged once.
struct Again(StandardScreen);

impl Screen for Again {
    fn name(&self) -> &'static str {
        "again"
    }

    fn check(&self, call: &ToolCall) -> Option<Verdict> {
        const TIMES: u32 = 1_000_000;
        let began = Instant::now();
        for _ in 0..TIMES {
            black_box(self.0.check(black_box(call)));
        }
        let each = began.elapsed() / TIMES;
        println!(
            "a governed call without commands, queries, paths or URLs: {} ns",
            each.as_nanos()
        );
        None
    }
}

/// What a call costs of which nothing needs to be read.
fn ordinary() {
    let harness = Harness::builder()
        .governor(managed_agents::Engine::new())
        .agent_id("bench")
        .in_memory()
        .screen(Again(StandardScreen::default()))
        .build_blocking()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let call = transfer("DE02120300000000202051", "DE02500105170137075030", 1250);
    let _ = runtime.block_on(harness.scope(call));
}

/// Median and 99th percentile over the commands of recorded calls.
fn recorded() {
    let directory = std::env::var_os("MANAGED_AGENTS_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/dev"),
        PathBuf::from,
    );
    let Ok(files) = std::fs::read_dir(&directory) else {
        println!("recorded commands: skipped, there is no {}", directory.display());
        return;
    };
    let mut commands = Vec::new();
    for file in files.map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "jsonl") {
            for line in std::fs::read_to_string(file).unwrap().lines() {
                let call: Value = serde_json::from_str(line).unwrap();
                if call.get("tool_name").and_then(Value::as_str) == Some("bash") {
                    commands.extend(call.get("tool_input").cloned());
                }
            }
        }
    }
    let screen = StandardScreen::default();
    let judged = times(&commands, |command| {
        black_box(screen.check_value("bash", black_box(command)));
    });
    let scripts = joined(&commands);
    let read = times(&scripts, |script| {
        black_box(screen.check_value("bash", black_box(script)));
    });
    println!(
        "recorded commands in {} scripts of 4 KB: median {:.0} µs",
        read.len(),
        read.get(read.len() / 2).copied().unwrap_or(0.0)
    );
    let hashed = times(&commands, |command| {
        let text = command.get("command").and_then(Value::as_str).unwrap_or_default();
        black_box(Sha256::digest(black_box(text)));
    });
    for (what, times) in [("the screen", judged), ("SHA-256 of the same bytes", hashed)] {
        let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(0.0);
        println!(
            "recorded commands: {what}: {} commands, median {:.2} µs, 99 % {:.1} µs, most {:.0} µs",
            times.len(),
            at(0.5),
            at(0.99),
            times.last().copied().unwrap_or(0.0)
        );
    }
}

/// The commands one after another, in scripts of 4 KB.
fn joined(commands: &[Value]) -> Vec<Value> {
    const SIZE: usize = 4096;
    let mut scripts = Vec::new();
    let mut script = String::new();
    for command in commands {
        let text = command.get("command").and_then(Value::as_str).unwrap_or_default();
        if !script.is_empty() && script.len() + text.len() > SIZE {
            scripts.push(json!({ "command": std::mem::take(&mut script) }));
        }
        script += text;
        script.push('\n');
    }
    scripts
}

/// The median time of each, in microseconds, the shortest first.
fn times(values: &[Value], work: impl Fn(&Value)) -> Vec<f64> {
    let mut turns = vec![Vec::with_capacity(TURNS); values.len()];
    for _ in 0..=TURNS {
        for (value, times) in values.iter().zip(&mut turns) {
            let began = Instant::now();
            work(value);
            times.push(began.elapsed().as_secs_f64() * 1e6);
        }
    }
    let mut medians: Vec<f64> = turns
        .into_iter()
        .map(|mut times| {
            // the first turn warms up
            times.remove(0);
            times.sort_by(f64::total_cmp);
            times.get(TURNS / 2).copied().unwrap_or(0.0)
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    medians
}

/// What a command of 4 KB costs, with few and with many commands in it, beside what it may cost.
fn long() {
    const BUDGET: f64 = 100.0;
    const JUDGED: usize = 501;
    let screen = StandardScreen::default();
    for (what, text) in [("plain", plain(4096)), ("dense", dense(4096))] {
        let arguments = json!({ "command": text });
        let mut times: Vec<f64> = (0..JUDGED)
            .map(|_| {
                let began = Instant::now();
                black_box(screen.check_value("bash", black_box(&arguments)));
                began.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let median = times.get(JUDGED / 2).copied().unwrap_or(f64::INFINITY);
        let verdict = if median <= BUDGET { "within" } else { "over" };
        println!("a {what} command of 4 KB: median {median:.1} µs, {verdict} the budget of {BUDGET:.0} µs");
    }
}

/// Nanoseconds a byte, from 1 KB to 1 MB: commands are read up to 256 KB, other texts to their end.
fn linear() {
    for (what, tool, name, text) in [
        ("plain command", "bash", "command", plain(1 << 20)),
        ("dense command", "bash", "command", dense(1 << 20)),
        (
            "statement",
            "sql_query",
            "query",
            "SELECT a, 'b' FROM c WHERE d = 1 AND e IN (2, 3); ".repeat(1 << 15),
        ),
        (
            "value",
            "save",
            "value",
            "some words, a number 42 and (a) sign; ".repeat(1 << 15),
        ),
    ] {
        let screen = StandardScreen::default();
        let mut line = format!("time a byte: {what}:");
        for size in [1 << 10, 1 << 14, 1 << 18, 1 << 20] {
            let arguments = json!({ name: text.get(..size).unwrap() });
            let best = (0..5).map(|_| {
                let began = Instant::now();
                black_box(screen.check_value(tool, black_box(&arguments)));
                began.elapsed().as_secs_f64()
            });
            let best = best.fold(f64::INFINITY, f64::min);
            line.push_str(&format!(" {} KB {:.1} ns,", size >> 10, best * 1e9 / size as f64));
        }
        println!("{}", line.trim_end_matches(','));
    }
}

/// One command with many words.
fn plain(size: usize) -> String {
    let mut text = "cp".to_owned();
    while text.len() < size {
        text.push_str(" some/file/of/the/project.rs");
    }
    text.truncate(size);
    text
}

/// Many commands, with all that a shell has.
fn dense(size: usize) -> String {
    let mut text = String::new();
    while text.len() < size {
        text.push_str("x=$(git log -1 | head -n 2) && for f in a b; do sudo sh -c \"cat $f\" > out; done; ");
    }
    text.truncate(size);
    text
}

fn judged(bencher: Bencher<'_, '_>, text: &str) {
    let screen = StandardScreen::default();
    let arguments = json!({ "command": text });
    bencher
        .counter(BytesCount::of_str(text))
        .bench_local(|| screen.check_value("bash", black_box(&arguments)));
}

#[divan::bench]
fn ls(bencher: Bencher<'_, '_>) {
    judged(bencher, "ls -la");
}

#[divan::bench]
fn build_and_test(bencher: Bencher<'_, '_>) {
    judged(bencher, "cd crates/core && cargo build --release 2>&1 | tail -n 20");
}

#[divan::bench]
fn plain_4_kb(bencher: Bencher<'_, '_>) {
    judged(bencher, &plain(4096));
}

#[divan::bench]
fn dense_4_kb(bencher: Bencher<'_, '_>) {
    judged(bencher, &dense(4096));
}

#[divan::bench]
fn sha256_of_4_kb(bencher: Bencher<'_, '_>) {
    let text = plain(4096);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| Sha256::digest(black_box(&text)));
}
