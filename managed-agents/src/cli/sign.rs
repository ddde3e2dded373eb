//! `config sign`: an approver says that configuration and policies are as they should be.

use std::path::PathBuf;

use clap::Args;

use super::failure::{Failure, shown_path};
use super::output::Output;
use super::place::Place;
use super::signing::Signer;
use crate::approval::StatementKind;
use crate::call::Digest;
use crate::config::{Config, FILE_NAME};
use crate::harness::policy_sources;
use crate::policy::Policies;

/// Signs the configuration and the policies that it names
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when they are signed, 1 when not.

A program with `.operator(..)` judges by no other configuration and by no other policies than those that were signed last.

Examples:
  managed-agents config sign
  managed-agents config sign --policies policies/ --as ann")]
pub(super) struct Sign {
    /// The file [default: ./managed-agents.toml, else $MANAGED_AGENTS_HOME/managed-agents.toml, unless --policies is said]
    file: Option<PathBuf>,

    /// Policies that a program reads by its code, in place of a configuration: files `*.cedar`, or directories of them
    #[arg(long, value_name = "PATH", conflicts_with = "file")]
    policies: Vec<PathBuf>,

    #[command(flatten)]
    signer: Signer,
}

impl Sign {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<(), Failure> {
        let mut about: Vec<(&str, String)> = Vec::new();
        let mut policies: Option<Digest> = None;
        if self.policies.is_empty() {
            let file = match &self.file {
                Some(file) => file.clone(),
                None => Config::find()?
                    .ok_or_else(|| Failure::new(format!("there is no {FILE_NAME} here nor in $MANAGED_AGENTS_HOME")))?,
            };
            let config = Config::load(&file)?;
            out.line(format_args!("{} is to be signed. It says:", shown_path(&file)))?;
            for line in config.describe().lines() {
                out.line(line)?;
            }
            about.extend(config.digest.map(|digest| ("config", digest.to_string())));
            policies = policy_sources(&config)?;
        } else {
            let paths = self.policies.iter();
            let builder = paths.fold(Policies::builder(), |builder, path| builder.path(path));
            let loaded = builder.load().map_err(|error| Failure::of(&error))?;
            out.line(format_args!("{} policies are to be signed.", loaded.len()))?;
            policies.replace(loaded.source_digest());
        }
        about.extend(policies.map(|digest| ("policies", digest.to_string())));
        out.flush()?;
        let home = place.home()?;
        let key = self.signer.unlock(home.keys())?;
        home.order(StatementKind::Rules, about, &key)?;
        out.line("Signed: programs that are started from now on may judge by it.")
    }
}
