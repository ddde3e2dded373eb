//! The newest head of the log that its own key signed.

use super::error::StoreError;
use super::lookup;
use super::reader::Reader;
use crate::audit::tree::note::{Note, NoteVerifier};
use crate::audit::tree::{LogPolicy, VerifiedCheckpoint};

impl Reader {
    /// The newest checkpoint, if the key signed it by which the log says that it signs; and that key. None where nothing was
    /// signed, or the newest is of the log before a copy was restored, or by an earlier key.
    ///
    /// Whether to believe the key is for whoever knows it from elsewhere.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head).
    pub fn signed_head(&self) -> Result<Option<(VerifiedCheckpoint, NoteVerifier)>, StoreError> {
        let head = self.head()?;
        let keys = lookup::log_keys(self.database(), head.size())?;
        let key = keys
            .iter()
            .rev()
            .filter_map(|key| key.parse::<NoteVerifier>().ok())
            .find(|key| key.name() == head.origin());
        let (Some(key), Some(note)) = (key, self.checkpoint()?) else {
            return Ok(None);
        };
        let verified = Note::parse(note.as_bytes())
            .ok()
            .and_then(|note| LogPolicy::new(head.origin(), vec![key.clone()]).verify(&note).ok());
        Ok(verified.map(|head| (head, key)))
    }
}
