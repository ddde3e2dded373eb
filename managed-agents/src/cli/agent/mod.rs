//! `agent`: who may act, and who may not any more.

mod register;
mod show;

use std::io::Write as _;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::Failure;
use super::output::{Output, table};
use super::passphrase::{Passphrase, is_attended};
use super::place::Place;
use super::signing::Signer;
use super::table::plain;
use crate::home::{AgentSummary, Home};
use crate::identity::{AgentState, Moment, Passport};

/// How long an agent may renew its identity by itself, where the operator keeps the authority's key.
const MANDATE: Duration = Duration::from_secs(30 * 24 * 3600);

#[derive(Debug, Subcommand)]
pub(super) enum AgentCommand {
    /// Registers an agent, or gives a registered one a new passport
    #[command(after_help = "Exit code: 0 when it is registered, 1 when not; a revoked agent cannot be.")]
    Register(register::Register),
    /// Prints every agent as a table
    #[command(after_help = "Exit code: 0, or 1 when the record cannot be read.")]
    List {
        /// Print each agent as one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Prints an agent's passport, how it stands, and how it came there
    #[command(after_help = "Exit code: 0, or 1 when the agent is not registered or the record cannot be read.")]
    Show(show::Show),
    /// Denies an agent's calls until it is reactivated
    #[command(after_help = "Exit code: 0 when it is suspended, which every process sees at its next call; 1 when not.")]
    Suspend(Change),
    /// Ends a suspension
    #[command(after_help = "\
Exit code: 0 when it may act again; 1 when not: a revoked agent never may.

Needs the authority's key. Where there is a root approver (`approver init`), an approver signs the order as well, with the key that --as
names.")]
    Reactivate {
        #[command(flatten)]
        change: Change,

        #[command(flatten)]
        signer: Signer,
    },
    /// Denies an agent's calls for good
    #[command(after_help = "\
Exit code: 0 when it is revoked, which every process sees at its next call; 1 when not.

Nothing ends a revocation. A terminal asks whether it is meant; scripts say --yes.")]
    Revoke {
        #[command(flatten)]
        change: Change,

        /// It is meant
        #[arg(long)]
        yes: bool,
    },
    /// Gives an agent a new passport for the same rights
    #[command(after_help = "Exit code: 0 when it is renewed, 1 when not.")]
    Renew {
        /// Agent's id
        agent: String,

        #[command(flatten)]
        passphrase: Passphrase,
    },
}

#[derive(Args, Debug)]
pub(super) struct Change {
    /// Agent's id
    agent: String,

    /// Why, as a code of your own in snake case
    #[arg(long, value_name = "CODE", default_value = "operator")]
    reason: String,

    #[command(flatten)]
    passphrase: Passphrase,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line<'a> {
    agent: &'a str,
    state: &'static str,
    reason: Option<&'a str>,
    passport: String,
    issued: String,
    expires: String,
    expired: bool,
    owner: Option<&'a str>,
    organization: Option<&'a str>,
    archetype: Option<&'a str>,
    zone: Option<&'a str>,
    scope: &'a crate::identity::Scope,
    passports: usize,
}

impl<'a> Line<'a> {
    fn of(known: &'a AgentSummary) -> Self {
        let passport = known.passport();
        Self {
            agent: known.agent(),
            state: known.state().as_str(),
            reason: known.last_statement().map(crate::identity::StateStatement::reason),
            passport: passport.id().to_string(),
            issued: passport.issued().to_string(),
            expires: passport.expires().to_string(),
            expired: passport.expires() <= Moment::now(),
            owner: passport.owner(),
            organization: passport.organization(),
            archetype: passport.archetype(),
            zone: passport.zone(),
            scope: passport.scope(),
            passports: known.passports(),
        }
    }
}

impl AgentCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        match self {
            Self::Register(register) => register.run(place, out)?,
            Self::List { json } => list(place, *json, out)?,
            Self::Show(show) => show.run(place, out)?,
            Self::Suspend(change) => change.run(place, AgentState::Suspended, None, out)?,
            Self::Reactivate { change, signer } => change.run(place, AgentState::Active, Some(signer), out)?,
            Self::Revoke { change, yes } => {
                if !yes {
                    change.confirm()?;
                }
                change.run(place, AgentState::Revoked, None, out)?;
            }
            Self::Renew { agent, passphrase } => {
                let home = place.home_of_operator(passphrase)?;
                let passport = home.renew(agent)?;
                hand_mandate(&home, &passport)?;
                say(&passport, "is renewed", out)?;
            }
        }
        out.flush()?;
        Ok(0)
    }
}

