//! Values that may be shown beside an entry.

use std::fmt;

use crate::audit::entry::{Entry, Sealed};

/// Values that an entry commits to, opened to be shown: only what really is the entry's, and only what the tool does not
/// redact. Without one, an export holds no value; no export holds a salt.
///
/// `Debug` shows no value.
#[derive(Clone, Default)]
pub struct Opened {
    /// Path and JSON text, in the order that they were given.
    values: Vec<(String, String)>,
}

impl Opened {
    /// Nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// What of these is the entry's, and not redacted.
    #[must_use]
    pub fn of<'s>(entry: &Entry, sealed: impl IntoIterator<Item = &'s Sealed>) -> Self {
        let commitments = entry.commitments();
        let values = sealed
            .into_iter()
            .filter(|sealed| !sealed.redacted)
            .filter(|sealed| {
                commitments
                    .iter()
                    .any(|commitment| !commitment.is_redacted() && commitment.opens(sealed))
            })
            .filter_map(|sealed| Some((sealed.path.clone(), String::from_utf8(sealed.value.clone()).ok()?)))
            // what stands in JSON must be JSON, whoever sealed it, and in one line: a control character could only be between tokens
            .filter(|(_, value)| {
                !value.chars().any(char::is_control) && serde_json::from_str::<serde::de::IgnoredAny>(value).is_ok()
            })
            .collect();
        Self { values }
    }

    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Place (a JSON pointer) and JSON text of each value.
    pub(super) fn values(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        self.values.iter().map(|(path, value)| (path.as_str(), value.as_str()))
    }

    /// All values as one JSON object, by place; safe in a line and on a terminal.
    pub(super) fn json(&self) -> String {
        let mut out = String::from("{");
        for (path, value) in self.values() {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&super::Untrusted::new(path).json());
            out.push(':');
            super::untrusted::push_json(&mut out, value);
        }
        out.push('}');
        out
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<_> = self.values().map(|(path, _)| path).collect();
        f.debug_tuple("Opened").field(&places).finish()
    }
}
