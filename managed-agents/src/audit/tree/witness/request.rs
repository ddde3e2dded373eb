//! What a log asks of a witness.

use std::fmt;

use super::super::hash::Hash;
use super::super::note::Note;
use super::super::policy::VerifiedCheckpoint;
use super::super::prove::{ProveError, TileReader, prove_consistency};
use super::super::text::{decimal, line, shown};

/// Asks a witness to sign a checkpoint: the size that it signed last, the proof from there, and the checkpoint. `Display` is the body
/// of the request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AddCheckpoint {
    old_size: u64,
    proof: Vec<Hash>,
    checkpoint: Note,
}

impl AddCheckpoint {
    /// The most hashes of a proof.
    const MAX_HASHES: usize = 63;

    /// With a proof that is made already; empty where the old size is 0.
    #[must_use]
    pub const fn new(old_size: u64, proof: Vec<Hash>, checkpoint: Note) -> Self {
        Self {
            old_size,
            proof,
            checkpoint,
        }
    }

    /// Makes the proof from the size that the witness signed last, 0 if it is not known, to this checkpoint.
    ///
    /// # Errors
    ///
    /// [`ProveError`] when the old size is larger than the checkpoint's, or a tile cannot be read.
    pub fn prove<R: TileReader>(
        reader: &R,
        old_size: u64,
        checkpoint: VerifiedCheckpoint,
    ) -> Result<Self, ProveError<R::Error>> {
        let proof = match old_size {
            0 => Vec::new(),
            _ => prove_consistency(reader, old_size, checkpoint.size())?,
        };
        Ok(Self::new(old_size, proof, checkpoint.into_note()))
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// [`RequestError`] when it does not have the form.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        if bytes.len() > 2 * Note::MAX_LEN {
            return Err(RequestError(format!("{} bytes are too many", bytes.len())));
        }
        let body = str::from_utf8(bytes).map_err(|_| RequestError("it is not UTF-8".to_owned()))?;
        let cut = || RequestError("it ends before the checkpoint".to_owned());
        let (old, mut rest) = line(body).ok_or_else(cut)?;
        let old_size = old
            .strip_prefix("old ")
            .and_then(decimal)
            .ok_or_else(|| RequestError(format!("{} is no old size", shown(old))))?;
        let mut proof = Vec::new();
        loop {
            let (hash, after) = line(rest).ok_or_else(cut)?;
            rest = after;
            if hash.is_empty() {
                break;
            }
            if proof.len() == Self::MAX_HASHES {
                return Err(RequestError("there are more than 63 hashes".to_owned()));
            }
            proof.push(hash.parse().map_err(|error| RequestError(format!("{error}")))?);
        }
        let checkpoint = Note::parse(rest.as_bytes()).map_err(|error| RequestError(error.to_string()))?;
        Ok(Self::new(old_size, proof, checkpoint))
    }

    /// The size that the witness signed last.
    #[must_use]
    pub const fn old_size(&self) -> u64 {
        self.old_size
    }

    /// The consistency proof from there.
    #[must_use]
    pub fn proof(&self) -> &[Hash] {
        &self.proof
    }

    /// The checkpoint, not verified.
    #[must_use]
    pub const fn checkpoint(&self) -> &Note {
        &self.checkpoint
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// The body of a request cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no add-checkpoint request: {0}")]
pub struct RequestError(String);
