//! What of a ticket is made ready while its decision is on its way: what people are shown of the call, encrypted.

use std::sync::Arc;

use super::Binding;
use super::key::{self, StoreKey};
use crate::approval::{Opening, ShownCall};
use crate::store::sqlite::error::{StoreError, StoreErrorKind};
use crate::store::sqlite::keys::{SubjectKey, SubjectKeys};
use crate::store::sqlite::seal::{self, SealedBox};

/// All of a ticket that does not depend on where its decision comes to stand.
pub(in crate::store::sqlite) struct Ready {
    opening: Arc<Opening>,
    subject: SubjectKey,
    pub(super) binding: Binding,
    pub(super) sealed: SealedBox,
}

impl Ready {
    pub(in crate::store::sqlite) fn of(
        opening: &Arc<Opening>,
        keys: &SubjectKeys,
        store: &StoreKey,
    ) -> Result<Self, StoreError> {
        let call = &opening.call;
        let subject = subject(opening, keys)?;
        let shown = serde_json::to_vec(&ShownCall::of(call, &opening.reasons))
            .map_err(|error| StoreError::new(StoreErrorKind::Refused, error.to_string()))?;
        Ok(Self {
            opening: Arc::clone(opening),
            subject,
            binding: Binding {
                binding: call.binding(&store.of_subject(&subject)),
                salt: key::salt()?,
            },
            sealed: seal::seal(subject, &shown)?,
        })
    }

    /// Whether it was made for this ticket, under the key that its data subject has now: an erasure may have come between.
    pub(in crate::store::sqlite) fn fits(
        &self,
        opening: &Arc<Opening>,
        keys: &SubjectKeys,
    ) -> Result<bool, StoreError> {
        Ok(Arc::ptr_eq(&self.opening, opening) && subject(opening, keys)?.number == self.subject.number)
    }

    pub(super) fn opening(&self) -> &Opening {
        &self.opening
    }

    /// What the ticket is bound to.
    pub(in crate::store::sqlite) fn binding(&self) -> &[u8; 32] {
        &self.binding.binding
    }
}

fn subject(opening: &Opening, keys: &SubjectKeys) -> Result<SubjectKey, StoreError> {
    let call = &opening.call;
    keys.find_or_make(call.subject().unwrap_or(call.agent().as_str()))
}
