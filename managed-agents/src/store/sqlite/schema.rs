//! The database: its tables, and connections to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{StoreError, StoreErrorKind};
use super::files;

/// A table's name and its text, as SQLite keeps it: verification compares them.
pub(super) type Table = (&'static str, &'static str);

/// One version of the tables: what it adds to the versions before it.
pub(super) struct Step {
    pub(super) tables: &'static [Table],
    /// Tables of earlier versions that this one does without, each before its indexes, which go with it.
    pub(super) drops: &'static [&'static str],
    /// Fills them from the entries that are there, where they are derived from entries.
    pub(super) fill: fn(&Connection) -> Result<(), StoreError>,
}

/// Every version, the first first. To add tables, append a step here; its place is its number, so whoever merges later moves
/// his to the end, and nothing else. A step that was merged never changes again: there are databases that it made.
pub(super) const STEPS: &[Step] = &[
    Step {
        tables: &RECORD,
        drops: &[],
        fill: |_| Ok(()),
    },
    Step {
        tables: &[
            // where the statements stand that `agents` rests on: an agent's passport, and its last state
            (
                "statements",
                "CREATE TABLE statements(agent TEXT PRIMARY KEY, passport INTEGER, state INTEGER, depth INTEGER NOT NULL) STRICT, WITHOUT ROWID",
            ),
            // `names` explains it
            (
                "named",
                "CREATE TABLE named(id INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT",
            ),
        ],
        drops: &["evaluations"],
        fill: |db| {
            super::agents::fill_statements(db)?;
            super::names::fill(db)
        },
    },
    Step {
        tables: &COUNTS,
        drops: &[],
        fill: |_| Ok(()),
    },
    // no call waited beside the record before
    Step {
        tables: &super::tickets::TABLES,
        drops: &[],
        fill: |_| Ok(()),
    },
    // nor was one edited
    Step {
        tables: &super::tickets::EDITS,
        drops: &[],
        fill: |_| Ok(()),
    },
    Step {
        tables: &super::tickets::BOUND,
        drops: &super::tickets::NOT_BOUND,
        fill: super::tickets::fill_bound,
    },
];

/// The version of the tables, in `PRAGMA user_version`.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// Marks the file as ours, in `PRAGMA application_id`: `MAgt`.
const APPLICATION: i64 = 0x4d41_6774;

/// Version 1: the log, and what it is found by.
const RECORD: [Table; 11] = [
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
];

/// What limits count, which stands in no entry: within times, and of the calls that run.
const COUNTS: [Table; 2] = [
    (
        "counts",
        "CREATE TABLE counts(key BLOB NOT NULL, part INTEGER NOT NULL, amount INTEGER NOT NULL, mark BLOB NOT NULL, \
         PRIMARY KEY(key, part)) STRICT, WITHOUT ROWID",
    ),
    (
        "holds",
        "CREATE TABLE holds(key BLOB NOT NULL, seq INTEGER NOT NULL, mark BLOB NOT NULL, \
         PRIMARY KEY(key, seq)) STRICT, WITHOUT ROWID",
    ),
];

pub(super) fn database(dir: &Path) -> PathBuf {
    dir.join("record.db")
}

/// How many statements a connection keeps prepared: more than there are, since to prepare one takes longer than to run it.
const MOST_STATEMENTS: usize = 128;

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
    keep_statements(&db)?;
    // what is deleted is overwritten, in pages that are free as well
    db.pragma_update(None, "secure_delete", "ON")?;
    if let Some(pages) = most_pages {
        db.pragma_update(None, "max_page_count", pages)?;
    }
    Ok(db)
}

/// Keeps statements prepared. Their plans rest on no bound value (SQLite's stability guarantee): else SQLite prepares a statement anew
/// whenever a value is bound that a plan might have rested on, which takes longer than most of them run.
fn keep_statements(db: &Connection) -> Result<(), StoreError> {
    db.set_prepared_statement_cache_capacity(MOST_STATEMENTS);
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// A connection that only reads tables of this version.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let db = reader_of_any_version(path)?;
    let version = version(&db)?;
    if version < VERSION {
        return Err(StoreError::new(
            StoreErrorKind::OlderSchema,
            format!(
                "{} has version {version}, and this program reads {VERSION}: it is brought there when it is next opened for writing",
                path.display()
            ),
        ));
    }
    Ok(db)
}

/// A connection that copies a record, whichever known version it has.
pub(super) fn reader_of_any_version(path: &Path) -> Result<Connection, StoreError> {
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
    keep_statements(&db)?;
    if check_version(&db)? == 0 {
        return Err(StoreError::new(
            StoreErrorKind::Missing,
            format!("there is no record in {}", path.display()),
        ));
    }
    Ok(db)
}

