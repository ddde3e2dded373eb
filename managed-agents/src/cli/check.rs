//! `check`: one verdict on one call.

use std::io::Read as _;

use clap::Args;
use serde::Serialize;

use super::failure::{Failure, shown};
use super::judging::{Rules, Ruling};
use super::output::{Output, wants_colour};
use crate::verdict::{Decision, Reason};

/// More than any arguments that are judged.
const MOST_BYTES: u64 = 2 * 1024 * 1024;

/// Judges one call; nothing runs
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 allow, 2 deny, 3 escalate (a person must decide), 1 error.

The call is judged by the screen and the operator's rules alone: no service is asked, nothing is stored.

Examples:
  managed-agents check --tool bash --input '{\"command\":\"ls -la\"}'
  managed-agents check --tool refund --input - --agent support-bot --json < call.json")]
pub(super) struct Check {
    /// Name of the tool
    #[arg(long, value_name = "NAME")]
    tool: String,

    /// Arguments of the call, a JSON object; `-` reads them from standard input
    #[arg(long, value_name = "JSON")]
    input: String,

    #[command(flatten)]
    rules: Rules,

    /// Print the verdict as one line of JSON
    #[arg(long)]
    json: bool,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line<'a> {
    tool: &'a str,
    decision: &'static str,
    reason: Option<&'a str>,
    for_model: Option<&'a str>,
    detail: Option<&'a str>,
    reasons: Vec<&'a str>,
    micros: f64,
}

impl Check {
    pub(super) fn run(&self, out: &mut Output) -> Result<u8, Failure> {
        let harness = self.rules.harness()?;
        let input = self.input()?;
        if !is_object(&input) {
            return Err(Failure::new("the input is not a JSON object"));
        }
        let ruling = Ruling::of(&harness, &self.tool, &input);
        if self.json {
            self.print_json(out, &ruling)?;
        } else {
            print(out, &ruling)?;
        }
        out.flush()?;
        Ok(match ruling.decision() {
            Decision::Allow => 0,
            Decision::Deny => 2,
            Decision::Escalate => 3,
        })
    }

    fn input(&self) -> Result<String, Failure> {
        if self.input != "-" {
            return Ok(self.input.clone());
        }
        let mut text = String::new();
        std::io::stdin()
            .take(MOST_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| Failure::new(format!("standard input cannot be read: {error}")))?;
        Ok(text)
    }

    fn print_json(&self, out: &mut Output, ruling: &Ruling) -> Result<(), Failure> {
        let denied = ruling.denied();
        out.json(&Line {
            tool: &self.tool,
            decision: ruling.decision().code(),
            reason: ruling.reason(),
            for_model: denied.map(crate::GovernanceDenied::reason_for_model),
            detail: denied.map(crate::GovernanceDenied::detail),
            reasons: codes(ruling),
            micros: ruling.micros(),
        })
    }
}

/// Whether a text is one JSON object, however it is to be judged.
fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}

fn codes(ruling: &Ruling) -> Vec<&str> {
    match (ruling.reasons(), ruling.reason()) {
        ([], Some(code)) => vec![code],
        (reasons, _) => reasons.iter().map(Reason::code).collect(),
    }
}

fn print(out: &mut Output, ruling: &Ruling) -> Result<(), Failure> {
    let word = word(ruling.decision());
    let Some(denied) = ruling.denied() else {
        return out.line(word);
    };
    out.line(format_args!("{word} {}", codes(ruling).join(" ")))?;
    out.line(format_args!(
        "  the model is told: {}",
        shown(denied.reason_for_model())
    ))?;
    if denied.detail() != denied.reason_for_model() {
        out.line(format_args!("  the operator: {}", shown(denied.detail())))?;
    }
    Ok(())
}

fn word(decision: Decision) -> String {
    let code = decision.code();
    if !wants_colour() {
        return code.to_owned();
    }
    let colour = match decision {
        Decision::Allow => 32,
        Decision::Escalate => 33,
        Decision::Deny => 31,
    };
    format!("\x1b[{colour}m{code}\x1b[0m")
}
