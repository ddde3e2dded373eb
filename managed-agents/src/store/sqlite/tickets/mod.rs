//! Tickets: calls that wait for people, in the same database as the record and in its transactions.
//!
//! `tickets` says what waits and how it stands; what people are shown of a call is encrypted in it under the data subject's
//! key. `bound` holds what a ticket is bound to, and its salt, as long as it is open: both are deleted when it is consumed, expires
//! or is cancelled, and when its subject is erased. What people decided is in the log; `decisions` only says where.
//!
//! What a ticket is bound to is an HMAC of the call under a key made of two: the store's, from a file that is in no database and no
//! backup, and the data subject's, which erasure destroys. So nothing that is left of it anywhere can be tried against guesses.

mod book;
mod desk;
mod edits;
mod key;
mod marks;
mod order;
mod read;
mod ready;
mod rows;
mod seen;
mod tables;

use std::fmt;

use super::error::StoreError;
use crate::approval::{Edit, ShownCall, TicketState};
use crate::audit::Sequence;
use crate::call::{Digest, Salt};

pub(super) use book::Book;
pub(crate) use book::{Approved, Noted};
pub(super) use desk::Desk;
pub(crate) use desk::{LoggedPeople, Lookup};
pub(super) use edits::{Kept as KeptEdit, all as all_edits, seal as seal_edit};
pub(super) use key::StoreKey;
pub(super) use marks::{TicketMark, all_marks};
pub(crate) use order::NotTaken;
pub(super) use order::{Change, Decided, Order, apply};
pub(super) use ready::Ready;
pub(super) use rows::{
    cancel_all, close, close_erased, consume, expire_due, is_approved, is_ticket, look_ahead, may_open, open,
};
pub(super) use seen::is_as_seen;
pub(super) use tables::{BOUND, EDITS, NOT_BOUND, TABLES, fill_bound};

/// A ticket, as the store has it.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub(super) id: String,
    pub(super) agent: String,
    pub(super) tool: String,
    pub(super) definition: Digest,
    pub(super) session: Option<String>,
    pub(super) rules: Option<Digest>,
    pub(super) digest: Digest,
    pub(super) needed: u8,
    pub(super) state: TicketState,
    pub(super) opened: i64,
    pub(super) expires: i64,
    pub(super) place: u64,
    pub(super) subject: u32,
    pub(super) ran: Option<u64>,
    pub(super) shown: Option<ShownCall>,
    pub(super) decisions: Vec<Sequence>,
    pub(super) binding: Option<Binding>,
    pub(super) edit: Option<StoredEdit>,
}

/// With which arguments people approved a call, and the salt of what they signed of that. `Debug` shows no value.
#[derive(Clone, Debug)]
pub(crate) struct StoredEdit {
    pub(crate) edit: Edit,
    pub(crate) salt: Salt,
}

/// What an open ticket is bound to. `Debug` shows nothing of it.
#[derive(Clone, Copy)]
pub(crate) struct Binding {
    pub(crate) binding: [u8; 32],
    pub(crate) salt: Salt,
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Binding(..)")
    }
}

impl Ticket {
    /// The ticket's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The agent that calls.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// The tool's name; where it was called by name, an attacker's text.
    #[must_use]
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// The tool's definition.
    #[must_use]
    pub fn definition(&self) -> Digest {
        self.definition
    }

    /// The session of the call that opened it.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The digest of the rules by which it was escalated.
    #[must_use]
    pub fn rules(&self) -> Option<Digest> {
        self.rules
    }

    /// The digest of the call in the record that opened it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How many people must approve.
    #[must_use]
    pub fn needed(&self) -> u8 {
        self.needed
    }

    /// How it stands, as the row says; a run needs the signatures.
    #[must_use]
    pub fn state(&self) -> TicketState {
        self.state
    }

    /// Since when it waits, in microseconds since 1970.
    #[must_use]
    pub fn opened_micros(&self) -> i64 {
        self.opened
    }

    /// When it expires, undecided or unused, in microseconds since 1970.
    #[must_use]
    pub fn expires_micros(&self) -> i64 {
        self.expires
    }

    /// The decision that opened it.
    #[must_use]
    pub fn place(&self) -> Sequence {
        Sequence::new(self.place)
    }

    /// The decision that consumed it; its outcome says how the call ended.
    #[must_use]
    pub fn ran(&self) -> Option<Sequence> {
        self.ran.map(Sequence::new)
    }

    /// What people are shown of the call; none when its data subject was erased.
    #[must_use]
    pub fn shown(&self) -> Option<&ShownCall> {
        self.shown.as_ref()
    }

    /// The log's entries in which people decided, while it is open.
    #[must_use]
    pub fn decisions(&self) -> &[Sequence] {
        &self.decisions
    }

    /// The arguments that people put in the place of the call's own, as one JSON object, while it is open: the rest stays as it is.
    #[must_use]
    pub fn edit(&self) -> Option<&str> {
        self.edit.as_ref().map(|stored| stored.edit.as_json())
    }

    pub(crate) fn stored_edit(&self) -> Option<&StoredEdit> {
        self.edit.as_ref()
    }

    /// The number of the data subject under whose key it lies.
    pub(crate) fn subject(&self) -> u32 {
        self.subject
    }

    /// What it is bound to, while it is open.
    pub(crate) fn binding(&self) -> Option<Binding> {
        self.binding
    }
}

/// Which tickets to list.
#[derive(Clone, Debug, Default)]
pub struct TicketQuery {
    pub(super) agent: Option<String>,
    pub(super) all: bool,
    pub(super) most: Option<usize>,
}

impl TicketQuery {
    /// Those that are open: pending, approved, edited or rejected, and not used yet; oldest first.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// All that ever were, newest first.
    #[must_use]
    pub fn all() -> Self {
        Self {
            all: true,
            ..Self::default()
        }
    }

    /// Of one agent only.
    #[must_use]
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.agent = Some(agent.into());
        self
    }

    /// At most so many; 1 000 when nothing is said.
    #[must_use]
    pub fn most(mut self, most: usize) -> Self {
        self.most = Some(most);
        self
    }
}

impl super::Reader {
    /// One ticket; none if there never was one of this id.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head).
    pub fn ticket(&self, id: &str) -> Result<Option<Ticket>, StoreError> {
        read::by_id(&self.db, &self.keys, id)
    }

    /// The last passport of the agent that opened a ticket.
    pub(crate) fn last_passport_of_ticket(&self, id: &str) -> Result<Option<String>, StoreError> {
        let Some(ticket) = self.ticket(id)? else {
            return Ok(None);
        };
        desk::passport(&self.db, self.head()?.size(), ticket.agent())
    }

    /// Tickets.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head).
    pub fn tickets(&self, query: &TicketQuery) -> Result<Vec<Ticket>, StoreError> {
        read::list(&self.db, &self.keys, query)
    }
}
