//! `policy test`: cases of a file.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

use super::By;
use crate::call::{AgentId, CanonicalWriter};
use crate::cli::BAD;
use crate::cli::failure::{Failure, shown};
use crate::cli::output::Output;
use crate::policy::Facts;
use crate::verdict::{Decision, Reason};

/// The largest file of cases.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Judges made-up calls, and says which are not decided as expected
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when every call is decided as expected, 2 when one is not, 1 on an error.

A file holds a JSON list of cases: {\"name\": …, \"agent\": …, \"tool\": …, \"input\": {…}, \"expect\": \"allow|deny|escalate\"}, and, where
it matters, \"code\" (of the deciding reason), \"policies\" (ids of all that decided), and \"facts\": \"at\" (seconds since 1970),
\"target\", \"session\", \"history\" (such as {\"calls_1h\": 3}), \"trust\", \"trust_lower\" and \"ucs\" (in ten-thousandths), \"drifted\",
\"archetype\", \"zone\". Policies alone are tested, with scopes and declared risk: the screen and people come after them.")]
pub(in crate::cli) struct Test {
    /// Files of cases
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    by: By,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default = "nobody")]
    agent: String,
    tool: String,
    #[serde(default)]
    input: serde_json::Map<String, serde_json::Value>,
    expect: Decision,
    code: Option<String>,
    policies: Option<Vec<String>>,
    #[serde(default)]
    facts: Facts,
}

fn nobody() -> String {
    "agent".to_owned()
}

impl Test {
    pub(super) fn run(&self, out: &mut Output) -> Result<u8, Failure> {
        let mut judge = self.by.judge()?;
        let (mut all, mut wrong) = (0, 0);
        for file in &self.files {
            for case in read(file)? {
                all += 1;
                let agent = AgentId::parse(&case.agent).map_err(|error| Failure::of_file(file, error))?;
                let mut writer = CanonicalWriter::default();
                writer
                    .value(&case.input)
                    .map_err(|error| Failure::of_file(file, error))?;
                let input = String::from_utf8(writer.finish()).map_err(|error| Failure::of_file(file, error))?;
                let facts = judge.completed(&case.tool, &input, case.facts.clone());
                let judged = judge.judge(&agent, &case.tool, &input, &facts, None);
                let reason = judged.verdict.reasons().first();
                let code = reason.map(Reason::code);
                let ids = || case.policies.iter().flatten().map(String::as_str);
                let as_expected = judged.verdict.decision() == case.expect
                    && (case.code.is_none() || case.code.as_deref() == code)
                    && (case.policies.is_none() || ids().eq(judged.policies.iter().map(AsRef::as_ref)));
                if as_expected {
                    continue;
                }
                wrong += 1;
                let policies: Vec<_> = judged.policies.iter().map(|id| shown(id)).collect();
                out.line(format_args!(
                    "{}: {}, not {}{} [{}]",
                    shown(&case.name),
                    judged.verdict.decision(),
                    case.expect,
                    reason
                        .map(|reason| format!(": {}: {}", reason.code(), shown(reason.detail())))
                        .unwrap_or_default(),
                    policies.join(", ")
                ))?;
            }
        }
        out.line(format_args!("{} of {all} calls are decided as expected.", all - wrong))?;
        Ok(if wrong == 0 { 0 } else { BAD })
    }
}

fn read(file: &PathBuf) -> Result<Vec<Case>, Failure> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(file)
        .and_then(|open| open.take(MOST_BYTES).read_to_string(&mut text))
        .map_err(|error| Failure::of_file(file, error))?;
    serde_json::from_str(&text).map_err(|error| Failure::of_file(file, error))
}
