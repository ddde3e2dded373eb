//! What a person changes of a call before it may run.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::{ApprovalError, ApprovalErrorKind};
use crate::call::{CanonicalWriter, Digest, Salt, ToolCall, ToolInput};
use crate::verdict::Reason;

const LABEL: &[u8] = b"ma-edit/1\0";

/// What stands where people do not see a value.
const REDACTED: &str = "[redacted]";

/// The most characters of a value that the model is told.
const TOLD: usize = 200;

/// The arguments that a person puts in the place of a call's own, by name; all others stay, also those that the person does not see.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Edit(String);

impl Edit {
    /// Reads one JSON object of arguments; `shown` is the call as the person sees it.
    pub(crate) fn parse(text: &str, shown: &str, ticket: &str) -> Result<Self, ApprovalError> {
        let unfit = |why: String| ApprovalError::unfit_edit(ticket, &why);
        let edit = ToolInput::parse(text).map_err(|error| unfit(error.to_string()))?;
        let there: BTreeMap<String, &RawValue> =
            serde_json::from_str(shown).map_err(|_| ApprovalError::new(ApprovalErrorKind::UnknownTicket, ticket))?;
        if edit.as_map().is_empty() {
            return Err(unfit("it changes nothing".to_owned()));
        }
        for (name, value) in edit.as_map() {
            if !there.contains_key(name) {
                let name: String = name.chars().take(80).collect();
                return Err(unfit(format!("the call has no argument `{}`", name.escape_debug())));
            }
            if value.to_string().contains(REDACTED) {
                return Err(unfit(format!(
                    "`{name}` would be `{REDACTED}`: leave out what you do not see, or say all of it"
                )));
            }
        }
        let mut writer = CanonicalWriter::into_buffer(Vec::new(), 1);
        writer
            .value(&edit)
            .map_err(|error| unfit(format!("it cannot be judged: {error}")))?;
        String::from_utf8(writer.finish())
            .map(Self)
            .map_err(|_| unfit("it is no text".to_owned()))
    }

    /// What was parsed once.
    #[cfg(feature = "sqlite")]
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// In canonical form.
    #[cfg(any(feature = "sqlite", test))]
    pub(crate) fn as_json(&self) -> &str {
        &self.0
    }

    /// What an approver signs of it.
    pub(crate) fn digest(&self, salt: &Salt) -> Digest {
        let hash = Sha256::new().chain_update(LABEL).chain_update(salt.reveal());
        Digest::new(hash.chain_update(&self.0).finalize().into())
    }

    /// The names of what it changes.
    pub(crate) fn names(&self) -> Vec<String> {
        let names: BTreeMap<String, &RawValue> = serde_json::from_str(&self.0).unwrap_or_default();
        names.into_keys().collect()
    }

    /// All arguments of the call as it is to run.
    fn over(&self, arguments: &str) -> Option<String> {
        let mut all: BTreeMap<String, &RawValue> = serde_json::from_str(arguments).ok()?;
        let changed: BTreeMap<String, &RawValue> = serde_json::from_str(&self.0).ok()?;
        all.extend(changed);
        serde_json::to_string(&all).ok()
    }

    /// The call as it is to run: its arguments decoded as the types of its function, and written down anew. Else, in words that show
    /// no value, what does not fit.
    pub(crate) fn of(&self, call: &ToolCall) -> Result<std::sync::Arc<ToolCall>, String> {
        let edits = call
            .edits()
            .ok_or_else(|| "this tool runs no arguments but those that it was called with".to_owned())?;
        let arguments = self
            .over(call.reveal_arguments())
            .ok_or_else(|| "the arguments as a person changed them cannot be read".to_owned())?;
        edits.redraft(call, &arguments)
    }

    /// What the model is told: each argument that is another, and its values where they may be shown.
    pub(crate) fn told(&self, call: &ToolCall, edited: &ToolCall) -> String {
        fn read(json: &str) -> BTreeMap<String, &RawValue> {
            serde_json::from_str(json).unwrap_or_default()
        }
        let (before, after) = (call.arguments(), edited.arguments());
        let (before, after) = (read(&before), read(&after));
        let changes: Vec<String> = self
            .names()
            .iter()
            .map(|name| match (before.get(name), after.get(name)) {
                (Some(was), Some(is)) if !call.is_redacted(name) => {
                    format!("`{name}` is {} in place of {}", cut(is.get()), cut(was.get()))
                }
                _ => format!("`{name}` is another"),
            })
            .collect();
        format!(
            "a person approved this call with other arguments, and it ran with those: {}",
            changes.join("; ")
        )
    }
}

/// The edited call waits for reasons that nobody was shown.
pub(crate) fn not_covered() -> Reason {
    Reason::new(
        "edit_not_covered",
        "a person changed this call, and as changed it raises a concern that nobody has approved; repeat the call to ask again",
    )
}

/// Shows no value.
impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Edit").field(&self.names()).finish()
    }
}

fn cut(value: &str) -> String {
    match value.char_indices().nth(TOLD) {
        Some((at, _)) => format!("{}…", value.get(..at).unwrap_or_default()),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = r#"{"cents":5,"memo":"[redacted]","to":"bob"}"#;

    fn edit(text: &str) -> Result<Edit, ApprovalError> {
        Edit::parse(text, SHOWN, "tkt_1")
    }

    #[test]
    fn an_edit_names_arguments_that_there_are_once_and_nothing_that_is_hidden() {
        assert_eq!(
            edit(r#"{ "to": "eve", "cents": 4 }"#).unwrap().as_json(),
            r#"{"cents":4,"to":"eve"}"#
        );
        for text in [
            "{}",
            "[]",
            "4",
            "",
            r#"{"cents":4,"cents":5}"#,
            r#"{"amount":4}"#,
            r#"{"memo":"[redacted]"}"#,
            r#"{"to":{"deep":["[redacted]"]}}"#,
        ] {
            assert_eq!(edit(text).unwrap_err().code(), "unfit_edit", "{text}");
        }
        let debug = format!("{:?}", edit(r#"{"memo":"s3cret"}"#).unwrap());
        assert_eq!(debug, r#"Edit(["memo"])"#);
    }

    #[test]
    fn what_it_does_not_name_stays_and_its_digest_is_its_own() {
        let one = edit(r#"{"cents":4}"#).unwrap();
        assert_eq!(
            one.over(r#"{"cents":5,"memo":"s3cret","to":"bob"}"#).unwrap(),
            r#"{"cents":4,"memo":"s3cret","to":"bob"}"#
        );
        let (salt, other) = (Salt::from_bytes([7; 32]), Salt::from_bytes([8; 32]));
        assert_ne!(one.digest(&salt), one.digest(&other));
        assert_ne!(one.digest(&salt), edit(r#"{"cents":3}"#).unwrap().digest(&salt));
    }
}
