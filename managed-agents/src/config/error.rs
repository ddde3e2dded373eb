//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A configuration cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(ReadError),
    /// The file says something that means nothing here: no TOML, an unknown key, a value of another type or out of range.
    #[error(transparent)]
    Invalid(InvalidError),
    /// The file asks for something that this build, or what was given in code, cannot honour.
    #[error(transparent)]
    Unsupported(UnsupportedError),
    /// A variable of the environment cannot be used.
    #[error(transparent)]
    Environment(EnvironmentError),
    /// The policies cannot be put into force.
    #[cfg(feature = "cedar")]
    #[error(transparent)]
    Policies(#[from] crate::policy::PolicyError),
    /// The governance service cannot be set up.
    #[cfg(feature = "remote")]
    #[error("the governance service cannot be asked: {0}")]
    Service(crate::remote::RemoteError),
}

/// A file cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("`{}` cannot be read: {source}", shown(file))]
pub struct ReadError {
    file: PathBuf,
    source: Arc<std::io::Error>,
}

impl ReadError {
    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }
}

/// A file says something that means nothing here. `Display` begins with `file:line:`.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{place}: {message}")]
pub struct InvalidError {
    place: Place,
    message: String,
}

impl InvalidError {
    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.place.file
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// What is wrong there.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// A configuration asks for something that cannot be honoured, and is never ignored.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: `{key}` {why}", .place.as_ref().map_or_else(|| "environment".to_owned(), ToString::to_string))]
pub struct UnsupportedError {
    place: Option<Place>,
    key: &'static str,
    why: &'static str,
}

impl UnsupportedError {
    /// The file; `None` where the environment asks for it.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.place.as_ref().map(|place| &*place.file)
    }

    /// The line, from 1; `None` where the environment asks for it.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.place.as_ref().map(|place| place.line)
    }

    /// The key, or the variable.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key
    }
}

/// A variable of the environment cannot be used; its value is not repeated.
#[derive(Clone, Debug, thiserror::Error)]
#[error("environment: `{variable}` {why}")]
pub struct EnvironmentError {
    variable: &'static str,
    why: String,
}

impl EnvironmentError {
    /// The variable.
    #[must_use]
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

/// A line of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(super) file: Arc<Path>,
    pub(super) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", shown(&self.file), self.line)
    }
}

impl ConfigError {
    pub(super) fn unreadable(file: &Path, source: std::io::Error) -> Self {
        Self::Read(ReadError {
            file: file.to_owned(),
            source: Arc::new(source),
        })
    }

    pub(super) fn invalid(place: Place, message: impl Into<String>) -> Self {
        Self::Invalid(InvalidError {
            place,
            message: message.into(),
        })
    }

    pub(crate) fn unsupported(place: Option<&Place>, key: &'static str, why: &'static str) -> Self {
        Self::Unsupported(UnsupportedError {
            place: place.cloned(),
            key,
            why,
        })
    }

    pub(crate) fn environment(variable: &'static str, why: impl Into<String>) -> Self {
        Self::Environment(EnvironmentError {
            variable,
            why: why.into(),
        })
    }
}

/// A path on one line, whatever it holds.
fn shown(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}
