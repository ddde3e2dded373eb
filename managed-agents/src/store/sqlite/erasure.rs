//! Erasing a data subject: its key is destroyed, and then the log says so.

use super::error::StoreError;
use super::log::Log;
use super::tip::Tip;
use super::{holds, keys::SubjectKeys};

/// Erases a subject; gives the place of the entry that says so, or none if nothing was ever recorded of it.
pub(super) fn erase(log: &mut Log<'_>, subject: &str) -> Result<Option<u64>, StoreError> {
    let done = log.transact(true, |log, tip| {
        let Some(number) = holds::number_of(&log.keys, subject)? else {
            return Ok(None);
        };
        // nobody begins a hold meanwhile: this transaction writes
        holds::check_erasure(log.db, tip.size(), number)?;
        let Some(number) = log.keys.erase(subject)? else {
            return Ok(None);
        };
        // where this fails, the key is destroyed all the same, and the next start records it
        record(log, tip, number).map(|place| Some((place, number)))
    })?;
    let Some((place, number)) = done else {
        return Ok(None);
    };
    finish(log, number)?;
    Ok(Some(place))
}

/// Records erasures whose process died before it could.
pub(super) fn record_left(log: &mut Log<'_>) -> Result<(), StoreError> {
    for number in log.keys.unrecorded() {
        log.transact(true, |log, tip| record(log, tip, number))?;
        finish(log, number)?;
    }
    Ok(())
}

fn record(log: &mut Log<'_>, tip: &mut Tip, number: u32) -> Result<u64, StoreError> {
    super::tickets::close_erased(log, tip, number)?;
    log.state(tip, "erasure", &format!(r#"{{"subject":{number}}}"#))
}

fn finish(log: &Log<'_>, number: u32) -> Result<(), StoreError> {
    SubjectKeys::confirm(&log.keys, number)?;
    // what the journal still has of pages as they were goes with it; a reader may keep it for now
    let _ = log.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    Ok(())
}
