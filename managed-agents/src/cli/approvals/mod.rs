//! `approvals`: calls that wait for people.

mod review;
mod watch;

use std::time::SystemTime;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::Failure;
use super::output::{Output, table};
use super::place::Place;
use super::signing::Signer;
use super::table::plain;
use crate::answer::wait;
use crate::approval::{ShownCall, TicketState};
use crate::home::{Choice, Home};
use crate::identity::Moment;
use crate::store::{Reader, Ticket, TicketQuery};

#[derive(Debug, Subcommand)]
pub(super) enum ApprovalsCommand {
    /// Prints the calls that wait as a table
    #[command(after_help = "Exit code: 0, or 1 when the record cannot be read.")]
    List {
        /// Also those that are closed, newest first
        #[arg(long)]
        all: bool,

        /// Of one agent only
        #[arg(long, value_name = "ID")]
        agent: Option<String>,

        /// At most so many
        #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
        limit: usize,

        /// Print each ticket as one line of JSON
        #[arg(long)]
        json: bool,
    },
    Figures(super::figures::Figures),
    /// Prints one waiting call as its reviewer sees it
    #[command(after_help = "Exit code: 0, or 1 when there is no such ticket.")]
    Show {
        /// Ticket's id
        ticket: String,

        /// Print it as one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Approves a waiting call: it may run once, with exactly its arguments, or with those that you change
    #[command(after_help = "\
Exit code: 0 when it is approved, 1 when not.

Prints the whole call, or of a long value its length, beginning, middle and end, and then asks for the passphrase on the terminal.

With --edit the arguments that it names take the place of the call's own, and all others stay as they are. The edited call is judged anew
when the agent makes its call again, and the model is told what was changed. Only calls of tools that are `exact` can be edited.

Example:
  managed-agents approvals approve tkt_0123 --edit '{\"cents\": 50}'")]
    Approve {
        /// Ticket's id
        ticket: String,

        /// Only in the session in which the call was made first
        #[arg(long)]
        same_session: bool,

        /// Arguments to change: one JSON object, or a file that holds it
        #[arg(long, value_name = "JSON|FILE")]
        edit: Option<String>,

        /// How long the approval may be used, such as 15m [default: as long as the ticket]
        #[arg(long, value_name = "TIME", value_parser = super::when::length)]
        within: Option<std::time::Duration>,

        #[command(flatten)]
        signer: Signer,
    },
    /// Rejects a waiting call
    #[command(after_help = "Exit code: 0 when it is rejected, 1 when not.")]
    Reject {
        /// Ticket's id
        ticket: String,

        /// Why, in words that the model is told
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,

        #[command(flatten)]
        signer: Signer,
    },
    /// Closes a ticket, also one that was approved and not used yet
    #[command(after_help = "Exit code: 0 when it is closed, 1 when not.")]
    Cancel(One),
    /// Shows what waits as it comes, with keys to decide
    #[command(after_help = "\
Exit code: 0 when it was left with q, 1 when there is no terminal.

Keys: up and down choose, enter shows the whole call, space goes on in it, a approves what was shown to its end, e approves it with
other arguments, r rejects, c cancels, q leaves. The passphrase is asked for once, when the first decision is made.")]
    Watch {
        #[command(flatten)]
        signer: Signer,
    },
}

#[derive(Args, Debug)]
pub(super) struct One {
    /// Ticket's id
    ticket: String,

    #[command(flatten)]
    signer: Signer,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    state: &'static str,
    agent: &'a str,
    tool: &'a str,
    session: Option<&'a str>,
    opened: String,
    expires: String,
    approvers_needed: u8,
    decisions: Vec<u64>,
    /// The arguments with which it was approved in place of its own.
    edit: Option<&'a serde_json::value::RawValue>,
    opened_by: u64,
    ran: Option<u64>,
    outcome: Option<String>,
    call: Option<&'a ShownCall>,
}

impl ApprovalsCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        match self {
            Self::List {
                all,
                agent,
                limit,
                json,
            } => {
                let query = if *all { TicketQuery::all() } else { TicketQuery::open() };
                let query = agent.iter().fold(query, |query, agent| query.agent(agent));
                list(place, &query.most(*limit), *json, out)?;
            }
            Self::Figures(figures) => return figures.run(place, out),
            Self::Show { ticket, json } => {
                let reader = place.reader()?;
                let found = find(&reader, ticket)?;
                if *json {
                    out.json(&line(&reader, &found)?)?;
                } else {
                    review::print(&reader, &found, out)?;
                }
            }
            Self::Approve {
                ticket,
                same_session,
                edit,
                within,
                signer,
            } => {
                let edit = edit.as_deref().map(written).transpose()?;
                let mut choice = edit.map_or_else(Choice::approve, Choice::edit);
                if *same_session {
                    choice = choice.in_same_session();
                }
                if let Some(within) = within {
                    choice = choice.until(Moment::now().after(*within));
                }
                decide(place, ticket, &choice, signer, out)?;
                let left = find(&place.reader()?, ticket)?;
                let what = if left.state() == TicketState::Pending {
                    "is approved by you; others must approve it as well."
                } else {
                    "is approved. The agent may make the call once more, and it runs."
                };
                out.line(format_args!("{} {what}", plain(ticket)))?;
            }
            Self::Reject { ticket, reason, signer } => {
                decide(place, ticket, &Choice::reject(reason), signer, out)?;
                out.line(format_args!("{} is rejected.", plain(ticket)))?;
            }
            Self::Cancel(One { ticket, signer }) => {
                decide(place, ticket, &Choice::cancel(), signer, out)?;
                out.line(format_args!("{} is closed.", plain(ticket)))?;
            }
            Self::Watch { signer } => watch::run(&place.home()?, signer)?,
        }
        out.flush()?;
        Ok(0)
    }
}

