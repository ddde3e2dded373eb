//! The signed head of a log (c2sp.org/tlog-checkpoint).

use std::fmt;

use super::hash::Hash;
use super::note::{Note, NoteError, NoteErrorKind, NoteSigner};
use super::text::{decimal, line, shown};

/// The size and root of a log at one moment; `Display` is the text that is signed.
///
/// A log must never sign two that are inconsistent: whoever calls [`sign`](Self::sign) answers for that.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    /// Further lines, which other logs may have; this one writes none.
    extensions: Vec<String>,
}

impl Checkpoint {
    /// The head of the log that is named `origin`, best an address without a scheme.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`] when the origin is empty or has a control character, or the size is 0 and the root is not
    /// [`Hash::EMPTY_TREE`].
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        if origin.is_empty() || origin.contains(|c: char| c.is_control()) {
            return Err(CheckpointError::malformed(format!("{} is no origin", shown(origin))));
        }
        if size == 0 && root != Hash::EMPTY_TREE {
            return Err(CheckpointError::malformed("a tree of no leaves has another root"));
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            extensions: Vec::new(),
        })
    }

    /// Reads the text of a checkpoint, without signatures. To read a file of which the log is known, use
    /// [`LogPolicy::verify`](super::LogPolicy::verify).
    ///
    /// # Errors
    ///
    /// [`CheckpointError`] when it does not have the form.
    pub fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        let cut = || CheckpointError::malformed("it needs three lines: origin, size and root");
        let (origin, rest) = line(text).ok_or_else(cut)?;
        let (size, rest) = line(rest).ok_or_else(cut)?;
        let (root, mut rest) = line(rest).ok_or_else(cut)?;
        let size = decimal(size).ok_or_else(|| CheckpointError::malformed(format!("{} is no size", shown(size))))?;
        let root = root
            .parse()
            .map_err(|_| CheckpointError::malformed(format!("{} is no root", shown(root))))?;
        let mut checkpoint = Self::new(origin, size, root)?;
        while !rest.is_empty() {
            let (extension, after) = line(rest).ok_or_else(cut)?;
            if extension.is_empty() {
                return Err(CheckpointError::malformed("there is an empty line"));
            }
            checkpoint.extensions.push(extension.to_owned());
            rest = after;
        }
        Ok(checkpoint)
    }

    /// The note that says it, signed with the log's key.
    #[must_use]
    pub fn sign(&self, key: &NoteSigner) -> Note {
        let mut note = Note::of_text(self.to_string());
        note.add(key.sign(&note));
        note
    }

    /// The log's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries the log had.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    #[must_use]
    pub const fn root(&self) -> &Hash {
        &self.root
    }

    /// Further lines, of which no witness says anything.
    #[must_use]
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)?;
        self.extensions
            .iter()
            .try_for_each(|extension| writeln!(f, "{extension}"))
    }
}

/// A checkpoint cannot be read or is not to be trusted.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no checkpoint: {detail}")]
pub struct CheckpointError {
    kind: CheckpointErrorKind,
    detail: String,
}

/// What is wrong with a checkpoint.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CheckpointErrorKind {
    /// It does not have the form.
    Malformed,
    /// It is of another log.
    OtherLog,
    /// The log has not signed it.
    NotSigned,
    /// A signature that claims to be by the log or a trusted witness does not fit.
    BadSignature,
    /// Too few of the trusted witnesses have signed it.
    TooFewWitnesses,
}

impl CheckpointError {
    pub(super) fn new(kind: CheckpointErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    fn malformed(detail: impl Into<String>) -> Self {
        Self::new(CheckpointErrorKind::Malformed, detail)
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> CheckpointErrorKind {
        self.kind
    }
}

impl From<NoteError> for CheckpointError {
    fn from(error: NoteError) -> Self {
        let kind = match error.kind() {
            NoteErrorKind::Malformed => CheckpointErrorKind::Malformed,
            NoteErrorKind::NotSigned => CheckpointErrorKind::NotSigned,
            NoteErrorKind::BadSignature => CheckpointErrorKind::BadSignature,
        };
        Self::new(kind, error.to_string())
    }
}
