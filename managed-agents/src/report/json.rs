//! A report as one JSON object.

use serde::Serialize;

use super::figures::{Figures, moment};
use super::{Control, Log, Proof, Report};

/// The format's name.
const FORMAT: &str = "ma-report/1";

/// The keys are stable.
#[derive(Serialize)]
struct Document<'a> {
    v: &'static str,
    made_at: String,
    software: &'static str,
    framework: FrameworkName<'a>,
    period: Period,
    log: &'a Log,
    figures: &'a Figures,
    controls: &'a [Control],
    proofs: &'a [Proof],
}

#[derive(Serialize)]
struct FrameworkName<'a> {
    id: &'a str,
    title: &'a str,
    edition: &'a str,
    note: &'a str,
}

#[derive(Serialize)]
struct Period {
    from: String,
    to: String,
}

pub(super) fn text(report: &Report) -> String {
    let framework = &report.framework;
    let document = Document {
        v: FORMAT,
        made_at: moment(report.made_at),
        software: super::SOFTWARE,
        framework: FrameworkName {
            id: &framework.id,
            title: &framework.title,
            edition: &framework.edition,
            note: &framework.note,
        },
        period: Period {
            from: moment(report.from),
            to: moment(report.to),
        },
        log: &report.log,
        figures: &report.figures,
        controls: &report.controls,
        proofs: &report.proofs,
    };
    print(&document)
}

/// Indented JSON with what a terminal would not show escaped. Nothing that is printed here can fail to be.
pub(super) fn print(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut out = String::with_capacity(text.len() + 1);
    for line in text.lines() {
        out.push_str(&crate::audit::export::visible_json(line));
        out.push('\n');
    }
    out
}
