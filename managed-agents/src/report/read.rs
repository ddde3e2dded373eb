//! What reports read of entries beyond their own accessors. What does not have the form says nothing.

use serde::de::DeserializeOwned;

use crate::audit::entry::Entry;

/// The codes of what the screen found.
pub(super) fn screen_codes(entry: &Entry) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Found {
        code: String,
    }
    let found: Option<Vec<Found>> = member(entry, "screen");
    found.unwrap_or_default().into_iter().map(|found| found.code).collect()
}

/// The agent's trust after a decision, in millionths.
pub(super) fn trust_after(entry: &Entry) -> Option<u32> {
    #[derive(serde::Deserialize)]
    struct Trust {
        after: u32,
    }
    member(entry, "trust").map(|trust: Trust| trust.after)
}

/// A member of a statement: of its body, or, where the body is what was signed beside its signature, of that.
pub(super) fn body_text(entry: &Entry, key: &str) -> Option<String> {
    let body: serde_json::Value = member(entry, "body")?;
    let found = body.get(key).or_else(|| body.get("body")?.get(key))?;
    found.as_str().map(ToOwned::to_owned)
}

/// Whether an `interrupt` entry is a stop, and if so, whether it is a drill.
pub(super) fn interrupts(entry: &Entry) -> Option<bool> {
    #[derive(serde::Deserialize)]
    struct Stop {
        drill: bool,
    }
    member(entry, "body").map(|stop: Stop| stop.drill)
}

pub(super) fn member<T: DeserializeOwned>(entry: &Entry, key: &str) -> Option<T> {
    serde_json::from_str(entry.raw(key)?).ok()
}
