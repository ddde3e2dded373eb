//! People: who may approve, what they order, and their decisions on tickets.

use std::time::SystemTime;

use super::{Home, HomeError};
use crate::answer::wait;
use crate::approval::{
    APPROVER_ENTRY, ApprovalError, ApprovalErrorKind, Approver, ApproverKey, ApproverPublicKey, Edit,
    OperatorStatement, ROOT, Roots, Roster, StatementKind, TicketState, bound, reasons_text,
};
use crate::audit::Sequence;
use crate::audit::entry::{Statement, statement};
use crate::call::Salt;
use crate::identity::{KeyId, Moment, PublicKey};
use crate::store::{NotTaken, Query, Reader, Store, StoreError, StoredEdit, Ticket};

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

/// Who may approve, by the log's entries, from the roots that are given.
pub(crate) fn roster(reader: &Reader, roots: &Roots) -> Result<Roster, StoreError> {
    let mut roster = Roster::new(roots, reader.head()?.origin());
    each(reader, APPROVER_ENTRY, |_, stated| {
        roster.apply(&stated);
    })?;
    Ok(roster)
}

/// Every statement of a type of entries; signatures are not checked.
fn each(reader: &Reader, kind: &str, mut see: impl FnMut(Sequence, OperatorStatement)) -> Result<(), StoreError> {
    let mut query = Query::new().kind(kind);
    loop {
        let page = reader.query(&query)?;
        for entry in page.entries() {
            if let Some(stated) = entry.raw("body").and_then(|body| OperatorStatement::parse(body).ok()) {
                see(Sequence::new(entry.sequence()), stated);
            }
        }
        match page.next() {
            Some(cursor) => query = query.after(cursor),
            None => return Ok(()),
        }
    }
}

impl Home {
    /// Begins approvals by people in other processes: enrols the root approver, which may enrol others. Its
    /// [id](PublicKey::id) is the fingerprint that a program is given in code
    /// ([`operator`](crate::harness::HarnessBuilder::operator)).
    ///
    /// # Errors
    ///
    /// [`HomeError`] when there is a root already, or nothing can be written.
    pub fn enrol_root(&self, key: &ApproverKey) -> Result<KeyId, HomeError> {
        if self.root()?.is_some() {
            return Err(HomeError::people("there is a root approver already"));
        }
        let public = public(key.public())?;
        let about = [
            ("approver", ROOT.to_owned()),
            ("key", public.to_string()),
            ("may_enrol", "yes".to_owned()),
        ];
        self.state(StatementKind::Enrol, about, key)?;
        Ok(public.id())
    }

