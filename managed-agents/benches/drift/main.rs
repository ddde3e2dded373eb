//! How rarely chance raises an alarm of drift, and how soon a change is found.
//!
//! Prints a table for `benchmarks/run drift`. Sessions come from `../shared/vectors` or `$MANAGED_AGENTS_VECTORS`.
//! `drift streams FILE` writes the same streams as numbers, for detectors of other languages.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that fails should stop"
)]

mod measure;
mod peers;
mod streams;
mod trials;

use streams::Sessions;

/// How many references are learnt, and how many calls follow each.
const REFERENCES: u64 = 60;
const FOLLOW: usize = 20_000;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|one| !one.starts_with('-')).collect();
    let Some(sessions) = Sessions::read() else {
        return println!("Not measured: `MANAGED_AGENTS_VECTORS` names no folder with `trajectories`.");
    };
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    match asked.as_slice() {
        ["streams", file] => peers::write(&sessions, file),
        ["ours"] => {
            measure::ours(&sessions);
        }
        [] => {
            let run_length = measure::ours(&sessions);
            peers::windows(&sessions, run_length);
            trials::all(&sessions);
        }
        other => {
            println!("There is no measurement {other:?}.");
            std::process::exit(1);
        }
    }
}
