//! `trust`: what an agent has earned, computed again from its record.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use serde::Serialize;

use super::BAD;
use super::failure::Failure;
use super::output::{Output, complain, table};
use super::place::Place;
use super::plot::{Plot, svg};
use super::table::plain;
use crate::audit::entry::Entry;
use crate::audit::{hear, micros};
use crate::call::Effect;
use crate::engine::{Past, Profile};
use crate::identity::Moment;
use crate::store::{Query, Reader};
use crate::trust::{Cause, Score};

/// Prints the trust that an agent has earned, why, and since when
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0; 2 when an entry of the record states another trust than the entries before it give; 1 on an error.

Trust is computed from the record alone, and compared with what each entry states of it.

Examples:
  managed-agents trust support-bot
  managed-agents trust support-bot --svg trust.svg --json")]
pub(super) struct Trust {
    /// Agent's id
    agent: String,

    /// Write a plot of it to a file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Show at most so many changes, the newest
    #[arg(long, value_name = "COUNT", default_value_t = 12)]
    most: usize,

    /// Print it as one line of JSON
    #[arg(long)]
    json: bool,
}

/// A change of trust in calls of one effect. The keys are stable.
#[derive(Clone, Serialize)]
struct Change {
    seq: u64,
    at: String,
    cause: &'static str,
    before: f64,
    after: f64,
}

/// The keys are stable.
#[derive(Serialize)]
struct Shown<'a> {
    agent: &'a str,
    effects: Vec<Scored>,
    completed: u64,
    violations: u64,
    changes: &'a VecDeque<Change>,
    compared: u64,
    differing: &'a [u64],
}

#[derive(Serialize)]
struct Scored {
    effect: &'static str,
    score: f64,
    upper: f64,
    good: f64,
    bad: f64,
}

/// The record of one agent, gone through once.
struct History {
    profile: Profile,
    most: usize,
    changes: VecDeque<Change>,
    points: [Vec<f64>; 3],
    first: Option<i64>,
    last: i64,
    past: Past,
    compared: u64,
    differing: Vec<u64>,
}

impl Trust {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let reader = place.reader()?;
        let mut history = History::read(&reader, &self.agent, self.most)?;
        let Some(first) = history.first else {
            return Err(Failure::new(format!(
                "the record has nothing about an agent `{}`",
                plain(&self.agent)
            )));
        };
        let from = Moment::from_micros(first).to_string();
        let to = Moment::from_micros(history.last).to_string();
        let titles = Effect::ALL.map(|effect| format!("trust in calls that {}", does(effect)));
        let plots: Vec<_> = titles
            .iter()
            .zip(&history.points)
            .map(|(title, points)| Plot {
                title,
                points,
                low: 0.0,
                high: 1.0,
                limit: None,
                from: &from,
                to: &to,
            })
            .collect();
        if let Some(file) = &self.svg {
            std::fs::write(file, svg(&plots)).map_err(|error| Failure::of_file(file, error))?;
        }
        let now = micros(SystemTime::now()).max(history.last);
        let scores = Effect::ALL.map(|effect| (effect, history.profile.score(effect, now)));
        if self.json {
            let (completed, violations) = history.profile.ledger().counts();
            out.json(&Shown {
                agent: &self.agent,
                effects: scores.iter().map(|(effect, score)| scored(*effect, *score)).collect(),
                completed,
                violations,
                changes: &history.changes,
                compared: history.compared,
                differing: &history.differing,
            })?;
        } else {
            self.print(&history, &scores, plots.get(1), out)?;
        }
        out.flush()?;
        if history.differing.is_empty() {
            return Ok(0);
        }
        complain(&format!(
            "{} entries state another trust than the entries before them give, the first {}",
            history.differing.len(),
            history.differing.first().copied().unwrap_or_default()
        ));
        Ok(BAD)
    }

    fn print(
        &self,
        history: &History,
        scores: &[(Effect, Score); 3],
        plot: Option<&Plot<'_>>,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let mut rows = table(["calls that", "trust", "upper", "for it", "against it"], 1);
        for (effect, score) in scores {
            rows.add_row([
                does(*effect).to_owned(),
                format!("{:.3}", score.value()),
                format!("{:.3}", score.upper()),
                format!("{:.2}", score.good()),
                format!("{:.2}", score.bad()),
            ]);
        }
        let (completed, violations) = history.profile.ledger().counts();
        out.line(rows)?;
        out.line(format_args!(
            "{completed} calls completed, {violations} denied by its own fault; {} entries state a trust, and {} of them agree.",
            history.compared,
            history.compared - history.differing.len() as u64
        ))?;
        for line in plot.map(Plot::terminal).unwrap_or_default() {
            out.line(line)?;
        }
        if history.changes.is_empty() {
            return Ok(());
        }
        let mut rows = table(["seq", "at", "why", "before", "after"], 3);
        for change in &history.changes {
            rows.add_row([
                change.seq.to_string(),
                change.at.clone(),
                change.cause.to_owned(),
                format!("{:.4}", change.before),
                format!("{:.4}", change.after),
            ]);
        }
        out.line(rows)
    }
}

