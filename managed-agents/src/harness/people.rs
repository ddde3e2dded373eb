//! The people of a harness: where the record is durable, tickets lie beside it, and people decide in any process.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::signed::Ordered;
use crate::answer::Answer;
use crate::approval::{
    ApprovalError, Approver, ApproverKey, Asked, Edit, Excluded, OperatorStatement, PendingTicket, Redeemed, Roots,
    Roster, Seen, TicketState, redeem,
};
use crate::call::{Digest, ToolCall};
use crate::home::{Choice, decide, roster};
use crate::identity::{KeyId, Passport};
use crate::store::{Approved, LoggedPeople, Lookup, Noted, Store, StoreError, Ticket, TicketQuery};
use crate::verdict::Reason;

/// What code says of people.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) roots: Roots,
    pub(super) most_pending: u32,
    pub(super) lifetime: Duration,
    pub(super) owner_excluded: bool,
}

/// Calls that wait beside a durable record.
pub(super) struct People {
    store: Store,
    settings: Settings,
    /// Who decides on the agent's calls, as of an epoch. Guards one pointer, never across an await.
    known: Mutex<Option<Arc<Known>>>,
    /// Whoever is asked before the governor judges by other files: as long as there is this harness.
    _ordered: Option<Arc<Ordered>>,
}

/// Who decides on an agent's calls.
struct Known {
    epoch: u64,
    roster: Roster,
    /// The agent's own key, and whoever answers for it.
    requester: Option<KeyId>,
    owner: Option<String>,
}

/// How a call stands.
pub(super) struct Stands {
    /// Of the log, when it was read.
    pub(super) epoch: u64,
    pub(super) how: How,
}

/// What is known of a call without a look at the record.
pub(super) enum Recalled {
    /// It has no ticket, as far as is known.
    Nothing,
    /// Its ticket was approved; `own`, if by this process.
    Found { lookup: Lookup, own: bool },
    /// The record must be read.
    Unsure,
}

/// What is to be done with an escalated call.
pub(super) enum How {
    /// It may run: this ticket is to be consumed, as it was seen.
    Granted(Arc<str>, Seen),
    /// It may run with these arguments, if they are judged first.
    Edited { ticket: Arc<str>, edit: Edit },
    /// It waits already.
    Waits(Arc<str>),
    /// A ticket is to be opened, in the place of one whose reasons were others.
    Opens { replaces: Option<Arc<str>> },
    /// It may not run; the ticket is closed if a state is given.
    Refused {
        ticket: Option<Arc<str>>,
        reason: Reason,
        close: Option<TicketState>,
    },
}

/// What a call asks with.
pub(super) struct Question<'a> {
    pub(super) call: &'a ToolCall,
    pub(super) reasons: &'a [Reason],
    pub(super) needed: u8,
    pub(super) rules: Option<Digest>,
    /// The edit with which it was judged.
    pub(super) edit: Option<&'a Edit>,
    pub(super) now: SystemTime,
}

