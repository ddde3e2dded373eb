//! `check`: one verdict on one call.

use std::io::Read as _;

use clap::Args;
use serde::Serialize;

use super::explain;
use super::failure::{Failure, shown};
use super::judging::{Rules, Ruling};
use super::output::{Output, wants_colour};
use crate::screen::Explanation;
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
  managed-agents check --tool bash --input '{\"command\":\"x=/; rm -rf $x\"}' --explain
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

    /// Say what the screen understood: commands as they would run, what was found in them, where and why
    #[arg(long)]
    explain: bool,

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
    /// With `--explain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'a Explanation>,
}

impl Check {
    pub(super) fn run(&self, out: &mut Output) -> Result<u8, Failure> {
        let harness = self.rules.harness()?;
        let input = self.input()?;
        if !is_object(&input) {
            return Err(Failure::new("the input is not a JSON object"));
        }
        let ruling = Ruling::of(&harness, &self.tool, &input);
        let explanation = match self.explain {
            true => Some(harness.explain(&self.tool, &arguments(&input)?)),
            false => None,
        };
        if self.json {
            self.print_json(out, &ruling, explanation.as_ref())?;
        } else {
            print(out, &ruling)?;
            if let Some(explanation) = &explanation {
                explain::print(out, explanation)?;
            }
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

    fn print_json(&self, out: &mut Output, ruling: &Ruling, explanation: Option<&Explanation>) -> Result<(), Failure> {
        let denied = ruling.denied();
        out.json(&Line {
            tool: &self.tool,
            decision: ruling.decision().code(),
            reason: ruling.reason(),
            for_model: denied.map(crate::GovernanceDenied::reason_for_model),
            detail: denied.map(crate::GovernanceDenied::detail),
            reasons: codes(ruling),
            micros: ruling.micros(),
            explanation,
        })
    }
}

/// Whether a text is one JSON object, however it is to be judged.
fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}

/// The arguments as the screen reads them. What a harness refuses to represent is denied before it is screened.
fn arguments(text: &str) -> Result<serde_json::Value, Failure> {
    serde_json::from_str(text).map_err(|_| Failure::new("the input cannot be explained: it is nested too deeply"))
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

pub(super) fn word(decision: Decision) -> String {
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