impl History {
    fn read(reader: &Reader, agent: &str, most: usize) -> Result<Self, Failure> {
        let mut history = Self {
            profile: Profile::default(),
            most,
            changes: VecDeque::new(),
            points: Default::default(),
            first: None,
            last: 0,
            past: Past::default(),
            compared: 0,
            differing: Vec::new(),
        };
        let mut query = Query::new().agent(agent).most(1_000);
        loop {
            let page = reader.query(&query)?;
            for entry in page.entries() {
                history.take(entry);
            }
            match page.next() {
                Some(cursor) => query = query.after(cursor),
                None => return Ok(history),
            }
        }
    }

    fn take(&mut self, entry: &Entry) {
        self.compare(entry);
        hear(entry, |event| {
            let at = event.at_micros;
            self.first.get_or_insert(at);
            self.last = self.last.max(at);
            let before = Effect::ALL.map(|effect| self.profile.score(effect, self.last));
            let cause = self.profile.hear(event).cause;
            self.past.note(&self.profile);
            let after = Effect::ALL.map(|effect| self.profile.score(effect, self.last));
            for (points, score) in self.points.iter_mut().zip(after) {
                points.push(score.value());
            }
            let Some(cause) = cause else {
                return;
            };
            // what changed most says it best
            let [read, change, grave] = [0, 1, 2].map(|at: usize| (before.get(at).copied(), after.get(at).copied()));
            let shown = [grave, change, read]
                .into_iter()
                .find(|(before, after)| before != after);
            if let Some((Some(before), Some(after))) = shown {
                self.note(event.place, at, cause, before, after);
            }
        });
    }

    fn note(&mut self, place: u64, at: i64, cause: Cause, before: Score, after: Score) {
        if self.changes.len() >= self.most {
            self.changes.pop_front();
        }
        if self.most > 0 {
            self.changes.push_back(Change {
                seq: place,
                at: Moment::from_micros(at).to_string(),
                cause: cause.code(),
                before: before.value(),
                after: after.value(),
            });
        }
    }

    /// Compares what a decision states of trust with what the entries give that it says it rests on.
    fn compare(&mut self, entry: &Entry) {
        let Some(agrees) = self.past.agrees(entry, &self.profile) else {
            return;
        };
        self.compared += 1;
        if !agrees {
            self.differing.push(entry.sequence());
        }
    }
}

fn scored(effect: Effect, score: Score) -> Scored {
    Scored {
        effect: effect.code(),
        score: score.value(),
        upper: score.upper(),
        good: score.good(),
        bad: score.bad(),
    }
}

fn does(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "read",
        Effect::Change => "change something",
        Effect::Grave => "are grave",
    }
}
