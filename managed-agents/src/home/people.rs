//! People: who may approve, and what they order.

use std::collections::HashSet;

use super::choice::decide;
use super::{Choice, Home, HomeError};
use crate::approval::{
    APPROVER_ENTRY, ApprovalError, Approver, ApproverKey, ApproverPublicKey, OperatorStatement, RECORDED, ROOT, Roots,
    Roster, StatementKind,
};
use crate::audit::Sequence;
use crate::identity::{KeyId, PublicKey};
use crate::store::{Reader, StoreError};

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
    for entry in reader.stated(kind)? {
        if let Some(stated) = entry.raw("body").and_then(|body| OperatorStatement::parse(body).ok()) {
            see(Sequence::new(entry.sequence()), stated);
        }
    }
    Ok(())
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
        Ok(root(&self.store().reader()?)?)
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
        let about = about.into_iter().map(|(name, value)| (name.into(), value.into()));
        let mut about: Vec<(String, String)> = about.collect();
        if kind == StatementKind::Rules {
            let (name, value) = RECORDED;
            about.push((name.to_owned(), value.to_owned()));
        }
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

/// The fingerprint of the root approver that a log says: the first that enrols itself.
pub(crate) fn root(reader: &Reader) -> Result<Option<KeyId>, StoreError> {
    let mut root = None;
    each(reader, APPROVER_ENTRY, |_, stated| {
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

/// The orders of a kind that somebody of the roster signed, each at its first place.
pub(crate) fn orders(
    reader: &Reader,
    kind: StatementKind,
    roster: &Roster,
) -> Result<Vec<(Sequence, OperatorStatement)>, StoreError> {
    let mut found = Vec::new();
    // a copy says nothing anew: whoever can write the log could else put back what was ordered otherwise since
    let mut seen = HashSet::new();
    each(reader, kind.entry(), |place, stated| {
        if stated.kind() == kind && roster.signer(&stated).is_ok() && seen.insert(stated.digest()) {
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