/// Shows the call first, and asks for the passphrase only then.
fn decide(place: &Place, ticket: &str, choice: &Choice, signer: &Signer, out: &mut Output) -> Result<(), Failure> {
    let home = place.home()?;
    let reader = home.store().reader()?;
    let found = find(&reader, ticket)?;
    review::print(&reader, &found, out)?;
    for line in edited(&found, choice)? {
        out.line(line)?;
    }
    out.flush()?;
    let key = signer.unlock(home.keys())?;
    home.decide(ticket, choice, &key)
        .map(|_| ())
        .map_err(|error| Failure::of(&error))
}

/// What a choice changes of a call, a line each; an error where that is not possible.
fn edited(ticket: &Ticket, choice: &Choice) -> Result<Vec<String>, Failure> {
    match choice.edit_of(ticket).map_err(|error| Failure::of(&error))? {
        Some(edit) => Ok(review::changes(&edit)),
        None => Ok(Vec::new()),
    }
}

/// The JSON of an edit, as an argument or in a file.
fn written(edit: &str) -> Result<String, Failure> {
    if edit.trim_start().starts_with('{') {
        return Ok(edit.to_owned());
    }
    std::fs::read_to_string(edit).map_err(|error| Failure::of_file(edit.as_ref(), error))
}

fn find(reader: &Reader, ticket: &str) -> Result<Ticket, Failure> {
    reader
        .ticket(ticket)?
        .ok_or_else(|| Failure::new(format!("there is no ticket `{}`", plain(ticket))))
}

fn list(place: &Place, query: &TicketQuery, json: bool, out: &mut Output) -> Result<(), Failure> {
    let home = place.home()?;
    close_expired(&home)?;
    let reader = home.store().reader()?;
    let tickets = reader.tickets(query)?;
    if json {
        for ticket in &tickets {
            out.json(&line(&reader, ticket)?)?;
        }
        return Ok(());
    }
    let mut table = table(["ticket", "state", "agent", "tool", "waits since", "expires", "why"], 7);
    for ticket in &tickets {
        let why = ticket.shown().map(|shown| {
            let codes: Vec<_> = shown.reasons.iter().map(|reason| reason.code.as_str()).collect();
            plain(&codes.join(", "))
        });
        table.add_row([
            plain(ticket.id()),
            state(&reader, ticket)?,
            plain(ticket.agent()),
            plain(ticket.tool()),
            when(ticket.opened_micros()),
            when(ticket.expires_micros()),
            why.unwrap_or_else(|| "erased".to_owned()),
        ]);
    }
    out.line(table)
}

/// Tickets whose time is over are recorded as expired by whoever looks.
fn close_expired(home: &Home) -> Result<(), Failure> {
    let now = Moment::from(SystemTime::now()).as_micros();
    let due = home
        .store()
        .reader()?
        .tickets(&TicketQuery::open())?
        .iter()
        .any(|ticket| ticket.expires_micros() <= now);
    if due {
        wait(home.store().expire_tickets(now))?;
    }
    Ok(())
}

fn line<'a>(reader: &Reader, ticket: &'a Ticket) -> Result<Line<'a>, Failure> {
    Ok(Line {
        id: ticket.id(),
        state: ticket.state().as_str(),
        agent: ticket.agent(),
        tool: ticket.tool(),
        session: ticket.session(),
        opened: when(ticket.opened_micros()),
        expires: when(ticket.expires_micros()),
        approvers_needed: ticket.needed(),
        edit: ticket.edit().and_then(|edit| serde_json::from_str(edit).ok()),
        decisions: ticket.decisions().iter().map(|place| place.get()).collect(),
        opened_by: ticket.place().get(),
        ran: ticket.ran().map(crate::audit::Sequence::get),
        outcome: outcome(reader, ticket)?,
        call: ticket.shown(),
    })
}

/// The state, and of a used ticket how its call ended.
fn state(reader: &Reader, ticket: &Ticket) -> Result<String, Failure> {
    Ok(match outcome(reader, ticket)? {
        Some(outcome) => format!("{}, outcome {}", ticket.state(), plain(&outcome)),
        None => ticket.state().to_string(),
    })
}

/// How the call of a used ticket ended: `running` while it does.
fn outcome(reader: &Reader, ticket: &Ticket) -> Result<Option<String>, Failure> {
    let Some(ran) = ticket.ran() else { return Ok(None) };
    let decision = reader.entry(ran)?;
    let evaluation = decision.as_ref().and_then(crate::audit::entry::Entry::evaluation);
    let Some(evaluation) = evaluation else {
        return Ok(Some("unknown".to_owned()));
    };
    let entries = reader.evaluation(evaluation.reveal())?;
    let ended = entries.iter().rev().find_map(crate::audit::entry::Entry::outcome);
    Ok(Some(
        ended.map_or_else(|| "running".to_owned(), |word| word.reveal().to_owned()),
    ))
}

fn when(micros: i64) -> String {
    let text = Moment::from_micros(micros).to_string();
    // to the second
    format!("{}Z", text.split('.').next().unwrap_or_default())
}
