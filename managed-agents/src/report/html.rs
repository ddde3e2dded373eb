//! A report as one page: it needs no script and nothing from elsewhere, and holds no markup that is not its own.

use std::fmt::Write as _;

use super::chart::{self, Series};
use super::control::Control;
use super::figures::{Bucket, moment};
use super::summary::{self, Cell, Table, grouped};
use super::{Report, SOFTWARE};
use crate::audit::export::Untrusted;

/// What every document says of itself.
pub(super) const WHAT_IT_IS: &str = "This document is counted from the record of an agent's tool calls and from nothing else. For each \
    control it names the entries that are evidence, how many, and where they stand, or says that the record does not cover it. \
    Whether a requirement is met is for people to judge; no sentence here says so.";

pub(super) fn page(report: &Report) -> String {
    let framework = &report.framework;
    let mut out = String::with_capacity(128 * 1024);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{}: what the record shows, {} to {}</title>\n<style>\n{}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#controls\">To the controls</a>\n<main>\n",
        escaped(&framework.title),
        day(report.from),
        day(report.to),
        include_str!("page.css"),
    );
    head(&mut out, report);
    charts(&mut out, report);
    controls(&mut out, report);
    out.push_str("<section aria-labelledby=\"details\"><h2 id=\"details\">Figures in detail</h2>\n");
    for table in summary::tables(report) {
        self::table(&mut out, &table);
    }
    out.push_str("</section>\n");
    proofs(&mut out, report);
    let _ = write!(
        out,
        "<footer>Made by {} at {}.</footer>\n</main>\n</body>\n</html>\n",
        escaped(SOFTWARE),
        moment(report.made_at)
    );
    out
}

fn head(out: &mut String, report: &Report) {
    let framework = &report.framework;
    let _ = write!(
        out,
        "<header><h1>{}: what the record shows</h1>\n<p class=\"soft\">{}</p>\n<p class=\"about\">{WHAT_IT_IS}</p>\n<p>{}</p>\n\
         <dl class=\"facts\">\n<dt>Period</dt><dd>{} to before {}</dd>\n<dt>Log</dt><dd>{}</dd>\n<dt>Entries</dt><dd>{} in all, root \
         <code>{}</code></dd>\n",
        escaped(&framework.title),
        escaped(&framework.edition),
        escaped(&framework.note),
        moment(report.from),
        moment(report.to),
        Untrusted::new(report.log.origin.as_str()).markup(),
        grouped(report.log.size),
        escaped(&report.log.root),
    );
    if let Some((first, last)) = report.figures.places() {
        let _ = writeln!(out, "<dt>Of the period</dt><dd>entries {first} to {last}</dd>");
    }
    match &report.log.signed {
        Some(signed) => {
            let _ = writeln!(
                out,
                "<dt>Signed head</dt><dd>{} entries, root <code>{}</code>, and {}</dd>\n<dt>Key</dt><dd><code>{}</code></dd>",
                grouped(signed.size),
                escaped(&signed.root),
                match signed.others {
                    0 => "no witness signed it".to_owned(),
                    1 => "1 further signature".to_owned(),
                    others => format!("{others} further signatures"),
                },
                Untrusted::new(signed.key.as_str()).markup(),
            );
        }
        None => out.push_str("<dt>Signed head</dt><dd><strong>none: nothing here can be proven</strong></dd>\n"),
    }
    out.push_str("</dl>\n<ul class=\"figures\">\n");
    for (what, number) in summary::first_figures(report) {
        let _ = writeln!(out, "<li><b>{}</b><span>{what}</span></li>", grouped(number));
    }
    out.push_str("</ul></header>\n");
}

/// One column of the table below a chart, of which some are drawn.
type Column = (&'static str, &'static str, fn(&Bucket) -> u64);

