//! Copies of the record, and going back to one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::error::{StoreError, StoreErrorKind};
use super::log;
use super::process::OpenLock;
use super::{files, schema};

/// Pages of one step: writers wait for none of them.
const STEP: i32 = 1_024;

/// Copies a record that others may write meanwhile. The copy appears under its name when it is complete and fsynced. The keys of
/// data subjects are not in it, so that whoever is erased is erased from every copy.
pub(super) fn copy(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
    if to.exists() {
        return Err(StoreError::new(
            StoreErrorKind::Refused,
            format!("{} is there already", to.display()),
        ));
    }
    let mut name = to.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    let part = to.with_file_name(name);
    // what an earlier copy left
    let _ = fs::remove_file(&part);
    let done = copy_to(from, &part, progress).and_then(|()| {
        fs::File::open(&part)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&part, to))
            .and_then(|()| files::sync_dir(to))
            .map_err(|error| StoreError::io("write", to, &error))
    });
    if done.is_err() {
        let _ = fs::remove_file(&part);
    }
    done
}

fn copy_to(from: &Path, part: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
    drop(files::new_private_file(part)?);
    let from = schema::reader_of_any_version(from)?;
    // one snapshot: else each write of another process would begin the copy anew
    from.execute_batch("BEGIN; SELECT size FROM tree")?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut to = Connection::open_with_flags(part, flags)?;
    let backup = Backup::new(&from, &mut to)?;
    let mut waited = Duration::ZERO;
    loop {
        match backup.step(STEP)? {
            StepResult::Done => break,
            StepResult::More => {}
            _ if waited > Duration::from_secs(5) => {
                return Err(StoreError::new(
                    StoreErrorKind::Locked,
                    "another process holds the record",
                ));
            }
            _ => {
                std::thread::sleep(Duration::from_millis(5));
                waited += Duration::from_millis(5);
            }
        }
        let state = backup.progress();
        let pages = |count: i32| u64::try_from(count).unwrap_or(0);
        progress(pages(state.pagecount - state.remaining), pages(state.pagecount));
    }
    drop(backup);
    // the copy is one file: it has no WAL beside it
    to.pragma_update(None, "journal_mode", "delete")?;
    Ok(())
}

/// Puts a copy in the place of a record that no process has open. The next start finds it `rolled_back`, unless it is as new.
pub(super) fn restore(copy_of: &Path, dir: &Path) -> Result<(), StoreError> {
    // what is no record is not put in its place
    drop(schema::reader_of_any_version(copy_of)?);
    files::private_dir(dir)?;
    let _opening = OpenLock::take(dir)?;
    if let Some(id) = super::process::alive(dir)? {
        return Err(StoreError::new(
            StoreErrorKind::Locked,
            format!("a process has the record open (processes/{id:016x}.lock): end it first"),
        ));
    }
    let database = schema::database(dir);
    let io = |error: std::io::Error| StoreError::io("replace", &database, &error);
    let new = database.with_extension("restored");
    // a copy of an earlier try
    let _ = fs::remove_file(&new);
    copy(copy_of, &new, &mut |_, _| ())?;
    settle(&database);
    for suffix in ["-wal", "-shm"] {
        let mut name = database.as_os_str().to_os_string();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
    }
    fs::rename(&new, &database)
        .and_then(|()| files::sync_dir(&database))
        .map_err(io)?;
    // calls that ran when the copy was made run no more: the next start closes them
    let db = schema::writer(dir, None)?;
    log::begin(&db, Duration::from_secs(1))?;
    Ok(db.execute_batch("COMMIT")?)
}

/// Brings what lies in the journal into the database, so that nothing is lost if the record is never replaced. One that cannot be read
/// has nothing to lose.
fn settle(database: &Path) {
    if !database.exists() {
        return;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let done = Connection::open_with_flags(database, flags)
        .and_then(|db| db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
    if let Err(error) = done {
        tracing::warn!(%error, "what lies in the journal of the record that is replaced cannot be read");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_in_the_journal_outlives_a_restore_that_breaks_off() {
        let dir = std::env::temp_dir().join(format!("ma-settle-{}", std::process::id()));
        let (live, left) = (dir.join("live"), dir.join("left"));
        fs::create_dir_all(&live).unwrap();
        fs::create_dir_all(&left).unwrap();
        let db = Connection::open(live.join("record.db")).unwrap();
        db.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t(a); INSERT INTO t VALUES(7)")
            .unwrap();
        // as a kill leaves them
        for name in ["record.db", "record.db-wal"] {
            fs::copy(live.join(name), left.join(name)).unwrap();
        }
        settle(&left.join("record.db"));
        let _ = fs::remove_file(left.join("record.db-wal"));
        let there = Connection::open(left.join("record.db")).unwrap();
        assert_eq!(
            there.query_row("SELECT a FROM t", [], |row| row.get::<_, i64>(0)),
            Ok(7)
        );
        drop((db, there));
        fs::remove_dir_all(dir).unwrap();
    }
}
