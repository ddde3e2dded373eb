//! A report as Markdown.

use std::fmt::Write as _;

use super::figures::moment;
use super::html::WHAT_IT_IS;
use super::summary::{self, Cell, Table, grouped};
use super::{Report, SOFTWARE};
use crate::audit::export::Untrusted;

pub(super) fn text(report: &Report) -> String {
    let framework = &report.framework;
    let mut out = String::with_capacity(64 * 1024);
    let _ = write!(
        out,
        "# {}: what the record shows\n\n{}\n\n> {WHAT_IT_IS}\n\n{}\n\n| | |\n|---|---|\n| Period | {} to before {} |\n| Log | {} |\n| Entries | {} \
         in all, root `{}` |\n",
        framework.title,
        framework.edition,
        framework.note,
        moment(report.from),
        moment(report.to),
        Untrusted::new(report.log.origin.as_str()).markup(),
        grouped(report.log.size),
        report.log.root,
    );
    if let Some((first, last)) = report.figures.places() {
        let _ = writeln!(out, "| Of the period | entries {first} to {last} |");
    }
    match &report.log.signed {
        Some(signed) => {
            let _ = write!(
                out,
                "| Signed head | {} entries, root `{}`, {} further signatures |\n| Key | {} |\n",
                grouped(signed.size),
                signed.root,
                signed.others,
                Untrusted::new(signed.key.as_str()).markup()
            );
        }
        None => out.push_str("| Signed head | none: nothing here can be proven |\n"),
    }
    out.push_str("\n## Figures\n\n| | |\n|---|--:|\n");
    for (what, number) in summary::first_figures(report) {
        let _ = writeln!(out, "| {what} | {} |", grouped(number));
    }
    out.push('\n');
    controls(&mut out, report);
    out.push_str("## Figures in detail\n\n");
    table(&mut out, &over_time(report));
    for one in summary::tables(report) {
        table(&mut out, &one);
    }
    out.push_str(
        "## Receipts\n\nThe first and the last entry of each kind of evidence. Entries and receipts are in the JSON form of this report, and \
         `managed-agents audit prove` makes them.\n\n| entry | leaf |\n|--:|---|\n",
    );
    for proof in &report.proofs {
        let _ = writeln!(out, "| {} | `{}` |", proof.sequence(), proof.leaf());
    }
    let _ = write!(out, "\nMade by {SOFTWARE} at {}.\n", moment(report.made_at));
    out
}

fn controls(out: &mut String, report: &Report) {
    out.push_str("## Controls\n\n");
    for control in report.controls() {
        let _ = write!(
            out,
            "### {} {}\n\n**{}.** {}\n\n",
            control.id(),
            control.title(),
            sentence(control.coverage().words()),
            control.asks(),
        );
        if let Some(why) = control.why_not_covered() {
            let _ = write!(out, "Not covered: {why}\n\n");
        }
        for evidence in control.evidence() {
            let tally = evidence.tally();
            let places: Vec<_> = tally.places().map(|place| place.to_string()).collect();
            let places = if places.is_empty() {
                String::new()
            } else {
                format!(" (entries {})", places.join(" … "))
            };
            let _ = writeln!(
                out,
                "- {}: {}{places}; {}.",
                evidence.kind(),
                grouped(tally.count),
                evidence.shows()
            );
        }
        if !control.evidence().is_empty() {
            out.push('\n');
        }
        if let Some(limits) = control.limits() {
            let _ = write!(out, "Not shown: {limits}\n\n");
        }
    }
}

fn over_time(report: &Report) -> Table {
    let time = report.figures.over_time();
    let rows = time.buckets().iter().enumerate().map(|(part, bucket)| {
        vec![
            Cell::Own(super::chart::label(time, part)),
            Cell::Number(bucket.allow),
            Cell::Number(bucket.escalate),
            Cell::Number(bucket.deny),
            Cell::Number(bucket.approved),
            Cell::Number(bucket.queued),
            Cell::Number(bucket.failed),
            Cell::Number(bucket.stops),
            Cell::Number(bucket.drift),
            Cell::Own(
                bucket
                    .trust_mean()
                    .map_or_else(String::new, |mean| format!("{:.3}", mean as f64 / 1e6)),
            ),
        ]
    });
    Table {
        title: "Over time",
        head: vec![
            "from (UTC)",
            "allowed",
            "escalated",
            "denied",
            "approved",
            "held",
            "failed",
            "stops",
            "drift",
            "mean trust",
        ],
        rows: rows.collect(),
        empty: "There is no entry.",
    }
}

fn table(out: &mut String, table: &Table) {
    let _ = write!(out, "### {}\n\n", table.title);
    if table.rows.is_empty() {
        let _ = write!(out, "{}\n\n", table.empty);
        return;
    }
    let _ = writeln!(out, "| {} |", table.head.join(" | "));
    let _ = writeln!(out, "|---|{}", "--:|".repeat(table.head.len().saturating_sub(1)));
    for row in &table.rows {
        let cells: Vec<_> = row.iter().map(Cell::markup).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out.push('\n');
}

fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
