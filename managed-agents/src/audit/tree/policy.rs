//! Which keys are trusted for a log, and what follows from a checkpoint that they signed.

use super::checkpoint::{Checkpoint, CheckpointError, CheckpointErrorKind};
use super::note::{Note, NoteErrorKind, NoteVerifier};
use super::text::shown;

/// Which log is meant, which keys it signs with, and which witnesses must have seen it.
///
/// # Examples
///
/// ```
/// use managed_agents::audit::tree::note::{Cosigner, NoteSigner};
/// use managed_agents::audit::tree::{Checkpoint, Hash, LogPolicy};
///
/// let log = NoteSigner::from_seed("audit.example/log", &[1; 32])?;
/// let witness = Cosigner::from_seed("witness.example", &[2; 32])?;
/// let mut head = Checkpoint::new("audit.example/log", 0, Hash::EMPTY_TREE)?.sign(&log);
///
/// let log_only = LogPolicy::new("audit.example/log", vec![log.verifier()]);
/// let witnessed = log_only.clone().witnesses(vec![witness.verifier()], 1);
/// assert!(witnessed.verify(&head).is_err());
///
/// let seen = log_only.verify(&head)?;
/// head.add(witness.cosign(&seen, 1_800_000_000));
/// assert_eq!(witnessed.verify(&head)?.cosignatures()[0].time(), 1_800_000_000);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LogPolicy {
    origin: String,
    keys: Vec<NoteVerifier>,
    witnesses: Vec<NoteVerifier>,
    quorum: usize,
}

impl LogPolicy {
    /// Trust in a log alone: one of these keys must have signed. Keys of witnesses are no keys of a log and are passed over.
    #[must_use]
    pub fn new(origin: impl Into<String>, keys: Vec<NoteVerifier>) -> Self {
        Self {
            origin: origin.into(),
            keys: keys.into_iter().filter(|key| !key.is_cosigner()).collect(),
            witnesses: Vec::new(),
            quorum: 0,
        }
    }

    /// And in witnesses: at least `quorum` of them, told apart by their public keys, must have signed.
    #[must_use]
    pub fn witnesses(mut self, witnesses: Vec<NoteVerifier>, quorum: usize) -> Self {
        self.witnesses = witnesses.into_iter().filter(NoteVerifier::is_cosigner).collect();
        self.quorum = quorum;
        self
    }

    /// The name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Reads a checkpoint that is to be trusted.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`] when it is of another log, or the log or enough witnesses have not signed it, or a signature that claims
    /// to be by one of them does not fit.
    pub fn verify(&self, note: &Note) -> Result<VerifiedCheckpoint, CheckpointError> {
        note.verify(&self.keys)?;
        let checkpoint = Checkpoint::parse_text(note.text())?;
        if checkpoint.origin() != self.origin {
            return Err(CheckpointError::new(
                CheckpointErrorKind::OtherLog,
                format!(
                    "it is of {}, not of {}",
                    shown(checkpoint.origin()),
                    shown(&self.origin)
                ),
            ));
        }
        let cosignatures = self.cosignatures(note)?;
        if cosignatures.len() < self.quorum {
            return Err(CheckpointError::new(
                CheckpointErrorKind::TooFewWitnesses,
                format!("{} of {} witnesses have signed it", cosignatures.len(), self.quorum),
            ));
        }
        Ok(VerifiedCheckpoint {
            checkpoint,
            note: note.clone(),
            cosignatures,
        })
    }

    /// One for each public key, so that one witness under two names counts once.
    fn cosignatures(&self, note: &Note) -> Result<Vec<Cosignature>, CheckpointError> {
        let signed = match note.verify(&self.witnesses) {
            Ok(signed) => signed,
            Err(error) if error.kind() == NoteErrorKind::NotSigned => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let mut found: Vec<Cosignature> = Vec::new();
        for one in signed {
            let Some(time) = one.time() else { continue };
            let public = one.key().public();
            match found.iter_mut().find(|earlier| earlier.public == public) {
                Some(earlier) => earlier.time = earlier.time.max(time),
                None => found.push(Cosignature {
                    witness: one.key().name().to_owned(),
                    public,
                    time,
                }),
            }
        }
        Ok(found)
    }
}

/// A checkpoint that the log signed, and as many witnesses as were asked for.
#[derive(Clone, Debug)]
pub struct VerifiedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
    cosignatures: Vec<Cosignature>,
}

impl VerifiedCheckpoint {
    /// The log, its size and root.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// How many entries the log had.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.checkpoint.size()
    }

    /// The note with every signature, of unknown keys too.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// The note alone.
    #[must_use]
    pub fn into_note(self) -> Note {
        self.note
    }

    /// The trusted witnesses that signed.
    #[must_use]
    pub fn cosignatures(&self) -> &[Cosignature] {
        &self.cosignatures
    }
}

/// A trusted witness saw the log append-only up to a checkpoint.
#[derive(Clone, Debug)]
pub struct Cosignature {
    witness: String,
    public: [u8; 32],
    time: u64,
}

impl Cosignature {
    /// The witness's name.
    #[must_use]
    pub fn witness(&self) -> &str {
        &self.witness
    }

    /// When, in seconds since 1970, by the witness's clock.
    #[must_use]
    pub const fn time(&self) -> u64 {
        self.time
    }
}