impl Change {
    fn confirm(&self) -> Result<(), Failure> {
        if !is_attended() {
            return Err(Failure::new("a revocation is for good: say --yes if it is meant"));
        }
        let mut err = std::io::stderr();
        let agent = plain(&self.agent);
        // where the question cannot be written, the answer will not fit
        let _ = write!(
            err,
            "Nothing ends a revocation. Write `{agent}` to revoke it for good: "
        )
        .and_then(|()| err.flush());
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        if read.is_err() || answer.trim() != self.agent {
            return Err(Failure::new("nothing was revoked"));
        }
        Ok(())
    }

    fn run(&self, place: &Place, state: AgentState, signer: Option<&Signer>, out: &mut Output) -> Result<(), Failure> {
        let home = place.home_of_operator(&self.passphrase)?;
        let key = match signer {
            Some(signer) => signer.unlock_where_needed(&home)?,
            None => None,
        };
        let stated = match key {
            Some(key) => home.reactivate_signed(&self.agent, &self.reason, &key)?,
            None => home.set_state(&self.agent, state, &self.reason)?,
        };
        out.line(format_args!(
            "{} is {} from {} on.",
            plain(stated.agent()),
            stated.state().as_str(),
            stated.at()
        ))
    }
}

fn list(place: &Place, json: bool, out: &mut Output) -> Result<(), Failure> {
    let agents = place.home()?.agents()?;
    if json {
        return agents.iter().try_for_each(|known| out.json(&Line::of(known)));
    }
    let header = [
        "agent",
        "state",
        "expires",
        "owner",
        "archetype",
        "zone",
        "scope",
        "passports",
    ];
    let mut table = table(header, header.len() - 1);
    for known in &agents {
        let passport = known.passport();
        let text = |text: Option<&str>| text.map(plain).unwrap_or_default();
        table.add_row([
            plain(known.agent()),
            state_of(known),
            passport.expires().to_string(),
            text(passport.owner()),
            text(passport.archetype()),
            text(passport.zone()),
            plain(&passport.scope().to_string()),
            known.passports().to_string(),
        ]);
    }
    out.line(table)
}

/// The state in a word, and whether an active agent's passport is over.
fn state_of(known: &AgentSummary) -> String {
    let over = known.state() == AgentState::Active && known.passport().expires() <= Moment::now();
    let word = known.state().as_str();
    if over {
        format!("{word}, expired")
    } else {
        word.to_owned()
    }
}

fn say(passport: &Passport, what: &str, out: &mut Output) -> Result<(), Failure> {
    out.line(format_args!(
        "{} {what}: {}, until {}.",
        plain(passport.agent()),
        passport.id(),
        passport.expires()
    ))
}

/// Where the operator keeps the authority's key, the agent's program could not renew what it has.
fn hand_mandate(home: &Home, passport: &Passport) -> Result<(), Failure> {
    let (true, Some(authority)) = (home.keys().is_locked(), home.authority()) else {
        return Ok(());
    };
    let verified = authority.trust().verify(std::slice::from_ref(passport))?;
    // short passports need many renewals, of which a mandate holds 400
    let time = MANDATE.min(passport.lifetime() / 2 * 390);
    let mandate = authority.mandate(&verified, AgentState::Active, time, passport.issued())?;
    Ok(home.keys().keep_mandate(&mandate)?)
}
