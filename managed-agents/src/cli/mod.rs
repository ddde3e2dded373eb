//! The program `managed-agents`. It judges through the same [`Harness`](crate::Harness) as a program does.

mod agent;
mod approvals;
mod approver;
mod audit;
mod check;
mod claude;
mod config;
mod copies;
mod drift;
mod erase;
mod evidence;
mod explain;
mod failure;
mod figures;
mod init;
mod judging;
mod lookalikes;
mod output;
mod passphrase;
mod place;
mod plot;
mod policy;
mod progress;
mod replay;
mod report;
mod retention;
mod reviewers;
mod sign;
mod signing;
mod stop;
mod table;
mod tools;
mod trust;
mod webhooks;
mod when;
mod witness;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::Output;

/// What the program says when it could not do what it was asked; usage errors too, since 2 is a denial.
const ERROR: u8 = 1;

/// What is checked is bad: a record, a copy, a receipt.
const BAD: u8 = 2;

/// Runs the program with this process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // where neither stdout nor stderr can be written, the exit code says it all
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { ERROR } else { 0 });
        }
    };
    let mut out = Output::stdout();
    let place = &arguments.place;
    let result = match arguments.command {
        Command::Check(check) => check.run(&mut out),
        Command::Replay(replay) => replay.run(&mut out),
        Command::Config { command } => command.run(place, &mut out),
        Command::Tools { command } => command.run(&mut out),
        Command::Init(init) => init.run(place, &mut out),
        Command::Agent { command } => command.run(place, &mut out),
        Command::Approver { command } => command.run(place, &mut out),
        Command::Approvals { command } => command.run(place, &mut out),
        Command::Audit { command } => command.run(place, &mut out),
        Command::Witness { command } => command.run(place, &mut out),
        Command::Policy { command } => command.run(place, &mut out),
        Command::Report(report) => report.run(place, &mut out),
        Command::Erase(erase) => erase.run(place, &mut out),
        Command::Retention { command } => command.run(place, &mut out),
        Command::Webhooks { command } => command.run(place, &mut out),
        Command::Evidence(evidence) => evidence.run(place, &mut out),
        Command::Claude { command } => command.run(place, &mut out),
        Command::Trust(trust) => trust.run(place, &mut out),
        Command::Drift(drift) => drift.run(place, &mut out),
        Command::Stop(stop) => stop.run(place, &mut out),
        Command::Resume(resume) => resume.run(place, &mut out),
        Command::Backup(backup) => backup.run(place, &mut out),
        Command::Restore(restore) => restore.run(place, &mut out),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output::complain(&format!("error: {failure}"));
            ExitCode::from(ERROR)
        }
    }
}

/// Governs what AI agents do: judges tool calls by the same rules as a governed program, and keeps their record.
#[derive(Debug, Parser)]
#[command(name = "managed-agents", version, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    place: place::Place,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Check),
    Replay(replay::Replay),
    /// Explains the configuration file `managed-agents.toml`
    Config {
        #[command(subcommand)]
        command: config::ConfigCommand,
    },
    /// Shows and checks what is known of tools
    Tools {
        #[command(subcommand)]
        command: tools::ToolsCommand,
    },
    Init(init::Init),
    /// Registers, shows, suspends and revokes agents
    Agent {
        #[command(subcommand)]
        command: agent::AgentCommand,
    },
    /// Says who may approve
    Approver {
        #[command(subcommand)]
        command: approver::ApproverCommand,
    },
    /// Shows and decides on calls that wait for people
    Approvals {
        #[command(subcommand)]
        command: approvals::ApprovalsCommand,
    },
    /// Reads, checks, exports and proves the record
    Audit {
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
    /// Is a witness of other logs
    Witness {
        #[command(subcommand)]
        command: witness::WitnessCommand,
    },
    /// Checks, tests, compares and replays policies
    Policy {
        #[command(subcommand)]
        command: policy::PolicyCommand,
    },
    Report(report::ReportCommand),
    Evidence(evidence::EvidenceCommand),
    /// Shows what is waiting to be delivered to webhooks, and delivers it
    Webhooks {
        #[command(subcommand)]
        command: webhooks::WebhooksCommand,
    },
    Erase(erase::EraseCommand),
    /// Removes values by age, and keeps what a hold is about
    Retention {
        #[command(subcommand)]
        command: retention::RetentionCommand,
    },
    /// Governs sessions of Claude Managed Agents, and runs self-hosted environments
    Claude {
        #[command(subcommand)]
        command: claude::ClaudeCommand,
    },
    Trust(trust::Trust),
    Drift(drift::Drift),
    Stop(stop::Stop),
    Resume(stop::Resume),
    Backup(copies::BackupCommand),
    Restore(copies::RestoreCommand),
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory as _;
        super::Arguments::command().debug_assert();
    }
}
