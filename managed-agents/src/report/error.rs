//! Why there is no report.

use crate::store::StoreError;

/// A report cannot be made.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no report: {detail}")]
pub struct ReportError {
    kind: ReportErrorKind,
    detail: String,
}

/// Why there is no report.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ReportErrorKind {
    /// The record cannot be read.
    Store,
    /// The period ends before it begins.
    Period,
    /// The data of a framework cannot be read: a fault of this build.
    Data,
    /// A file cannot be written, or is there already.
    Io,
    /// The log is not signed, and what is asked for needs that.
    NotSigned,
}

impl ReportError {
    pub(super) fn new(kind: ReportErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    pub(super) fn period() -> Self {
        Self::new(ReportErrorKind::Period, "the period ends before it begins")
    }

    pub(super) fn data(error: &serde_json::Error) -> Self {
        Self::new(ReportErrorKind::Data, format!("the data of a framework: {error}"))
    }

    /// Why there is none.
    #[must_use]
    pub fn kind(&self) -> ReportErrorKind {
        self.kind
    }
}

impl From<StoreError> for ReportError {
    fn from(error: StoreError) -> Self {
        Self::new(ReportErrorKind::Store, error.to_string())
    }
}
