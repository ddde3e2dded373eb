//! Erasing data subjects, and what must be kept: orders of the operator's.

use super::Home;
use super::error::HomeError;
use crate::answer::wait;
use crate::audit::Sequence;
use crate::store::Hold;

impl Home {
    /// Destroys the key of a data subject's values, and records that: they are gone from the record, its backups and every export.
    /// Gives the place of the entry, or none if nothing was recorded of the subject.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the authority's key is not here, a hold keeps something of the subject, or nothing can be written.
    pub fn erase(&self, subject: &str) -> Result<Option<Sequence>, HomeError> {
        self.authority()
            .ok_or_else(|| HomeError::no_authority("erasing a data subject"))?;
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
    /// [`HomeError`] when the authority's key is not here, no such hold stands, or nothing can be written.
    pub fn release(&self, hold: Sequence) -> Result<Sequence, HomeError> {
        self.authority()
            .ok_or_else(|| HomeError::no_authority("releasing a hold"))?;
        Ok(wait(self.store().release(hold))?)
    }
}
