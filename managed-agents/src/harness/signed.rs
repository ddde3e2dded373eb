//! With an operator set, no file is judged by that no approver signed: an agent may be able to write files.

use std::time::SystemTime;

use super::BuildError;
use crate::answer::wait;
use crate::approval::{Roots, StatementKind};
use crate::audit::entry::{Statement, statement};
use crate::call::Digest;
use crate::home::{HomeError, orders, roster};
use crate::store::Store;

/// Checks that each file is the one that was signed last; what is not leaves a trace in the record.
pub(super) fn check(
    store: Option<&Store>,
    roots: &Roots,
    files: [(&'static str, Option<Digest>); 2],
) -> Result<(), BuildError> {
    let files = files.into_iter().filter_map(|(what, digest)| Some((what, digest?)));
    for (what, digest) in files {
        let Some(store) = store else {
            return Err(unsigned(what, "and in memory no signature is recorded"));
        };
        if !signed_last(store, roots, what, digest)? {
            refused(store, what, digest)?;
            return Err(unsigned(what, "by their digest"));
        }
    }
    Ok(())
}

/// Checks that policies are those that were signed last, which are to be put into force while the program runs; what is not leaves
/// a trace in the record, once while the same is tried: `tried` is what was tried last.
pub(super) fn check_again(
    store: &Store,
    roots: &Roots,
    digest: Digest,
    tried: &mut Option<Digest>,
) -> Result<(), BuildError> {
    if signed_last(store, roots, "policies", digest)? {
        *tried = None;
        return Ok(());
    }
    if tried.replace(digest) != Some(digest) {
        refused(store, "policies", digest)?;
    }
    Err(unsigned("policies", "by their digest"))
}

/// An earlier one may have been laxer: only the last counts.
fn signed_last(store: &Store, roots: &Roots, what: &str, digest: Digest) -> Result<bool, HomeError> {
    let reader = store.reader()?;
    let signed = orders(&reader, StatementKind::Rules, &roster(&reader, roots)?)?;
    let last = signed.iter().rev().find_map(|(_, stated)| stated.about(what));
    Ok(last == Some(digest.to_string().as_str()))
}

fn refused(store: &Store, what: &str, digest: Digest) -> Result<(), HomeError> {
    let body = serde_json::json!({ "code": "rules_unsigned", "digest": digest.to_string(), "what": what });
    let body = body.to_string();
    let entry = statement(&Statement::new("refusal", SystemTime::now(), &body))?;
    wait(store.append(entry, true))?;
    Ok(())
}

fn unsigned(what: &str, why: &str) -> BuildError {
    let what = if what == "config" {
        "the configuration is"
    } else {
        "the policies are"
    };
    BuildError::RulesUnsigned(format!("{what} not what an approver signed last, {why}"))
}