fn charts(out: &mut String, report: &Report) {
    out.push_str("<section aria-labelledby=\"time\"><h2 id=\"time\">Over time</h2>\n");
    let verdicts: [Column; 3] = [
        ("allowed", "allow", |bucket| bucket.allow),
        ("escalated", "escalate", |bucket| bucket.escalate),
        ("denied", "deny", |bucket| bucket.deny),
    ];
    bars(
        out,
        report,
        "Calls and verdicts",
        &verdicts,
        "No call was judged in this period.",
    );
    let people: [Column; 2] = [
        ("approved, and ran", "approve", |bucket| bucket.approved),
        ("held for a decision", "queue", |bucket| bucket.queued),
    ];
    bars(
        out,
        report,
        "Calls before people",
        &people,
        "No call was held for people in this period.",
    );
    let trouble: [Column; 3] = [
        ("did not end well", "low", |bucket| bucket.failed),
        ("stops", "deny", |bucket| bucket.stops),
        ("alarms of drift acknowledged", "queue", |bucket| bucket.drift),
    ];
    bars(
        out,
        report,
        "Trouble",
        &trouble,
        "No body ended badly, nothing was stopped and no alarm of drift was acknowledged in this period.",
    );
    trust(out, report);
    out.push_str("</section>\n");
}

fn bars(out: &mut String, report: &Report, title: &str, columns: &[Column], empty: &str) {
    let time = report.figures.over_time();
    let series: Vec<_> = columns
        .iter()
        .map(|(name, class, value)| Series {
            name,
            class,
            values: time.buckets().iter().map(value).collect(),
        })
        .collect();
    let _ = writeln!(out, "<h3>{title}</h3>");
    if series.iter().all(|one| one.values.iter().all(|value| *value == 0)) {
        let _ = writeln!(out, "<p class=\"soft\">{empty}</p>");
        return;
    }
    out.push_str("<figure>");
    legend(out, columns.iter().map(|(name, class, _)| (*name, *class)));
    out.push_str(&chart::bars(title, time, &series));
    let rows = (0..time.buckets().len()).map(|part| {
        let numbers = series.iter().map(|one| one.values.get(part).copied().unwrap_or(0));
        let mut row = vec![Cell::Own(chart::label(time, part))];
        row.extend(numbers.map(Cell::Number));
        row
    });
    let mut head = vec!["from (UTC)"];
    head.extend(columns.iter().map(|(name, ..)| *name));
    numbers(out, &head, &rows.collect::<Vec<_>>());
    out.push_str("</figure>\n");
}

fn trust(out: &mut String, report: &Report) {
    let time = report.figures.over_time();
    out.push_str("<h3>Trust</h3>\n");
    if time.buckets().iter().all(|bucket| bucket.trust_seen == 0) {
        out.push_str("<p class=\"soft\">No trust was recorded in this period.</p>\n");
        return;
    }
    let mean: Vec<_> = time.buckets().iter().map(Bucket::trust_mean).collect();
    let lowest: Vec<_> = time
        .buckets()
        .iter()
        .map(|bucket| bucket.trust_lowest.map(u64::from))
        .collect();
    out.push_str("<figure>");
    legend(out, [("mean of decisions", "allow"), ("lowest", "deny")].into_iter());
    let lines = [("mean", "allow", mean), ("lowest", "deny", lowest)];
    out.push_str(&chart::lines("Trust of agents when calls were judged", time, &lines));
    let share = |value: Option<u64>| {
        Cell::Own(value.map_or_else(
            || "none recorded".to_owned(),
            |value| format!("{:.3}", value as f64 / 1e6),
        ))
    };
    let rows = time.buckets().iter().enumerate().map(|(part, bucket)| {
        vec![
            Cell::Own(chart::label(time, part)),
            share(bucket.trust_mean()),
            share(bucket.trust_lowest.map(u64::from)),
        ]
    });
    numbers(out, &["from (UTC)", "mean", "lowest"], &rows.collect::<Vec<_>>());
    out.push_str("</figure>\n");
}

fn legend(out: &mut String, entries: impl Iterator<Item = (&'static str, &'static str)>) {
    out.push_str("<ul class=\"legend\">");
    for (name, class) in entries {
        let _ = write!(
            out,
            r#"<li><svg aria-hidden="true" viewBox="0 0 10 10"><rect class="{class}" width="10" height="10"/></svg>{name}</li>"#
        );
    }
    out.push_str("</ul>");
}

fn numbers(out: &mut String, head: &[&str], rows: &[Vec<Cell>]) {
    out.push_str("<details><summary>The numbers</summary>");
    write_table(out, head, rows);
    out.push_str("</details>");
}

fn controls(out: &mut String, report: &Report) {
    out.push_str("<section aria-labelledby=\"controls\"><h2 id=\"controls\">Controls</h2>\n");
    for control in report.controls() {
        self::control(out, report, control);
    }
    out.push_str("</section>\n");
}

