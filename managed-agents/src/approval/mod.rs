//! People's decisions on escalated calls: an in-process queue, lost with the process.
//!
//! A ticket is keyed by the call's binding, so it stands for exactly one call: the same call joins it, another value never
//! rides on it. An approval is a signed statement over that call; redemption verifies the signature and consumes the
//! ticket, at most once.

mod key;
mod queue;

pub use key::{ApproverKey, ApproverKeyError, ApproverPublicKey};
pub use queue::{ApprovalError, ApprovalErrorKind, PendingTicket};
pub(crate) use queue::{Approvals, Standing};
