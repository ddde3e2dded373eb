//! The queue of calls that wait for a person.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use ed25519_dalek::Signature;
use tokio::sync::watch;

use super::key::{ApproverKey, ApproverPublicKey};
use super::{ApprovalError, ApprovalErrorKind, Edit, IN_PROCESS, not_covered, rejection, ticket_id};
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
    rules: Option<Digest>,
    /// How many people must approve.
    needed: u8,
    binding: [u8; 32],
    state: State,
    /// Who approved, each with a signature of his own.
    approvals: Vec<(usize, Signature)>,
    /// With which arguments all of them approved it; none where as it is.
    edit: Option<Edit>,
    /// Says to whom waits that a person has decided.
    decided: watch::Sender<bool>,
}

#[derive(Debug)]
enum State {
    Pending,
    Approved,
    Rejected { reason: String },
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
    editable: bool,
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
            editable: shown.editable,
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

    /// Whether it can be approved with other arguments: its tool is `exact`.
    #[must_use]
    pub fn is_editable(&self) -> bool {
        self.editable
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
    /// What an approver signs: exactly this call, of this definition, by this agent, until then, and what is changed of it.
    fn statement(&self, edit: Option<&Edit>) -> Vec<u8> {
        let edit = edit.map(|edit| *edit.digest(&self.nonce).as_bytes());
        let expires = self
            .view
            .expires
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos()
            .to_be_bytes();
        let mut statement = b"ma-approval/2\0".to_vec();
        for part in [
            self.view.id.as_bytes(),
            self.view.agent.as_bytes(),
            self.view.tool.as_bytes(),
            self.definition.as_bytes(),
            &self.binding,
            self.nonce.reveal(),
            &expires,
            edit.as_ref().map_or(&[][..], |edit| edit.as_slice()),
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
