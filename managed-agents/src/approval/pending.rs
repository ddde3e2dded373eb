//! The calls that wait in this process: what people see of one, what they sign, and the table of them.

use std::collections::HashMap;
use std::sync::Arc;
#[cfg(feature = "sqlite")]
use std::time::Duration;
use std::time::SystemTime;

use ed25519_dalek::Signature;
use tokio::sync::watch;

use super::Edit;
use crate::call::{Digest, Salt};
use crate::escaped::Escaped;
use crate::verdict::Reason;

/// A call that waits for a person, as the person sees it: redacted arguments are not shown.
///
/// Its tool, where it was called by name, and its arguments are an attacker's text: show them through
/// [`arguments_for_display`](Self::arguments_for_display) and [`Escaped`].
#[derive(Clone, Debug)]
pub struct PendingTicket {
    pub(super) id: Arc<str>,
    pub(super) agent: String,
    pub(super) tool: String,
    pub(super) description: String,
    pub(super) arguments: String,
    pub(super) reasons: Vec<Reason>,
    pub(super) editable: bool,
    pub(super) opened: SystemTime,
    pub(super) expires: SystemTime,
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

#[derive(Debug, Default)]
pub(super) struct Tickets {
    pub(super) by_binding: HashMap<[u8; 32], Ticket>,
    pub(super) binding_of: HashMap<Arc<str>, [u8; 32]>,
}

#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) view: PendingTicket,
    pub(super) nonce: Salt,
    pub(super) definition: Digest,
    pub(super) rules: Option<Digest>,
    /// How many people must approve.
    pub(super) needed: u8,
    pub(super) binding: [u8; 32],
    pub(super) state: State,
    /// Who approved, each with a signature of his own.
    pub(super) approvals: Vec<(usize, Signature)>,
    /// With which arguments all of them approved it; none where as it is.
    pub(super) edit: Option<Edit>,
    /// Says to whom waits that a person has decided.
    pub(super) decided: watch::Sender<bool>,
}

#[derive(Debug)]
pub(super) enum State {
    Pending,
    Approved,
    Rejected { reason: String },
}

impl Ticket {
    /// What an approver signs: exactly this call, of this definition, by this agent, until then, and what is changed of it.
    pub(super) fn statement(&self, edit: Option<&Edit>) -> Vec<u8> {
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

impl Tickets {
    pub(super) fn remove(&mut self, binding: &[u8; 32]) {
        if let Some(ticket) = self.by_binding.remove(binding) {
            self.binding_of.remove(&ticket.view.id);
        }
    }

    pub(super) fn expire(&mut self, now: SystemTime) {
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
