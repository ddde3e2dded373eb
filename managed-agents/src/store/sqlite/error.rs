//! What can be wrong with a store.

use std::fmt;
use std::io;
use std::path::Path;

use crate::audit::entry::EntryError;
use crate::audit::{RecordError, RecordErrorKind};
use crate::call::NoEntropyError;

/// A store cannot be opened, read or written. The message names the file, and no recorded value.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct StoreError {
    kind: StoreErrorKind,
    detail: String,
}

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The disk is full, or so many calls are under way that no more can be remembered.
    Full,
    /// Another process held the store for longer than this one waits.
    Locked,
    /// What was read is not what was written.
    Corrupt,
    /// The store may be read and not written.
    ReadOnly,
    /// A newer version of this library wrote the store.
    NewerSchema,
    /// An older version of this library wrote the store, and it was not opened for writing since.
    OlderSchema,
    /// The store lies on a network file system, where two machines may write it at once.
    NetworkFileSystem,
    /// The log is shorter than it was, or another one: a copy was restored, or its end was cut off.
    RolledBack,
    /// There is no store.
    Missing,
    /// The operating system refused to read or write.
    Io,
    /// The thread that writes has ended.
    Stopped,
    /// The operating system gave no random bytes.
    NoEntropy,
    /// What was to be erased is kept by a hold.
    Held,
    /// What was to be recorded is no entry, or is refused by what is recorded already.
    Refused,
}

impl StoreError {
    pub(super) fn new(kind: StoreErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    pub(super) fn corrupt(detail: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Corrupt, detail)
    }

    pub(super) fn stopped() -> Self {
        Self::new(StoreErrorKind::Stopped, "the thread that writes the record has ended")
    }

    pub(super) fn io(what: &str, path: &Path, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreErrorKind::Full,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => StoreErrorKind::ReadOnly,
            io::ErrorKind::NotFound => StoreErrorKind::Missing,
            _ => StoreErrorKind::Io,
        };
        Self::new(kind, format!("cannot {what} {}: {error}", path.display()))
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            StoreErrorKind::Full => "store_full",
            StoreErrorKind::Locked => "store_locked",
            StoreErrorKind::Corrupt => "store_corrupt",
            StoreErrorKind::ReadOnly => "store_read_only",
            StoreErrorKind::NewerSchema => "store_newer",
            StoreErrorKind::OlderSchema => "store_older",
            StoreErrorKind::NetworkFileSystem => "store_on_network",
            StoreErrorKind::RolledBack => "rolled_back",
            StoreErrorKind::Missing => "store_missing",
            StoreErrorKind::Io => "store_io",
            StoreErrorKind::Stopped => "store_stopped",
            StoreErrorKind::NoEntropy => "no_entropy",
            StoreErrorKind::Held => "held",
            StoreErrorKind::Refused => "entry_refused",
        }
    }

    /// Whether nothing can be written any more until the store is opened again.
    pub(super) fn is_fatal(&self) -> bool {
        matches!(
            self.kind,
            StoreErrorKind::Corrupt | StoreErrorKind::RolledBack | StoreErrorKind::NewerSchema
        )
    }

    /// The same, as the harness is told it.
    pub(super) fn to_record_error(&self) -> RecordError {
        let kind = match self.kind {
            StoreErrorKind::Full => RecordErrorKind::Full,
            StoreErrorKind::Corrupt | StoreErrorKind::RolledBack => RecordErrorKind::Corrupt,
            _ => RecordErrorKind::Unwritable,
        };
        RecordError::new(kind, format!("{}: {}", self.code(), self.detail))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let kind = match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DiskFull => StoreErrorKind::Full,
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreErrorKind::Locked,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreErrorKind::Corrupt,
                ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreErrorKind::ReadOnly,
                // a row that is there twice, or of another type: the file was changed by somebody else
                ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::Unknown => {
                    StoreErrorKind::Corrupt
                }
                _ => StoreErrorKind::Io,
            },
            // values of another type, or rows that must be there and are not
            _ => StoreErrorKind::Corrupt,
        };
        Self::new(kind, format!("the record's database: {error}"))
    }
}

impl From<EntryError> for StoreError {
    fn from(error: EntryError) -> Self {
        use crate::audit::entry::EntryErrorKind;
        let kind = match error.kind() {
            EntryErrorKind::NoEntropy => StoreErrorKind::NoEntropy,
            EntryErrorKind::Malformed => StoreErrorKind::Corrupt,
            _ => StoreErrorKind::Refused,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<NoEntropyError> for StoreError {
    fn from(error: NoEntropyError) -> Self {
        Self::new(StoreErrorKind::NoEntropy, error.to_string())
    }
}

impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
