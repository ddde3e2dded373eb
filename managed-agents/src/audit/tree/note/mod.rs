//! Signed texts (c2sp.org/signed-note): a text, an empty line, and a line for each signature.

mod key;

use std::fmt;

pub use key::{Cosigner, KeyError, NoteSigner, NoteVerifier};

use super::text::{from_base64, line, shown, to_base64};

/// What a signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// A text with its signatures, which are not verified yet; `Display` is the file.
///
/// Do not use the text before [`verify`](Self::verify) says who signed it.
///
/// # Examples
///
/// ```
/// use managed_agents::audit::tree::note::{Note, NoteSigner};
/// let key = NoteSigner::from_seed("audit.example/log", &[7; 32])?;
/// let mut note = Note::new("One line.\n")?;
/// note.add(key.sign(&note));
/// let read = Note::parse(note.to_string().as_bytes())?;
/// assert_eq!(read.verify(&[key.verifier()])?.len(), 1);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// The most bytes that are read: 1 MiB.
    pub const MAX_LEN: usize = 1 << 20;

    /// The most signatures that are read.
    pub const MAX_SIGNATURES: usize = 100;

    /// A text without signatures.
    ///
    /// # Errors
    ///
    /// [`NoteError`] unless it ends in a newline and has no other control character.
    pub fn new(text: impl Into<String>) -> Result<Self, NoteError> {
        let text = text.into();
        if !text.ends_with('\n') || text.bytes().any(is_control) {
            return Err(NoteError::malformed(
                "the text must end in a newline and hold no other control character",
            ));
        }
        Ok(Self {
            text,
            signatures: Vec::new(),
        })
    }

    /// A text that is known to have the form.
    pub(super) const fn of_text(text: String) -> Self {
        Self {
            text,
            signatures: Vec::new(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`NoteError`] when it is no signed note, or larger than what is read.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > Self::MAX_LEN {
            return Err(NoteError::malformed(format!("{} bytes are too many", bytes.len())));
        }
        let file = str::from_utf8(bytes).map_err(|_| NoteError::malformed("it is not UTF-8"))?;
        let (text, signatures) = file
            .rsplit_once("\n\n")
            .ok_or_else(|| NoteError::malformed("no empty line stands before the signatures"))?;
        let mut note = Self::new(format!("{text}\n"))?;
        note.signatures = read_signatures(signatures)?;
        if note.signatures.is_empty() {
            return Err(NoteError::malformed("there is no signature"));
        }
        Ok(note)
    }

    /// The text, with its last newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures in the order of the file, of unknown keys too.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature, in place of an earlier one by the same key.
    pub fn add(&mut self, signature: NoteSignature) {
        self.signatures
            .retain(|earlier| (&earlier.name, earlier.key_id) != (&signature.name, signature.key_id));
        self.signatures.push(signature);
    }

    /// Which of these keys signed the text. Signatures of other keys are passed over.
    ///
    /// # Errors
    ///
    /// [`NoteError`] when none did, or when one line that claims to be by one of them is not.
    pub fn verify<'k>(&self, keys: &'k [NoteVerifier]) -> Result<Vec<Signed<'k>>, NoteError> {
        let mut signed = Vec::new();
        for signature in &self.signatures {
            for key in keys
                .iter()
                .filter(|key| key.name() == signature.name && key.id() == signature.key_id)
            {
                let time = key
                    .check(self.text.as_bytes(), &signature.bytes)
                    .ok_or_else(|| NoteError {
                        kind: NoteErrorKind::BadSignature,
                        detail: format!("the signature by {} does not fit the text", shown(&signature.name)),
                    })?;
                signed.push(Signed { key, time });
            }
        }
        if signed.is_empty() {
            return Err(NoteError {
                kind: NoteErrorKind::NotSigned,
                detail: "none of the keys that are trusted has signed it".to_owned(),
            });
        }
        Ok(signed)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

/// A line of a signature; `Display` is the line without its newline.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoteSignature {
    name: String,
    key_id: [u8; 4],
    bytes: Vec<u8>,
}

impl NoteSignature {
    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of the digest of name and key: a hint which key it is, no proof.
    #[must_use]
    pub const fn key_id(&self) -> [u8; 4] {
        self.key_id
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.key_id[..], &self.bytes].concat();
        write!(f, "{DASH}{} {}", self.name, to_base64(&bytes))
    }
}

/// Reads lines of signatures, as a witness answers them.
pub(super) fn read_signatures(lines: &str) -> Result<Vec<NoteSignature>, NoteError> {
    let mut signatures = Vec::new();
    let mut rest = lines;
    while !rest.is_empty() {
        let (one, after) = line(rest).ok_or_else(|| NoteError::malformed("the last line has no newline"))?;
        let signature =
            read_signature(one).ok_or_else(|| NoteError::malformed(format!("{} is no signature", shown(one))))?;
        if signatures.len() == Note::MAX_SIGNATURES {
            return Err(NoteError::malformed("there are more than 100 signatures"));
        }
        signatures.push(signature);
        rest = after;
    }
    Ok(signatures)
}

fn read_signature(line: &str) -> Option<NoteSignature> {
    let (name, base64) = line.strip_prefix(DASH)?.split_once(' ')?;
    let bytes = from_base64(base64)?;
    let (key_id, signature) = bytes.split_first_chunk()?;
    if signature.is_empty() || !key::is_name(name) {
        return None;
    }
    Some(NoteSignature {
        name: name.to_owned(),
        key_id: *key_id,
        bytes: signature.to_vec(),
    })
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 && byte != b'\n'
}

/// A signature that holds.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'k> {
    key: &'k NoteVerifier,
    time: Option<u64>,
}

impl<'k> Signed<'k> {
    /// The key that signed.
    #[must_use]
    pub const fn key(&self) -> &'k NoteVerifier {
        self.key
    }

    /// When, in seconds since 1970, if it is a witness's signature.
    #[must_use]
    pub const fn time(&self) -> Option<u64> {
        self.time
    }
}

/// A note cannot be read or is not signed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no signed note: {detail}")]
pub struct NoteError {
    kind: NoteErrorKind,
    detail: String,
}

/// What is wrong with a note.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum NoteErrorKind {
    /// It does not have the form.
    Malformed,
    /// None of the trusted keys has signed it.
    NotSigned,
    /// A signature that claims to be by a trusted key does not fit.
    BadSignature,
}

impl NoteError {
    fn malformed(detail: impl Into<String>) -> Self {
        Self {
            kind: NoteErrorKind::Malformed,
            detail: detail.into(),
        }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> NoteErrorKind {
        self.kind
    }
}
