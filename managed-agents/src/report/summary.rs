//! What a report says in tables, whatever the form of the document.

use super::Report;
use super::counts::{Counts, Named};
use super::figures::Calls;
use super::reviewers::Decided;
use crate::audit::export::Untrusted;

/// So many rows a table has; the rest is counted together.
const MOST_ROWS: usize = 25;

/// What a cell holds.
pub(super) enum Cell {
    /// Words of our own.
    Own(String),
    /// Words from outside.
    Foreign(String),
    /// A number.
    Number(u64),
}

impl Cell {
    /// For Markdown and HTML.
    pub(super) fn markup(&self) -> String {
        match self {
            Self::Own(text) => super::html::escaped(text),
            Self::Foreign(text) => Untrusted::new(text.as_str()).markup(),
            Self::Number(number) => grouped(*number),
        }
    }
}

/// A table with its heading, and what it says when it has no row.
pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) head: Vec<&'static str>,
    pub(super) rows: Vec<Vec<Cell>>,
    pub(super) empty: &'static str,
}

/// The figures that stand first.
pub(super) fn first_figures(report: &Report) -> Vec<(&'static str, u64)> {
    let figures = &report.figures;
    let evidence = |kind| figures.evidence(kind).count;
    use super::EvidenceKind as Kind;
    vec![
        ("calls judged", figures.calls),
        ("allowed", figures.decisions.of("allow")),
        ("escalated", figures.decisions.of("escalate")),
        ("denied", figures.decisions.of("deny")),
        ("bodies that ran", figures.ran),
        ("of these, not ended well", evidence(Kind::Failures)),
        ("ran unjudged or as exceptions", evidence(Kind::Exceptions)),
        ("agents stopped", evidence(Kind::Stops)),
        ("interrupts", evidence(Kind::Interrupts)),
        ("drills", evidence(Kind::Drills)),
        ("subjects erased", evidence(Kind::Erasures)),
        ("entries in the log", figures.entries),
    ]
}

pub(super) fn tables(report: &Report) -> Vec<Table> {
    let figures = &report.figures;
    vec![
        reviewers(report),
        calls("Agents", "agent", &figures.agents),
        calls("Tools", "tool", &figures.tools),
        counted(
            "Reasons that decided",
            "code",
            &figures.deciding_reasons,
            "No call had a reason.",
        ),
        counted(
            "What was made of verdicts",
            "disposition",
            &figures.dispositions,
            "No call was judged.",
        ),
        counted("How bodies ended", "outcome", &figures.outcomes, "No body ended."),
        counted(
            "What the screen found",
            "rule",
            &figures.screen,
            "The screen found nothing.",
        ),
        counted(
            "Policies that decided",
            "policy",
            &figures.policies,
            "No policy decided a call.",
        ),
        rules(report),
        counted(
            "States of agents",
            "state",
            &figures.states,
            "No agent was registered or stopped.",
        ),
        counted("Entries by type", "type", &figures.types, "There is no entry."),
        counted(
            "Software that judged",
            "software",
            &figures.software,
            "No call was judged.",
        ),
    ]
}

/// How people decided, all together first.
fn reviewers(report: &Report) -> Table {
    let people = report.figures.reviewers();
    let row = |who: Cell, decided: &Decided| {
        vec![
            who,
            Cell::Number(decided.decisions),
            Cell::Number(decided.approved + decided.edited),
            Cell::Number(decided.rejected),
            Cell::Own(
                decided
                    .approval_rate
                    .map_or_else(nothing, |rate| format!("{} %", rate / 10_000)),
            ),
            Cell::Own(decided.median_micros.map_or_else(nothing, length)),
            Cell::Own(decided.shortest_micros.map_or_else(nothing, length)),
            Cell::Number(decided.longest_streak),
            Cell::Own(format!("{} ({} answered)", decided.drift_alarms, decided.drift_seen)),
        ]
    };
    let mut rows = Vec::new();
    if people.opened > 0 || people.all.decisions > 0 {
        let all = format!(
            "everybody ({} tickets opened, {} untouched)",
            people.opened, people.untouched
        );
        rows.push(row(Cell::Own(all), &people.all));
    }
    for (key, decided) in &people.approvers {
        let name = decided.name.clone().unwrap_or_else(|| key.clone());
        rows.push(row(Cell::Foreign(name), decided));
    }
    Table {
        title: "Reviewers",
        head: vec![
            "who",
            "decided",
            "approved",
            "rejected",
            "approval rate",
            "median time",
            "shortest",
            "longest streak of approvals",
            "alarms of drift",
        ],
        rows,
        empty: "No ticket was opened, and nobody decided on one.",
    }
}

fn nothing() -> String {
    "none".to_owned()
}

/// A length of time, as people say it.
pub(crate) fn length(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    match seconds {
        0 => format!("{} ms", micros / 1_000),
        1..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn calls(title: &'static str, what: &'static str, named: &Named<Calls>) -> Table {
    let mut rows: Vec<_> = named
        .names
        .iter()
        .map(|(name, calls)| (name.as_str(), calls.clone()))
        .collect();
    rows.sort_by_key(|(_, calls)| std::cmp::Reverse(calls.calls));
    let mut others = named.others.clone().unwrap_or_default();
    for (_, calls) in rows.iter().skip(MOST_ROWS) {
        others.calls += calls.calls;
        others.allow += calls.allow;
        others.escalate += calls.escalate;
        others.deny += calls.deny;
        others.ran += calls.ran;
    }
    rows.truncate(MOST_ROWS);
    let row = |name, calls: &Calls| {
        vec![
            name,
            Cell::Number(calls.calls),
            Cell::Number(calls.allow),
            Cell::Number(calls.escalate),
            Cell::Number(calls.deny),
            Cell::Number(calls.ran),
        ]
    };
    let mut cells: Vec<_> = rows
        .iter()
        .map(|(name, calls)| row(Cell::Foreign((*name).to_owned()), calls))
        .collect();
    if others.calls > 0 {
        cells.push(row(Cell::Own("all others".to_owned()), &others));
    }
    Table {
        title,
        head: vec![what, "calls", "allowed", "escalated", "denied", "ran"],
        rows: cells,
        empty: "No call was judged.",
    }
}

fn counted(title: &'static str, what: &'static str, counts: &Counts, empty: &'static str) -> Table {
    let (most, left) = counts.most(MOST_ROWS);
    let mut rows: Vec<_> = most
        .into_iter()
        .map(|(name, count)| vec![Cell::Foreign(name.to_owned()), Cell::Number(count)])
        .collect();
    if left > 0 {
        rows.push(vec![Cell::Own("all others".to_owned()), Cell::Number(left)]);
    }
    Table {
        title,
        head: vec![what, "count"],
        rows,
        empty,
    }
}

fn rules(report: &Report) -> Table {
    let named = &report.figures.rules;
    let mut rows: Vec<_> = named.names.iter().collect();
    rows.sort_by_key(|(_, rules)| rules.first);
    let rows = rows.into_iter().take(MOST_ROWS).map(|(digest, rules)| {
        vec![
            Cell::Foreign(digest.clone()),
            Cell::Number(rules.calls),
            Cell::Number(rules.first),
            Cell::Number(rules.last),
        ]
    });
    Table {
        title: "Rules that were in force",
        head: vec![
            "digest of policies, configuration and software",
            "calls",
            "first entry",
            "last entry",
        ],
        rows: rows.collect(),
        empty: "No decision names its rules.",
    }
}

/// A number with narrow gaps between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}
