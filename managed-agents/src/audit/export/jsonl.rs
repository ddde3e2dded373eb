//! Entries as JSON Lines.

use super::Opened;
use super::untrusted::push_json;
use crate::audit::entry::Entry;

/// The entry, with what a terminal would not show escaped, so that no reader sees two lines in it.
pub(super) fn line(entry: &Entry, opened: &Opened) -> String {
    let mut out = String::with_capacity(entry.as_json().len() + 1);
    push_json(&mut out, entry.as_json());
    if !opened.is_empty() {
        out.pop();
        out.push_str(",\"revealed\":");
        out.push_str(&opened.json());
        out.push('}');
    }
    out.push('\n');
    out
}
