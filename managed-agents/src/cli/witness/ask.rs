//! Asking a witness to sign.

use std::time::Duration;

use hyper::HeaderMap;
use tokio::time::Instant;

use crate::audit::tree::VerifiedCheckpoint;
use crate::audit::tree::note::{Note, NoteSignature, NoteVerifier};
use crate::audit::tree::witness::{AddCheckpoint, WitnessAnswer, read_response};
use crate::cli::failure::Failure;
use crate::http::{Client, Endpoint};
use crate::store::Reader;

/// How long a witness has for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a witness may say that it has signed another size: other processes may ask it, too.
const TRIES: usize = 4;

/// The signatures of a witness on a head of this record.
pub(in crate::cli) fn cosign(
    endpoint: &Endpoint,
    witness: &NoteVerifier,
    head: &VerifiedCheckpoint,
    reader: &Reader,
) -> Result<Vec<NoteSignature>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::of(&error))?;
    let client = Client::new(endpoint, None, HeaderMap::new()).map_err(|error| Failure::of(&error))?;
    let path = format!("{}/add-checkpoint", endpoint.path().trim_end_matches('/'));
    let trusted = std::slice::from_ref(witness);
    let mut old = 0;
    for _ in 0..TRIES {
        let request = AddCheckpoint::prove(reader, old, head.clone()).map_err(|error| Failure::of(&error))?;
        let body = request.to_string().into_bytes();
        let (status, body) = runtime.block_on(async {
            let reply = client
                .post_text(&path, body, Instant::now() + PATIENCE)
                .await
                .map_err(failed)?;
            let status = reply.status();
            reply
                .body(Note::MAX_LEN)
                .await
                .map(|body| (status, body))
                .map_err(failed)
        })?;
        match read_response(status, &body, head.note(), trusted).map_err(|error| Failure::of(&error))? {
            WitnessAnswer::Cosigned(signatures) => return Ok(signatures),
            WitnessAnswer::Stale { size } if size > head.size() => {
                return Err(Failure::new(format!(
                    "the witness has signed {size} entries of this log, which has {}: it was rolled back",
                    head.size()
                )));
            }
            WitnessAnswer::Stale { size } => old = size,
        }
    }
    Err(Failure::new("the witness is asked by others all the time"))
}

fn failed(failure: crate::http::Failure) -> Failure {
    Failure::new(format!("the witness cannot be asked: {}", failure.into_detail()))
}
