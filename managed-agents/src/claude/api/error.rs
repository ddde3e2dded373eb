//! Why the API gave no answer.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// The API gave no usable answer, or could not be asked. No text of it holds the API key.
#[derive(Clone, Debug)]
pub struct ApiError(Box<Inner>);

#[derive(Clone, Debug, Default)]
struct Inner {
    kind: ApiErrorKind,
    detail: Cow<'static, str>,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

/// What kept the API from an answer.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ApiErrorKind {
    /// The settings are not right.
    #[default]
    Configuration,
    /// The API could not be reached, or the connection broke.
    Connection,
    /// The API did not answer in time.
    TimedOut,
    /// The API answered with an error, with an error status, or with a redirect, which is not followed.
    Status,
    /// The answer is larger than what is read.
    TooLarge,
    /// The answer is not what the API documents; nothing of it was run.
    Malformed,
    /// A stream ended before what it carried was whole; nothing of it was run.
    Truncated,
}

impl ApiError {
    pub(in crate::claude) fn new(kind: ApiErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            detail: detail.into(),
            ..Inner::default()
        }))
    }

    pub(in crate::claude) fn configuration(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ApiErrorKind::Configuration, detail)
    }

    pub(in crate::claude) fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ApiErrorKind::Malformed, detail)
    }

    /// An answer that is not JSON of the documented form: the category and place, not the text, which may quote a value.
    pub(in crate::claude) fn unreadable(what: &str, error: &serde_json::Error) -> Self {
        Self::malformed(format!(
            "{what} ({:?} error at line {} column {})",
            error.classify(),
            error.line(),
            error.column()
        ))
    }

    pub(super) fn with_status(mut self, status: u16, code: Option<String>) -> Self {
        self.0.status = Some(status);
        self.with_code(code)
    }

    pub(super) fn with_code(mut self, code: Option<String>) -> Self {
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

    /// What went wrong, by kind.
    #[must_use]
    pub fn kind(&self) -> ApiErrorKind {
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
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)?;
        if let Some(id) = &self.0.request_id {
            write!(f, " (request `{id}`)")?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}
