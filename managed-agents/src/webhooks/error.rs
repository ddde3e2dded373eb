//! What can be wrong with webhooks.

use std::io;

use crate::http::EndpointError;
use crate::store::StoreError;

/// Webhooks cannot be set up. Holds no secret.
#[derive(Clone, Debug, thiserror::Error)]
#[error("webhooks: {detail}")]
pub struct WebhookError {
    kind: WebhookErrorKind,
    detail: String,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum WebhookErrorKind {
    /// A name is none, or is given twice.
    Name,
    /// An address is neither `https` nor on this machine's loopback.
    Address,
    /// A secret is none.
    Secret,
    /// What is waiting to be delivered cannot be read or kept.
    Queue,
    /// The operating system gave no thread.
    Io,
}

impl WebhookError {
    pub(super) fn new(kind: WebhookErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    pub(super) fn name(name: &str) -> Self {
        let shown: String = name.chars().take(80).collect();
        Self::new(
            WebhookErrorKind::Name,
            format!(
                "`{}` is no name of 1 to 64 characters of a-z, 0-9, `_` and `-`",
                shown.escape_debug()
            ),
        )
    }

    pub(super) fn twice(name: &str) -> Self {
        Self::new(WebhookErrorKind::Name, format!("`{name}` is given twice"))
    }

    pub(super) fn address(name: &str, error: &EndpointError) -> Self {
        Self::new(WebhookErrorKind::Address, format!("`{name}`: {error}"))
    }

    pub(super) fn io(error: &io::Error) -> Self {
        Self::new(WebhookErrorKind::Io, error.to_string())
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> WebhookErrorKind {
        self.kind
    }
}

impl From<rusqlite::Error> for WebhookError {
    fn from(error: rusqlite::Error) -> Self {
        Self::new(WebhookErrorKind::Queue, format!("the queue: {error}"))
    }
}

impl From<StoreError> for WebhookError {
    fn from(error: StoreError) -> Self {
        Self::new(WebhookErrorKind::Queue, error.to_string())
    }
}
