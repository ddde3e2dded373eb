//! `policy`: checks, tests, compares and replays policies.

mod recorded;
mod replay;
mod test;
mod why;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::failure::{Failure, shown};
use super::judging::configuration;
use super::output::Output;
use super::place::Place;
use super::tools::tools_of;
use crate::harness::Rejudge;
use crate::policy::Policies;

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Checks policies against what is known of the tools
    #[command(after_help = "\
Exit code: 0 when they can be put into force, 1 when not; each error names file and line.

Examples:
  managed-agents policy check
  managed-agents policy check --policies policies/ --tools tools.json")]
    Check {
        #[command(flatten)]
        by: By,
    },
    Test(test::Test),
    Diff(replay::Diff),
    Why(why::Why),
    Replay(replay::Replay),
}

/// By which rules.
#[derive(Args, Debug)]
pub(super) struct By {
    /// Configuration file [default: ./managed-agents.toml, else $MANAGED_AGENTS_HOME/managed-agents.toml, where there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Policies in place of the configuration's: files `*.cedar`, or directories of them
    #[arg(long, value_name = "PATH")]
    policies: Vec<PathBuf>,

    /// What a program knows of its tools, as it wrote it with `config::write_tools`
    #[arg(long, value_name = "FILE")]
    tools: Option<PathBuf>,
}

impl By {
    fn judge(&self) -> Result<Rejudge, Failure> {
        let config = configuration(self.config.as_ref())?.unwrap_or_default();
        let tools = self.tools.as_deref().map(tools_of).transpose()?.unwrap_or_default();
        let instead = (!self.policies.is_empty()).then(|| {
            self.policies
                .iter()
                .fold(Policies::builder(), |policies, path| policies.path(path))
        });
        Ok(Rejudge::new(&config, tools, instead)?)
    }
}

impl PolicyCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let code = match self {
            Self::Check { by } => check(by, out)?,
            Self::Test(test) => test.run(out)?,
            Self::Diff(diff) => diff.run(place, out)?,
            Self::Why(why) => why.run(place, out)?,
            Self::Replay(replay) => replay.run(place, out)?,
        };
        out.flush()?;
        Ok(code)
    }
}

fn check(by: &By, out: &mut Output) -> Result<u8, Failure> {
    let judge = by.judge()?;
    let policies = judge.policies().ok_or_else(|| {
        Failure::new("there are no policies: name them with --policies, or as `policies` in the configuration")
    })?;
    for warning in policies.warnings() {
        out.line(format_args!("warning: {}", shown(&warning.to_string())))?;
    }
    let (count, digest) = (policies.len(), policies.digest());
    out.line(format_args!(
        "{count} policies can be put into force (digest {digest})."
    ))?;
    Ok(0)
}
