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
        let reader = store.reader().map_err(HomeError::from)?;
        let roster = roster(&reader, roots).map_err(HomeError::from)?;
        let signed = orders(&reader, StatementKind::Rules, &roster).map_err(HomeError::from)?;
        // an earlier one may have been laxer: only the last counts
        let last = signed.iter().rev().find_map(|(_, stated)| stated.about(what));
        if last == Some(digest.to_string().as_str()) {
            continue;
        }
        let body = serde_json::json!({ "code": "rules_unsigned", "digest": digest.to_string(), "what": what });
        let body = body.to_string();
        let entry = Statement::new("refusal", SystemTime::now(), &body);
        let entry = statement(&entry).map_err(HomeError::from)?;
        wait(store.append(entry, true)).map_err(HomeError::from)?;
        return Err(unsigned(what, "by their digest"));
    }
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
