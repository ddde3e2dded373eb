//! How commands judge: by the operator's rules, over fresh state.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use super::failure::Failure;
use crate::config::{Config, read_tools};
use crate::error::{DenialKind, GovernanceDenied};
use crate::harness::{Harness, judging};
use crate::verdict::{Decision, Reason};

/// By what is judged.
#[derive(Args, Debug)]
pub(super) struct Rules {
    /// Configuration file [default: ./managed-agents.toml, else $MANAGED_AGENTS_HOME/managed-agents.toml, where there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Judge as this agent: its scope holds, and a tool that nothing declares waits for a person
    #[arg(long, value_name = "ID")]
    agent: Option<String>,

    /// What a program knows of its tools, as it wrote it with `config::write_tools`
    #[arg(long, value_name = "FILE")]
    tools: Option<PathBuf>,
}

impl Rules {
    /// A harness that judges by these rules.
    pub(super) fn harness(&self) -> Result<Harness, Failure> {
        let tools = match &self.tools {
            Some(file) => {
                let open = std::fs::File::open(file).map_err(|error| Failure::of_file(file, error))?;
                read_tools(open).map_err(|error| Failure::of_tools(file, &error))?
            }
            None => Vec::new(),
        };
        let config = configuration(self.config.as_ref())?.unwrap_or_default();
        Ok(judging(&config, tools, self.agent.as_deref())?)
    }
}

/// The configuration that is named, else the one that applies here.
pub(super) fn configuration(file: Option<&PathBuf>) -> Result<Option<Config>, Failure> {
    let file = match file {
        Some(file) => Some(file.clone()),
        None => Config::find()?,
    };
    Ok(file.map(Config::load).transpose()?)
}

/// What was decided on a call.
pub(super) struct Ruling {
    pub(super) took: Duration,
    denied: Option<GovernanceDenied>,
}

impl Ruling {
    /// Judges one call. Nothing runs.
    pub(super) fn of(harness: &Harness, tool: &str, input: &str) -> Self {
        let began = Instant::now();
        let judged = harness.govern(tool, input).blocking();
        let took = began.elapsed();
        Self {
            took,
            denied: judged.err(),
        }
    }

    pub(super) fn decision(&self) -> Decision {
        match &self.denied {
            None => Decision::Allow,
            Some(denied) if denied.kind() == DenialKind::Escalated => Decision::Escalate,
            Some(_) => Decision::Deny,
        }
    }

    /// The code of the deciding reason; an allowed call has none.
    pub(super) fn reason(&self) -> Option<&str> {
        self.denied.as_ref().map(GovernanceDenied::code)
    }

    pub(super) fn denied(&self) -> Option<&GovernanceDenied> {
        self.denied.as_ref()
    }

    /// Every reason, the deciding one first.
    pub(super) fn reasons(&self) -> &[Reason] {
        self.denied
            .as_ref()
            .and_then(GovernanceDenied::verdict)
            .map(crate::Verdict::reasons)
            .unwrap_or_default()
    }

    pub(super) fn micros(&self) -> f64 {
        self.took.as_nanos() as f64 / 1_000.0
    }
}
