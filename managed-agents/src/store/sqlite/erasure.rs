//! Erasing a data subject: its key is destroyed, and then the log says so.

use super::error::StoreError;
use super::log::Log;

/// Erases a subject; gives the place of the entry that says so, or none if nothing was ever recorded of it.
pub(super) fn erase(log: &mut Log<'_>, subject: &str) -> Result<Option<u64>, StoreError> {
    let Some(number) = log.keys.erase(subject)? else {
        return Ok(None);
    };
    record(log, number).map(Some)
}

/// Records erasures whose process died before it could.
pub(super) fn record_left(log: &mut Log<'_>) -> Result<(), StoreError> {
    for number in log.keys.unrecorded() {
        record(log, number)?;
    }
    Ok(())
}

fn record(log: &mut Log<'_>, number: u32) -> Result<u64, StoreError> {
    let place = log.transact(true, |log, tip| {
        super::tickets::close_erased(log, tip, number)?;
        log.state(tip, "erasure", &format!(r#"{{"subject":{number}}}"#))
    })?;
    log.keys.confirm(number)?;
    Ok(place)
}