impl People {
    pub(super) fn new(store: Store, settings: Settings, ordered: Option<Arc<Ordered>>) -> Self {
        Self {
            store,
            settings,
            known: Mutex::default(),
            _ordered: ordered,
        }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is known of a call without a look: nothing need be read, since the transaction of its record finds whether that is so.
    pub(super) fn recall(&self, call: &ToolCall) -> Recalled {
        match self.store.noted_ticket(call) {
            Noted::Nothing => Recalled::Nothing,
            Noted::Open => Recalled::Unsure,
            // signed by whom, is known as of the same epoch, was read with it, or is looked up
            Noted::Approved(Approved { epoch, found, people }) => {
                let is_known = self.known().is_some_and(|known| known.epoch == epoch);
                if !is_known && people.is_none() {
                    return Recalled::Unsure;
                }
                Recalled::Found {
                    own: people.is_none(),
                    lookup: Lookup {
                        epoch,
                        pending: 0,
                        ticket: Some(found),
                        people: people.filter(|_| !is_known),
                    },
                }
            }
        }
    }

    /// Reads what there is of a call.
    pub(super) fn look(&self, call: &ToolCall) -> Answer<Result<Lookup, StoreError>> {
        let known = self.known().map(|known| known.epoch);
        self.store.find_ticket(call, known)
    }

    /// How an escalated call stands by what was read.
    pub(super) fn stands(&self, lookup: &Lookup, question: &Question<'_>) -> Stands {
        let known = self.learn(lookup);
        let Some(found) = &lookup.ticket else {
            let how = if lookup.pending >= self.settings.most_pending {
                How::Refused {
                    ticket: None,
                    reason: too_many(),
                    close: None,
                }
            } else {
                How::Opens { replaces: None }
            };
            return Stands {
                epoch: lookup.epoch,
                how,
            };
        };
        let asked = Asked {
            call: question.call,
            reasons: question.reasons,
            needed: question.needed,
            rules: question.rules,
            edit: question.edit,
            roster: &known.roster,
            excluded: self.excluded(&known),
            now: question.now,
        };
        let ticket = Arc::clone(&found.id);
        let how = match redeem(found, &asked) {
            Redeemed::Granted => How::Granted(ticket, found.seen),
            Redeemed::Edited(edit) => How::Edited { ticket, edit },
            Redeemed::Waits => How::Waits(ticket),
            Redeemed::NotShown => How::Opens { replaces: Some(ticket) },
            Redeemed::Refused(reason, close) => How::Refused {
                ticket: Some(ticket),
                reason,
                close,
            },
        };
        Stands {
            epoch: lookup.epoch,
            how,
        }
    }

    /// How a ticket stands that this call was joined to.
    pub(super) fn state(&self, ticket: &Arc<str>) -> Answer<Result<Option<TicketState>, StoreError>> {
        self.store.ticket_state(ticket)
    }

    /// Ends when people have decided.
    pub(super) fn decided(&self, ticket: &Arc<str>) -> impl Future<Output = ()> + Send + use<> {
        self.store.ticket_decided(ticket)
    }

    /// The tickets of an agent that wait, oldest first.
    pub(super) fn pending(&self, agent: &str) -> Vec<PendingTicket> {
        let listed = self
            .store
            .reader()
            .and_then(|reader| reader.tickets(&TicketQuery::open().agent(agent)));
        match listed {
            Ok(tickets) => tickets
                .iter()
                .filter(|ticket| ticket.state() == TicketState::Pending)
                .filter_map(PendingTicket::stored)
                .collect(),
            Err(error) => {
                tracing::error!(%error, code = error.code(), "the tickets that wait cannot be read");
                Vec::new()
            }
        }
    }

    /// Takes a decision in this process.
    pub(super) fn decide(
        &self,
        ticket: &str,
        choice: &Choice,
        key: &ApproverKey,
        now: SystemTime,
    ) -> Result<(), ApprovalError> {
        let read = self.store.reader().and_then(|reader| {
            let roster = roster(&reader, &self.settings.roots)?;
            let passport = reader.last_passport_of_ticket(ticket)?;
            Ok((roster, passport))
        });
        let (roster, passport) = read.map_err(|error| ApprovalError::unrecorded(ticket, &error))?;
        let known = Known::new(0, roster, passport.as_deref());
        let excludes = |approver: &Approver, _: &Ticket| self.excluded(&known).has(approver);
        decide(&self.store, &known.roster, excludes, (ticket, choice), key, now).map(|_| ())
    }

    fn excluded<'a>(&self, known: &'a Known) -> Excluded<'a> {
        Excluded {
            requester: known.requester,
            owner: known.owner.as_deref().filter(|_| self.settings.owner_excluded),
        }
    }

    /// Who decides, read anew where the epoch is another.
    fn learn(&self, lookup: &Lookup) -> Arc<Known> {
        let known = self.known();
        let Some(people) = &lookup.people else {
            // what was not read anew is known; else nobody may approve
            return known.unwrap_or_default();
        };
        let LoggedPeople {
            origin,
            approvers,
            passport,
        } = &**people;
        let mut roster = Roster::new(&self.settings.roots, origin);
        for body in approvers {
            if let Ok(stated) = OperatorStatement::parse(body) {
                roster.apply(&stated);
            }
        }
        let learned = Arc::new(Known::new(lookup.epoch, roster, passport.as_deref()));
        *self.lock() = Some(Arc::clone(&learned));
        learned
    }

    fn known(&self) -> Option<Arc<Known>> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Known>>> {
        // replaced as a whole, so never half changed
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn new(epoch: u64, roster: Roster, passport: Option<&str>) -> Self {
        let passport = passport.and_then(|text| Passport::parse(text).ok());
        Self {
            epoch,
            roster,
            requester: passport.as_ref().map(|passport| passport.key().id()),
            owner: passport.and_then(|passport| passport.owner().map(str::to_owned)),
        }
    }
}

impl Default for Known {
    fn default() -> Self {
        Self::new(u64::MAX, Roster::default(), None)
    }
}

fn too_many() -> Reason {
    Reason::new(
        "too_many_pending",
        "too many calls wait for a person already; wait until some are decided",
    )
}

/// The call was joined to a ticket that is over by now: what its caller is told.
pub(super) fn lost(state: Option<TicketState>) -> Option<Reason> {
    match state? {
        TicketState::Consumed => Some(Reason::new(
            "approval_used",
            "another call with the same arguments used the approval that this one waited for; it was not run",
        )),
        TicketState::Expired => Some(Reason::new(
            "approval_expired",
            "the ticket of this call expired before it was approved and used; repeat the call to ask again",
        )),
        TicketState::Cancelled => Some(Reason::new(
            "approval_cancelled",
            "the ticket of this call was closed before it ran; repeat the call to ask again",
        )),
        _ => None,
    }
}
