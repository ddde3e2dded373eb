//! Whether the screen finds every simple command that another parser of the shell finds: `brush-parser`.
//!
//!     cargo run --release --manifest-path benchmarks/oracle/Cargo.toml -- [CALLS.jsonl...]
//!
//! Reads the commands of recorded calls, and 20 000 generated lines (fixed seed; `ORACLE_LINES=n` for more). For each line
//! that brush-parser can parse, every simple command that it finds, in substitutions too, must be among the commands that
//! the screen says would run: the same words where they are literal, and in the same order where others stand between.
//! Prints what was compared, and every difference that is not accepted below; fails if there is one.
//!
//! Accepted, since the screen says what would run, and a parser says what is written:
//! - the body of a function that the line never calls;
//! - commands that nothing reaches: behind the screen's limits, which it reports itself (`screen_limit`, `screen_unparsed`);
//! - a command whose own name is only known at run time, and assignments that run nothing;
//! - an alias's name, which the screen replaces by what it stands for.

mod found;
mod generate;

use std::io::BufRead as _;
use std::process::ExitCode;

use managed_agents::screen::StandardScreen;
use serde_json::{Value, json};

use found::Written;

fn main() -> ExitCode {
    let mut lines = Vec::new();
    for file in std::env::args().skip(1) {
        let file = std::io::BufReader::new(std::fs::File::open(&file).expect("a file of recorded calls"));
        for line in file.lines() {
            let call: Value = serde_json::from_str(&line.expect("text")).expect("a recorded call");
            let command = call.pointer("/tool_input/command").and_then(Value::as_str);
            lines.extend(command.map(str::to_owned));
        }
    }
    let recorded = lines.len();
    let generated = std::env::var("ORACLE_LINES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_000);
    lines.extend(generate::lines(generated));

    let screen = StandardScreen::default();
    let (mut parsed, mut commands, mut accepted, mut missed) = (0, 0, 0, 0);
    for (at, line) in lines.iter().enumerate() {
        let Some(written) = found::in_text(line) else {
            continue;
        };
        parsed += 1;
        let explanation = screen.explain("bash", &json!({ "command": line }));
        let limited = explanation
            .findings
            .iter()
            .any(|finding| matches!(finding.code, "screen_limit" | "screen_unparsed"));
        for command in &written {
            commands += 1;
            if explanation.commands.iter().any(|ours| command.fits(&ours.words)) {
                continue;
            }
            if limited || command.is_accepted(&written) {
                accepted += 1;
                continue;
            }
            missed += 1;
            let kind = if at < recorded { "recorded" } else { "generated" };
            println!("missed in a {kind} line: {command:?}\n    {}", line.escape_debug());
        }
    }
    println!(
        "{recorded} recorded and {generated} generated lines, {parsed} of them parsed by brush-parser; {commands} simple \
         commands, {accepted} accepted differences, {missed} missed"
    );
    if missed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

impl Written {
    /// Whether it is one of the differences that the text above names.
    fn is_accepted(&self, all: &[Self]) -> bool {
        let named = |name: &str| all.iter().any(|command| command.name() == Some(name));
        match self.name() {
            None => true,
            Some(name) => {
                self.functions.iter().any(|function| !named(function))
                    || all
                        .iter()
                        .any(|command| command.name() == Some("alias") && command.defines(name))
            }
        }
    }
}
