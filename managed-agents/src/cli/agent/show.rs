//! `agent show`.

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Line, state_of};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::passphrase::Passphrase;
use crate::cli::place::Place;
use crate::cli::table::plain;
use crate::home::{AgentSummary, Home, HomeError};
use crate::identity::{Passport, StateStatement};
use crate::store::Query;

#[derive(Args, Debug)]
pub(in crate::cli) struct Show {
    /// Agent's id
    agent: String,

    /// Print its X.509 certificate (PEM), for those who know no passports; needs the authority's key
    #[arg(long, conflicts_with = "json")]
    pem: bool,

    /// Print it as one line of JSON, with the signed passport and every signed statement
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    passphrase: Passphrase,
}

/// A statement about an agent, and its place in the log.
struct Event {
    sequence: u64,
    body: Box<RawValue>,
}

/// The keys are stable.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    line: Line<'a>,
    statements: Vec<Stated<'a>>,
}

#[derive(Serialize)]
struct Stated<'a> {
    seq: u64,
    statement: &'a RawValue,
}

impl Show {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<(), Failure> {
        let home = if self.pem {
            place.home_of_operator(&self.passphrase)?
        } else {
            place.home()?
        };
        let known = home.agent(&self.agent)?;
        let known = known.ok_or_else(|| Failure::new(format!("agent `{}` is not registered", plain(&self.agent))))?;
        if self.pem {
            let pem = home.certificate(&self.agent)?.to_pem();
            return out.line(pem.trim_end());
        }
        let events = history(&home, &self.agent)?;
        if self.json {
            let statements = events.iter().map(|event| Stated {
                seq: event.sequence,
                statement: &event.body,
            });
            return out.json(&Shown {
                line: Line::of(&known),
                statements: statements.collect(),
            });
        }
        print(&known, &events, out)
    }
}

fn history(home: &Home, agent: &str) -> Result<Vec<Event>, Failure> {
    let reader = home.store().reader()?;
    let mut query = Query::new().kind("agent").agent(agent);
    let mut events = Vec::new();
    loop {
        let page = reader.query(&query)?;
        for entry in page.entries() {
            let body = entry.raw("body").map(|body| RawValue::from_string(body.to_owned()));
            if let Some(Ok(body)) = body {
                events.push(Event {
                    sequence: entry.sequence(),
                    body,
                });
            }
        }
        match page.next() {
            Some(cursor) => query = query.after(cursor),
            None => return Ok(events),
        }
    }
}

fn print(known: &AgentSummary, events: &[Event], out: &mut Output) -> Result<(), Failure> {
    let passport = known.passport();
    let rows = [
        ("agent", Some(known.agent().to_owned())),
        ("state", Some(state_of(known))),
        ("passport", Some(passport.id().to_string())),
        ("trust domain", Some(passport.trust_domain().as_str().to_owned())),
        ("issued", Some(passport.issued().to_string())),
        ("expires", Some(passport.expires().to_string())),
        ("owner", passport.owner().map(str::to_owned)),
        ("organization", passport.organization().map(str::to_owned)),
        ("archetype", passport.archetype().map(str::to_owned)),
        ("zone", passport.zone().map(str::to_owned)),
        ("scope", Some(passport.scope().to_string())),
        ("follows", passport.lineage().map(|id| id.to_string())),
        ("handed on by", passport.parent().map(|id| id.to_string())),
        ("signed by", Some(passport.signer().to_string())),
    ];
    for (name, value) in rows {
        if let Some(value) = value {
            out.line(format_args!(
                "{name:<13} {}",
                crate::audit::export::Untrusted::new(value).terminal()
            ))?;
        }
    }
    out.line("history")?;
    for event in events {
        out.line(format_args!("  {:>8}  {}", event.sequence, told(event)?))?;
    }
    Ok(())
}

/// What a statement says, in a line.
fn told(event: &Event) -> Result<String, Failure> {
    if let Ok(passport) = Passport::parse(event.body.get()) {
        let how = if passport.lineage().is_some() {
            "renewed"
        } else {
            "registered"
        };
        return Ok(format!(
            "{} {how}, {} until {}",
            passport.issued(),
            passport.id(),
            passport.expires()
        ));
    }
    let stated = StateStatement::parse(event.body.get()).map_err(HomeError::from)?;
    Ok(format!(
        "{} {} ({})",
        stated.at(),
        stated.state().as_str(),
        plain(stated.reason())
    ))
}