fn control(out: &mut String, report: &Report, control: &Control) {
    let coverage = control.coverage();
    let _ = write!(
        out,
        "<article class=\"control\"><h3><span class=\"id\">{}</span> {}<span class=\"badge {}\">{}</span></h3>\n<p>{}</p>\n",
        escaped(control.id()),
        escaped(control.title()),
        coverage.name(),
        coverage.words(),
        escaped(control.asks()),
    );
    if let Some(why) = control.why_not_covered() {
        let _ = writeln!(out, "<p><strong>Not covered.</strong> {}</p>", escaped(why));
    }
    if !control.evidence().is_empty() {
        out.push_str(
            "<table><thead><tr><th>Evidence</th><th class=\"n\">Entries</th><th>Receipts</th></tr></thead><tbody>\n",
        );
        for evidence in control.evidence() {
            let tally = evidence.tally();
            let _ = writeln!(
                out,
                "<tr><td><b>{}</b>: {}</td><td class=\"n\">{}</td><td>{}</td></tr>",
                evidence.kind(),
                escaped(evidence.shows()),
                grouped(tally.count),
                receipts(report, tally),
            );
        }
        out.push_str("</tbody></table>\n");
    }
    if let Some(limits) = control.limits() {
        let _ = writeln!(out, "<p class=\"limits\"><b>Not shown:</b> {}</p>", escaped(limits));
    }
    out.push_str("</article>\n");
}

fn receipts(report: &Report, tally: super::Tally) -> String {
    let links = tally.places().map(|place| {
        if report.proofs.iter().any(|proof| proof.sequence() == place) {
            format!("<a href=\"#entry-{place}\">{place}</a>")
        } else {
            format!("{place} (not proven)")
        }
    });
    let links: Vec<_> = links.collect();
    if links.is_empty() {
        "none".to_owned()
    } else {
        links.join(", ")
    }
}

fn proofs(out: &mut String, report: &Report) {
    out.push_str(
        "<section aria-labelledby=\"receipts\"><h2 id=\"receipts\">Receipts</h2>\n<p>The first and the last entry of each kind of \
         evidence. Entry and receipt (c2sp.org/tlog-proof) are all that is needed to check, with the log's key, that the entry is in \
         the log: <code>managed-agents audit prove --check RECEIPT --entry ENTRY --key KEY</code>, or any reader of that format. In \
         print there are the leaves alone; the JSON form of this report has everything.</p>\n",
    );
    if report.proofs.is_empty() {
        out.push_str("<p class=\"soft\">None: there is no entry, or no head is signed.</p>\n");
    }
    for proof in &report.proofs {
        let _ = write!(
            out,
            "<div id=\"entry-{0}\"><h3>Entry {0}</h3>\n<p class=\"soft\">Leaf <code>{1}</code></p>\n<details><summary>Entry and receipt \
             {0}</summary><pre>{2}</pre><pre>{3}</pre></details></div>\n",
            proof.sequence(),
            escaped(proof.leaf()),
            // the bytes themselves would be taken for markup; what a terminal would not show is escaped
            escaped(&crate::audit::export::visible_json(proof.entry())),
            escaped(proof.receipt()),
        );
    }
    out.push_str("</section>\n");
}

fn table(out: &mut String, table: &Table) {
    let _ = writeln!(out, "<h3>{}</h3>", table.title);
    if table.rows.is_empty() {
        let _ = writeln!(out, "<p class=\"soft\">{}</p>", table.empty);
        return;
    }
    write_table(out, &table.head, &table.rows);
}

fn write_table(out: &mut String, head: &[&str], rows: &[Vec<Cell>]) {
    out.push_str("<div class=\"wide\"><table><thead><tr>");
    for (at, name) in head.iter().enumerate() {
        let _ = write!(
            out,
            "<th scope=\"col\"{}>{name}</th>",
            if at == 0 { "" } else { " class=\"n\"" }
        );
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let class = if at == 0 { "" } else { " class=\"n\"" };
            let _ = write!(out, "<td{class}>{}</td>", cell.markup());
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

fn day(micros: i64) -> String {
    moment(micros).get(..10).unwrap_or_default().to_owned()
}

/// Words of our own, as HTML and Markdown take them for text.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
