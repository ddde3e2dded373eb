//! The queue of calls that wait for a person.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use super::key::{ApproverKey, ApproverPublicKey};
use super::pending::{PendingTicket, State, Ticket, Tickets};
use super::{ApprovalError, ApprovalErrorKind, Edit, IN_PROCESS, not_covered, rejection, ticket_id};
use crate::call::{Digest, Salt, ToolCall};
use crate::verdict::Reason;

/// How long a ticket waits for a person.
pub(crate) const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How many tickets may wait at once.
pub(crate) const MOST_PENDING: u32 = 20;

/// The calls that wait, and what people decided on them.
#[derive(Debug)]
pub(crate) struct Approvals {
    /// The key of every binding; made when the first ticket is.
    key: [u8; 32],
    approvers: Vec<(String, ApproverPublicKey)>,
    most_pending: u32,
    lifetime: Duration,
    /// Guards the tickets; held for a look-up, a signature or a check, never across an await. The two maps hold the
    /// same tickets. Consumption removes a ticket from both in one step, so a grant is handed out at most once.
    tickets: Mutex<Tickets>,
}

/// What a call is held against that asks to run.
pub(crate) struct Asking<'a> {
    /// The call that a ticket is bound to.
    pub(crate) call: &'a ToolCall,
    pub(crate) reasons: &'a [Reason],
    pub(crate) needed: u8,
    pub(crate) rules: Option<Digest>,
    pub(crate) now: SystemTime,
    /// The ticket that it has waited for.
    pub(crate) joined: Option<&'a str>,
    /// The edit with which it was judged: then the reasons are those of the edited call.
    pub(crate) edit: Option<&'a Edit>,
}

/// How a call stands with the people who may approve it.
#[derive(Debug)]
pub(crate) enum Standing {
    /// Approved; the ticket is consumed.
    Granted(Arc<str>),
    /// It may run with these arguments, if they are judged first; the ticket is there still.
    Edited { ticket: Arc<str>, edit: Edit },
    /// A ticket waits.
    Pending(Arc<str>),
    /// It may not run.
    Refused { ticket: Option<Arc<str>>, reason: Reason },
}

