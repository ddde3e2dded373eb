//! `retention`: values that are removed by age, and holds that keep them.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::Failure;
use super::output::{Output, table};
use super::passphrase::Passphrase;
use super::place::Place;
use super::progress::Bar;
use super::signing::Signer;
use super::table::line as plain;
use crate::audit::Sequence;
use crate::config::Config;
use crate::store::{Hold, RetentionRule};

#[derive(Debug, Subcommand)]
pub(super) enum RetentionCommand {
    List(List),
    Run(Run),
    Hold(HoldCommand),
    Release(Release),
}

/// Shows the rules of the configuration, what each would remove now, and the holds that stand
#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    rules: Rules,

    /// Print a line of JSON for each rule and each hold
    #[arg(long)]
    json: bool,
}

/// Removes values that are older than the rules of the configuration say
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when it is done; 1 when not.

Rules stand in managed-agents.toml:
  [[retention]]
  older_than = \"180d\"
  tool = \"lookup*\"               # left out: every tool
  subject = \"ann@example.com\"    # left out: every data subject

A hold keeps what it is about, whatever a rule says. Each run is recorded, and the log verifies as before. Copies of the record that were
made earlier still have the values: delete them in the same time, or erase the subject, which destroys its key.")]
pub(super) struct Run {
    #[command(flatten)]
    rules: Rules,

    /// Remove nothing, and say what would be removed
    #[arg(long)]
    dry_run: bool,

    /// Print what was done as one line of JSON
    #[arg(long)]
    json: bool,
}

/// Begins a hold: what it keeps is removed by no rule, and no subject of it is erased
#[derive(Args, Debug)]
#[command(after_help = "Without --subject and --tool it keeps everything. Exit code: 0, or 1 when it is not recorded.")]
pub(super) struct HoldCommand {
    /// Keep the values of this data subject only
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,

    /// Keep the values of this tool's calls only
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
}

/// Ends a hold
#[derive(Args, Debug)]
pub(super) struct Release {
    /// The hold, by the number that `retention list` shows
    hold: u64,

    #[command(flatten)]
    signer: Signer,

    #[command(flatten)]
    passphrase: Passphrase,
}

#[derive(Args, Debug)]
struct Rules {
    /// Configuration file [default: the managed-agents.toml that applies here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line {
    removed: u64,
    held: u64,
    dry_run: bool,
}

#[derive(Serialize)]
struct RuleLine<'a> {
    rule: usize,
    older_than_days: u64,
    tool: Option<&'a str>,
    subject: Option<&'a str>,
    would_remove: u64,
    held: u64,
}

#[derive(Serialize)]
struct HoldLine<'a> {
    hold: u64,
    since: &'a str,
    subject: Option<u32>,
    tool: Option<&'a str>,
}

impl RetentionCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        match self {
            Self::List(list) => list.run(place, out)?,
            Self::Run(run) => run.run(place, out)?,
            Self::Hold(hold) => hold.run(place, out)?,
            Self::Release(release) => release.run(place, out)?,
        }
        out.flush()?;
        Ok(0)
    }
}

impl Rules {
    fn read(&self) -> Result<Vec<RetentionRule>, Failure> {
        let file = match &self.config {
            Some(file) => Some(file.clone()),
            None => Config::find()?,
        };
        let config = file.map(Config::load).transpose()?.unwrap_or_default();
        let rules = config.retention.iter().map(|settings| {
            let mut rule = RetentionRule::new(settings.older_than);
            if let Some(tool) = &settings.tool {
                rule = rule.tool(tool);
            }
            if let Some(subject) = &settings.subject {
                rule = rule.subject(subject);
            }
            rule
        });
        Ok(rules.collect())
    }
}

impl List {
    fn run(&self, place: &Place, out: &mut Output) -> Result<(), Failure> {
        let rules = self.rules.read()?;
        let home = place.home()?;
        let now = SystemTime::now();
        let mut shown = table(["rule", "older than", "tool", "subject", "would remove", "held"], 4);
        for (number, rule) in rules.iter().enumerate() {
            let would = home.store().retain(std::slice::from_ref(rule), now, true, |_| ())?;
            let days = rule.older_than().as_secs() / 86_400;
            if self.json {
                out.json(&RuleLine {
                    rule: number + 1,
                    older_than_days: days,
                    tool: rule.tools(),
                    subject: rule.of_subject(),
                    would_remove: would.removed,
                    held: would.held,
                })?;
                continue;
            }
            shown.add_row([
                (number + 1).to_string(),
                format!("{days} d"),
                rule.tools().map_or_else(|| "every tool".to_owned(), plain),
                rule.of_subject().map_or_else(|| "every subject".to_owned(), plain),
                would.removed.to_string(),
                would.held.to_string(),
            ]);
        }
        let reader = home.store().reader()?;
        let holds = reader.holds()?;
        if !self.json {
            match rules.is_empty() {
                true => out.line("No rule: values are kept until their subject is erased.")?,
                false => out.line(shown)?,
            }
        }
        let mut shown = table(["hold", "since", "tool", "subject"], 4);
        for hold in &holds {
            if self.json {
                out.json(&HoldLine {
                    hold: hold.place().get(),
                    since: hold.since(),
                    subject: hold.subject(),
                    tool: hold.tool(),
                })?;
                continue;
            }
            shown.add_row([
                hold.place().get().to_string(),
                hold.since().to_owned(),
                hold.tool().map_or_else(|| "every tool".to_owned(), plain),
                hold.subject()
                    .map_or_else(|| "every subject".to_owned(), |number| format!("number {number}")),
            ]);
        }
        if !self.json {
            match holds.is_empty() {
                true => out.line("No hold stands.")?,
                false => out.line(shown)?,
            }
        }
        Ok(())
    }
}

impl Run {
    fn run(&self, place: &Place, out: &mut Output) -> Result<(), Failure> {
        let rules = self.rules.read()?;
        let home = place.home()?;
        let bar = Bar::over(0, "calls");
        let done = home
            .store()
            .retain(&rules, SystemTime::now(), self.dry_run, |seen| bar.at_of(seen, seen))?;
        drop(bar);
        if self.json {
            return out.json(&Line {
                removed: done.removed,
                held: done.held,
                dry_run: self.dry_run,
            });
        }
        let what = if self.dry_run {
            "would be removed"
        } else {
            "are removed"
        };
        out.line(format_args!(
            "The values of {} calls {what}; holds keep those of {}.",
            done.removed, done.held
        ))
    }
}

impl HoldCommand {
    fn run(&self, place: &Place, out: &mut Output) -> Result<(), Failure> {
        let mut hold = Hold::everything();
        if let Some(subject) = &self.subject {
            hold = hold.subject(subject);
        }
        if let Some(tool) = &self.tool {
            hold = hold.tool(tool);
        }
        let begun = place.home()?.hold(&hold)?;
        out.line(format_args!(
            "Hold {0} stands; `managed-agents retention release {0}` ends it.",
            begun.get()
        ))
    }
}

impl Release {
    fn run(&self, place: &Place, out: &mut Output) -> Result<(), Failure> {
        let home = place.home()?;
        let hold = Sequence::new(self.hold);
        if home.root()?.is_some() {
            home.release_signed(hold, &self.signer.unlock(home.keys())?)?;
        } else {
            drop(home);
            place.home_of_operator(&self.passphrase)?.release(hold)?;
        }
        out.line(format_args!("Hold {} is released.", self.hold))
    }
}
