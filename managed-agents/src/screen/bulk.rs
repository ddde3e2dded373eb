//! How many at once: recipients, files, calendar entries.

use serde_json::{Map, Value};

use super::names::Kinds;
use super::profile::BulkLimits;

/// The argument that holds more than the profile allows, if one does.
pub(super) fn judge<'m>(kinds: &Kinds, arguments: &'m Map<String, Value>, limits: &BulkLimits) -> Option<&'m str> {
    let mut recipients = 0;
    let mut last = None;
    for (name, value) in arguments {
        let lower = name.to_ascii_lowercase();
        let count = || count(value);
        if matches!(
            lower.as_str(),
            "to" | "cc"
                | "bcc"
                | "recipients"
                | "recipient"
                | "emails"
                | "participants"
                | "attendees"
                | "users"
                | "user_ids"
                | "addresses"
                | "channels"
        ) && (kinds.mail || kinds.calendar || addresses(value))
        {
            recipients += count();
            last = Some(name.as_str());
        }
        if matches!(
            lower.as_str(),
            "files" | "paths" | "file_paths" | "filenames" | "file_ids"
        ) && count() >= limits.file
        {
            return Some(name);
        }
        if (matches!(lower.as_str(), "events" | "meetings" | "appointments" | "event_ids")
            || kinds.calendar && matches!(lower.as_str(), "ids" | "items"))
            && count() >= limits.calendar
        {
            return Some(name);
        }
        if matches!(lower.as_str(), "email_ids" | "message_ids" | "messages") && kinds.mail && count() >= limits.email {
            return Some(name);
        }
    }
    (recipients >= limits.email).then_some(last).flatten()
}

/// Whether a short value without signs under this name may count towards anything.
pub(super) fn counts(kinds: &Kinds, name: &str) -> bool {
    let value = Map::from_iter([(name.to_owned(), Value::String("x".to_owned()))]);
    // under limits that nothing is below, all that is counted is found
    let least = BulkLimits {
        email: 0,
        file: 0,
        calendar: 0,
    };
    judge(kinds, &value, &least).is_some()
}

/// How many values an argument holds: of a list, or of a text with commas.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(values) => values.len(),
        Value::String(text) => text.split([',', ';']).filter(|part| !part.trim().is_empty()).count(),
        _ => 0,
    }
}

fn addresses(value: &Value) -> bool {
    match value {
        Value::Array(values) => {
            values
                .iter()
                .all(|value| value.as_str().is_some_and(|text| text.contains('@')))
                && !values.is_empty()
        }
        Value::String(text) => text.contains('@'),
        _ => false,
    }
}
