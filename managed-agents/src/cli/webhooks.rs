//! `webhooks`: what is waiting to be delivered, and what nobody took.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::Failure;
use super::output::{Output, table};
use super::place::Place;
use super::table::plain;
use crate::config::Config;
use crate::webhooks::{Letters, Webhook, WebhookError, Webhooks};

#[derive(Debug, Subcommand)]
pub(super) enum WebhooksCommand {
    List(List),
    Retry(Retry),
    Run(Run),
}

/// Shows what is not delivered yet, and what is tried no more
#[derive(Args, Debug)]
pub(super) struct List {
    /// Print a line of JSON for each
    #[arg(long)]
    json: bool,
}

/// Tries a dead letter again
#[derive(Args, Debug)]
pub(super) struct Retry {
    /// Its number, as `webhooks list` shows it [default: all that are dead]
    letter: Option<i64>,
}

/// Delivers, as a program with these webhooks does, until it is stopped
#[derive(Args, Debug)]
#[command(after_help = "Of several processes over one data directory, one delivers.")]
pub(super) struct Run {
    /// Configuration file with `[webhooks.NAME]` [default: the managed-agents.toml that applies here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// End when so many seconds have passed
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line<'a> {
    letter: i64,
    webhook: &'a str,
    event: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    attempts: u64,
    dead: bool,
    error: &'a str,
}

impl WebhooksCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        match self {
            Self::List(list) => list.run(place, out)?,
            Self::Retry(retry) => retry.run(place, out)?,
            Self::Run(run) => run.run(place)?,
        }
        out.flush()?;
        Ok(0)
    }
}

fn letters(place: &Place) -> Result<Letters, Failure> {
    // nothing is made where there is no record
    place.reader()?;
    Ok(Webhooks::letters(place.dir()?)?)
}

impl List {
    fn run(&self, place: &Place, out: &mut Output) -> Result<(), Failure> {
        let letters = letters(place)?.all()?;
        let mut shown = table(["letter", "webhook", "type", "attempts", "state", "last error"], 6);
        for letter in &letters {
            if self.json {
                out.json(&Line {
                    letter: letter.id,
                    webhook: &letter.webhook,
                    event: &letter.event,
                    kind: &letter.kind,
                    attempts: letter.attempts,
                    dead: letter.dead,
                    error: &letter.error,
                })?;
                continue;
            }
            shown.add_row([
                letter.id.to_string(),
                plain(&letter.webhook),
                plain(&letter.kind),
                letter.attempts.to_string(),
                if letter.dead { "dead" } else { "waiting" }.to_owned(),
                plain(&letter.error),
            ]);
        }
        if self.json {
            return Ok(());
        }
        match letters.is_empty() {
            true => out.line("Everything is delivered."),
            false => out.line(shown),
        }
    }
}

impl Retry {
    fn run(&self, place: &Place, out: &mut Output) -> Result<(), Failure> {
        let letters = letters(place)?;
        let wanted: Vec<i64> = match self.letter {
            Some(letter) => vec![letter],
            None => {
                let dead = letters.all()?.into_iter().filter(|letter| letter.dead);
                dead.map(|letter| letter.id).collect()
            }
        };
        let mut revived = 0;
        for letter in wanted {
            revived += u64::from(letters.revive(letter)?);
        }
        if revived == 0 && self.letter.is_some() {
            return Err(Failure::new("there is no dead letter of that number"));
        }
        out.line(format_args!("{revived} letters are tried again by whoever delivers."))
    }
}

impl Run {
    fn run(&self, place: &Place) -> Result<(), Failure> {
        let file = match &self.config {
            Some(file) => Some(file.clone()),
            None => Config::find()?,
        };
        let config = file.map(Config::load).transpose()?.unwrap_or_default();
        let webhooks = Webhook::of_config(&config)?;
        if webhooks.is_empty() {
            return Err(Failure::new("the configuration names no webhook"));
        }
        let home = place.home()?;
        let mut builder = Webhooks::over(&home);
        for webhook in webhooks {
            builder = builder.webhook(webhook);
        }
        let running = builder.start()?;
        match self.seconds {
            Some(seconds) => std::thread::sleep(Duration::from_secs(seconds)),
            None => loop {
                std::thread::park();
            },
        }
        drop(running);
        Ok(())
    }
}

impl From<WebhookError> for Failure {
    fn from(error: WebhookError) -> Self {
        Self::of(&error)
    }
}