impl Approvals {
    pub(crate) fn new(
        approvers: Vec<(String, ApproverPublicKey)>,
        most_pending: u32,
        lifetime: Duration,
    ) -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self {
            key,
            approvers,
            most_pending,
            lifetime,
            tickets: Mutex::default(),
        })
    }

    /// How an escalated call stands. An approval that covers every reason is consumed; without a ticket one is opened.
    /// A call that was joined to a ticket which is gone by now opens no other.
    pub(crate) fn standing(&self, asked: &Asking<'_>) -> Standing {
        let binding = asked.call.binding(&self.key);
        let mut tickets = self.tickets();
        if let Some(joined) = asked.joined.filter(|joined| !tickets.binding_of.contains_key(*joined)) {
            return Standing::Refused {
                ticket: Some(joined.into()),
                reason: Reason::new(
                    "approval_used",
                    "another call with the same arguments used the approval that this one waited for; it was not run",
                ),
            };
        }
        let Some(ticket) = tickets.by_binding.get(&binding) else {
            return self.open(&mut tickets, binding, asked);
        };
        let id = Arc::clone(&ticket.view.id);
        if asked.now >= ticket.view.expires {
            tickets.remove(&binding);
            return Standing::Refused {
                ticket: Some(id),
                reason: Reason::new(
                    "approval_expired",
                    "the ticket of this call expired before it was approved and used; repeat the call to ask again",
                ),
            };
        }
        match &ticket.state {
            State::Pending => Standing::Pending(id),
            State::Rejected { reason } => Standing::Refused {
                reason: Reason::new("rejected", rejection(reason)),
                ticket: Some(id),
            },
            State::Approved if ticket.rules != asked.rules => {
                tickets.remove(&binding);
                Standing::Refused {
                    ticket: Some(id),
                    reason: Reason::new(
                        "rules_changed",
                        "the rules changed since this call was approved; repeat the call to ask again",
                    ),
                }
            }
            State::Approved => {
                let signed = self.people(ticket) >= usize::from(ticket.needed.max(asked.needed).max(1));
                let shown = |reason: &Reason| ticket.view.reasons.iter().any(|shown| shown.code() == reason.code());
                let covered = asked.reasons.iter().all(shown);
                match (&ticket.edit, asked.edit) {
                    // the judges see it first as it is to run
                    (Some(edit), None) if signed => Standing::Edited {
                        ticket: id,
                        edit: edit.clone(),
                    },
                    (there, judged) if signed && covered && there.as_ref() == judged => {
                        tickets.remove(&binding);
                        Standing::Granted(id)
                    }
                    (_, None) => {
                        tickets.remove(&binding);
                        self.open(&mut tickets, binding, asked)
                    }
                    (_, Some(_)) => {
                        tickets.remove(&binding);
                        Standing::Refused {
                            ticket: Some(id),
                            reason: not_covered(),
                        }
                    }
                }
            }
        }
    }

    /// How many people signed a ticket as it stands.
    fn people(&self, ticket: &Ticket) -> usize {
        let statement = ticket.statement(ticket.edit.as_ref());
        let signed = ticket.approvals.iter().filter(|(approver, signature)| {
            let key = self.approvers.get(*approver).map(|(_, key)| key);
            key.is_some_and(|key| key.verifies(&statement, signature))
        });
        // no key stands there twice
        signed.count()
    }

    /// Closes a ticket.
    pub(crate) fn close(&self, id: &str) {
        let mut tickets = self.tickets();
        if let Some(binding) = tickets.binding_of.get(id).copied() {
            tickets.remove(&binding);
        }
    }

    fn open(&self, tickets: &mut Tickets, binding: [u8; 32], asked: &Asking<'_>) -> Standing {
        let (call, now) = (asked.call, asked.now);
        tickets.expire(now);
        let pending = tickets
            .by_binding
            .values()
            .filter(|ticket| matches!(ticket.state, State::Pending))
            .count();
        let nonce = match Salt::fresh() {
            Ok(nonce) if pending < self.most_pending as usize => nonce,
            Ok(_) => {
                return Standing::Refused {
                    ticket: None,
                    reason: Reason::new(
                        "too_many_pending",
                        "too many calls wait for a person already; wait until some are decided",
                    ),
                };
            }
            Err(error) => {
                return Standing::Refused {
                    ticket: None,
                    reason: Reason::new("no_entropy", "the call cannot be queued").with_detail(error.to_string()),
                };
            }
        };
        let id: Arc<str> = ticket_id(IN_PROCESS, &nonce).into();
        let ticket = Ticket {
            view: PendingTicket {
                id: Arc::clone(&id),
                agent: call.agent().to_string(),
                tool: call.tool().to_owned(),
                description: call.meta().description().to_owned(),
                arguments: call.arguments(),
                reasons: asked.reasons.to_vec(),
                editable: call.is_editable(),
                opened: now,
                expires: now + self.lifetime,
            },
            nonce,
            definition: call.meta().definition(),
            rules: asked.rules,
            needed: asked.needed,
            binding,
            state: State::Pending,
            approvals: Vec::new(),
            edit: None,
            decided: watch::Sender::new(false),
        };
        tickets.binding_of.insert(Arc::clone(&id), binding);
        tickets.by_binding.insert(binding, ticket);
        Standing::Pending(id)
    }

    /// The ticket of a call that is denied though people approved it: it is closed.
    pub(crate) fn denied(&self, call: &ToolCall) -> Option<Arc<str>> {
        let mut tickets = self.tickets();
        if tickets.by_binding.is_empty() {
            return None;
        }
        let binding = call.binding(&self.key);
        let ticket = tickets.by_binding.get(&binding)?;
        let id = matches!(ticket.state, State::Approved).then(|| Arc::clone(&ticket.view.id))?;
        tickets.remove(&binding);
        Some(id)
    }

    /// The tickets that wait, oldest first.
    pub(crate) fn pending(&self, now: SystemTime) -> Vec<PendingTicket> {
        let mut tickets = self.tickets();
        tickets.expire(now);
        let mut pending: Vec<_> = tickets
            .by_binding
            .values()
            .filter(|ticket| matches!(ticket.state, State::Pending))
            .map(|ticket| ticket.view.clone())
            .collect();
        drop(tickets);
        pending.sort_by_key(|ticket| ticket.opened);
        pending
    }

    /// Approves a ticket, as it is or with other arguments.
    pub(crate) fn approve(
        &self,
        id: &str,
        edit: Option<&str>,
        key: &ApproverKey,
        now: SystemTime,
    ) -> Result<(), ApprovalError> {
        self.decide(id, key, now, |ticket, approver| {
            let edit = match edit {
                Some(_) if !ticket.view.editable => {
                    return Err(ApprovalError::new(ApprovalErrorKind::NotEditable, id));
                }
                Some(text) => Some(Edit::parse(text, &ticket.view.arguments, id)?),
                None => None,
            };
            if ticket.approvals.iter().any(|(known, _)| *known == approver) {
                return Err(ApprovalError::new(ApprovalErrorKind::AnotherMust, id));
            }
            if !ticket.approvals.is_empty() && ticket.edit != edit {
                return Err(ApprovalError::new(ApprovalErrorKind::OtherEdit, id));
            }
            let signature = key.sign(&ticket.statement(edit.as_ref()));
            ticket.approvals.push((approver, signature));
            ticket.edit = edit;
            if ticket.approvals.len() >= usize::from(ticket.needed) {
                ticket.state = State::Approved;
            }
            Ok(())
        })
    }

    pub(crate) fn reject(
        &self,
        id: &str,
        key: &ApproverKey,
        reason: &str,
        now: SystemTime,
    ) -> Result<(), ApprovalError> {
        self.decide(id, key, now, |ticket, _| {
            ticket.state = State::Rejected {
                reason: reason.to_owned(),
            };
            Ok(())
        })
    }

    fn decide(
        &self,
        id: &str,
        key: &ApproverKey,
        now: SystemTime,
        decide: impl FnOnce(&mut Ticket, usize) -> Result<(), ApprovalError>,
    ) -> Result<(), ApprovalError> {
        let error = |kind| Err(ApprovalError::new(kind, id));
        let Some(approver) = self.approvers.iter().position(|(_, known)| *known == key.public()) else {
            return error(ApprovalErrorKind::NotEnrolled);
        };
        let mut tickets = self.tickets();
        tickets.expire(now);
        let binding = tickets.binding_of.get(id).copied();
        let Some(ticket) = binding.and_then(|binding| tickets.by_binding.get_mut(&binding)) else {
            return error(ApprovalErrorKind::UnknownTicket);
        };
        if !matches!(ticket.state, State::Pending) {
            return error(ApprovalErrorKind::AlreadyDecided);
        }
        decide(ticket, approver)?;
        if !matches!(ticket.state, State::Pending) {
            ticket.decided.send_replace(true);
        }
        Ok(())
    }

    /// Ends when a person has decided on the ticket, or it is gone.
    pub(crate) fn decided(&self, id: &str) -> impl Future<Output = ()> + Send + use<> {
        let tickets = self.tickets();
        let receiver = tickets
            .binding_of
            .get(id)
            .and_then(|binding| tickets.by_binding.get(binding))
            .map(|ticket| ticket.decided.subscribe());
        drop(tickets);
        async move {
            if let Some(mut receiver) = receiver {
                // an error says that the ticket is gone
                let _ = receiver.wait_for(|decided| *decided).await;
            }
        }
    }

    fn tickets(&self) -> MutexGuard<'_, Tickets> {
        // nothing that is done under the lock can leave the maps half changed
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
