//! The receipt of one entry (c2sp.org/tlog-proof): all that is needed to check it offline.

use std::fmt;

use super::checkpoint::CheckpointError;
use super::hash::{Hash, leaf_hash};
use super::note::{Note, NoteError};
use super::policy::{LogPolicy, VerifiedCheckpoint};
use super::proof::{ProofError, verify_inclusion};
use super::text::{decimal, from_base64, line, shown, to_base64};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A receipt: an entry's place, the hashes beside its path, and the log's checkpoint with its signatures. `Display` is the file, best
/// named `….tlog-proof`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    extra: Option<Vec<u8>>,
    index: u64,
    proof: Vec<Hash>,
    checkpoint: Note,
}

impl Receipt {
    /// The most hashes that a proof can have.
    const MAX_HASHES: usize = 64;

    /// The receipt of the entry at `index`, with its inclusion proof in the tree of the checkpoint.
    #[must_use]
    pub const fn new(index: u64, proof: Vec<Hash>, checkpoint: Note) -> Self {
        Self {
            extra: None,
            index,
            proof,
            checkpoint,
        }
    }

    /// With bytes of the application's own, which nothing protects: whoever reads them must check them otherwise.
    #[must_use]
    pub fn with_extra(mut self, extra: Vec<u8>) -> Self {
        self.extra = Some(extra);
        self
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`ReceiptError`] when it does not have the form.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        // a receipt is a note with lines before it
        if bytes.len() > 2 * Note::MAX_LEN {
            return Err(ReceiptError::malformed(format!("{} bytes are too many", bytes.len())));
        }
        let file = str::from_utf8(bytes).map_err(|_| ReceiptError::malformed("it is not UTF-8"))?;
        let cut = || ReceiptError::malformed("it ends before the checkpoint");
        let (header, rest) = line(file).ok_or_else(cut)?;
        if header != HEADER {
            return Err(ReceiptError::malformed(format!("it does not begin with {HEADER}")));
        }
        let (first, after) = line(rest).ok_or_else(cut)?;
        let (extra, rest) = match first.strip_prefix("extra ") {
            Some(extra) => {
                let extra = from_base64(extra).ok_or_else(|| ReceiptError::malformed("the extra data is no base64"))?;
                (Some(extra), after)
            }
            None => (None, rest),
        };
        let (index, mut rest) = line(rest).ok_or_else(cut)?;
        let index = index
            .strip_prefix("index ")
            .and_then(decimal)
            .ok_or_else(|| ReceiptError::malformed(format!("{} is no index", shown(index))))?;
        let mut proof = Vec::new();
        loop {
            let (hash, after) = line(rest).ok_or_else(cut)?;
            rest = after;
            if hash.is_empty() {
                break;
            }
            if proof.len() == Self::MAX_HASHES {
                return Err(ReceiptError::malformed("there are more than 64 hashes"));
            }
            proof.push(
                hash.parse()
                    .map_err(|error| ReceiptError::malformed(format!("{error}")))?,
            );
        }
        Ok(Self {
            extra,
            index,
            proof,
            checkpoint: Note::parse(rest.as_bytes())?,
        })
    }

    /// Checks that this entry is in the log, under this trust.
    ///
    /// # Errors
    ///
    /// [`ReceiptError`] when the checkpoint is not to be trusted, or the entry is not at its index in it.
    pub fn verify(&self, entry: &[u8], policy: &LogPolicy) -> Result<VerifiedCheckpoint, ReceiptError> {
        let checkpoint = policy.verify(&self.checkpoint)?;
        let head = checkpoint.checkpoint();
        verify_inclusion(&leaf_hash(entry), self.index, head.size(), &self.proof, head.root())?;
        Ok(checkpoint)
    }

    /// The entry's place in the log, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The hashes beside its path, from the leaf up.
    #[must_use]
    pub fn proof(&self) -> &[Hash] {
        &self.proof
    }

    /// The checkpoint, not verified yet.
    #[must_use]
    pub const fn checkpoint(&self) -> &Note {
        &self.checkpoint
    }

    /// Bytes of the application's own, which nothing protects.
    #[must_use]
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", to_base64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// A receipt cannot be read or does not hold.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no receipt: {detail}")]
pub struct ReceiptError {
    kind: ReceiptErrorKind,
    detail: String,
}

/// What is wrong with a receipt.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ReceiptErrorKind {
    /// It does not have the form.
    Malformed,
    /// Its checkpoint is not to be trusted.
    Checkpoint,
    /// The entry is not at its index in the log.
    NotIncluded,
}

impl ReceiptError {
    fn malformed(detail: impl Into<String>) -> Self {
        Self {
            kind: ReceiptErrorKind::Malformed,
            detail: detail.into(),
        }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> ReceiptErrorKind {
        self.kind
    }
}

impl From<NoteError> for ReceiptError {
    fn from(error: NoteError) -> Self {
        Self::malformed(error.to_string())
    }
}

impl From<CheckpointError> for ReceiptError {
    fn from(error: CheckpointError) -> Self {
        Self {
            kind: ReceiptErrorKind::Checkpoint,
            detail: error.to_string(),
        }
    }
}

impl From<ProofError> for ReceiptError {
    fn from(error: ProofError) -> Self {
        Self {
            kind: ReceiptErrorKind::NotIncluded,
            detail: error.to_string(),
        }
    }
}
