//! What people decide on tickets, and how that is signed and recorded.

use std::time::SystemTime;

use crate::answer::wait;
use crate::approval::{
    ApprovalError, ApprovalErrorKind, Approver, ApproverKey, Edit, OperatorStatement, Roster, StatementKind,
    TicketState, bound, reasons_text,
};
use crate::audit::Sequence;
use crate::audit::entry::{Statement, statement};
use crate::call::Salt;
use crate::identity::{Moment, PublicKey};
use crate::store::{NotTaken, Store, StoredEdit, Ticket};

/// A decision on a ticket.
#[derive(Clone, Debug)]
pub struct Choice {
    kind: StatementKind,
    reason: Option<String>,
    edit: Option<String>,
    same_session: bool,
    until: Option<Moment>,
}

impl Choice {
    /// The call may run once, as it is.
    #[must_use]
    pub fn approve() -> Self {
        Self::new(StatementKind::Approve)
    }

    /// The call may run once, with other arguments: one JSON object of those that take the place of the call's own; all others stay as
    /// they are, also those that are not shown. Only tools that are `exact` run with arguments that were not passed to them.
    #[must_use]
    pub fn edit(arguments: impl Into<String>) -> Self {
        Self {
            edit: Some(arguments.into()),
            ..Self::new(StatementKind::Edit)
        }
    }

    /// The call may not run; the reason reaches the model.
    #[must_use]
    pub fn reject(reason: impl Into<String>) -> Self {
        Self {
            reason: Some(reason.into()),
            ..Self::new(StatementKind::Reject)
        }
    }

    /// Nobody decides: the ticket is closed, also one that was approved and not used yet.
    #[must_use]
    pub fn cancel() -> Self {
        Self::new(StatementKind::Cancel)
    }

    /// An approval for the session only in which the call was made first.
    #[must_use]
    pub fn in_same_session(mut self) -> Self {
        self.same_session = true;
        self
    }

    /// An approval that ends before the ticket does.
    #[must_use]
    pub fn until(mut self, until: Moment) -> Self {
        self.until = Some(until);
        self
    }

    /// What it changes of a ticket's call, in canonical form; an error where that is not possible.
    #[cfg(feature = "cli")]
    pub(crate) fn edit_of(&self, ticket: &Ticket) -> Result<Option<String>, ApprovalError> {
        Ok(edit(self, ticket)?.map(|stored| stored.edit.as_json().to_owned()))
    }

    fn new(kind: StatementKind) -> Self {
        Self {
            kind,
            reason: None,
            edit: None,
            same_session: false,
            until: None,
        }
    }

    fn state(&self) -> TicketState {
        match self.kind {
            StatementKind::Approve => TicketState::Approved,
            StatementKind::Edit => TicketState::Edited,
            StatementKind::Reject => TicketState::Rejected,
            _ => TicketState::Cancelled,
        }
    }

    /// What is signed.
    fn about(&self, ticket: &Ticket, edit: Option<&StoredEdit>) -> Option<Vec<(&'static str, String)>> {
        let mut about = vec![
            ("ticket", ticket.id().to_owned()),
            ("agent", ticket.agent().to_owned()),
            ("tool", ticket.tool().to_owned()),
            ("definition", ticket.definition().to_string()),
            ("digest", ticket.digest().to_string()),
        ];
        if let Some(reason) = &self.reason {
            about.push(("reason", reason.clone()));
        }
        if !matches!(self.kind, StatementKind::Approve | StatementKind::Edit) {
            return Some(about);
        }
        if let Some(stored) = edit {
            let names = serde_json::to_string(&stored.edit.names()).unwrap_or_default();
            about.extend([
                ("edit", stored.edit.digest(&stored.salt).to_string()),
                ("changed", names),
            ]);
        }
        let (binding, shown) = (ticket.binding()?, ticket.shown()?);
        let expires = Moment::from_micros(ticket.expires_micros());
        let until = self.until.map_or(expires, |until| until.min(expires));
        let codes = shown.reasons.iter().map(|reason| reason.code.as_str());
        about.extend([
            ("bound", bound(&binding.binding, &binding.salt).to_string()),
            ("expires", until.to_string()),
            ("reasons", reasons_text(codes)),
        ]);
        if let Some(rules) = ticket.rules() {
            about.push(("rules", rules.to_string()));
        }
        if self.same_session {
            // of a call outside every session there is no other session either
            about.push(("session", ticket.session().unwrap_or_default().to_owned()));
        }
        Some(about)
    }
}

