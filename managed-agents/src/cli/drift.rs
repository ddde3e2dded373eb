//! `drift`: whether an agent still calls as it did, computed again from its record.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::Failure;
use super::output::{Output, table};
use super::place::Place;
use super::plot::{Plot, svg};
use super::reviewers;
use super::table::plain;
use crate::answer::wait;
use crate::audit::entry::{Entry, Statement, statement};
use crate::audit::hear;
use crate::drift::{Alert, Detector, LEAST_CALLS, LEAST_SESSIONS, Phase, RUN_LENGTH, Stream};
use crate::engine::{ACKNOWLEDGED, Profile, REBASELINED, REVIEWER_ACKNOWLEDGED, REVIEWER_REBASELINED, Reviewer};
use crate::identity::Moment;
use crate::store::{Query, Reader};

/// Says whether an agent's calls, or a person's decisions, have changed, in what, and since when
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Exit code: 0; 3 when an alarm is open; 1 on an error.

Chance alone raises one alarm in 10 000 calls. An alarm is raised once, and stays open until somebody acknowledges it, or says
that what is new is usual from now on.

Examples:
  managed-agents drift support-bot
  managed-agents drift support-bot --svg drift.svg
  managed-agents drift ack support-bot
  managed-agents drift rebaseline support-bot
  managed-agents drift reviewers                  looks at everybody who decides, and records the alarms that no entry states yet
  managed-agents drift --approver 3f9a0c…         decisions of a person, by the key that signs them: what is called, approved or
                                                  rejected, how long it took (`shape`, in tenths of a second), and at what pace"
)]
pub(super) struct Drift {
    #[command(subcommand)]
    command: Option<Say>,

    /// Agent's id
    #[arg(required_unless_present = "approver")]
    agent: Option<String>,

    /// Show the decisions of the approver with this key instead; they are learnt in 500 decisions on 30 days
    #[arg(long, value_name = "KEY", conflicts_with = "agent")]
    approver: Option<String>,

    /// Write a plot of it to a file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Print it as one line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Say {
    /// Records that somebody has seen the open alarm: the next one is another
    Ack(Whose),
    /// Records that what the agent does from now on is usual: it is learnt anew, and no alarm is raised meanwhile
    Rebaseline(Whose),
    /// Looks at the decisions of everybody who approves, and records each alarm that no entry states yet
    #[command(after_help = "Exit code: 0; 3 when an alarm is open; 1 on an error. Meant to be run at fixed times.")]
    Reviewers,
}

#[derive(Args, Debug)]
struct Whose {
    /// Agent's id
    #[arg(required_unless_present = "approver")]
    agent: Option<String>,

    /// The approver with this key instead
    #[arg(long, value_name = "KEY", conflicts_with = "agent")]
    approver: Option<String>,
}

impl Whose {
    fn say(&self, place: &Place, [agent, approver]: [&str; 2], out: &mut Output) -> Result<u8, Failure> {
        match &self.approver {
            Some(key) => reviewers::say(place, key, approver, out),
            None => say(place, self.agent.as_deref().unwrap_or_default(), agent, out),
        }
    }
}

/// The keys are stable.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approver: Option<&'a str>,
    phase: &'static str,
    calls: u64,
    learnt_calls: Option<usize>,
    learnt_sessions: Option<usize>,
    run_length: u64,
    levels: Vec<Level>,
    alerts: Vec<Alarm<'a>>,
    open: bool,
}

#[derive(Serialize)]
struct Level {
    stream: &'static str,
    level: f64,
    threshold: f64,
    divergence: f64,
}

#[derive(Serialize)]
struct Alarm<'a> {
    seq: u64,
    at: String,
    stream: &'static str,
    severity: &'static str,
    divergence: f64,
    since_calls: u32,
    moved: Vec<Share<'a>>,
}

#[derive(Serialize)]
struct Share<'a> {
    category: &'a str,
    usual: f64,
    now: f64,
}

/// The record of one agent, gone through once.
#[derive(Default)]
struct History {
    detector: Detector,
    calls: u64,
    /// The sum that is nearest to its threshold, as a share of that, after each call that was watched.
    nearest: Vec<f64>,
    alerts: Vec<Alert>,
    first: Option<i64>,
    last: i64,
}

