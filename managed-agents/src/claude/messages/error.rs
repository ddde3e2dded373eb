//! Why a run broke off.

use std::fmt;
use std::time::Duration;

use super::run::Run;
use crate::claude::api::{ApiError, ApiErrorKind};

/// An agent could not be built, or a run broke off.
///
/// What had happened by then is in [`run`](Self::run). No text of it holds the API key.
#[derive(Debug)]
pub struct MessagesError {
    error: ApiError,
    run: Option<Box<Run>>,
}

impl MessagesError {
    pub(super) fn with_run(self, run: Run) -> Self {
        Self {
            run: Some(Box::new(run)),
            ..self
        }
    }

    /// What went wrong, by kind.
    #[must_use]
    pub fn kind(&self) -> ApiErrorKind {
        self.error.kind()
    }

    /// The status that the API answered with, where it is what went wrong.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.error.status()
    }

    /// The API's own code: `error.details.error_code`, else `error.type`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.error.code()
    }

    /// The API's id of the request, to be quoted to its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.error.request_id()
    }

    /// How long the API asked to wait, where it asked.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.error.retry_after()
    }

    /// What had happened by then: calls that ran are here, with their results.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        self.run.as_deref()
    }

    /// What had happened by then, owned.
    #[must_use]
    pub fn into_run(self) -> Option<Run> {
        self.run.map(|run| *run)
    }
}

impl From<ApiError> for MessagesError {
    fn from(error: ApiError) -> Self {
        Self { error, run: None }
    }
}

impl fmt::Display for MessagesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for MessagesError {}
