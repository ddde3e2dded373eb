//! `claude`.

mod coverage;
mod govern;
mod lost;
mod run;

use std::future::Future;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::output::Output;
use super::place::Place;
use crate::claude::{ManagedAgents, built_in_tools};
use crate::harness::Harness;
use crate::http::{Endpoint, Secret};

#[derive(Debug, Subcommand)]
pub(super) enum ClaudeCommand {
    Coverage(coverage::CoverageCommand),
    Govern(govern::Govern),
    Run(run::Run),
    Lost(lost::Lost),
}

impl ClaudeCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        match self {
            Self::Coverage(coverage) => coverage.run(out),
            Self::Govern(govern) => govern.run(place, out),
            Self::Run(run) => run.run(place, out),
            Self::Lost(lost) => lost.run(place, out),
        }
    }
}

/// Where Claude is; the key is never an argument, which others on this machine could see.
#[derive(Args, Debug)]
struct Service {
    /// Where the API is, without /v1 [default: $ANTHROPIC_BASE_URL, else https://api.anthropic.com]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,

    /// What is sent as anthropic-version [default: 2026-10-21]
    #[arg(long, value_name = "DATE")]
    api_version: Option<String>,

    /// What is sent as anthropic-beta [default: managed-agents-2026-04-01]
    #[arg(long, value_name = "NAME")]
    beta: Option<String>,
}

impl Service {
    /// A client; a key that `bearer` names goes into `Authorization`, else it is `ANTHROPIC_API_KEY`'s.
    fn client(&self, bearer: Option<&str>) -> Result<ManagedAgents, Failure> {
        let mut client = ManagedAgents::builder();
        if let Some(url) = &self.base_url {
            client = client.base_url(Endpoint::parse(url).map_err(|error| Failure::of(&error))?);
        }
        if let Some(version) = &self.api_version {
            client = client.api_version(version);
        }
        if let Some(beta) = &self.beta {
            client = client.beta(beta);
        }
        if let Some(variable) = bearer {
            let key = std::env::var(variable).unwrap_or_default();
            let key = Secret::parse(&key).map_err(|error| Failure::new(format!("`{variable}`: {error}")))?;
            client = client.bearer(key);
        }
        client.build().map_err(|error| Failure::of(&error))
    }
}

/// Who judges.
#[derive(Args, Debug)]
struct Judge {
    /// Configuration file [default: ./managed-agents.toml, else the one in the data directory]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The agent that the calls are judged and recorded as [default: the configuration's, else $MANAGED_AGENTS_AGENT_ID]
    #[arg(long, value_name = "ID")]
    agent_id: Option<String>,
}

impl Judge {
    /// A harness that records in the data directory, and knows Claude's built-in tools.
    async fn harness(&self, place: &Place) -> Result<Harness, Failure> {
        let mut harness = Harness::builder().home(&place.home()?).config_from_env();
        if let Some(file) = &self.config {
            harness = harness.config(file);
        }
        if let Some(agent) = &self.agent_id {
            harness = harness.agent_id(agent);
        }
        for tool in built_in_tools() {
            harness = harness.declare(tool);
        }
        Ok(harness.build().await?)
    }
}

/// Runs a future to its end on a runtime of its own.
fn wait<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::of(&error))?.block_on(work)
}

/// Ends when the person at the shell presses Ctrl-C, or the process is asked to end.
async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // without a handler the process ends by the signal itself
    std::future::pending().await
}
