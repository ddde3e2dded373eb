//! The queue of calls that wait for a person.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use ed25519_dalek::Signature;
use tokio::sync::watch;

use super::key::{ApproverKey, ApproverPublicKey};
use super::{ApprovalError, ApprovalErrorKind, IN_PROCESS, rejection, ticket_id};
use crate::call::{Digest, Salt, ToolCall};
use crate::escaped::Escaped;
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

#[derive(Debug, Default)]
struct Tickets {
    by_binding: HashMap<[u8; 32], Ticket>,
    binding_of: HashMap<Arc<str>, [u8; 32]>,
}

#[derive(Debug)]
struct Ticket {
    view: PendingTicket,
    nonce: Salt,
    definition: Digest,
    binding: [u8; 32],
    state: State,
    /// Says to whom waits that a person has decided.
    decided: watch::Sender<bool>,
}

#[derive(Debug)]
enum State {
    Pending,
    Approved { approver: usize, signature: Signature },
    Rejected { reason: String },
}

/// How a call stands with the people who may approve it.
#[derive(Debug)]
pub(crate) enum Standing {
    /// Approved; the ticket is consumed.
    Granted(Arc<str>),
    /// A ticket waits.
    Pending(Arc<str>),
    /// It may not run.
    Refused { ticket: Option<Arc<str>>, reason: Reason },
}

/// A call that waits for a person, as the person sees it: redacted arguments are not shown.
///
/// Its tool, where it was called by name, and its arguments are an attacker's text: show them through
/// [`arguments_for_display`](Self::arguments_for_display) and [`Escaped`].
#[derive(Clone, Debug)]
pub struct PendingTicket {
    id: Arc<str>,
    agent: String,
    tool: String,
    description: String,
    arguments: String,
    reasons: Vec<Reason>,
    opened: SystemTime,
    expires: SystemTime,
}

impl PendingTicket {
    /// Of a ticket beside the record; none when its data subject was erased.
    #[cfg(feature = "sqlite")]
    pub(crate) fn stored(ticket: &crate::store::Ticket) -> Option<Self> {
        let shown = ticket.shown()?;
        let time = |micros: i64| SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        let reason = |reason: &super::ShownReason| {
            Reason::new(reason.code.clone(), reason.detail.clone()).with_approvers(reason.approvers)
        };
        Some(Self {
            id: ticket.id().into(),
            agent: ticket.agent().to_owned(),
            tool: ticket.tool().to_owned(),
            description: shown.description.clone(),
            arguments: shown.arguments.clone(),
            reasons: shown.reasons.iter().map(reason).collect(),
            opened: time(ticket.opened_micros()),
            expires: time(ticket.expires_micros()),
        })
    }

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

    /// The tool's name.
    #[must_use]
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// What the tool does.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The arguments as one JSON object, redacted ones replaced: for programs. They are an attacker's text; for people
    /// there is [`arguments_for_display`](Self::arguments_for_display).
    #[must_use]
    pub fn arguments(&self) -> &str {
        &self.arguments
    }

    /// The arguments as a person may look at them: what controls a terminal, turns text or hides in it is escaped.
    #[must_use]
    pub fn arguments_for_display(&self) -> Escaped<'_> {
        Escaped::new(&self.arguments)
    }

    /// Why it was escalated.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// Since when it waits.
    #[must_use]
    pub fn opened(&self) -> SystemTime {
        self.opened
    }

    /// When it expires, undecided or unused; 24 hours after it was opened.
    #[must_use]
    pub fn expires(&self) -> SystemTime {
        self.expires
    }
}

impl Ticket {
    /// What an approver signs: exactly this call, of this definition, by this agent, until then.
    fn statement(&self) -> Vec<u8> {
        let expires = self
            .view
            .expires
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos()
            .to_be_bytes();
        let mut statement = b"ma-approval/1\0".to_vec();
        for part in [
            self.view.id.as_bytes(),
            self.view.agent.as_bytes(),
            self.view.tool.as_bytes(),
            self.definition.as_bytes(),
            &self.binding,
            self.nonce.reveal(),
            &expires,
        ] {
            statement.extend_from_slice(&(part.len() as u64).to_be_bytes());
            statement.extend_from_slice(part);
        }
        statement
    }
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
    /// A call that was `joined` to a ticket which is gone by now opens no other.
    pub(crate) fn standing(
        &self,
        call: &ToolCall,
        reasons: &[Reason],
        now: SystemTime,
        joined: Option<&str>,
    ) -> Standing {
        let binding = call.binding(&self.key);
        let mut tickets = self.tickets();
        if let Some(joined) = joined.filter(|joined| !tickets.binding_of.contains_key(*joined)) {
            return Standing::Refused {
                ticket: Some(joined.into()),
                reason: Reason::new(
                    "approval_used",
                    "another call with the same arguments used the approval that this one waited for; it was not run",
                ),
            };
        }
        let Some(ticket) = tickets.by_binding.get(&binding) else {
            return self.open(&mut tickets, binding, call, reasons, now);
        };
        let id = Arc::clone(&ticket.view.id);
        if now >= ticket.view.expires {
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
            State::Approved { approver, signature } => {
                let shown = |reason: &Reason| ticket.view.reasons.iter().any(|shown| shown.code() == reason.code());
                let key = self.approvers.get(*approver).map(|(_, key)| key);
                let signed = key.is_some_and(|key| key.verifies(&ticket.statement(), signature));
                let covered = reasons.iter().all(shown);
                tickets.remove(&binding);
                if signed && covered {
                    Standing::Granted(id)
                } else {
                    self.open(&mut tickets, binding, call, reasons, now)
                }
            }
        }
    }

    fn open(
        &self,
        tickets: &mut Tickets,
        binding: [u8; 32],
        call: &ToolCall,
        reasons: &[Reason],
        now: SystemTime,
    ) -> Standing {
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
                reasons: reasons.to_vec(),
                opened: now,
                expires: now + self.lifetime,
            },
            nonce,
            definition: call.meta().definition(),
            binding,
            state: State::Pending,
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
        let id = matches!(ticket.state, State::Approved { .. }).then(|| Arc::clone(&ticket.view.id))?;
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

    pub(crate) fn approve(&self, id: &str, key: &ApproverKey, now: SystemTime) -> Result<(), ApprovalError> {
        self.decide(id, key, now, |ticket, approver| State::Approved {
            approver,
            signature: key.sign(&ticket.statement()),
        })
    }

    pub(crate) fn reject(
        &self,
        id: &str,
        key: &ApproverKey,
        reason: &str,
        now: SystemTime,
    ) -> Result<(), ApprovalError> {
        self.decide(id, key, now, |_, _| State::Rejected {
            reason: reason.to_owned(),
        })
    }

    fn decide(
        &self,
        id: &str,
        key: &ApproverKey,
        now: SystemTime,
        state: impl FnOnce(&Ticket, usize) -> State,
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
        ticket.state = state(ticket, approver);
        ticket.decided.send_replace(true);
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

impl Tickets {
    fn remove(&mut self, binding: &[u8; 32]) {
        if let Some(ticket) = self.by_binding.remove(binding) {
            self.binding_of.remove(&ticket.view.id);
        }
    }

    fn expire(&mut self, now: SystemTime) {
        let gone: Vec<[u8; 32]> = self
            .by_binding
            .values()
            .filter(|ticket| now >= ticket.view.expires)
            .map(|ticket| ticket.binding)
            .collect();
        for binding in gone {
            self.remove(&binding);
        }
    }
}