pub(super) fn version(db: &Connection) -> Result<i64, StoreError> {
    Ok(db.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn check_version(db: &Connection) -> Result<i64, StoreError> {
    let version = version(db)?;
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

/// Brings a database to the last of these versions. Must be called within a transaction, and where no process of an older
/// version has the database open.
pub(super) fn migrate(db: &Connection, steps: &[Step]) -> Result<(), StoreError> {
    let version = usize::try_from(version(db)?).unwrap_or(usize::MAX);
    let Some(missing) = steps.get(version..).filter(|missing| !missing.is_empty()) else {
        return Ok(());
    };
    for step in missing {
        for (_, table) in step.tables {
            db.execute_batch(table)?;
        }
        (step.fill)(db)?;
        for table in step.drops {
            // an index is gone already, with its table
            let there = db
                .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?
                .exists([table])?;
            if there {
                db.execute_batch(&format!("DROP TABLE {table}"))?;
            }
        }
    }
    db.pragma_update(None, "application_id", APPLICATION)?;
    db.pragma_update(None, "user_version", steps.len() as i64)?;
    Ok(())
}

/// Whether the tables are those that these versions make, and no trigger or view stands beside them.
pub(super) fn is_of(db: &Connection, steps: &[Step]) -> Result<bool, StoreError> {
    let mut select = db.prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    let rows: Vec<(String, String, String)> = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let mut tables = BTreeMap::new();
    for step in steps {
        tables.extend(step.tables.iter().copied());
        tables.retain(|name, _| !step.drops.contains(name));
    }
    // SQLite goes by the text, but whoever lists the tables goes by the type
    let typed = rows.iter().all(|(is, _, sql)| match is.as_str() {
        "table" => sql.starts_with("CREATE TABLE "),
        "index" => sql.starts_with("CREATE INDEX "),
        _ => false,
    });
    let found: BTreeMap<_, _> = rows
        .iter()
        .map(|(_, name, sql)| (name.as_str(), sql.as_str()))
        .collect();
    Ok(typed && found.into_iter().eq(tables))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MORE: Step = Step {
        tables: &[("seen", "CREATE TABLE seen(size INTEGER PRIMARY KEY) STRICT")],
        drops: &[],
        fill: |db| Ok(db.execute_batch("INSERT INTO seen SELECT max(seq) + 1 FROM entries")?),
    };
    const NEWER: Step = Step {
        tables: &[("kept", "CREATE TABLE kept(name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID")],
        drops: &["evaluations"],
        fill: |_| Ok(()),
    };
    const FIRST: Step = Step {
        tables: &RECORD,
        drops: &[],
        fill: |_| Ok(()),
    };

    fn at_version_1() -> Connection {
        let db = Connection::open_in_memory().unwrap();
        migrate(&db, &[FIRST]).unwrap();
        db.execute_batch("INSERT INTO entries VALUES(0, x'00', x'01'), (1, x'00', x'02')")
            .unwrap();
        db
    }

    #[test]
    fn a_database_of_version_1_is_brought_to_the_newest_with_all_that_it_holds() {
        let db = at_version_1();
        migrate(&db, &[FIRST, MORE, NEWER]).unwrap();
        assert_eq!(version(&db).unwrap(), 3);
        let count = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM entries"), 2);
        assert_eq!(count("SELECT size FROM seen"), 2, "derived from what was there");
        assert_eq!(count("SELECT count(*) FROM kept"), 0);
        let gone = db.query_row("SELECT count(*) FROM evaluations", [], |row| row.get::<_, i64>(0));
        assert!(gone.is_err(), "the newest does without it");
        // and once more, it is there already
        migrate(&db, &[FIRST, MORE, NEWER]).unwrap();
        assert_eq!(count("SELECT count(*) FROM seen"), 1);
    }

    #[test]
    fn a_migrated_database_has_the_tables_of_a_new_one_and_verification_sees_others() {
        let (old, new) = (at_version_1(), Connection::open_in_memory().unwrap());
        for db in [&old, &new] {
            migrate(db, &[FIRST, MORE, NEWER]).unwrap();
            assert!(is_of(db, &[FIRST, MORE, NEWER]).unwrap());
            assert!(!is_of(db, &[FIRST, MORE]).unwrap());
        }
        old.execute_batch("CREATE TRIGGER late AFTER INSERT ON kept BEGIN SELECT 1; END")
            .unwrap();
        assert!(!is_of(&old, &[FIRST, MORE, NEWER]).unwrap());
        // a table that a list of tables leaves out, though it is there
        assert!(is_of(&new, &[FIRST, MORE, NEWER]).unwrap());
        new.execute_batch("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET type = 'Table' WHERE name = 'kept'")
            .unwrap();
        assert!(!is_of(&new, &[FIRST, MORE, NEWER]).unwrap());
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        const FAILS: Step = Step {
            tables: &[("half", "CREATE TABLE half(a INTEGER PRIMARY KEY) STRICT")],
            drops: &["entries"],
            fill: |_| Err(StoreError::stopped()),
        };
        let mut db = at_version_1();
        let transaction = db.transaction().unwrap();
        migrate(&transaction, &[FIRST, MORE, FAILS]).unwrap_err();
        transaction.rollback().unwrap();
        assert_eq!(version(&db).unwrap(), 1);
        assert!(is_of(&db, &[FIRST]).unwrap());
    }

    #[test]
    fn no_statement_is_prepared_anew_for_the_next_value() {
        use rusqlite::StatementStatus::RePrepare;
        let db = Connection::open_in_memory().unwrap();
        migrate(&db, STEPS).unwrap();
        let sql = "SELECT b.agent FROM bound b JOIN tickets t ON t.place = b.ticket WHERE t.subject = ?1";
        let prepared_anew = || {
            for subject in 5..10 {
                assert!(!db.prepare_cached(sql).unwrap().exists([subject]).unwrap());
            }
            db.prepare_cached(sql).unwrap().get_status(RePrepare)
        };
        assert_ne!(prepared_anew(), 0, "what SQLite does by itself");
        db.flush_prepared_statement_cache();
        keep_statements(&db).unwrap();
        assert_eq!(prepared_anew(), 0);
    }

    #[test]
    fn a_newer_version_is_refused_and_an_older_one_is_told_from_none() {
        let db = at_version_1();
        db.pragma_update(None, "user_version", VERSION + 1).unwrap();
        assert_eq!(check_version(&db).unwrap_err().kind(), StoreErrorKind::NewerSchema);
        db.pragma_update(None, "user_version", 1).unwrap();
        assert_eq!(check_version(&db).unwrap(), 1);
        assert_eq!(check_version(&Connection::open_in_memory().unwrap()).unwrap(), 0);
    }
}
