//! Entries as comma-separated values (RFC 4180).

use std::fmt::Write as _;

use super::{Opened, Untrusted};
use crate::audit::entry::Entry;

/// The headings; lists and objects stand as JSON in their field.
pub(super) const HEADINGS: &str = "seq,at,type,agent,tool,session,evaluation,decision,disposition,enforced,outcome,duration_us,\
     about,ucs,codes,policies,not_judged,ticket,parent,certificate,digest,definition,commitments,body,revealed\r\n";

pub(super) fn record(entry: &Entry, opened: &Opened) -> String {
    let mut out = String::with_capacity(512);
    // writing to a string cannot fail
    let _ = write!(
        out,
        "{},{},{}",
        entry.sequence(),
        entry.at(),
        Untrusted::new(entry.kind()).csv()
    );
    let text = |out: &mut String, key: &str| {
        out.push(',');
        if let Some(text) = entry.untrusted(key) {
            out.push_str(&text.csv());
        }
    };
    let json = |out: &mut String, json: Option<&str>| {
        out.push(',');
        if let Some(json) = json {
            out.push_str(&Untrusted::new(json).csv());
        }
    };
    for key in ["agent", "tool", "session", "evaluation", "decision", "disposition"] {
        text(&mut out, key);
    }
    for key in ["enforced", "outcome", "duration_us", "about", "ucs"] {
        match entry.untrusted(key) {
            Some(word) => {
                out.push(',');
                out.push_str(&word.csv());
            }
            None => json(&mut out, entry.raw(key)),
        }
    }
    for key in ["codes", "policies", "not_judged"] {
        json(&mut out, entry.raw(key));
    }
    for key in ["ticket", "parent", "certificate", "digest", "definition"] {
        text(&mut out, key);
    }
    json(
        &mut out,
        entry.raw("arguments").or_else(|| entry.raw("arguments_whole")),
    );
    json(&mut out, entry.raw("body"));
    let revealed = (!opened.is_empty()).then(|| opened.json());
    json(&mut out, revealed.as_deref());
    out.push_str("\r\n");
    out
}