    /// Enrols an approver, signed by one who may: from then on `key` decides on tickets.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the signer may not enrol, the key is enrolled already, or nothing can be written.
    pub fn enrol_approver(
        &self,
        name: &str,
        key: ApproverPublicKey,
        may_enrol: bool,
        by: &ApproverKey,
    ) -> Result<Approver, HomeError> {
        let roster = self.approvers()?;
        let public = public(key)?;
        if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
            return Err(HomeError::people(
                "an approver's name is 1 to 100 bytes without control characters",
            ));
        }
        if roster.find(public.id()).is_some() {
            return Err(HomeError::people("the key is enrolled already"));
        }
        may_enrol_others(&roster, by)?;
        let mut about = vec![("approver", name.to_owned()), ("key", public.to_string())];
        if may_enrol {
            about.push(("may_enrol", "yes".to_owned()));
        }
        self.state(StatementKind::Enrol, about, by)?;
        self.approvers()?
            .find(public.id())
            .cloned()
            .ok_or_else(|| HomeError::people("the enrolment is recorded and not believed"))
    }

    /// Removes an approver, signed by one who may: what it approved and nobody has used yet is worth nothing any more.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the signer may not remove, the key is not enrolled or is the root's, or nothing can be written.
    pub fn remove_approver(&self, key: KeyId, by: &ApproverKey) -> Result<(), HomeError> {
        let roster = self.approvers()?;
        let found = roster
            .find(key)
            .ok_or_else(|| HomeError::people("the key is no approver's"))?;
        if roster.operator() == Some(key) {
            return Err(HomeError::people("the root approver cannot be removed"));
        }
        may_enrol_others(&roster, by)?;
        let about = [("approver", found.name().to_owned()), ("key", found.key().to_string())];
        self.state(StatementKind::Remove, about, by)
    }

    /// Who may approve, from the root that this directory says. For commands of the operator's: a program that is governed
    /// believes only the root that its code names.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the record cannot be read.
    pub fn approvers(&self) -> Result<Roster, HomeError> {
        let roots = Roots {
            operator: self.root()?,
            named: Vec::new(),
        };
        Ok(roster(&self.store().reader()?, &roots)?)
    }

    /// The fingerprint of the root approver that this directory says.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the record cannot be read.
    pub fn root(&self) -> Result<Option<KeyId>, HomeError> {
        let mut root = None;
        each(&self.store().reader()?, APPROVER_ENTRY, |_, stated| {
            let own = stated.about("approver") == Some(ROOT) && stated.kind() == StatementKind::Enrol;
            let key = stated.about("key").and_then(|key| PublicKey::parse(key).ok());
            if let (None, true, Some(key)) = (root, own, key)
                && stated.verify_by(key).is_ok()
            {
                root = Some(key.id());
            }
        })?;
        Ok(root)
    }

    /// Decides on a ticket with an approver's key; fsynced, and seen by who waits in any process.
    ///
    /// # Errors
    ///
    /// [`ApprovalError`] when the key is not enrolled or the ticket does not wait.
    pub fn decide(&self, ticket: &str, choice: &Choice, key: &ApproverKey) -> Result<Sequence, ApprovalError> {
        let roster = self
            .approvers()
            .map_err(|error| ApprovalError::unrecorded(ticket, &error))?;
        let now = self.now().into();
        decide(self.store(), &roster, |_, _| false, (ticket, choice), key, now)
    }

    /// Signs an order that needs an approver (to resume, reactivate, erase, release a hold, or let rules hold), checks that the key
    /// is enrolled, and records it; fsynced.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the key is not enrolled, or nothing can be written.
    pub fn order<N: Into<String>, V: Into<String>>(
        &self,
        kind: StatementKind,
        about: impl IntoIterator<Item = (N, V)>,
        key: &ApproverKey,
    ) -> Result<OperatorStatement, HomeError> {
        let stated = self.sign(kind, about, key)?;
        self.approvers()?
            .signer(&stated)
            .map_err(|_| HomeError::people("the key is not enrolled as an approver's"))?;
        self.record(&stated)?;
        Ok(stated)
    }

    /// The orders of a kind that an approver of now signed, for this log, oldest first.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the record cannot be read.
    pub fn orders(&self, kind: StatementKind) -> Result<Vec<(Sequence, OperatorStatement)>, HomeError> {
        Ok(orders(&self.store().reader()?, kind, &self.approvers()?)?)
    }

    fn state<V: Into<String>>(
        &self,
        kind: StatementKind,
        about: impl IntoIterator<Item = (&'static str, V)>,
        key: &ApproverKey,
    ) -> Result<(), HomeError> {
        let stated = self.sign(kind, about, key)?;
        self.record(&stated)
    }

    fn sign<N: Into<String>, V: Into<String>>(
        &self,
        kind: StatementKind,
        about: impl IntoIterator<Item = (N, V)>,
        key: &ApproverKey,
    ) -> Result<OperatorStatement, HomeError> {
        let origin = self.store().reader()?.head()?.origin().to_owned();
        Ok(OperatorStatement::sign(kind, about, &origin, self.now(), key)?)
    }

    fn record(&self, stated: &OperatorStatement) -> Result<(), HomeError> {
        let agent = stated.about("agent").map(str::to_owned);
        self.append(stated.kind().entry(), stated.as_json(), agent.as_deref(), self.now())
    }
}

/// The orders of a kind that somebody of the roster signed.
pub(crate) fn orders(
    reader: &Reader,
    kind: StatementKind,
    roster: &Roster,
) -> Result<Vec<(Sequence, OperatorStatement)>, StoreError> {
    let mut found = Vec::new();
    each(reader, kind.entry(), |place, stated| {
        if stated.kind() == kind && roster.signer(&stated).is_ok() {
            found.push((place, stated));
        }
    })?;
    Ok(found)
}

fn may_enrol_others(roster: &Roster, by: &ApproverKey) -> Result<(), HomeError> {
    let signer = roster.find(public(by.public())?.id());
    if signer.is_some_and(Approver::may_enrol) {
        return Ok(());
    }
    Err(HomeError::people(
        "the key that signs may not enrol or remove approvers",
    ))
}

fn public(key: ApproverPublicKey) -> Result<PublicKey, HomeError> {
    Ok(PublicKey::from_bytes(&key.to_bytes())?)
}
