//! The rows of what people change of waiting calls.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::StoredEdit;
use crate::approval::Edit;
use crate::call::Salt;
use crate::store::sqlite::error::{StoreError, StoreErrorKind};
use crate::store::sqlite::keys::{SubjectKey, SubjectKeys};
use crate::store::sqlite::seal::{self, SealedBox};

/// What is encrypted.
#[derive(Deserialize, Serialize)]
struct Inside {
    edit: String,
    salt: [u8; 32],
}

/// Encrypts an edit under the key of the call's data subject.
pub(in crate::store::sqlite) fn seal(key: SubjectKey, stored: &StoredEdit) -> Result<SealedBox, StoreError> {
    let inside = Inside {
        edit: stored.edit.as_json().to_owned(),
        salt: *stored.salt.reveal(),
    };
    let bytes =
        serde_json::to_vec(&inside).map_err(|error| StoreError::new(StoreErrorKind::Refused, error.to_string()))?;
    seal::seal(key, &bytes)
}

/// Keeps the edit of a ticket that is open: the first stays, since all who come later must approve the same.
pub(super) fn write(db: &Connection, place: i64, sealed: &SealedBox) -> Result<(), StoreError> {
    db.prepare_cached("INSERT OR IGNORE INTO edits(ticket, nonce, box) VALUES(?1, ?2, ?3)")?
        .execute(params![place, sealed.nonce, sealed.bytes])?;
    Ok(())
}

/// The edit of a ticket about a data subject; none when there is none, or it cannot be read any more.
pub(super) fn read(
    db: &Connection,
    keys: &SubjectKeys,
    (place, subject): (i64, u32),
) -> Result<Option<StoredEdit>, StoreError> {
    let row: Option<(Vec<u8>, Vec<u8>)> = db
        .prepare_cached("SELECT nonce, box FROM edits WHERE ticket = ?1")?
        .query_row([place], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let opened = row.and_then(|(nonce, sealed)| {
        let inside = seal::open_bytes(keys.by_number(subject)?, &nonce, &sealed)?;
        serde_json::from_slice::<Inside>(&inside).ok()
    });
    Ok(opened.map(|inside| StoredEdit {
        edit: Edit::stored(inside.edit),
        salt: Salt::from_bytes(inside.salt),
    }))
}

/// What lies beside a ticket, as verification compares it.
pub(in crate::store::sqlite) enum Kept {
    /// The digest of an edit.
    Edit(String),
    /// Something that nobody encrypted.
    Unreadable,
    /// Its key is not here.
    Locked,
}

/// What lies beside tickets, by their places.
pub(in crate::store::sqlite) fn all(db: &Connection, keys: &SubjectKeys) -> Result<BTreeMap<u64, Kept>, StoreError> {
    let mut select = db.prepare("SELECT e.ticket, t.subject FROM edits e LEFT JOIN tickets t ON t.place = e.ticket")?;
    let rows: Vec<(i64, Option<u32>)> = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, rusqlite::Error>>()?;
    rows.into_iter()
        .map(|(place, subject)| {
            let kept = match subject {
                Some(subject) if keys.by_number(subject).is_none() => Kept::Locked,
                Some(subject) => match read(db, keys, (place, subject))? {
                    Some(stored) => Kept::Edit(stored.edit.digest(&stored.salt).to_string()),
                    None => Kept::Unreadable,
                },
                None => Kept::Unreadable,
            };
            Ok((place.cast_unsigned(), kept))
        })
        .collect()
}
