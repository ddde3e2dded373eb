//! People's decisions on escalated calls.
//!
//! A ticket is keyed by the call's binding, so it stands for exactly one call: the same call joins it, another value never
//! rides on it. An approval is a signed statement over that call; redemption verifies the signature and consumes the
//! ticket, at most once.
//!
//! Where the record is durable, so are tickets: they lie beside it, and people decide in another process
//! (`managed-agents approvals`). Where it is in memory, they are lost with the process.

#[cfg(feature = "engine")]
mod edit;
mod error;
#[cfg(feature = "sqlite")]
mod in_force;
mod key;
#[cfg(feature = "engine")]
mod pending;
mod queue;
#[cfg(feature = "sqlite")]
mod redeem;
#[cfg(feature = "sqlite")]
mod roster;
#[cfg(feature = "sqlite")]
mod shown;
#[cfg(feature = "sqlite")]
mod statement;
mod ticket;

#[cfg(feature = "engine")]
pub(crate) use edit::{Edit, not_covered};
pub use error::{ApprovalError, ApprovalErrorKind};
#[cfg(feature = "sqlite")]
pub(crate) use in_force::{InForce, OrderedFile, RECORDED, RULES_ENTRY};
pub use key::{ApproverKey, ApproverKeyError, ApproverPublicKey};
#[cfg(feature = "engine")]
pub use pending::PendingTicket;
#[cfg(feature = "engine")]
pub(crate) use queue::{Approvals, Asking, LIFETIME, MOST_PENDING, Standing};
#[cfg(feature = "sqlite")]
pub(crate) use redeem::{Asked, Excluded, Found, Redeemed, bound, reasons_text, redeem};
#[cfg(feature = "sqlite")]
pub use roster::{Approver, Roster};
#[cfg(feature = "sqlite")]
pub(crate) use roster::{ROOT, Roots};
#[cfg(feature = "sqlite")]
pub use shown::{ShownCall, ShownReason};
#[cfg(feature = "sqlite")]
pub(crate) use statement::{APPROVAL_ENTRY, APPROVER_ENTRY, OPERATOR_ENTRY};
#[cfg(feature = "sqlite")]
pub use statement::{OperatorStatement, StatementKind};
#[cfg(feature = "engine")]
pub(crate) use ticket::IN_PROCESS;
pub use ticket::TicketState;
pub(crate) use ticket::ticket_id;
#[cfg(feature = "sqlite")]
pub(crate) use ticket::{Opening, STORED, Seen, TicketClaim};

/// What the model is told of a person's no.
pub(crate) fn rejection(reason: &str) -> String {
    match reason.trim() {
        "" => "a person rejected this call; do not repeat it".to_owned(),
        reason => format!("a person rejected this call; do not repeat it: {reason}"),
    }
}
