//! `[tools.NAME]`: what is known of tools that are called by name.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::error::ConfigError;
use super::read::Item;
use crate::call::{ArgKind, Risk, ToolMeta};

const RISKS: [(&str, Risk); 4] = [
    ("low", Risk::Low),
    ("medium", Risk::Medium),
    ("high", Risk::High),
    ("critical", Risk::Critical),
];

const KINDS: [(&str, ArgKind); 4] = [
    ("shell", ArgKind::Shell),
    ("sql", ArgKind::Sql),
    ("path", ArgKind::Path),
    ("url", ArgKind::Url),
];

/// A tool, and the JSON pointers of what is redacted in its arguments.
pub(super) fn tool(name: &str, item: &Item<'_>) -> Result<(ToolMeta, Vec<String>), ConfigError> {
    if !(1..=200).contains(&name.chars().count()) {
        return Err(item.error("has no name of 1 to 200 characters"));
    }
    let table = item.table()?;
    table.only(&[
        "description",
        "risk",
        "reversible",
        "irreversible",
        "read_only",
        "action",
        "arguments",
        "redact",
    ])?;
    let mut meta = ToolMeta::new(name.to_owned());
    if let Some(description) = table.get("description") {
        meta = meta.with_description(description.text()?.to_owned());
    }
    if let Some(action) = table.get("action") {
        meta = meta.with_action(action.text()?.to_owned());
    }
    if let Some(risk) = table.get("risk") {
        meta = meta.with_risk(risk.word(&RISKS)?);
    }
    let flag = |key| table.get(key).map_or(Ok(false), |item| item.flag());
    match (flag("reversible")?, flag("irreversible")?) {
        (true, true) => return Err(item.error("is both `reversible` and `irreversible`")),
        (true, false) => meta = meta.reversible(),
        (false, true) => meta = meta.irreversible(),
        (false, false) => {}
    }
    if flag("read_only")? {
        meta = meta.read_only();
    }
    if let Some(arguments) = table.get("arguments") {
        for (argument, kind) in arguments.table()?.entries() {
            meta = meta.with_argument(interned(argument), kind.word(&KINDS)?);
        }
    }
    let mut redacted = Vec::new();
    if let Some(redact) = table.get("redact") {
        for pointer in redact.items()? {
            let text = pointer.text()?;
            if !text.starts_with('/') {
                return Err(pointer.error("holds what is no JSON pointer: it begins with `/`"));
            }
            redacted.push(text.to_owned());
        }
    }
    Ok((meta, redacted))
}

/// The word for a kind.
pub(crate) fn kind_word(kind: ArgKind) -> &'static str {
    KINDS
        .iter()
        .find(|(_, each)| *each == kind)
        .map_or("", |(word, _)| word)
}

/// A text that lives as long as the process, once for all equal ones: what `#[governed]` writes into the program, files
/// can only bring. Bounded by the files that an operator has this process read.
pub(super) fn interned(text: &str) -> &'static str {
    static TEXTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    match texts.get(text) {
        Some(known) => known,
        None => {
            let kept: &'static str = Box::leak(text.into());
            texts.insert(kept);
            kept
        }
    }
}
