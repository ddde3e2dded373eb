//! Keys that sign notes and those that verify them.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::super::policy::VerifiedCheckpoint;
use super::super::text::{from_base64, shown, to_base64};
use super::{Note, NoteSignature};

/// What a key signs, by the byte that the specifications assign to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Algorithm {
    /// The text itself: c2sp.org/signed-note.
    Ed25519 = 0x01,
    /// A time and the text: c2sp.org/tlog-cosignature.
    Cosignature = 0x04,
}

/// A name that can stand in a signature line: not empty, no white space, no `+`, no control character.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c < ' ' || c == '+')
}

/// A named public key, written as `name+id+key`: the form that Go's `note` package calls a verifier key.
///
/// # Examples
///
/// ```
/// use managed_agents::audit::tree::note::{NoteSigner, NoteVerifier};
/// let key: NoteVerifier =
///     "audit.example/log+35beb53a+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs".parse()?;
/// assert_eq!(key, NoteSigner::from_seed("audit.example/log", &[7; 32])?.verifier());
/// # Ok::<_, managed_agents::audit::tree::note::KeyError>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct NoteVerifier {
    name: String,
    id: [u8; 4],
    algorithm: Algorithm,
    key: VerifyingKey,
}

impl NoteVerifier {
    /// A log's key: an Ed25519 public key (RFC 8032) that signs the text of a note.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when the name cannot stand in a signature line, or the bytes are no point of the curve.
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, KeyError> {
        Self::of(name, Algorithm::Ed25519, public)
    }

    /// A witness's key: it signs a time and the text of a checkpoint.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn cosigner(name: &str, public: &[u8; 32]) -> Result<Self, KeyError> {
        Self::of(name, Algorithm::Cosignature, public)
    }

    fn of(name: &str, algorithm: Algorithm, public: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError(format!(
                "{} cannot name a key: no white space, no control character, no `+`, and not empty",
                shown(name)
            )));
        }
        let key =
            VerifyingKey::from_bytes(public).map_err(|_| KeyError("the bytes are no Ed25519 public key".to_owned()))?;
        let mut hasher = Sha256::new();
        hasher.update(name);
        hasher.update([b'\n', algorithm as u8]);
        hasher.update(public);
        let digest: [u8; 32] = hasher.finalize().into();
        let [a, b, c, d, ..] = digest;
        Ok(Self {
            name: name.to_owned(),
            id: [a, b, c, d],
            algorithm,
            key,
        })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256(name ‖ newline ‖ algorithm ‖ public key).
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Whether it is a witness's key.
    #[must_use]
    pub const fn is_cosigner(&self) -> bool {
        matches!(self.algorithm, Algorithm::Cosignature)
    }

    /// The 32 bytes of the public key.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// Whether these are the bytes of a signature by this key over the text, without the four bytes of its id. A witness's signature
    /// has its time in the first eight.
    ///
    /// Ed25519 is checked strictly (RFC 8032 section 8.4): no malleable signature, no key or point of small order.
    #[must_use]
    pub fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        self.check(text, signature).is_some()
    }

    /// `Some` if the signature holds, with the time that it states, if it does.
    #[expect(clippy::option_option, reason = "whether it holds, and whether it states a time")]
    pub(super) fn check(&self, text: &[u8], signature: &[u8]) -> Option<Option<u64>> {
        let holds = |message: &[u8], signature: &[u8]| {
            Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
        };
        match self.algorithm {
            Algorithm::Ed25519 => holds(text, signature).then_some(None),
            Algorithm::Cosignature => {
                let (time, signature) = signature.split_first_chunk()?;
                let time = u64::from_be_bytes(*time);
                let in_range = time <= Cosigner::LAST_TIME;
                (in_range && holds(&cosigned(time, text), signature)).then_some(Some(time))
            }
        }
    }
}

impl fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.algorithm as u8][..], self.key.as_bytes()].concat();
        write!(
            f,
            "{}+{:08x}+{}",
            self.name,
            u32::from_be_bytes(self.id),
            to_base64(&key)
        )
    }
}

impl fmt::Debug for NoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteVerifier({self})")
    }
}

impl FromStr for NoteVerifier {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let wrong = || KeyError(format!("{} is no verifier key: name+id+key is", shown(text)));
        let (name, rest) = text.split_once('+').ok_or_else(wrong)?;
        let (_, key) = rest.split_once('+').ok_or_else(wrong)?;
        let key = from_base64(key).ok_or_else(wrong)?;
        let (algorithm, public) = key.split_first().ok_or_else(wrong)?;
        let public = public.try_into().map_err(|_| wrong())?;
        let algorithm = match algorithm {
            0x01 => Algorithm::Ed25519,
            0x04 => Algorithm::Cosignature,
            _ => return Err(wrong()),
        };
        let read = Self::of(name, algorithm, public)?;
        // the id in the text is a checksum over name and key
        if read.to_string() == text {
            Ok(read)
        } else {
            Err(wrong())
        }
    }
}

/// A log's private key (Ed25519, RFC 8032). `Debug` shows the public half only.
#[derive(Clone)]
pub struct NoteSigner {
    key: SigningKey,
    verifier: NoteVerifier,
}

impl NoteSigner {
    /// The key of a 32-byte seed.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when the name cannot stand in a signature line.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = NoteVerifier::new(name, key.verifying_key().as_bytes())?;
        Ok(Self { key, verifier })
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> NoteVerifier {
        self.verifier.clone()
    }

    /// The signature of the note's text.
    #[must_use]
    pub fn sign(&self, note: &Note) -> NoteSignature {
        NoteSignature {
            name: self.verifier.name.clone(),
            key_id: self.verifier.id,
            bytes: self.key.sign(note.text.as_bytes()).to_bytes().to_vec(),
        }
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.verifier)
    }
}

/// A witness's private key (Ed25519). `Debug` shows the public half only.
///
/// Its signatures say that the log was append-only up to a checkpoint at a time: let [`Witness`](super::super::witness::Witness)
/// decide what it signs.
#[derive(Clone)]
pub struct Cosigner {
    key: SigningKey,
    verifier: NoteVerifier,
}

impl Cosigner {
    /// The last time that a signature may state.
    const LAST_TIME: u64 = i64::MAX as u64;

    /// The key of a 32-byte seed; no log's key may have the same.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when the name cannot stand in a signature line.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = NoteVerifier::cosigner(name, key.verifying_key().as_bytes())?;
        Ok(Self { key, verifier })
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> NoteVerifier {
        self.verifier.clone()
    }

    /// The signature of a checkpoint that a log signed, at this time in seconds since 1970.
    #[must_use]
    pub fn cosign(&self, checkpoint: &VerifiedCheckpoint, unix_seconds: u64) -> NoteSignature {
        let time = unix_seconds.min(Self::LAST_TIME);
        let message = cosigned(time, checkpoint.note().text().as_bytes());
        let signature = self.key.sign(&message).to_bytes();
        NoteSignature {
            name: self.verifier.name.clone(),
            key_id: self.verifier.id,
            bytes: [&time.to_be_bytes()[..], &signature].concat(),
        }
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cosigner({})", self.verifier)
    }
}

/// What a witness signs.
fn cosigned(time: u64, text: &[u8]) -> Vec<u8> {
    let mut message = format!("cosignature/v1\ntime {time}\n").into_bytes();
    message.extend_from_slice(text);
    message
}

/// A key or its name cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(String);
