//! `claude run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Judge, Service, asked_to_end, govern, wait};
use crate::claude::{EnvironmentWorker, Workspace};
use crate::cli::failure::Failure;
use crate::cli::output::{Output, complain};
use crate::cli::place::Place;

/// Runs a self-hosted environment's tools here, each call judged by the configuration before it runs
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when it was asked to end, 1 on errors.

The environment's key is read from $ANTHROPIC_ENVIRONMENT_KEY. Tools for files open what is beneath the workspace and nothing else.
`bash` is not held back by that: this is no sandbox. Run it in a container, or under an account that may be lost.

Example:
  managed-agents claude run env_011CZkZ9X2dpNyB7HsEFoRfW --workspace /srv/work --agent-id coder")]
pub(in crate::cli) struct Run {
    /// The environment's id
    environment: String,

    /// The directory in which the tools work
    #[arg(long, value_name = "DIR")]
    workspace: PathBuf,

    /// Do not run `bash`
    #[arg(long)]
    no_bash: bool,

    /// Take sessions of which calls can slip past, such as those of MCP tools that do not ask
    #[arg(long)]
    accept_gaps: bool,

    /// How many seconds a call waits for a person before it is refused
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    approval_limit: u64,

    /// The worker's name, as the environment shows it
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    judge: Judge,

    #[command(flatten)]
    service: Service,
}

impl Run {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        keep_to_itself();
        let client = self.service.client(Some("ANTHROPIC_ENVIRONMENT_KEY"))?;
        let workspace = Workspace::open(&self.workspace).map_err(|error| Failure::of_file(&self.workspace, error))?;
        let workspace = if self.no_bash {
            workspace.without_bash()
        } else {
            workspace
        };
        out.line(format_args!("working in {}", workspace.root().display()))?;
        out.flush()?;
        wait(async {
            let harness = self.judge.harness(place).await?;
            let mut worker = EnvironmentWorker::new(&client, &harness, &self.environment, workspace)
                .approval_limit(Duration::from_secs(self.approval_limit))
                .on_session(told);
            if let Some(name) = &self.name {
                worker = worker.name(name);
            }
            if self.accept_gaps {
                worker = worker.accept_gaps();
            }
            let ended = worker.run_until(asked_to_end()).await;
            ended.map_err(|error| Failure::of(&error))
        })?;
        Ok(0)
    }
}

/// Keeps what runs under the same account, as the commands of `bash` do, from reading this process's memory and the variables that
/// it was started with; the key is in both.
fn keep_to_itself() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            complain(&format!("commands may read this program's key: {error}"));
        }
    }
}

fn told(session: &str, ended: &Result<crate::claude::SessionReport, crate::claude::SessionError>) {
    match ended {
        Ok(report) => {
            let mut out = Output::stdout();
            // where stdout cannot be written, the record says it all
            let _ = govern::print(session, report, true, &mut out).and_then(|()| out.flush());
        }
        Err(error) => complain(&format!("session {}: {}", Failure::of(&session), Failure::of(error))),
    }
}
