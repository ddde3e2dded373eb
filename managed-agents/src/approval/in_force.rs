//! What an entry says of the rules by which is judged from then on: from which files they are made, and by which order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The type of such entries.
pub(crate) const RULES_ENTRY: &str = "rules";

/// A word of each order that lets rules in: from it on, no decision is made by rules of which no entry says so. An approver signs it
/// with the order, so that nobody else can leave the entries out and say that the program is one that wrote none.
pub(crate) const RECORDED: (&str, &str) = ("starts", "recorded");

/// The body of an entry.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct InForce {
    /// By what they are called: `config`, `policies`. Code alone needs no order.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) files: BTreeMap<String, OrderedFile>,
    /// The digest of rules of which the other files are, that were let in before and are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaces: Option<String>,
    /// What stands in each decision that is made by them.
    pub(crate) rules: String,
}

/// A file, or some, and the order that lets them in.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct OrderedFile {
    pub(crate) digest: String,
    /// The place of the order, the last about such files; none where there is no order, or it is about others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) order: Option<u64>,
}
