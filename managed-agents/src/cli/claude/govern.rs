//! `claude govern`.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::{Judge, Service, asked_to_end, wait};
use crate::claude::{CallEnd, SessionEnd, SessionGovernor, SessionReport};
use crate::cli::BAD;
use crate::cli::failure::{Failure, shown};
use crate::cli::output::Output;
use crate::cli::place::Place;

/// Governs a session: each built-in and MCP call that asks is judged by the configuration, and allowed or refused
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 at the end of the turn, 2 when a call's outcome is not known, a call stayed without an answer, or somebody stopped the
session, its agent or everything (`managed-agents stop`), 1 on errors.

Custom tools are run by the program that has them; their calls are left to it. Ctrl-C and a stop interrupt the session: what runs at
Anthropic then is recorded as outside.

Example:
  managed-agents claude govern sesn_011CZkZAtmR3yMPDzynEDxu7 --agent-id support-bot")]
pub(in crate::cli) struct Govern {
    /// The session's id
    session: String,

    /// Say this to the session first
    #[arg(long, value_name = "TEXT", conflicts_with = "stay")]
    say: Option<String>,

    /// Go on after the end of a turn, until the session is over
    #[arg(long)]
    stay: bool,

    /// Go on although calls can slip past (see `claude coverage`)
    #[arg(long)]
    accept_gaps: bool,

    /// How many seconds a call waits for a person before it is refused
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    approval_limit: u64,

    /// Print each call as one line of JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    judge: Judge,

    #[command(flatten)]
    service: Service,
}

/// The keys are stable.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    session: &'a str,
    event: &'a str,
    tool: &'a str,
    end: &'static str,
    answered: bool,
}

impl Govern {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let client = self.service.client(None)?;
        let report = wait(async {
            let harness = self.judge.harness(place).await?;
            let mut governor =
                SessionGovernor::builder(&client, &harness).approval_limit(Duration::from_secs(self.approval_limit));
            if self.accept_gaps {
                governor = governor.accept_gaps();
            }
            if self.stay {
                governor = governor.stay();
            }
            let governor = governor.build().map_err(|error| Failure::of(&error))?;
            let ended = match &self.say {
                Some(text) => governor.converse_until(&self.session, text, asked_to_end()).await,
                None => governor.run_until(&self.session, asked_to_end()).await,
            };
            ended.map_err(|error| Failure::of(&error))
        })?;
        print(&self.session, &report, self.json, out)?;
        Ok(code(&report))
    }
}

/// Shows what came of a session.
pub(super) fn print(session: &str, report: &SessionReport, json: bool, out: &mut Output) -> Result<(), Failure> {
    for call in report.calls() {
        let line = Line {
            session,
            event: call.event(),
            tool: call.tool(),
            end: word(call.end()),
            answered: call.is_answered(),
        };
        if json {
            out.json(&line)?;
        } else {
            let open = if line.answered { "" } else { ", without an answer" };
            out.line(format_args!(
                "{:<12} {} ({}){open}",
                line.end,
                shown(line.tool),
                shown(line.event)
            ))?;
        }
    }
    let outside = report.outside().iter().map(|call| ("outside", call));
    let unowned = report.unowned().iter().map(|call| ("not_ours", call));
    for (end, call) in outside.chain(unowned) {
        if json {
            out.json(&Line {
                session,
                event: call.event(),
                tool: call.tool(),
                end,
                answered: false,
            })?;
        } else {
            out.line(format_args!(
                "{end:<12} {} ({})",
                shown(call.tool()),
                shown(call.event())
            ))?;
        }
    }
    if !json {
        out.line(match report.end() {
            Some(SessionEnd::Turn(stop)) => format!("the turn is over: {}", shown(&format!("{stop:?}"))),
            Some(SessionEnd::Terminated) => "the session is over".to_owned(),
            Some(SessionEnd::Deleted) => "the session was deleted".to_owned(),
            Some(SessionEnd::Stopped) => "the session was stopped".to_owned(),
            Some(SessionEnd::Cancelled) => "the session was interrupted".to_owned(),
            None => "governing broke off".to_owned(),
        })?;
    }
    Ok(())
}

pub(super) fn code(report: &SessionReport) -> u8 {
    let bad = |call: &crate::claude::GovernedCall| call.end() == CallEnd::Unknown || !call.is_answered();
    let stopped = report.end() == Some(&SessionEnd::Stopped);
    if stopped || report.calls().iter().any(bad) {
        BAD
    } else {
        0
    }
}

/// The stable word for an end.
fn word(end: CallEnd) -> &'static str {
    match end {
        CallEnd::Done => "done",
        CallEnd::Failed => "failed",
        CallEnd::Allowed => "allowed",
        CallEnd::Refused => "refused",
        CallEnd::Cancelled => "cancelled",
        CallEnd::Unknown => "unknown",
        CallEnd::AnsweredBefore => "before",
        CallEnd::Dropped => "dropped",
    }
}
