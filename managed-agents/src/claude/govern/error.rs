//! Why a session cannot be governed.

use std::fmt;

use crate::claude::api::ApiError;
use crate::claude::coverage::Coverage;

use super::report::SessionReport;

/// A session cannot be governed, or no longer. What had happened by then is in [`report`](Self::report).
#[derive(Debug)]
pub struct SessionError {
    kind: Box<SessionErrorKind>,
    report: Option<Box<SessionReport>>,
}

/// What keeps a session from being governed.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionErrorKind {
    /// The API refuses, or cannot be reached.
    Api(ApiError),
    /// Calls could slip past, and the governor was not told to go on all the same.
    Coverage(Coverage),
    /// What is done cannot be written down, or another process governs the session.
    Journal(String),
    /// The governor is not set up rightly.
    Configuration(String),
}

impl SessionError {
    pub(super) fn new(kind: SessionErrorKind) -> Self {
        Self {
            kind: Box::new(kind),
            report: None,
        }
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn journal(error: &dyn fmt::Display) -> Self {
        Self::new(SessionErrorKind::Journal(error.to_string()))
    }

    pub(super) fn with_report(self, report: SessionReport) -> Self {
        Self {
            report: Some(Box::new(report)),
            ..self
        }
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> &SessionErrorKind {
        &self.kind
    }

    /// What had happened by then.
    #[must_use]
    pub fn report(&self) -> Option<&SessionReport> {
        self.report.as_deref()
    }
}

impl From<ApiError> for SessionError {
    fn from(error: ApiError) -> Self {
        Self::new(SessionErrorKind::Api(error))
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.kind {
            SessionErrorKind::Api(error) => error.fmt(f),
            SessionErrorKind::Coverage(coverage) => {
                write!(
                    f,
                    "calls of this session could run without being asked about: {coverage}"
                )
            }
            SessionErrorKind::Journal(detail) => write!(f, "the session's calls cannot be written down: {detail}"),
            SessionErrorKind::Configuration(detail) => f.write_str(detail),
        }
    }
}

impl std::error::Error for SessionError {}
