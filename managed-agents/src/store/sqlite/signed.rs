//! The newest head of the log that its own key signed.

use rusqlite::OptionalExtension as _;

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

    /// The newest checkpoint of at most so many entries that this key signed, if the newest of that size is one.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head).
    pub fn signed_head_before(&self, size: u64, key: &NoteVerifier) -> Result<Option<VerifiedCheckpoint>, StoreError> {
        let note: Option<String> = self
            .database()
            .query_row(
                "SELECT note FROM checkpoints WHERE size <= ?1 ORDER BY number DESC LIMIT 1",
                [size.cast_signed()],
                |row| row.get(0),
            )
            .optional()?;
        let Some(note) = note.and_then(|note| Note::parse(note.as_bytes()).ok()) else {
            return Ok(None);
        };
        Ok(LogPolicy::new(key.name(), vec![key.clone()]).verify(&note).ok())
    }
}
