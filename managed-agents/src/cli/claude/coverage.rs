//! `claude coverage`.

use clap::Args;
use serde::Serialize;

use super::{Service, wait};
use crate::claude::{Coverage, GapKind};
use crate::cli::BAD;
use crate::cli::failure::{Failure, shown};
use crate::cli::output::Output;

/// Tells which calls of an agent would run without being asked about
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when each call is asked about, 2 when some are not, 1 on errors.

A call can be judged before it runs where the client runs the tool itself, or where the tool's policy is `always_ask`. With --fix,
`always_ask` is written into the default and every entry of each toolset, as a new version of the agent.

Example:
  managed-agents claude coverage agent_011CZkZcDH3vPqd7xnEfwTai")]
pub(in crate::cli) struct CoverageCommand {
    /// The agent's id, or a session's with --session
    id: String,

    /// Check a session, as it runs its agent in its environment
    #[arg(long, conflicts_with = "fix")]
    session: bool,

    /// Have each tool ask, and check again
    #[arg(long)]
    fix: bool,

    /// Print one line of JSON for each way past
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    service: Service,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line<'a> {
    agent: &'a str,
    place: &'a str,
    kind: &'a str,
    says: String,
}

impl CoverageCommand {
    pub(super) fn run(&self, out: &mut Output) -> Result<u8, Failure> {
        let client = self.service.client(None)?;
        let coverage = wait(async {
            let coverage = match (self.session, self.fix) {
                (true, _) => client.session_coverage(&self.id).await,
                (false, true) => client.close_gaps(&self.id).await,
                (false, false) => client.coverage(&self.id).await,
            };
            coverage.map_err(|error| Failure::of(&error))
        })?;
        self.print(&coverage, out)?;
        Ok(if coverage.is_whole() { 0 } else { BAD })
    }

    fn print(&self, coverage: &Coverage, out: &mut Output) -> Result<(), Failure> {
        for gap in coverage.gaps() {
            if self.json {
                out.json(&Line {
                    agent: gap.agent(),
                    place: gap.place(),
                    kind: code(gap.kind()),
                    says: gap.to_string(),
                })?;
            } else {
                out.line(shown(&gap.to_string()))?;
            }
        }
        if coverage.is_whole() && !self.json {
            out.line("each call is asked about before it runs")?;
        }
        Ok(())
    }
}

/// The stable word for a kind.
fn code(kind: &GapKind) -> &'static str {
    match kind {
        GapKind::AlwaysAllow => "always_allow",
        GapKind::Auto => "auto",
        GapKind::Unset => "unset",
        GapKind::UnknownPolicy(_) => "unknown_policy",
        GapKind::UnknownTool => "unknown_tool",
        GapKind::ServerWithoutTools => "server_without_tools",
        GapKind::InlineAgents => "inline_agents",
        GapKind::UnknownSubagents => "unknown_subagents",
        GapKind::UnknownEnvironment => "unknown_environment",
    }
}