impl Drift {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        match &self.command {
            Some(Say::Ack(whose)) => whose.say(place, [ACKNOWLEDGED, REVIEWER_ACKNOWLEDGED], out),
            Some(Say::Rebaseline(whose)) => whose.say(place, [REBASELINED, REVIEWER_REBASELINED], out),
            Some(Say::Reviewers) => reviewers::tell(place, out),
            None => self.show(place, out),
        }
    }

    fn show(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let reader = place.reader()?;
        let history = match &self.approver {
            Some(key) => History::of_approver(&reader, key)?,
            None => History::read(&reader, self.agent.as_deref().unwrap_or_default())?,
        };
        let from = Moment::from_micros(history.first.unwrap_or(0)).to_string();
        let to = Moment::from_micros(history.last).to_string();
        let high = history.nearest.iter().copied().fold(1.25, f64::max);
        let plot = Plot {
            title: "nearest sum, as a share of its threshold",
            points: &history.nearest,
            low: 0.0,
            high,
            limit: Some(1.0),
            from: &from,
            to: &to,
        };
        if let Some(file) = &self.svg {
            std::fs::write(file, svg(&[plot])).map_err(|error| Failure::of_file(file, error))?;
            return self.told(&history, None, out);
        }
        self.told(&history, Some(&plot), out)
    }

    fn told(&self, history: &History, plot: Option<&Plot<'_>>, out: &mut Output) -> Result<u8, Failure> {
        if self.json {
            let mut shown = history.shown();
            (shown.agent, shown.approver) = (self.agent.as_deref(), self.approver.as_deref());
            out.json(&shown)?;
        } else {
            history.print(plot, out)?;
        }
        out.flush()?;
        Ok(if history.detector.alert().is_some() { 3 } else { 0 })
    }
}

impl History {
    fn read(reader: &Reader, agent: &str) -> Result<Self, Failure> {
        let mut history = Self::default();
        let mut profile = Profile::default();
        each(reader, &Query::new().agent(agent), |entry| {
            hear(entry, |event| {
                let heard = profile.hear(event);
                history.passed(event.at_micros);
                if entry.kind() == "decision" {
                    history.called(profile.detector(), heard.alarm);
                }
                if heard.alarm {
                    history.alerts.extend(profile.detector().alert().cloned());
                }
            });
        })?;
        history.detector = profile.detector().clone();
        if history.first.is_none() {
            return Err(Failure::new(format!(
                "the record has nothing about an agent `{}`",
                plain(agent)
            )));
        }
        Ok(history)
    }

    /// Of a person's decisions.
    fn of_approver(reader: &Reader, key: &str) -> Result<Self, Failure> {
        let mut history = Self::default();
        let mut reviewer = Reviewer::new(key);
        each(reader, &Query::new(), |entry| {
            let before = reviewer.decisions;
            let alarm = reviewer.take(entry).is_some();
            if reviewer.decisions > before {
                history.passed(entry.at_micros());
                history.called(reviewer.detector(), alarm);
            }
        })?;
        if history.first.is_none() {
            return Err(Failure::new(format!(
                "the record has no decision that is signed by the key `{}`",
                plain(key)
            )));
        }
        history.alerts = std::mem::take(&mut reviewer.alerts);
        history.detector = reviewer.detector().clone();
        Ok(history)
    }

    fn passed(&mut self, at_micros: i64) {
        self.first.get_or_insert(at_micros);
        self.last = self.last.max(at_micros);
    }

    fn called(&mut self, detector: &Detector, alarm: bool) {
        self.calls += 1;
        let levels = detector.levels().into_iter();
        let nearest = levels
            .map(|(_, level, limit)| level / limit.max(1e-9))
            .fold(0.0, f64::max);
        self.nearest.push(if alarm { 1.0 } else { nearest });
    }

