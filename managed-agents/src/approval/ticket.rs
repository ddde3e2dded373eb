//! A ticket: one call that waits for people.

use std::fmt;
#[cfg(feature = "sqlite")]
use std::sync::Arc;
#[cfg(feature = "sqlite")]
use std::time::SystemTime;

use crate::call::Salt;
#[cfg(feature = "sqlite")]
use crate::call::{Digest, ToolCall};
#[cfg(feature = "sqlite")]
use crate::verdict::Reason;

/// How a ticket stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TicketState {
    /// It waits for people.
    Pending,
    /// People approved it: the call may run once.
    Approved,
    /// People approved it with other arguments: the call may run once, with those.
    Edited,
    /// A person said no.
    Rejected,
    /// Nobody decided in time, or what was approved was not used in time.
    Expired,
    /// It was closed: by a person, or because what was shown to people no longer holds.
    Cancelled,
    /// The call has run, or was about to: how it ended is said by the outcome of its decision.
    Consumed,
}

impl TicketState {
    const ALL: [Self; 7] = [
        Self::Pending,
        Self::Approved,
        Self::Edited,
        Self::Rejected,
        Self::Expired,
        Self::Cancelled,
        Self::Consumed,
    ];

    /// The state as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Edited => "edited",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Consumed => "consumed",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether nothing can come of it any more: what it was bound to is deleted.
    #[must_use]
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Expired | Self::Cancelled | Self::Consumed)
    }
}

impl fmt::Display for TicketState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a decision's record does to tickets, in the same transaction.
#[cfg(feature = "sqlite")]
#[derive(Clone, Debug, Default)]
pub(crate) enum TicketClaim {
    #[default]
    None,
    /// The call waits for people from now on.
    Open(Arc<Opening>),
    /// The ticket is over: expired, or cancelled.
    Close(Arc<str>, TicketState),
    /// The call is denied, and nobody has approved it: where somebody has, that is to be closed first.
    Unapproved(Arc<ToolCall>),
    /// The grant that the call consumes is a ticket, of which this was seen when its signatures were verified.
    Granted(Seen),
}

/// What was seen of an open ticket: what it is bound to, and a hash over its rows and what people signed. `Debug` shows nothing of it.
#[cfg(feature = "sqlite")]
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct Seen {
    pub(crate) binding: [u8; 32],
    pub(crate) rows: [u8; 32],
}

#[cfg(feature = "sqlite")]
impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seen(..)")
    }
}

#[cfg(feature = "sqlite")]
impl PartialEq for TicketClaim {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Open(one), Self::Open(other)) => one == other,
            (Self::Close(one, to), Self::Close(other, same)) => one == other && to == same,
            (Self::Unapproved(one), Self::Unapproved(other)) => Arc::ptr_eq(one, other),
            (Self::Granted(one), Self::Granted(other)) => one == other,
            _ => false,
        }
    }
}

#[cfg(feature = "sqlite")]
impl Eq for TicketClaim {}

/// A ticket that is to be opened.
#[cfg(feature = "sqlite")]
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) id: Arc<str>,
    pub(crate) call: Arc<ToolCall>,
    pub(crate) reasons: Vec<Reason>,
    /// How many people must approve.
    pub(crate) needed: u8,
    pub(crate) rules: Option<Digest>,
    pub(crate) opened: SystemTime,
    pub(crate) expires: SystemTime,
    /// How many may wait of one agent, this one included.
    pub(crate) most_pending: u32,
    /// The ticket in whose place it comes: other reasons than those that were shown.
    pub(crate) replaces: Option<Arc<str>>,
}

#[cfg(feature = "sqlite")]
impl PartialEq for Opening {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

#[cfg(feature = "sqlite")]
impl Eq for Opening {}

/// A ticket's name, of which nothing can be guessed.
pub(crate) fn ticket_id(prefix: &str, nonce: &Salt) -> String {
    let digits: String = nonce
        .reveal()
        .iter()
        .take(10)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{prefix}{digits}")
}

/// What the names of tickets begin with that lie beside the record. Those of people behind a service have the evaluation's name.
#[cfg(feature = "sqlite")]
pub(crate) const STORED: &str = "tkt_";
/// What the names of tickets begin with that are lost with the process.
#[cfg(feature = "engine")]
pub(crate) const IN_PROCESS: &str = "tkm_";
