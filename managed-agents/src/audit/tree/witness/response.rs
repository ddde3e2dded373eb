//! What a log reads from a witness's answer.

use super::super::note::{Note, NoteSignature, NoteVerifier, read_signatures};
use super::super::text::{decimal, shown};

/// What a witness answered.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum WitnessAnswer {
    /// It signed: signatures of trusted witnesses, each verified.
    Cosigned(Vec<NoteSignature>),
    /// The size that it signed last is another than the request said: prove from there.
    Stale {
        /// The size that it signed last.
        size: u64,
    },
}

/// Reads the answer to a request with this checkpoint. Signatures of keys that are not among `witnesses` are passed over.
///
/// # Errors
///
/// [`WitnessAnswerError`] when the witness refused, or its signature does not fit the checkpoint, or the answer makes no sense.
pub fn read_response(
    status: u16,
    body: &[u8],
    checkpoint: &Note,
    witnesses: &[NoteVerifier],
) -> Result<WitnessAnswer, WitnessAnswerError> {
    let fail = |detail: String| WitnessAnswerError { status, detail };
    if body.len() > Note::MAX_LEN {
        return Err(fail(format!("{} bytes are too many", body.len())));
    }
    let text = str::from_utf8(body).map_err(|_| fail("it is not UTF-8".to_owned()))?;
    match status {
        200 => cosigned(text, checkpoint, witnesses)
            .map(WitnessAnswer::Cosigned)
            .map_err(fail),
        409 => text
            .strip_suffix('\n')
            .and_then(decimal)
            .map(|size| WitnessAnswer::Stale { size })
            .ok_or_else(|| fail(format!("it has signed another history: {}", shown(text)))),
        404 => Err(fail("it does not know the log".to_owned())),
        403 => Err(fail("it does not trust the log's key".to_owned())),
        422 => Err(fail("it says that the log did not only grow".to_owned())),
        _ => Err(fail(shown(text))),
    }
}

fn cosigned(body: &str, checkpoint: &Note, witnesses: &[NoteVerifier]) -> Result<Vec<NoteSignature>, String> {
    let trusted: Vec<NoteVerifier> = witnesses.iter().filter(|key| key.is_cosigner()).cloned().collect();
    let answered = read_signatures(body).map_err(|error| error.to_string())?;
    let mut kept = Vec::new();
    for signature in answered {
        let known = |key: &NoteVerifier| key.name() == signature.name() && key.id() == signature.key_id();
        if !trusted.iter().any(known) {
            continue;
        }
        let mut alone = Note::of_text(checkpoint.text().to_owned());
        alone.add(signature.clone());
        alone.verify(&trusted).map_err(|error| error.to_string())?;
        kept.push(signature);
    }
    if kept.is_empty() {
        return Err("none of its signatures is by a trusted witness".to_owned());
    }
    Ok(kept)
}

/// A witness did not sign.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the witness did not sign (status {status}): {detail}")]
pub struct WitnessAnswerError {
    status: u16,
    detail: String,
}

impl WitnessAnswerError {
    /// The HTTP status of the answer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }
}