    fn shown(&self) -> Shown<'_> {
        let detector = &self.detector;
        let (phase, learnt_calls, learnt_sessions) = match detector.phase() {
            Phase::Learning { calls, sessions } => ("learning", Some(calls), Some(sessions)),
            Phase::Calibrating => ("calibrating", None, None),
            Phase::Watching => ("watching", None, None),
        };
        let levels = detector.levels().into_iter();
        Shown {
            agent: None,
            approver: None,
            phase,
            calls: self.calls,
            learnt_calls,
            learnt_sessions,
            run_length: RUN_LENGTH,
            levels: levels
                .map(|(stream, level, threshold)| Level {
                    stream: stream.code(),
                    level,
                    threshold,
                    divergence: self.divergence(stream),
                })
                .collect(),
            alerts: self.alerts.iter().map(alarm).collect(),
            open: detector.alert().is_some(),
        }
    }

    fn divergence(&self, stream: Stream) -> f64 {
        self.detector.divergence(stream).map_or(0.0, |(size, _)| size)
    }

    fn print(&self, plot: Option<&Plot<'_>>, out: &mut Output) -> Result<(), Failure> {
        let detector = &self.detector;
        match detector.phase() {
            Phase::Learning { calls, sessions } => out.line(format_args!(
                "learning: {calls} calls in {sessions} sessions; it watches after {LEAST_CALLS} in {LEAST_SESSIONS}"
            ))?,
            Phase::Calibrating => out.line("learnt; the thresholds are made when the agent's program calls next")?,
            Phase::Watching => {
                let mut rows = table(["stream", "sum", "threshold", "divergence"], 1);
                for (stream, level, threshold) in detector.levels() {
                    rows.add_row([
                        stream.code().to_owned(),
                        format!("{level:.2}"),
                        format!("{threshold:.2}"),
                        format!("{:.3}", self.divergence(stream)),
                    ]);
                }
                out.line(rows)?;
                out.line(format_args!(
                    "watching; chance alone raises one alarm in {RUN_LENGTH} calls"
                ))?;
            }
        }
        for line in plot.map(Plot::terminal).unwrap_or_default() {
            out.line(line)?;
        }
        for alert in &self.alerts {
            let moved: Vec<_> = alert
                .moved()
                .iter()
                .map(|moved| {
                    let (usual, now) = (moved.usual * 100.0, moved.now * 100.0);
                    format!("{} {usual:.1} % → {now:.1} %", plain(&moved.category))
                })
                .collect();
            out.line(format_args!(
                "alarm at {} ({}): {}, {}, {:.3} bits, for about {} calls: {}",
                alert.place(),
                Moment::from_micros(alert.at_micros()),
                alert.stream().code(),
                alert.severity().code(),
                alert.divergence(),
                alert.since(),
                moved.join("; ")
            ))?;
        }
        if let Some(open) = detector.alert() {
            out.line(format_args!(
                "The alarm at {} is open: `drift ack` when you have seen it, `drift rebaseline` when what is new is usual from now on.",
                open.place()
            ))?;
        }
        Ok(())
    }
}

pub(super) fn each(reader: &Reader, query: &Query, mut take: impl FnMut(&Entry)) -> Result<(), Failure> {
    let mut query = query.clone().most(1_000);
    loop {
        let page = reader.query(&query)?;
        page.entries().iter().for_each(&mut take);
        match page.next() {
            Some(cursor) => query = query.after(cursor),
            None => return Ok(()),
        }
    }
}

fn alarm(alert: &Alert) -> Alarm<'_> {
    Alarm {
        seq: alert.place(),
        at: Moment::from_micros(alert.at_micros()).to_string(),
        stream: alert.stream().code(),
        severity: alert.severity().code(),
        divergence: alert.divergence(),
        since_calls: alert.since(),
        moved: alert
            .moved()
            .iter()
            .map(|moved| Share {
                category: &moved.category,
                usual: moved.usual,
                now: moved.now,
            })
            .collect(),
    }
}

/// Records a statement about an agent's drift.
fn say(place: &Place, agent: &str, kind: &str, out: &mut Output) -> Result<u8, Failure> {
    let history = History::read(&place.reader()?, agent)?;
    let open = history.detector.alert().map(Alert::place);
    if kind == ACKNOWLEDGED && open.is_none() {
        return Err(Failure::new(format!("no alarm of agent `{}` is open", plain(agent))));
    }
    let body = open.map_or_else(|| "{}".to_owned(), |place| format!(r#"{{"alarm":{place}}}"#));
    let home = place.home()?;
    let entry = statement(&Statement::new(kind, SystemTime::now(), &body).about_agent(agent))
        .map_err(|error| Failure::of(&error))?;
    let sequence = wait(home.store().append(entry, true))?;
    out.line(format_args!("recorded at {}", sequence.get()))?;
    out.flush()?;
    Ok(0)
}
