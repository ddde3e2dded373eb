//! Entries in ArcSight's Common Event Format, version 0.

use std::fmt::Write as _;

use super::{Opened, PRODUCT, Untrusted, VERSION};
use crate::audit::entry::Entry;

/// One event. The header is of our own words alone; all that came from outside stands in extensions.
pub(super) fn event(entry: &Entry, opened: &Opened, origin: &str) -> String {
    let (id, name, severity) = headline(entry);
    let mut out = String::with_capacity(512);
    // writing to a string cannot fail
    let _ = write!(
        out,
        "CEF:0|{PRODUCT}|{PRODUCT}|{VERSION}|{id}|{name}|{severity}|rt={} externalId={}",
        entry.at_micros().div_euclid(1000),
        entry.sequence()
    );
    extension(&mut out, "cat", Some(Untrusted::new(entry.kind())));
    extension(&mut out, "deviceExternalId", Some(Untrusted::new(origin)));
    extension(&mut out, "suser", entry.agent());
    extension(&mut out, "act", entry.disposition());
    extension(&mut out, "outcome", entry.outcome());
    extension(&mut out, "reason", entry.codes().into_iter().next());
    let labelled = [
        ("cs1", "tool", entry.tool()),
        ("cs2", "session", entry.session()),
        ("cs3", "evaluation", entry.evaluation()),
        ("cs4", "codes", entry.raw("codes").map(Untrusted::new)),
        ("cs5", "digest", entry.untrusted("digest")),
        ("cs6", "certificate", entry.untrusted("certificate")),
        ("cn1", "about", entry.raw("about").map(Untrusted::new)),
        ("cn2", "duration_us", entry.raw("duration_us").map(Untrusted::new)),
        ("flexString1", "ticket", entry.untrusted("ticket")),
        ("flexString2", "body", entry.raw("body").map(Untrusted::new)),
    ];
    for (key, label, value) in labelled {
        if value.is_some() {
            let _ = write!(out, " {key}Label={label}");
            extension(&mut out, key, value);
        }
    }
    if !opened.is_empty() {
        extension(&mut out, "msg", Some(Untrusted::new(opened.json())));
    }
    out.push('\n');
    out
}

fn extension(out: &mut String, key: &str, value: Option<Untrusted<'_>>) {
    if let Some(value) = value {
        // writing to a string cannot fail
        let _ = write!(out, " {key}={}", value.cef());
    }
}

/// Signature id, name and severity (0 to 10).
fn headline(entry: &Entry) -> (&'static str, &'static str, u8) {
    let word = |text: Option<Untrusted<'_>>| text.map(|text| text.reveal().to_owned()).unwrap_or_default();
    match entry.kind() {
        "decision" => match word(entry.decision()).as_str() {
            "allow" => ("decision:allow", "Tool call allowed", 1),
            "escalate" => ("decision:escalate", "Tool call escalated", 5),
            _ => ("decision:deny", "Tool call denied", 7),
        },
        "outcome" => match word(entry.outcome()).as_str() {
            "ok" => ("outcome:ok", "Tool call ended", 0),
            _ => ("outcome:failed", "Tool call failed", 3),
        },
        "agent" => ("agent", "Agent registered or its state changed", 5),
        "erasure" => ("erasure", "Values erased", 5),
        "origin" => ("origin", "Log begun", 3),
        "ticket" => ("ticket", "Approval decided", 3),
        _ => ("statement", "Statement recorded", 1),
    }
}
