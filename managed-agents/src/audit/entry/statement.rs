//! Entries that carry a statement: who an agent is, what was erased, where the log comes from.

use std::time::SystemTime;

use super::error::{EntryError, EntryErrorKind};
use super::pending::{IndexColumns, PendingEntry};
use super::writer::{Writer, clip};
use super::{FORMAT, MAX_BYTES};
use crate::calendar;
use crate::call::strict;

/// An entry that is no decision and no outcome.
///
/// # Examples
///
/// ```
/// use std::time::SystemTime;
/// use managed_agents::audit::entry::{Statement, statement};
/// let body = r#"{"passport":"nmc-0123","state":"suspended","number":2}"#;
/// let entry = statement(&Statement::new("agent", SystemTime::UNIX_EPOCH, body).about_agent("support-bot"))?;
/// assert_eq!(
///     String::from_utf8_lossy(&entry.at(7)),
///     r#"{"agent":"support-bot","at":"1970-01-01T00:00:00.000000Z","body":{"number":2,"passport":"nmc-0123","#.to_owned()
///         + r#""state":"suspended"},"seq":7,"type":"agent","v":"ma-entry/1"}"#
/// );
/// # Ok::<_, managed_agents::audit::entry::EntryError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Statement<'a> {
    kind: &'a str,
    at: SystemTime,
    body: &'a str,
    agent: Option<&'a str>,
    about: Option<u64>,
}

impl<'a> Statement<'a> {
    /// A statement of a type (`origin`, `agent`, `erasure`, `ticket`, `note`, …) with a JSON object as its body. What was
    /// signed as RFC 8785 bytes stands in the entry byte for byte.
    #[must_use]
    pub fn new(kind: &'a str, at: SystemTime, body: &'a str) -> Self {
        Self {
            kind,
            at,
            body,
            agent: None,
            about: None,
        }
    }

    /// Names the agent that it is about.
    #[must_use]
    pub fn about_agent(mut self, agent: &'a str) -> Self {
        self.agent = Some(agent);
        self
    }

    /// Names the entry that it is about.
    #[must_use]
    pub fn about_entry(mut self, sequence: u64) -> Self {
        self.about = Some(sequence);
        self
    }
}

/// The entry of a statement. The body is written in the form of RFC 8785.
///
/// # Errors
///
/// [`EntryErrorKind::BadStatement`] when the type is no word (`a-z0-9_`, at most 64) or that of a call, or the body is no JSON object, names a key twice, or is too large for an entry.
pub fn statement(statement: &Statement<'_>) -> Result<PendingEntry, EntryError> {
    if let "decision" | "outcome" = statement.kind {
        return Err(bad("its type is that of a call's own entries"));
    }
    if !super::read::is_kind(statement.kind) {
        return Err(bad("its type is no word of `a-z0-9_`"));
    }
    let body = canonical(statement.body)?;
    let at = calendar::micros(statement.at);
    let agent = statement.agent.map(clip);
    let mut out = Writer::new();
    if let Some(about) = statement.about {
        out.integer("about", about);
    }
    if let Some(agent) = &agent {
        out.text("agent", agent);
    }
    out.time("at", at);
    out.key("body");
    out.out.extend_from_slice(&body);
    out.key("seq");
    let sequence_at = out.out.len();
    out.text("type", statement.kind);
    out.text("v", FORMAT);
    let index = IndexColumns {
        kind: statement.kind.to_owned(),
        at_micros: at,
        agent: agent.map(std::borrow::Cow::into_owned),
        about: statement.about,
        ..IndexColumns::default()
    };
    let bytes = out.finish();
    // its sequence takes 20 digits at most
    if bytes.len() + 20 > MAX_BYTES {
        return Err(bad("its body is too large for an entry of 64 KiB"));
    }
    Ok(PendingEntry::new(bytes, sequence_at, index, Vec::new(), String::new()))
}

/// A JSON object in the form of RFC 8785.
fn canonical(json: &str) -> Result<Vec<u8>, EntryError> {
    if json.len() > MAX_BYTES {
        return Err(bad("its body is too large for an entry of 64 KiB"));
    }
    strict::check(json, 0).map_err(|_| bad("its body is no JSON without duplicate keys"))?;
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(json).map_err(|_| bad("its body is no JSON object"))?;
    serde_json_canonicalizer::to_vec(&object).map_err(|_| bad("its body has no form in RFC 8785"))
}

fn bad(why: &str) -> EntryError {
    EntryError::new(
        EntryErrorKind::BadStatement,
        format!("a statement cannot be recorded: {why}"),
    )
}
