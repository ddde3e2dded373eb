//! The database: its tables, and connections to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::{StoreError, StoreErrorKind};
use super::files;

/// The version of the tables, in `PRAGMA user_version`.
pub(super) const VERSION: i64 = 1;

/// Marks the file as ours, in `PRAGMA application_id`: `MAgt`.
const APPLICATION: i64 = 0x4d41_6774;

/// Every table, as SQLite keeps its text: verification compares them.
pub(super) const TABLES: [(&str, &str); 17] = [
    // one row: the right edge of the tree, and what every transaction must know
    (
        "tree",
        "CREATE TABLE tree(id INTEGER PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, frontier BLOB NOT NULL, \
         log_time INTEGER NOT NULL, epoch INTEGER NOT NULL, synced_size INTEGER NOT NULL, synced_root BLOB NOT NULL, \
         checkpoints INTEGER NOT NULL, consumed INTEGER NOT NULL, origin TEXT NOT NULL) STRICT",
    ),
    (
        "entries",
        "CREATE TABLE entries(seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL, bytes BLOB NOT NULL) STRICT",
    ),
    // at level 0 full tiles only; id is level * 2^52 + index
    (
        "tiles",
        "CREATE TABLE tiles(id INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT",
    ),
    (
        "checkpoints",
        "CREATE TABLE checkpoints(number INTEGER PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL) STRICT",
    ),
    // beside the tree, erasable
    (
        "sealed",
        "CREATE TABLE sealed(seq INTEGER PRIMARY KEY, subject INTEGER NOT NULL, nonce BLOB NOT NULL, box BLOB NOT NULL, \
         mark BLOB NOT NULL) STRICT",
    ),
    // derived from the entries
    (
        "running",
        "CREATE TABLE running(seq INTEGER PRIMARY KEY, process INTEGER NOT NULL, mark BLOB NOT NULL) STRICT",
    ),
    (
        "agents",
        "CREATE TABLE agents(agent TEXT PRIMARY KEY, passport TEXT NOT NULL, expires INTEGER NOT NULL, \
         state TEXT NOT NULL, number INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    ),
    (
        "consumed",
        "CREATE TABLE consumed(name TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    ),
    (
        "blocks",
        "CREATE TABLE blocks(block INTEGER PRIMARY KEY, low INTEGER NOT NULL, high INTEGER NOT NULL) STRICT",
    ),
    (
        "postings",
        "CREATE TABLE postings(term INTEGER NOT NULL, block INTEGER NOT NULL, places BLOB NOT NULL, \
         PRIMARY KEY(term, block)) STRICT, WITHOUT ROWID",
    ),
    (
        "evaluations",
        "CREATE TABLE evaluations(name TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(name, seq)) STRICT, WITHOUT ROWID",
    ),
    // calls that wait for people: `box` is what they are shown, erasable; the mark ties the columns that never change
    (
        "tickets",
        "CREATE TABLE tickets(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, agent TEXT NOT NULL, tool TEXT NOT NULL, \
         definition BLOB NOT NULL, session TEXT, rules BLOB, digest BLOB NOT NULL, needed INTEGER NOT NULL, state TEXT NOT NULL, \
         opened INTEGER NOT NULL, expires INTEGER NOT NULL, place INTEGER NOT NULL, ran INTEGER, subject INTEGER NOT NULL, \
         nonce BLOB NOT NULL, box BLOB NOT NULL, mark BLOB NOT NULL) STRICT",
    ),
    // what open tickets are bound to, deleted when they close
    (
        "live",
        "CREATE TABLE live(binding BLOB PRIMARY KEY, ticket INTEGER NOT NULL, agent TEXT NOT NULL, state TEXT NOT NULL, \
         expires INTEGER NOT NULL, salt BLOB NOT NULL) STRICT, WITHOUT ROWID",
    ),
    ("live_by_agent", "CREATE INDEX live_by_agent ON live(agent, state)"),
    ("live_by_expiry", "CREATE INDEX live_by_expiry ON live(expires)"),
    ("live_by_ticket", "CREATE INDEX live_by_ticket ON live(ticket)"),
    // where in the log people decided on open tickets
    (
        "decisions",
        "CREATE TABLE decisions(ticket INTEGER NOT NULL, key TEXT NOT NULL, place INTEGER NOT NULL, \
         PRIMARY KEY(ticket, key)) STRICT, WITHOUT ROWID",
    ),
];

pub(super) fn database(dir: &Path) -> PathBuf {
    dir.join("record.db")
}

/// A connection that writes; makes the file, for the owner alone, if it is not there.
pub(super) fn writer(dir: &Path, most_pages: Option<u32>) -> Result<Connection, StoreError> {
    let path = database(dir);
    // an empty file is an empty database: made here, its journal has its permissions as well
    drop(files::private_file(&path)?);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(&path, flags)?;
    db.busy_timeout(Duration::from_millis(250))?;
    check_version(&db)?;
    db.pragma_update(None, "journal_mode", "wal")?;
    let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::new(
            StoreErrorKind::Io,
            format!("{}: the file system allows no WAL (it gives `{mode}`)", path.display()),
        ));
    }
    db.pragma_update(None, "synchronous", "NORMAL")?;
    db.pragma_update(None, "wal_autocheckpoint", 8_192)?;
    db.pragma_update(None, "cache_size", -16_384)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    if let Some(pages) = most_pages {
        db.pragma_update(None, "max_page_count", pages)?;
    }
    Ok(db)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::new(
            StoreErrorKind::Missing,
            format!("there is no record at {}", path.display()),
        ));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.pragma_update(None, "cache_size", -8_192)?;
    if check_version(&db)? != VERSION {
        return Err(StoreError::new(
            StoreErrorKind::Missing,
            format!("there is no record in {}", path.display()),
        ));
    }
    Ok(db)
}

fn check_version(db: &Connection) -> Result<i64, StoreError> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if version > VERSION {
        return Err(StoreError::new(
            StoreErrorKind::NewerSchema,
            format!("the record has version {version}, and this program knows {VERSION}: use a newer one"),
        ));
    }
    let ours = application == APPLICATION || (version == 0 && application == 0);
    if !ours || version < 0 {
        return Err(StoreError::corrupt("the database is not a record"));
    }
    Ok(version)
}

/// Makes the tables of a new database. Must be called within a transaction.
pub(super) fn create(db: &Connection) -> Result<bool, StoreError> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == VERSION {
        return Ok(false);
    }
    for (_, table) in TABLES {
        db.execute_batch(table)?;
    }
    db.pragma_update(None, "application_id", APPLICATION)?;
    db.pragma_update(None, "user_version", VERSION)?;
    Ok(true)
}
