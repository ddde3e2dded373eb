//! `policy why`: which policies decided a record.

use clap::Args;

use super::By;
use super::recorded::{Found, read};
use crate::audit::Sequence;
use crate::cli::failure::{Failure, shown};
use crate::cli::output::Output;
use crate::cli::place::Place;

/// Says which policies decided a recorded call
#[derive(Args, Debug)]
#[command(after_help = "Exit code: 0, or 1 when there is no such decision or the record cannot be read.")]
pub(in crate::cli) struct Why {
    /// Place in the record, from 0, or an evaluation's id
    #[arg(value_name = "SEQ|EVALUATION")]
    what: String,

    #[command(flatten)]
    by: By,
}

impl Why {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let reader = place.reader()?;
        let entries = match self.what.parse::<u64>() {
            Ok(sequence) => reader.entry(Sequence::new(sequence))?.into_iter().collect(),
            Err(_) => reader.evaluation(&self.what)?,
        };
        let entry = entries
            .iter()
            .find(|entry| entry.kind() == "decision")
            .ok_or_else(|| Failure::new(format!("there is no decision `{}`", shown(&self.what))))?;
        let text = |key| {
            entry
                .untrusted(key)
                .map_or_else(|| "-".to_owned(), |text| text.terminal())
        };
        let codes: Vec<_> = entry.codes().iter().map(|code| code.terminal()).collect();
        let policies: Vec<_> = entry.policies().iter().map(|id| id.terminal()).collect();
        out.line(format_args!(
            "decision  {} ({}) of `{}`",
            text("decision"),
            text("disposition"),
            text("tool")
        ))?;
        out.line(format_args!("codes     {}", or_none(&codes)))?;
        out.line(format_args!("policies  {}", or_none(&policies)))?;
        out.line(format_args!("rules     {}", text("rules")))?;
        let Found::Recorded(recorded) = read(&reader, entry)? else {
            return Ok(0);
        };
        out.line(format_args!("engine    {}", recorded.inputs.decision))?;
        let mut judge = self.by.judge()?;
        if judge.rules() != Some(recorded.inputs.rules) {
            out.line("these rules are not those that it was judged by")?;
        }
        let again = judge.judge(
            &recorded.agent,
            &recorded.tool,
            &recorded.arguments,
            &recorded.inputs.facts,
            recorded.inputs.behaviour.as_ref(),
        );
        out.line(format_args!("today     {}", again.verdict.decision()))?;
        for reason in again.verdict.reasons() {
            out.line(format_args!("  {}: {}", reason.code(), shown(reason.detail())))?;
        }
        Ok(0)
    }
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
