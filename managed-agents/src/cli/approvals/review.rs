//! A waiting call as its reviewer sees it. Whatever the call holds is an attacker's text.

use serde_json::Value;

use super::{state, when};
use crate::approval::TicketState;
use crate::cli::failure::Failure;
use crate::cli::lookalikes::{deceives_somewhere, shown};
use crate::cli::output::Output;
use crate::cli::table::{line, plain};
use crate::store::{Query, Reader, Ticket};

/// A value of more characters is shown in three parts.
const WHOLE: usize = 4_000;
/// How much of a long value each part shows.
const PART: usize = 1_000;
/// How many of the agent's last calls are shown.
const HISTORY: usize = 10;

pub(super) fn print(reader: &Reader, ticket: &Ticket, out: &mut Output) -> Result<(), Failure> {
    lines(reader, ticket)?.iter().try_for_each(|line| out.line(line))
}

/// The whole view, a line each.
pub(super) fn lines(reader: &Reader, ticket: &Ticket) -> Result<Vec<String>, Failure> {
    let mut out = vec![
        format!("ticket     {}", plain(ticket.id())),
        format!("state      {}", state(reader, ticket)?),
        format!("agent      {}", plain(ticket.agent())),
    ];
    if let Some(session) = ticket.session() {
        out.push(format!("session    {}", shown(session)));
    }
    out.push(format!(
        "waits      since {}, until {}",
        when(ticket.opened_micros()),
        when(ticket.expires_micros())
    ));
    let Some(call) = ticket.shown() else {
        out.push("The data subject was erased: what the call was is not known any more.".to_owned());
        return Ok(out);
    };
    out.push(String::new());
    out.push(format!(
        "The agent wants to use the tool `{}`: {}",
        shown(ticket.tool()),
        shown(&call.description)
    ));
    if let Some(target) = &call.target {
        out.push(format!("aimed at   {}", shown(target)));
    }
    out.push(format!(
        "It is of {} risk, {}{}.",
        call.risk,
        match call.reversibility.as_str() {
            "unknown" => "and nobody says whether it can be undone",
            "reversible" => "and can be undone",
            _ => "and CANNOT be undone",
        },
        if call.read_only {
            "; it says that it only reads"
        } else {
            ""
        }
    ));
    out.push(String::new());
    out.push("with".to_owned());
    arguments(&call.arguments, &mut out);
    if call.redacted {
        out.push("  Values shown as [redacted] are hidden from you; approval binds them all the same.".to_owned());
    }
    if !call.not_judged.is_empty() {
        out.push(format!("  not judged: {}", plain(&call.not_judged.join(", "))));
    }
    if let Some(edit) = ticket.edit() {
        out.extend(changes(edit));
    }
    if deceives_somewhere(&call.arguments) {
        out.push("  CAREFUL: letters that look like others are shown as \\u{…}.".to_owned());
    }
    out.push(String::new());
    out.push("It waits because".to_owned());
    for reason in &call.reasons {
        out.push(format!("  {} ({})", shown(&reason.detail), plain(&reason.code)));
    }
    out.push(String::new());
    out.push(trust(reader, ticket)?);
    history(reader, ticket, &mut out)?;
    out.push(String::new());
    out.push(allows(ticket));
    Ok(out)
}

/// The arguments that a person puts in the place of the call's own.
pub(super) fn changes(edit: &str) -> Vec<String> {
    let mut out = vec!["but, as a person changed it, with".to_owned()];
    arguments(edit, &mut out);
    out
}

fn allows(ticket: &Ticket) -> String {
    let people = match ticket.needed() {
        0 | 1 => String::new(),
        number => format!(" once {number} people have approved it"),
    };
    match ticket.state() {
        TicketState::Pending => format!(
            "Approval lets agent {} make exactly this call once{people}, until {}. Nothing else.{}",
            plain(ticket.agent()),
            when(ticket.expires_micros()),
            if ticket.shown().is_some_and(|shown| shown.editable) {
                " You may change its arguments."
            } else {
                ""
            }
        ),
        _ => "It does not wait any more.".to_owned(),
    }
}

/// Each argument by its name, whole, or a long one in three parts.
fn arguments(json: &str, out: &mut Vec<String>) {
    let Ok(Value::Object(arguments)) = serde_json::from_str(json) else {
        value(json, out);
        return;
    };
    if arguments.is_empty() {
        out.push("  no arguments".to_owned());
    }
    let mut names: Vec<_> = arguments.iter().collect();
    names.sort_by_key(|(name, _)| name.as_str());
    for (name, argument) in names {
        let text = match argument {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        out.push(format!("  {} =", shown(name)));
        value(&text, out);
    }
}

fn value(text: &str, out: &mut Vec<String>) {
    let mut push = |part: &str| {
        // lines stay lines, so that a command can be read; everything else that controls is escaped
        out.extend(part.split('\n').map(|line| format!("    | {}", shown(line))));
    };
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= WHOLE {
        return push(text);
    }
    let part = |from: usize| -> String { characters.iter().skip(from).take(PART).collect() };
    let middle = characters.len() / 2 - PART / 2;
    push(&part(0));
    push(&format!("[… {} characters in all; from the middle:]", characters.len()));
    push(&part(middle));
    push("[… and the end:]");
    push(&part(characters.len() - PART));
}

/// What the agent had earned when it asked, in calls of this effect.
fn trust(reader: &Reader, ticket: &Ticket) -> Result<String, Failure> {
    #[derive(serde::Deserialize)]
    struct Noted {
        before: u32,
    }
    let entry = reader.entry(ticket.place())?;
    let noted = entry.as_ref().and_then(|entry| entry.raw("trust"));
    let noted: Option<Noted> = noted.and_then(|noted| serde_json::from_str(noted).ok());
    Ok(match noted {
        Some(noted) => format!(
            "When it asked, agent {} had earned a trust of {:.3} in calls of this effect, between 0 and 1.",
            plain(ticket.agent()),
            f64::from(noted.before) / 1e6
        ),
        None => format!(
            "Nothing is recorded of the trust that agent {} has earned.",
            plain(ticket.agent())
        ),
    })
}

/// What the agent did of late.
fn history(reader: &Reader, ticket: &Ticket, out: &mut Vec<String>) -> Result<(), Failure> {
    let query = Query::new().kind("decision").agent(ticket.agent()).newest_first();
    let page = reader.query(&query)?;
    out.push(format!("What agent {} did last", plain(ticket.agent())));
    for entry in page.entries().iter().take(HISTORY) {
        let word = |text: Option<crate::audit::export::Untrusted<'_>>| {
            text.map(|text| line(text.reveal())).unwrap_or_default()
        };
        out.push(format!(
            "  {}  {:<9} {}",
            entry.at().split('.').next().unwrap_or_default(),
            word(entry.disposition()),
            word(entry.tool())
        ));
    }
    Ok(())
}
