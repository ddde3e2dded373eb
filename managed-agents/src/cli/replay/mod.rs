//! `replay`: judges recorded calls, a line at a time.

mod histogram;
mod lines;
mod progress;
mod summary;

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use super::failure::{Failure, shown_path};
use super::judging::{Rules, Ruling};
use super::output::{Output, complain};
use crate::harness::Harness;
use lines::{Lines, RecordedCall};
use progress::Progress;
use summary::Summary;

/// Judges recorded calls; nothing runs
#[derive(Args, Debug)]
#[command(after_help = "\
Each line of a file is a JSON object with `id`, `tool_name` and `tool_input`; other keys are passed over. A line that is
not is reported with file and line number, counted, and the rest is judged all the same.

Exit code: 0 when every line was judged, whatever the verdicts; 1 when a line or a file could not be read.

The calls are judged by the screen and the operator's rules alone, each for itself: no service is asked, nothing is stored.

Examples:
  managed-agents replay calls.jsonl
  managed-agents replay *.jsonl --json > decisions.jsonl
  tail -f calls.jsonl | managed-agents replay - --json --agent support-bot")]
pub(super) struct Replay {
    /// Files of recorded calls; `-` is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,

    #[command(flatten)]
    rules: Rules,

    /// Print one line of JSON for each call, with `id`, `decision`, `reason` and `micros`, in place of the summary
    #[arg(long)]
    json: bool,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a RawValue,
    decision: &'static str,
    reason: Option<&'a str>,
    micros: f64,
}

/// One replay under way.
struct Run<'a> {
    harness: Harness,
    json: bool,
    out: &'a mut Output,
    progress: Progress,
    summary: Summary,
    /// Lines and files that could not be read.
    faults: u64,
}

impl Replay {
    pub(super) fn run(&self, out: &mut Output) -> Result<u8, Failure> {
        let began = Instant::now();
        let mut run = Run {
            harness: self.rules.harness()?,
            json: self.json,
            progress: Progress::over(&self.files, self.json && io::stdout().is_terminal()),
            out,
            summary: Summary::default(),
            faults: 0,
        };
        for file in &self.files {
            run.file(file)?;
            if run.out.is_closed() {
                break;
            }
        }
        run.progress.finish();
        if !self.json {
            run.summary.print(run.out, began.elapsed(), run.faults)?;
        }
        run.out.flush()?;
        if run.faults > 0 {
            complain(&format!(
                "error: {} could not be read and had no verdict",
                counted(run.faults)
            ));
        }
        Ok(u8::from(run.faults > 0))
    }
}

impl Run<'_> {
    fn file(&mut self, file: &Path) -> Result<(), Failure> {
        if file == Path::new("-") {
            return self.lines(Lines::of(io::stdin().lock()), "-");
        }
        let name = shown_path(file);
        match File::open(file) {
            Ok(open) => self.lines(Lines::of(open), &name),
            Err(error) => {
                self.fault(&format!("{name}: {error}"));
                Ok(())
            }
        }
    }

    fn lines<R: io::Read>(&mut self, mut lines: Lines<R>, name: &str) -> Result<(), Failure> {
        loop {
            if lines.would_wait() {
                self.out.flush()?;
            }
            match lines.next() {
                Ok(Some(line)) => {
                    match RecordedCall::parse(line) {
                        Ok(call) => self.judge(&call)?,
                        Err(fault) => {
                            let fault = format!("{name}:{}: {fault}", lines.number());
                            self.fault(&fault);
                        }
                    }
                    self.progress.advance(lines.take_consumed());
                }
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.fault(&format!("{name}:{}: {error}", lines.number() + 1));
                    return Ok(());
                }
            }
            if self.out.is_closed() {
                return Ok(());
            }
        }
    }

    fn judge(&mut self, call: &RecordedCall<'_>) -> Result<(), Failure> {
        let ruling = Ruling::of(&self.harness, &call.tool, call.input);
        if self.json {
            return self.out.json(&Line {
                id: call.id,
                decision: ruling.decision().code(),
                reason: ruling.reason(),
                micros: ruling.micros(),
            });
        }
        self.summary.add(&call.tool, &ruling);
        Ok(())
    }

    fn fault(&mut self, fault: &str) {
        self.faults += 1;
        self.progress.above(|| complain(fault));
    }
}

fn counted(faults: u64) -> String {
    match faults {
        1 => "1 line or file".to_owned(),
        many => format!("{many} lines or files"),
    }
}
