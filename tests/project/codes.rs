//! Every stable code in the source stands in `VERSIONING.md`, and nothing else does.
//!
//! Codes are found by their shape: words in snake case, and single words where a code is expected. A word that is no code
//! is named in [`NOT_CODES`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Parts of the library that write other words in snake case: names of tools, the wires of services, keys of a file or of
/// an entry, the words of the command line, and the names of programs, functions and arguments that the screen knows.
const OTHER_WORDS: &[&str] = &[
    "assessment",
    "audit/entry",
    "audit/event.rs",
    "audit/export",
    "claude",
    "cli",
    "config",
    "interrupt/target.rs",
    "policy/facts.rs",
    "remote/body.rs",
    "report",
    "webhooks",
    "remote/preset.rs",
    "call/effect.rs",
    "call/verb.rs",
    "call/meta/tightened.rs",
    "drift",
    "screen/effect",
    "screen/shell",
    "screen/sql",
    "screen/sql.rs",
    "screen/bulk.rs",
    "screen/url.rs",
    "screen/value.rs",
    "screen/names.rs",
    "screen/secret.rs",
    "store/sqlite/interrupts.rs",
    "store/sqlite/calls.rs",
    "store/sqlite/schema.rs",
    "store/sqlite/tickets/tables.rs",
    "trust/ledger.rs",
];

/// Words in snake case that are no codes: names of fields, of spans, of functions.
const NOT_CODES: &[&str] = &[
    "agent_calls",
    "agent_id",
    "allow_all",
    "data_version",
    "drift_ack",
    "drift_baseline",
    "drift_rebaseline",
    "execute_tool",
    "high_water",
    "input_lossy",
    "input_schema",
    "journal_mode",
    "log_certificate",
    "log_key",
    "managed_agents",
    "may_enrol",
    "released_hold",
    "reviewer_drift",
    "reviewer_drift_ack",
    "reviewer_drift_rebaseline",
    "secure_delete",
    "session_calls",
    "snake_case",
];

#[test]
fn every_code_in_the_source_stands_in_the_list_and_no_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let list = fs::read_to_string(root.join("VERSIONING.md")).expect("VERSIONING.md is there");
    let listed = listed(&list);
    let mut found = BTreeMap::new();
    let src = root.join("managed-agents/src");
    each_file(&src, &mut |path| {
        let name = path.strip_prefix(&src).expect("it is below");
        if OTHER_WORDS.iter().any(|other| name.starts_with(other)) {
            return;
        }
        let source = fs::read_to_string(path).expect("source is text");
        for code in codes(&source) {
            found.entry(code).or_insert_with(|| name.display().to_string());
        }
    });
    assert!(found.len() > 40, "the codes are found: {found:?}");
    let missing: Vec<_> = found
        .iter()
        .filter(|(code, _)| !listed.contains(code.as_str()))
        .map(|(code, file)| format!("`{code}` in {file}"))
        .collect();
    assert!(
        missing.is_empty(),
        "codes that VERSIONING.md does not list (or, if they are none, NOT_CODES): {missing:#?}"
    );
    let stale: Vec<_> = listed.iter().filter(|code| !found.contains_key(**code)).collect();
    assert!(
        stale.is_empty(),
        "codes that VERSIONING.md lists and the source does not have: {stale:#?}"
    );
}

/// The first cell of each row of the tables under `## Codes`.
fn listed(text: &str) -> BTreeSet<&str> {
    let codes = text
        .split_once("\n## Codes\n")
        .expect("VERSIONING.md has a section `Codes`")
        .1;
    let codes = codes.split("\n## ").next().unwrap_or_default();
    codes
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(code, _)| code)
        // stands for a number
        .filter(|code| *code != "http_NNN")
        .collect()
}

fn each_file(folder: &Path, see: &mut impl FnMut(&Path)) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("the entry can be read").path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().and_then(|name| name.to_str());
        match name.unwrap_or_default() {
            // `tests.rs`, `tests/`
            name if name.starts_with("tests") => {}
            _ if path.is_dir() => each_file(&path, see),
            name if name.ends_with(".rs") => see(&path),
            _ => {}
        }
    }
}

/// Before a literal, these say that it is a code.
const BEFORE: [&str; 6] = [
    "Some((",
    "Reason::new(",
    "InputError::new(",
    "with_code(",
    "reason(",
    "code:",
];

fn codes(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut code_of_match = false;
    let mut plain = String::new();
    for line in source.lines().map(str::trim) {
        if line.starts_with("//") || line.starts_with("#[") {
            continue;
        }
        // a function that gives the code of a kind
        if line.contains("fn code(") {
            code_of_match = true;
        } else if line.contains("fn ") {
            code_of_match = false;
        }
        let line = if code_of_match {
            line.replace("=> \"", "=> code:\"")
        } else {
            line.to_owned()
        };
        plain.push_str(&line);
        plain.push(' ');
    }
    let mut codes = Vec::new();
    let mut parts = plain.split('"');
    let mut before = parts.next().unwrap_or_default();
    while let (Some(literal), Some(after)) = (parts.next(), parts.next()) {
        let context = before.trim_end();
        let is_field = context.ends_with(".field(") || context.ends_with("tracing::error!(");
        let expected = BEFORE.iter().any(|shape| context.ends_with(shape))
            // `GovernanceDenied::new(DenialKind::Denied, "…"`
            || context
                .rsplit_once("DenialKind::")
                .is_some_and(|(_, kind)| kind.trim_end_matches(',').chars().all(char::is_alphabetic));
        let snake = literal.contains('_') && !is_field && !NOT_CODES.contains(&literal);
        if is_word(literal) && (snake || expected) {
            codes.push(literal.to_owned());
        }
        before = after;
    }
    codes
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('_')
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
