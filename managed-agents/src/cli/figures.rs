//! `approvals figures`: how people decide.

use std::time::SystemTime;

use clap::Args;

use super::failure::Failure;
use super::output::{Output, table};
use super::place::Place;
use super::progress::Bar;
use super::table::plain;
use super::when;
use crate::report::{Decided, Report, length};

/// Shows how people decide: how fast, how often they approve, and how long without a rejection
#[derive(Args, Debug)]
#[command(after_help = "\
Counted from the record's entries. They are signs of habit; none says that a decision was right or wrong.

Exit code: 0, or 1 when the record cannot be read.")]
pub(super) struct Figures {
    /// Not before: 2026-11-24, 2026-11-24T09:30:00Z, or 90m, 12h, 7d ago [default: the first entry]
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    from: Option<SystemTime>,

    /// Before that time [default: the last entry is the last that counts]
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    to: Option<SystemTime>,

    /// Print everything as one line of JSON
    #[arg(long)]
    json: bool,
}

impl Figures {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let reader = place.reader()?;
        let bar = Bar::over(0, "entries");
        let figures = Report::count(&reader, self.from, self.to, |done, total| bar.at_of(done, total))?;
        drop(bar);
        let people = figures.reviewers();
        if self.json {
            out.json(people)?;
            out.flush()?;
            return Ok(0);
        }
        out.line(format_args!(
            "{} tickets opened, {} untouched, {} expired.",
            people.opened, people.untouched, people.expired
        ))?;
        let header = [
            "approver",
            "decided",
            "approved",
            "edited",
            "rejected",
            "rate",
            "median time",
            "shortest",
            "longest streak",
            "streak now",
            "drift alarms",
        ];
        let mut shown = table(header, 1);
        for (key, decided) in &people.approvers {
            let name = decided.name.as_deref().unwrap_or(key);
            shown.add_row(row(plain(name), decided));
        }
        shown.add_row(row("all".to_owned(), &people.all));
        out.line(shown)?;
        out.flush()?;
        Ok(0)
    }
}

fn row(name: String, decided: &Decided) -> [String; 11] {
    let time = |micros: Option<u64>| micros.map(length).unwrap_or_default();
    [
        name,
        decided.decisions.to_string(),
        decided.approved.to_string(),
        decided.edited.to_string(),
        decided.rejected.to_string(),
        decided
            .approval_rate
            .map(|rate| format!("{} %", rate / 10_000))
            .unwrap_or_default(),
        time(decided.median_micros),
        time(decided.shortest_micros),
        decided.longest_streak.to_string(),
        decided.streak.to_string(),
        decided.drift_alarms.to_string(),
    ]
}