/// What a choice changes of the call. Whoever approves what others changed in the same way signs the same.
fn edit(choice: &Choice, ticket: &Ticket) -> Result<Option<StoredEdit>, ApprovalError> {
    let Some(text) = &choice.edit else { return Ok(None) };
    let error = |kind| ApprovalError::new(kind, ticket.id());
    let shown = ticket.shown().ok_or_else(|| error(ApprovalErrorKind::UnknownTicket))?;
    if !shown.editable {
        return Err(error(ApprovalErrorKind::NotEditable));
    }
    let edit = Edit::parse(text, &shown.arguments, ticket.id())?;
    let salt = match ticket.stored_edit() {
        Some(there) if there.edit == edit => there.salt,
        _ => Salt::fresh().map_err(|why| ApprovalError::unrecorded(ticket.id(), &why))?,
    };
    Ok(Some(StoredEdit { edit, salt }))
}

/// Signs a decision on a ticket and records it; fsynced.
pub(crate) fn decide(
    store: &Store,
    roster: &Roster,
    excludes: impl FnOnce(&Approver, &Ticket) -> bool,
    (ticket, choice): (&str, &Choice),
    key: &ApproverKey,
    now: SystemTime,
) -> Result<Sequence, ApprovalError> {
    let error = |kind| ApprovalError::new(kind, ticket);
    let unrecorded = |why: &dyn std::fmt::Display| ApprovalError::unrecorded(ticket, why);
    let signer = PublicKey::from_bytes(&key.public().to_bytes())
        .ok()
        .and_then(|key| roster.find(key.id()))
        .ok_or_else(|| error(ApprovalErrorKind::NotEnrolled))?;
    let reader = store.reader().map_err(|why| unrecorded(&why))?;
    let found = reader.ticket(ticket).map_err(|why| unrecorded(&why))?;
    let found = found.ok_or_else(|| error(ApprovalErrorKind::UnknownTicket))?;
    if excludes(signer, &found) {
        return Err(error(ApprovalErrorKind::Excluded));
    }
    let origin = reader.head().map_err(|why| unrecorded(&why))?.origin().to_owned();
    let edit = edit(choice, &found)?;
    let about = choice
        .about(&found, edit.as_ref())
        .ok_or_else(|| error(ApprovalErrorKind::UnknownTicket))?;
    let at = Moment::from(now);
    let stated = OperatorStatement::sign(choice.kind, about, &origin, at, key).map_err(|why| unrecorded(&why))?;
    let entry = Statement::new(choice.kind.entry(), now, stated.as_json())
        .about_agent(found.agent())
        .about_entry(found.place().get());
    let entry = statement(&entry).map_err(|why| unrecorded(&why))?;
    let signer = stated.signer().to_string();
    let to = (choice.state(), at.as_micros());
    match wait(store.decide_ticket(
        ticket,
        &signer,
        entry,
        to,
        edit.as_ref().map(|edit| (found.subject(), edit)),
    ))
    .map_err(|why| unrecorded(&why))?
    {
        Ok(place) => Ok(place),
        Err(NotTaken::Twice) => Err(error(ApprovalErrorKind::AnotherMust)),
        Err(NotTaken::OtherEdit) => Err(error(ApprovalErrorKind::OtherEdit)),
        Err(NotTaken::Unknown) => Err(error(ApprovalErrorKind::UnknownTicket)),
        Err(NotTaken::Stands(TicketState::Expired | TicketState::Consumed | TicketState::Cancelled)) => {
            Err(error(ApprovalErrorKind::UnknownTicket))
        }
        Err(NotTaken::Stands(_)) => Err(error(ApprovalErrorKind::AlreadyDecided)),
    }
}
