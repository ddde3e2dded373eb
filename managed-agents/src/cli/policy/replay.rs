//! `policy replay` and `policy diff`: recorded calls, judged again.

use std::path::PathBuf;

use clap::Args;

use super::By;
use super::recorded::{Found, each};
use crate::cli::BAD;
use crate::cli::failure::{Failure, shown};
use crate::cli::output::Output;
use crate::cli::place::Place;

/// Judges every recorded decision again, on the inputs of its record
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when every decision that was made under these rules is made again, 2 when one is not, 1 on an error.

What is judged again is what the embedded engine decided: scope, declared risk and policies. Decisions that were made under
other rules (policies, scopes, version) or of another definition of their tool are counted, and no fault; those whose values
were erased cannot be judged again.")]
pub(in crate::cli) struct Replay {
    #[command(flatten)]
    by: By,
}

/// Says which recorded calls other policies would decide differently
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when none would be decided differently, 3 when some would, 1 on an error.

Each call is judged on the inputs of its record, its history among them: what other policies would have refused before still
counts in it.

Example:
  managed-agents policy diff --candidate next/policies --config managed-agents.toml")]
pub(in crate::cli) struct Diff {
    /// The other policies: files `*.cedar`, or directories of them
    #[arg(long, required = true, value_name = "PATH")]
    candidate: Vec<PathBuf>,

    /// Show at most so many calls
    #[arg(long, value_name = "N", default_value_t = 50)]
    most: u64,

    #[command(flatten)]
    by: By,
}

impl Replay {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let mut judge = self.by.judge()?;
        let rules = judge.rules();
        let (mut same, mut other_rules, mut other_tool, mut erased, mut without, mut wrong) = (0, 0, 0, 0, 0, 0);
        each(&place.reader()?, |found| {
            let recorded = match found {
                Found::Recorded(recorded) => recorded,
                Found::Erased => {
                    erased += 1;
                    return Ok(());
                }
                Found::Without => {
                    without += 1;
                    return Ok(());
                }
                Found::Differs(place) => {
                    wrong += 1;
                    return out.line(format_args!(
                        "record {place}: its values are not those that it commits to"
                    ));
                }
            };
            if rules != Some(recorded.inputs.rules) {
                other_rules += 1;
                return Ok(());
            }
            let again = judge.judge(
                &recorded.agent,
                &recorded.tool,
                &recorded.arguments,
                &recorded.inputs.facts,
                recorded.inputs.behaviour.as_ref(),
            );
            if again.definition.to_string() != recorded.definition {
                other_tool += 1;
            } else if again.verdict.decision() == recorded.inputs.decision {
                same += 1;
            } else {
                wrong += 1;
                let (place, tool) = (recorded.place, shown(&recorded.tool));
                let (now, then) = (again.verdict.decision(), recorded.inputs.decision);
                out.line(format_args!("record {place}: `{tool}` is {now}, and was {then}"))?;
            }
            Ok(())
        })?;
        out.line(format_args!(
            "{same} decided alike, {wrong} not; {other_rules} under other rules, {other_tool} of tools defined otherwise, \
             {erased} erased, {without} without inputs."
        ))?;
        Ok(if wrong == 0 { 0 } else { BAD })
    }
}

impl Diff {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let mut now = self.by.judge()?;
        let candidate = By {
            config: self.by.config.clone(),
            policies: self.candidate.clone(),
            tools: self.by.tools.clone(),
        };
        let mut next = candidate.judge()?;
        let (mut judged, mut differing, mut erased) = (0_u64, 0_u64, 0_u64);
        each(&place.reader()?, |found| {
            let recorded = match found {
                Found::Recorded(recorded) => recorded,
                Found::Erased => {
                    erased += 1;
                    return Ok(());
                }
                Found::Without | Found::Differs(_) => return Ok(()),
            };
            judged += 1;
            let (tool, arguments) = (&recorded.tool, &recorded.arguments);
            // what the candidate reads and the record lacks is as at the beginning
            let facts = next.completed(tool, arguments, recorded.inputs.facts.clone());
            let bearing = recorded.inputs.behaviour.as_ref();
            let before = now.judge(&recorded.agent, tool, arguments, &facts, bearing);
            let before = before.verdict.decision();
            let after = next.judge(&recorded.agent, tool, arguments, &facts, bearing);
            if before != after.verdict.decision() {
                differing += 1;
                if differing <= self.most {
                    let policies: Vec<_> = after.policies.iter().map(|id| shown(id)).collect();
                    let (after, policies) = (after.verdict.decision(), policies.join(", "));
                    out.line(format_args!(
                        "record {}: `{}` of {} {before} -> {after} [{policies}]",
                        recorded.place,
                        shown(tool),
                        recorded.agent
                    ))?;
                }
            }
            Ok(())
        })?;
        out.line(format_args!(
            "{differing} of {judged} calls would be decided differently; {erased} were erased."
        ))?;
        Ok(if differing == 0 { 0 } else { 3 })
    }
}
