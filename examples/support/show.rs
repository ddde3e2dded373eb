//! Output that reads well: colours on a terminal, plain text elsewhere.

use std::env;
use std::io::{self, IsTerminal as _};

use managed_agents::store::MemoryEntry;
use managed_agents::{Decision, Escaped, GovernanceDenied, Harness};

/// A colour of the terminal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Colour {
    /// For what ran.
    Green,
    /// For what was refused.
    Red,
    /// For what waits.
    Yellow,
    /// For what matters less.
    Dim,
    /// For headings.
    Bold,
}

/// The text in a colour, where standard output is a terminal and `NO_COLOR` is not set.
#[must_use]
pub fn paint(colour: Colour, text: &str) -> String {
    let plain = !io::stdout().is_terminal() || env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    if plain {
        return text.to_owned();
    }
    let code = match colour {
        Colour::Green => "32",
        Colour::Red => "31",
        Colour::Yellow => "33",
        Colour::Dim => "2",
        Colour::Bold => "1",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// A heading.
pub fn heading(text: &str) {
    println!("\n{}", paint(Colour::Bold, text));
}

/// A refusal, as a program may look at it.
pub fn denial(denied: &GovernanceDenied) {
    let rows = [
        ("kind", format!("{:?}", denied.kind())),
        ("code", denied.code().to_owned()),
        ("for the model", Escaped::new(denied.reason_for_model()).to_string()),
        ("for the operator", Escaped::new(denied.detail()).to_string()),
        ("ticket", denied.ticket().unwrap_or("none").to_owned()),
    ];
    for (name, value) in rows {
        println!("    {} {value}", paint(Colour::Dim, &format!("{name:<16}")));
    }
}

/// The calls that a harness has recorded, one a line.
pub fn records(harness: &Harness) {
    let rows: Vec<_> = harness.records().iter().map(row).collect();
    table(["tool", "decision", "disposition", "outcome", "code"], &rows);
}

fn row(entry: &MemoryEntry) -> [String; 5] {
    let decision = entry.decision();
    let outcome = entry
        .outcome()
        .map_or_else(|| "-".to_owned(), |ended| ended.outcome().to_string());
    [
        Escaped::new(decision.tool()).to_string(),
        decision.decision().to_string(),
        decision.disposition().to_string(),
        outcome,
        decision.codes().next().unwrap_or("-").to_owned(),
    ]
}

/// A table with columns as wide as their widest cell.
pub fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) {
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
                .max(name.len())
        })
        .collect();
    let line = |cells: &[String]| {
        let mut line = String::from(" ");
        for (cell, width) in cells.iter().zip(&widths) {
            let padded = format!(" {cell:<width$} ");
            line.push_str(&match colour_of(cell) {
                Some(colour) => paint(colour, &padded),
                None => padded,
            });
        }
        line
    };
    println!("{}", paint(Colour::Dim, line(&head.map(str::to_owned)).trim_end()));
    for row in rows {
        println!("{}", line(row).trim_end());
    }
}

/// Words of a decision and of what became of it.
fn colour_of(cell: &str) -> Option<Colour> {
    match cell {
        "allow" | "allowed" | "approved" | "ok" | "ran" => Some(Colour::Green),
        "deny" | "refused" => Some(Colour::Red),
        "escalate" | "queued" | "fail_open" | "proceeded_unapproved" | "observed" => Some(Colour::Yellow),
        _ => None,
    }
}

/// The word of a decision, in its colour.
#[must_use]
pub fn decision(decision: Decision) -> String {
    let colour = colour_of(decision.code()).unwrap_or(Colour::Dim);
    paint(colour, decision.code())
}
