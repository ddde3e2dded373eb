//! A replay in a few tables.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::failure::{Failure, shown};
use super::super::judging::Ruling;
use super::super::output::{Output, table};
use super::histogram::Histogram;
use crate::verdict::Decision;

/// How many names are told apart; calls of further ones are counted together.
const MOST_NAMES: usize = 10_000;

/// How many rows a table shows.
const ROWS: usize = 20;

const OTHERS: &str = "(others)";

/// What was decided, counted.
#[derive(Default)]
pub(super) struct Summary {
    decisions: Counts,
    reasons: BTreeMap<String, u64>,
    tools: BTreeMap<String, Counts>,
    times: Histogram,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    allow: u64,
    escalate: u64,
    deny: u64,
}

impl Counts {
    fn add(&mut self, decision: Decision) {
        *match decision {
            Decision::Allow => &mut self.allow,
            Decision::Escalate => &mut self.escalate,
            Decision::Deny => &mut self.deny,
        } += 1;
    }

    fn total(self) -> u64 {
        self.allow + self.escalate + self.deny
    }
}

impl Summary {
    pub(super) fn add(&mut self, tool: &str, ruling: &Ruling) {
        let decision = ruling.decision();
        self.decisions.add(decision);
        entry(&mut self.tools, tool).add(decision);
        if let Some(reason) = ruling.reason() {
            *entry(&mut self.reasons, reason) += 1;
        }
        self.times.add(ruling.took);
    }

    pub(super) fn print(&self, out: &mut Output, wall: Duration, faults: u64) -> Result<(), Failure> {
        let total = self.decisions.total();
        let mut decisions = table(["decision", "calls", "%"], 1);
        for (name, count) in [
            ("allow", self.decisions.allow),
            ("escalate", self.decisions.escalate),
            ("deny", self.decisions.deny),
        ] {
            decisions.add_row([name.to_owned(), count.to_string(), percent(count, total)]);
        }
        if faults > 0 {
            decisions.add_row(["(could not be read)".to_owned(), faults.to_string(), String::new()]);
        }
        out.line(decisions)?;
        self.print_reasons(out)?;
        self.print_tools(out)?;
        self.print_times(out, wall)
    }

    fn print_reasons(&self, out: &mut Output) -> Result<(), Failure> {
        if self.reasons.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<_> = self.reasons.iter().collect();
        rows.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let mut reasons = table(["reason", "calls"], 1);
        for (reason, count) in rows.iter().take(ROWS) {
            reasons.add_row([shown(reason), count.to_string()]);
        }
        if let Some(rest) = rows.get(ROWS..).filter(|rest| !rest.is_empty()) {
            let calls: u64 = rest.iter().map(|(_, count)| **count).sum();
            reasons.add_row([format!("({} more)", rest.len()), calls.to_string()]);
        }
        out.line("")?;
        out.line(reasons)
    }

    fn print_tools(&self, out: &mut Output) -> Result<(), Failure> {
        let mut rows: Vec<_> = self.tools.iter().collect();
        rows.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.total()));
        let mut tools = table(["tool", "calls", "allow", "escalate", "deny"], 1);
        let mut add = |name: String, counts: Counts| {
            let numbers = [counts.total(), counts.allow, counts.escalate, counts.deny];
            tools.add_row(std::iter::once(name).chain(numbers.iter().map(ToString::to_string)));
        };
        for (name, counts) in rows.iter().take(ROWS) {
            add(shown(name).chars().take(60).collect(), **counts);
        }
        if let Some(rest) = rows.get(ROWS..).filter(|rest| !rest.is_empty()) {
            let sum = rest.iter().fold(Counts::default(), |sum, (_, counts)| Counts {
                allow: sum.allow + counts.allow,
                escalate: sum.escalate + counts.escalate,
                deny: sum.deny + counts.deny,
            });
            add(format!("({} more)", rest.len()), sum);
        }
        out.line("")?;
        out.line(tools)
    }

    fn print_times(&self, out: &mut Output, wall: Duration) -> Result<(), Failure> {
        if self.times.total() == 0 {
            return Ok(());
        }
        let mut times = table(["a verdict took", "µs"], 1);
        for (name, time) in [
            ("median", self.times.per_mille(500)),
            ("90 %", self.times.per_mille(900)),
            ("99 %", self.times.per_mille(990)),
            ("the longest", self.times.max()),
        ] {
            times.add_row([name.to_owned(), format!("{:.1}", time.as_secs_f64() * 1e6)]);
        }
        out.line("")?;
        out.line(times)?;
        out.line("")?;
        out.line(format_args!(
            "{} calls in {:.3} s: {:.0} calls a second, {:.0} counting the verdicts alone",
            self.times.total(),
            wall.as_secs_f64(),
            rate(self.times.total(), wall),
            rate(self.times.total(), self.times.sum()),
        ))?;
        match peak_memory() {
            Some(kib) => out.line(format_args!("peak memory {:.1} MiB", kib as f64 / 1024.0)),
            None => Ok(()),
        }
    }
}

fn entry<'m, T: Default>(map: &'m mut BTreeMap<String, T>, name: &str) -> &'m mut T {
    let name = if map.contains_key(name) || map.len() < MOST_NAMES {
        name
    } else {
        OTHERS
    };
    map.entry(name.to_owned()).or_default()
}

fn percent(count: u64, total: u64) -> String {
    format!("{:.1}", 100.0 * count as f64 / total.max(1) as f64)
}

fn rate(calls: u64, time: Duration) -> f64 {
    calls as f64 / time.as_secs_f64().max(1e-9)
}

/// The most memory that this process ever held, in KiB, where the system says so.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
