//! Calls that a service hands out by an id of its own: who takes one takes it once, whatever is told twice, retried or
//! restarted.
//!
//! A file beside the record and not in it: a restored record must not take back what was claimed. A call is claimed in one
//! transaction that is on the disk before its body begins; its answer is written before it is sent. Who opens the calls of a
//! session holds an operating system's lock for it, so what is claimed and has no answer is a dead process's.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};

use super::error::{StoreError, StoreErrorKind};
use super::files;

/// The calls of one session, open in this process alone.
#[derive(Debug)]
pub(crate) struct CallBook {
    session: String,
    /// Held for one transaction, never across an await.
    db: Mutex<Connection>,
    /// Ends with the process, however that ends.
    _lock: File,
}

/// What became of the attempt to take a call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Taken {
    /// It is this process's now, and its body has not begun.
    Yes,
    /// Somebody took it and gave no answer: whether its body ran is not known.
    Lost,
    /// It was answered; the answer, where it is still kept.
    Answered(Option<String>),
}

impl CallBook {
    /// Opens the calls of a session.
    pub(crate) fn open(dir: &Path, session: &str) -> Result<Self, StoreError> {
        let folder = dir.join(FOLDER);
        files::private_dir(&folder)?;
        let name: String = Sha256::digest(session)
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let path = folder.join(format!("{name}.lock"));
        let lock = files::private_file(&path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::new(
                    StoreErrorKind::Locked,
                    format!("another process governs the session `{session}`"),
                ));
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &path, &error)),
        }
        Ok(Self {
            session: session.to_owned(),
            db: Mutex::new(connect(&folder.join(DATABASE))?),
            _lock: lock,
        })
    }

    /// Takes a call, if nobody has.
    pub(crate) fn take(&self, event: &str, tool: &str) -> Result<Taken, StoreError> {
        let mut db = self.db();
        let write = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: Option<(i64, Option<String>)> = write
            .query_row(
                "SELECT state, answer FROM calls WHERE session = ?1 AND event = ?2",
                params![self.session, event],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let taken = match found {
            None => {
                write.execute(
                    "INSERT INTO calls(session, event, tool, state, at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![self.session, event, tool, TAKEN, now()],
                )?;
                Taken::Yes
            }
            Some((WAITING, _)) => {
                write.execute(
                    "UPDATE calls SET state = ?3 WHERE session = ?1 AND event = ?2",
                    params![self.session, event, TAKEN],
                )?;
                Taken::Yes
            }
            Some((TAKEN, _)) => Taken::Lost,
            Some((_, answer)) => Taken::Answered(answer),
        };
        write.commit()?;
        Ok(taken)
    }

    /// Says that a call's body has not begun: it waits for a person, and may be taken again.
    pub(crate) fn put_back(&self, event: &str) -> Result<(), StoreError> {
        self.set(event, WAITING, None)
    }

    /// Writes a call's answer down; `lost` where it says that nobody knows how the call ended.
    pub(crate) fn answer(&self, event: &str, answer: &str, lost: bool) -> Result<(), StoreError> {
        self.set(event, if lost { LOST } else { ANSWERED }, Some(answer))
    }

    /// Says that the service has the answer: what the tool returned is not kept longer than that.
    pub(crate) fn settle(&self, event: &str) -> Result<(), StoreError> {
        self.db().execute(
            "UPDATE calls SET answer = NULL, state = max(state, ?3) WHERE session = ?1 AND event = ?2",
            params![self.session, event, ANSWERED],
        )?;
        Ok(())
    }

    /// Whether it is noted that a call ran outside governance.
    pub(crate) fn knows_outside(&self, event: &str) -> Result<bool, StoreError> {
        let known = self.db().query_row(
            "SELECT EXISTS(SELECT 1 FROM calls WHERE session = ?1 AND event = ?2 AND state = ?3)",
            params![self.session, event, OUTSIDE],
            |row| row.get(0),
        )?;
        Ok(known)
    }

    /// Notes that the record holds that a call ran outside governance.
    pub(crate) fn note_outside(&self, event: &str, tool: &str) -> Result<(), StoreError> {
        self.db().execute(
            "INSERT OR IGNORE INTO calls(session, event, tool, state, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![self.session, event, tool, OUTSIDE, now()],
        )?;
        Ok(())
    }

    fn set(&self, event: &str, state: i64, answer: Option<&str>) -> Result<(), StoreError> {
        self.db().execute(
            "UPDATE calls SET state = ?3, answer = ?4 WHERE session = ?1 AND event = ?2",
            params![self.session, event, state, answer],
        )?;
        Ok(())
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The calls of all sessions of which nobody knows how they ended: session, event, tool, and when they were taken.
pub(crate) fn lost(dir: &Path) -> Result<Vec<(String, String, String, SystemTime)>, StoreError> {
    let path = dir.join(FOLDER).join(DATABASE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let db = connect(&path)?;
    let mut query = db.prepare("SELECT session, event, tool, at FROM calls WHERE state = ?1 ORDER BY at, event")?;
    let rows = query.query_map(params![LOST], |row| {
        let at: i64 = row.get(3)?;
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at).unwrap_or(0));
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, at))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    // an empty file is an empty database: made here, its journal has its permissions as well
    drop(files::private_file(path)?);
    let mut db = Connection::open(path)?;
    db.busy_timeout(Duration::from_secs(10))?;
    db.pragma_update(None, "journal_mode", "wal")?;
    // a claim that a loss of power takes back is none
    db.pragma_update(None, "synchronous", "FULL")?;
    let version = |db: &Connection| db.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    if version(&db)? == 0 {
        let write = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if version(&write)? == 0 {
            write.execute_batch(TABLE)?;
            write.pragma_update(None, "user_version", VERSION)?;
        }
        write.commit()?;
    }
    match version(&db)? {
        VERSION => Ok(db),
        other => Err(StoreError::new(
            StoreErrorKind::NewerSchema,
            format!("the calls of sessions have version {other}, and this program knows {VERSION}: use a newer one"),
        )),
    }
}

fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

const FOLDER: &str = "sessions";

const DATABASE: &str = "calls.db";

const VERSION: i64 = 1;

/// Taken; its body may have begun.
const TAKEN: i64 = 0;

/// Taken, and put back before its body began.
const WAITING: i64 = 1;

/// Answered.
const ANSWERED: i64 = 2;

/// Answered with the word that nobody knows how it ended.
const LOST: i64 = 3;

/// Never taken: it ran outside governance, and the record says so.
const OUTSIDE: i64 = 4;

const TABLE: &str = "CREATE TABLE calls(session TEXT NOT NULL, event TEXT NOT NULL, tool TEXT NOT NULL, \
    state INTEGER NOT NULL, at INTEGER NOT NULL, answer TEXT, PRIMARY KEY(session, event)) STRICT, WITHOUT ROWID";

#[cfg(test)]
mod tests {
    use super::*;

    struct Dir(std::path::PathBuf);

    impl Dir {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("ma-calls-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&dir);
            Self(dir)
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_call_is_taken_once_and_its_answer_outlives_the_process() {
        let dir = Dir::new("once");
        let book = CallBook::open(&dir.0, "s").unwrap();
        assert_eq!(book.take("e", "refund").unwrap(), Taken::Yes);
        assert_eq!(book.take("e", "refund").unwrap(), Taken::Lost);
        book.answer("e", "{}", false).unwrap();
        drop(book);
        let book = CallBook::open(&dir.0, "s").unwrap();
        assert_eq!(
            book.take("e", "refund").unwrap(),
            Taken::Answered(Some("{}".to_owned()))
        );
        book.settle("e").unwrap();
        assert_eq!(book.take("e", "refund").unwrap(), Taken::Answered(None));
    }

    #[test]
    fn a_call_that_waits_for_a_person_may_be_taken_again() {
        let dir = Dir::new("waits");
        let book = CallBook::open(&dir.0, "s").unwrap();
        book.take("e", "refund").unwrap();
        book.put_back("e").unwrap();
        drop(book);
        let book = CallBook::open(&dir.0, "s").unwrap();
        assert_eq!(book.take("e", "refund").unwrap(), Taken::Yes);
    }

    #[test]
    fn a_call_without_an_answer_is_lost_and_shown_and_stays_so() {
        let dir = Dir::new("lost");
        CallBook::open(&dir.0, "s").unwrap().take("e", "refund").unwrap();
        let book = CallBook::open(&dir.0, "s").unwrap();
        assert_eq!(book.take("e", "refund").unwrap(), Taken::Lost);
        assert_eq!(
            lost(&dir.0).unwrap(),
            [],
            "another process may still run it, until one that has the lock says so"
        );
        book.answer("e", "{}", true).unwrap();
        book.settle("e").unwrap();
        let lost = lost(&dir.0).unwrap();
        assert_eq!(
            (lost[0].0.as_str(), lost[0].1.as_str(), lost[0].2.as_str()),
            ("s", "e", "refund")
        );
    }

    #[test]
    fn a_call_outside_governance_is_noted_once_and_is_not_lost() {
        let dir = Dir::new("outside");
        let book = CallBook::open(&dir.0, "s").unwrap();
        assert!(!book.knows_outside("e").unwrap());
        book.note_outside("e", "bash").unwrap();
        book.note_outside("e", "bash").unwrap();
        drop(book);
        let book = CallBook::open(&dir.0, "s").unwrap();
        assert!(book.knows_outside("e").unwrap() && !book.knows_outside("f").unwrap());
        assert_eq!(lost(&dir.0).unwrap(), []);
    }

    #[test]
    fn one_process_governs_a_session_and_others_govern_others() {
        let dir = Dir::new("lock");
        let book = CallBook::open(&dir.0, "s").unwrap();
        assert_eq!(CallBook::open(&dir.0, "s").unwrap_err().kind(), StoreErrorKind::Locked);
        CallBook::open(&dir.0, "t").unwrap();
        drop(book);
        CallBook::open(&dir.0, "s").unwrap();
    }
}
