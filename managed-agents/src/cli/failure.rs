//! Why a command could not do what it was asked.

use std::fmt;
use std::path::Path;

use crate::audit::export::Untrusted;
use crate::config::{ConfigError, ToolFileError};
use crate::harness::BuildError;
use crate::home::HomeError;
use crate::identity::IdentityError;
use crate::store::StoreError;

/// One sentence for the person at the shell; holds no argument of a call.
#[derive(Debug)]
pub(super) struct Failure(String);

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    pub(super) fn of_file(file: &Path, error: impl fmt::Display) -> Self {
        Self(format!("{}: {error}", shown_path(file)))
    }

    pub(super) fn of_tools(file: &Path, error: &ToolFileError) -> Self {
        Self::of_file(file, error)
    }

    /// What an error says, of which parts may have come from outside.
    pub(super) fn of(error: &dyn fmt::Display) -> Self {
        Self(Untrusted::new(error.to_string()).terminal())
    }

    /// Standard output cannot be written.
    pub(super) fn unwritable(error: &std::io::Error) -> Self {
        Self(format!("the output cannot be written: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self(error.to_string())
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self(error.to_string())
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        Self::of(&error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::of(&error)
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        Self::of(&error)
    }
}

/// A path on one line, whatever it holds.
pub(super) fn shown_path(path: &Path) -> String {
    shown(&path.display().to_string())
}

/// A foreign text on one line, at most 200 characters, and without control characters: a terminal obeys those.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(200) {
        match c {
            '\'' | '"' => out.push(c),
            c => out.extend(c.escape_debug()),
        }
    }
    out
}
