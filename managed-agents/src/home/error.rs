//! What can be wrong with a data directory.

use std::path::Path;

use crate::audit::entry::EntryError;
use crate::identity::{IdentityError, IdentityErrorKind};
use crate::store::{StoreError, StoreErrorKind};

/// A data directory cannot be opened, or does not allow what was asked. The message names no secret.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct HomeError {
    kind: HomeErrorKind,
    code: &'static str,
    detail: String,
}

/// What is wrong with a data directory.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum HomeErrorKind {
    /// The record.
    Store(StoreErrorKind),
    /// A key, a certificate or a statement.
    Identity(IdentityErrorKind),
    /// What was to be recorded is no entry.
    Entry,
    /// The agent is not registered, and the authority's key, with which it could be, is not here.
    NotRegistered,
    /// A sub-agent cannot have this name.
    BadName,
    /// The authority's key, which this needs, is not here or is under a passphrase.
    NoAuthority,
    /// Who may approve is not changed as was asked, or an order is not signed by one who may give it.
    People,
    /// It is open in this process already, with another durability or another high-water mark.
    OpenOtherwise,
}

impl HomeError {
    fn new(kind: HomeErrorKind, code: &'static str, detail: String) -> Self {
        Self { kind, code, detail }
    }

    pub(super) fn not_registered(agent: &str) -> Self {
        Self::new(
            HomeErrorKind::NotRegistered,
            "not_registered",
            format!("agent `{agent}` is not registered; register it with `managed-agents agent register {agent}`"),
        )
    }

    pub(super) fn people(what: &str) -> Self {
        Self::new(HomeErrorKind::People, "not_an_approver", what.to_owned())
    }

    pub(super) fn bad_name(error: &dyn std::fmt::Display) -> Self {
        Self::new(HomeErrorKind::BadName, "bad_agent_id", error.to_string())
    }

    pub(super) fn no_authority(what: &str) -> Self {
        Self::new(
            HomeErrorKind::NoAuthority,
            "no_authority",
            format!("the authority's key is under a passphrase, and {what} needs it"),
        )
    }

    pub(super) fn open_otherwise(dir: &Path) -> Self {
        Self::new(
            HomeErrorKind::OpenOtherwise,
            "open_otherwise",
            format!(
                "{} is open in this process with another durability or high-water mark; ask for the same, or for another directory",
                dir.display()
            ),
        )
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> HomeErrorKind {
        self.kind
    }

    /// The stable code; that of the store or the identity where one of them is wrong.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl From<StoreError> for HomeError {
    fn from(error: StoreError) -> Self {
        Self::new(HomeErrorKind::Store(error.kind()), error.code(), error.to_string())
    }
}

impl From<IdentityError> for HomeError {
    fn from(error: IdentityError) -> Self {
        Self::new(HomeErrorKind::Identity(error.kind()), error.code(), error.to_string())
    }
}

impl From<EntryError> for HomeError {
    fn from(error: EntryError) -> Self {
        Self::new(HomeErrorKind::Entry, "entry_refused", error.to_string())
    }
}
