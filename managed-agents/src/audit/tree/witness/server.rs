//! A witness's side.

use super::super::checkpoint::{Checkpoint, CheckpointErrorKind};
use super::super::hash::Hash;
use super::super::note::Cosigner;
use super::super::policy::{LogPolicy, VerifiedCheckpoint};
use super::super::proof::verify_consistency;
use super::request::AddCheckpoint;
use super::state::{Head, WitnessState};

/// A witness: it signs the checkpoints of the logs that it knows, as long as each only grows.
#[derive(Debug)]
pub struct Witness<S> {
    cosigner: Cosigner,
    logs: Vec<LogPolicy>,
    state: S,
}

impl<S: WitnessState> Witness<S> {
    /// A witness for these logs. Asking for witnesses in a log's policy makes no sense here, since none has signed yet.
    #[must_use]
    pub const fn new(cosigner: Cosigner, logs: Vec<LogPolicy>, state: S) -> Self {
        Self { cosigner, logs, state }
    }

    /// Answers the body of `POST /add-checkpoint` at this time, in seconds since 1970.
    ///
    /// It signs only what is remembered: [`WitnessState::advance`] comes first.
    pub fn add_checkpoint(&self, request: &[u8], unix_seconds: u64) -> WitnessResponse {
        self.signed(request, unix_seconds).unwrap_or_else(|refusal| refusal)
    }

    fn signed(&self, body: &[u8], unix_seconds: u64) -> Result<WitnessResponse, WitnessResponse> {
        let request = AddCheckpoint::parse(body).map_err(|error| WitnessResponse::text(400, &error))?;
        let checkpoint = self.trusted(&request)?;
        let new = Head::new(checkpoint.size(), *checkpoint.checkpoint().root());
        let origin = checkpoint.checkpoint().origin();
        if request.old_size() > new.size() {
            return Err(WitnessResponse::text(
                400,
                &"the old size is larger than the checkpoint's",
            ));
        }
        let last = self.last(origin)?;
        grew(&request, last, new)?;
        match self.state.advance(origin, last, new) {
            Ok(true) => {}
            // another request came between
            Ok(false) => return Err(WitnessResponse::stale(self.last(origin)?)),
            Err(error) => return Err(WitnessResponse::text(500, &error)),
        }
        let signature = self.cosigner.cosign(&checkpoint, unix_seconds);
        Ok(WitnessResponse::text(200, &signature))
    }

    fn trusted(&self, request: &AddCheckpoint) -> Result<VerifiedCheckpoint, WitnessResponse> {
        let named =
            Checkpoint::parse_text(request.checkpoint().text()).map_err(|error| WitnessResponse::text(400, &error))?;
        let log = self
            .logs
            .iter()
            .find(|log| log.origin() == named.origin())
            .ok_or_else(|| WitnessResponse::text(404, &"the log is not known here"))?;
        log.verify(request.checkpoint()).map_err(|error| {
            let status = match error.kind() {
                CheckpointErrorKind::Malformed => 400,
                _ => 403,
            };
            WitnessResponse::text(status, &error)
        })
    }

    fn last(&self, origin: &str) -> Result<Option<Head>, WitnessResponse> {
        self.state
            .last(origin)
            .map_err(|error| WitnessResponse::text(500, &error))
    }
}

/// Whether the log only grew since `last`.
fn grew(request: &AddCheckpoint, last: Option<Head>, new: Head) -> Result<(), WitnessResponse> {
    let old = last.unwrap_or_else(|| Head::new(0, Hash::EMPTY_TREE));
    if request.old_size() != old.size() {
        return Err(WitnessResponse::stale(last));
    }
    if old.size() == new.size() && old.root() != new.root() {
        return Err(WitnessResponse::text(
            409,
            &"a checkpoint of this size and another root was signed",
        ));
    }
    let shown = match old.size() {
        // there is nothing to prove from
        0 => request.proof().is_empty(),
        _ => verify_consistency(old.size(), new.size(), request.proof(), old.root(), new.root()).is_ok(),
    };
    if shown {
        Ok(())
    } else {
        Err(WitnessResponse::text(
            422,
            &"the proof does not show that the log only grew",
        ))
    }
}

/// What a witness answers over HTTP.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WitnessResponse {
    status: u16,
    content_type: &'static str,
    body: String,
}

impl WitnessResponse {
    fn text(status: u16, body: &impl ToString) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: format!("{}\n", body.to_string()),
        }
    }

    fn stale(last: Option<Head>) -> Self {
        Self {
            content_type: "text/x.tlog.size",
            ..Self::text(409, &last.map_or(0, |head| head.size()))
        }
    }

    /// The HTTP status: 200 signed; 400 no request; 403 not signed by the log; 404 unknown log; 409 another old size, or another
    /// history; 422 the proof does not hold; 500 the memory failed.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The value of `Content-Type`.
    #[must_use]
    pub const fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }
}
