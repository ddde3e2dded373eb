//! Why a run broke off.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::run::Run;

/// An agent could not be built, or a run broke off.
///
/// What had happened by then is in [`run`](Self::run). No text of it holds the API key.
#[derive(Debug)]
pub struct MessagesError(Box<Inner>);

#[derive(Debug, Default)]
struct Inner {
    kind: MessagesErrorKind,
    detail: Cow<'static, str>,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    run: Option<Run>,
}

/// What kept an agent from a result.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum MessagesErrorKind {
    /// The agent is not set up rightly.
    #[default]
    Configuration,
    /// The API could not be reached, or the connection broke.
    Connection,
    /// The API did not answer in time.
    TimedOut,
    /// The API answered with an error status, or with a redirect, which is not followed.
    Status,
    /// The answer is larger than what is read.
    TooLarge,
    /// The answer is not what the API documents; nothing of it was run.
    Malformed,
}

impl MessagesError {
    pub(super) fn new(kind: MessagesErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            detail: detail.into(),
            ..Inner::default()
        }))
    }

    pub(super) fn configuration(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(MessagesErrorKind::Configuration, detail)
    }

    pub(super) fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(MessagesErrorKind::Malformed, detail)
    }

    pub(super) fn with_status(mut self, status: u16, code: Option<String>) -> Self {
        self.0.status = Some(status);
        self.0.code = code;
        self
    }

    pub(super) fn with_request_id(mut self, id: Option<String>) -> Self {
        self.0.request_id = id;
        self
    }

    pub(super) fn with_retry_after(mut self, delay: Option<Duration>) -> Self {
        self.0.retry_after = delay;
        self
    }

    pub(super) fn with_run(mut self, run: Run) -> Self {
        self.0.run = Some(run);
        self
    }

    /// What went wrong, by kind.
    #[must_use]
    pub fn kind(&self) -> MessagesErrorKind {
        self.0.kind
    }

    /// The status that the API answered with, where it is what went wrong.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The API's own code: `error.details.error_code`, else `error.type`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The API's id of the request, to be quoted to its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the API asked to wait, where it asked.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What had happened by then: calls that ran are here, with their results.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        self.0.run.as_ref()
    }

    /// What had happened by then, owned.
    #[must_use]
    pub fn into_run(self) -> Option<Run> {
        self.0.run
    }
}

impl fmt::Display for MessagesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)?;
        if let Some(id) = &self.0.request_id {
            write!(f, " (request `{id}`)")?;
        }
        Ok(())
    }
}

impl std::error::Error for MessagesError {}
