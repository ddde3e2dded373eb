//! Erasing data subjects, and what must be kept: orders of the operator's.

use super::Home;
use super::error::HomeError;
use crate::answer::wait;
use crate::approval::{ApproverKey, StatementKind};
use crate::audit::Sequence;
use crate::store::Hold;

impl Home {
    /// Destroys the key of a data subject's values, and records that: they are gone from the record, its backups and every export.
    /// Gives the place of the entry, or none if nothing was recorded of the subject.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when there is a root approver, so that an order must be signed ([`erase_signed`](Self::erase_signed)), the
    /// authority's key is not here, a hold keeps something of the subject, or nothing can be written.
    pub fn erase(&self, subject: &str) -> Result<Option<Sequence>, HomeError> {
        self.unsigned("erasing a data subject")?;
        Ok(wait(self.store().erase(subject))?)
    }

    /// The same by an order that an enrolled approver signs. The order is in the log, and names the subject by its number alone.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the key is not enrolled, a hold keeps something of the subject, or nothing can be written.
    pub fn erase_signed(&self, subject: &str, key: &ApproverKey) -> Result<Option<Sequence>, HomeError> {
        let reader = self.store().reader()?;
        let Some(number) = reader.subject_number(subject)? else {
            return Ok(None);
        };
        // what is held is not ordered at all: the log holds no order that nobody carried out
        reader.may_erase(number)?;
        self.order(StatementKind::Erase, [("subject", number.to_string())], key)?;
        Ok(wait(self.store().erase(subject))?)
    }

    /// Begins a hold: what it keeps is removed by no rule and no erasure. Gives the place of its entry, by which it is released.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when nothing can be written.
    pub fn hold(&self, hold: &Hold) -> Result<Sequence, HomeError> {
        Ok(wait(self.store().hold(hold))?)
    }

    /// Ends a hold.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when there is a root approver, so that an order must be signed ([`release_signed`](Self::release_signed)), the
    /// authority's key is not here, no such hold stands, or nothing can be written.
    pub fn release(&self, hold: Sequence) -> Result<Sequence, HomeError> {
        self.unsigned("releasing a hold")?;
        Ok(wait(self.store().release(hold))?)
    }

    /// The same by an order that an enrolled approver signs.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the key is not enrolled, no such hold stands, or nothing can be written.
    pub fn release_signed(&self, hold: Sequence, key: &ApproverKey) -> Result<Sequence, HomeError> {
        self.store().reader()?.stands(hold)?;
        self.order(StatementKind::Release, [("hold", hold.get().to_string())], key)?;
        Ok(wait(self.store().release(hold))?)
    }

    /// Whether this may be done without an approver's signature.
    pub(super) fn unsigned(&self, what: &str) -> Result<(), HomeError> {
        if self.root()?.is_some() {
            return Err(HomeError::people(&format!("{what} needs an approver's signature")));
        }
        self.authority()
            .map(|_| ())
            .ok_or_else(|| HomeError::no_authority(what))
    }
}
