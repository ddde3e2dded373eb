//! Each way in which a store cannot be used is an error of its own, and denies calls.

use std::time::Duration;

use managed_agents::DenialKind;
use managed_agents::store::{Store, StoreErrorKind, StoreOptions};

use crate::support::{Place, calls, harness, runtime, send, sound};

#[test]
fn a_full_disk_denies_calls_and_loses_nothing() {
    let place = Place::new("disk");
    let store = Store::open(place.options().most_pages(60)).unwrap();
    let bot = harness("bot", &store);
    let (mut ran, mut denied) = (0, 0);
    let runtime = runtime();
    runtime.block_on(bot.scope(async {
        for _ in 0..300 {
            match send("ann", &"long ".repeat(100)).await {
                Ok(_) => ran += 1,
                Err(error) => {
                    assert_eq!(error.kind(), DenialKind::Unrecorded);
                    assert_eq!(error.code(), "record_full");
                    denied += 1;
                }
            }
        }
    }));
    assert!(ran > 10 && denied > 10, "{ran} {denied}");
    drop((bot, store));
    // with room again, what could not be written has been closed, and all that ran is there
    let store = place.open();
    calls(&store, "bot", 1);
    drop(store);
    let entries = sound(place.path());
    assert_eq!(
        entries.iter().filter(|entry| entry.kind() == "decision").count(),
        ran + 1
    );
    assert_eq!(
        entries.iter().filter(|entry| entry.kind() == "outcome").count(),
        ran + 1
    );
}

#[test]
fn an_outcome_waits_for_room() {
    let place = Place::new("room");
    let store = Store::open(place.options().patience(Duration::from_millis(50))).unwrap();
    let bot = harness("bot", &store);
    let runtime = runtime();
    let permit = runtime.block_on(async { bot.govern("send", serde_json::json!({ "to": "ann" })).await.unwrap() });
    let locked = lock(&place);
    permit.finish(managed_agents::Outcome::Ok);
    let denied = runtime.block_on(bot.scope(send("ann", "while locked"))).unwrap_err();
    assert_eq!(denied.code(), "record_unwritable");
    assert_eq!(store.in_flight(), 1, "the outcome is owed");
    locked.execute_batch("ROLLBACK").unwrap();
    runtime.block_on(bot.scope(send("ann", "after"))).unwrap();
    runtime.block_on(store.flush()).unwrap();
    assert_eq!(store.in_flight(), 0);
    let entries = sound(place.path());
    assert_eq!(entries.iter().filter(|entry| entry.kind() == "outcome").count(), 2);
}

fn lock(place: &Place) -> rusqlite::Connection {
    let db = rusqlite::Connection::open(place.path().join("data").join("record.db")).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    db
}

#[test]
fn a_locked_database_is_waited_for_a_bounded_time() {
    let place = Place::new("locked");
    drop(place.open());
    let _locked = lock(&place);
    let error = Store::open(place.options().patience(Duration::from_millis(50))).unwrap_err();
    assert_eq!((error.kind(), error.code()), (StoreErrorKind::Locked, "store_locked"));
}

#[test]
fn a_newer_schema_is_left_alone() {
    let place = Place::new("newer");
    drop(place.open());
    let db = rusqlite::Connection::open(place.path().join("data").join("record.db")).unwrap();
    db.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(db);
    let error = Store::open(place.options()).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (StoreErrorKind::NewerSchema, "store_newer")
    );
    assert_eq!(
        managed_agents::store::Reader::open(place.path().join("data"))
            .unwrap_err()
            .code(),
        "store_newer"
    );
}

#[test]
fn another_file_is_no_record() {
    let place = Place::new("other");
    std::fs::create_dir_all(place.path().join("data")).unwrap();
    std::fs::write(place.path().join("data").join("record.db"), vec![b'x'; 10_000]).unwrap();
    let error = Store::open(place.options()).unwrap_err();
    assert_eq!((error.kind(), error.code()), (StoreErrorKind::Corrupt, "store_corrupt"));
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error_of_its_own() {
    let place = Place::new("readonly");
    let options = StoreOptions::new("/proc/managed-agents").high_water(place.path().join("mark"));
    assert!(Store::open(options).is_err());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        drop(place.open());
        let data = place.path().join("data");
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o500)).unwrap();
        std::fs::set_permissions(data.join("record.db"), std::fs::Permissions::from_mode(0o400)).unwrap();
        // who may write everything is not refused: then somebody else tries
        let can_write = std::fs::write(data.join("probe"), "x").is_ok();
        if can_write {
            for (path, mode) in [(&data, 0o555), (&data.join("record.db"), 0o444)] {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
            }
            nobody_is_told_that_he_may_only_read(place.path());
        } else {
            let error = Store::open(place.options()).unwrap_err();
            assert_eq!(
                (error.kind(), error.code()),
                (StoreErrorKind::ReadOnly, "store_read_only")
            );
        }
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
}

#[cfg(unix)]
const READER: &str = "MANAGED_AGENTS_TEST_READER";

/// Runs the next test as a user who owns nothing.
#[cfg(unix)]
fn nobody_is_told_that_he_may_only_read(place: &std::path::Path) {
    use std::os::unix::process::CommandExt as _;
    // where the tests themselves lie may be closed to others
    let program = place.join("tests");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let done = std::process::Command::new(&program)
        .args(["--exact", "refuses::a_user_who_may_only_read", "--nocapture"])
        .env(READER, place)
        .current_dir(place)
        .uid(65_534)
        .gid(65_534)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success() && said.contains("store_read_only"),
        "{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// Not a test of its own: what another user runs.
#[test]
#[cfg(unix)]
fn a_user_who_may_only_read() {
    let Ok(place) = std::env::var(READER) else { return };
    let error = Store::open(crate::support::options(std::path::Path::new(&place))).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{error}");
    println!("{}", error.code());
}

#[test]
#[cfg(unix)]
fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new("modes");
    let store = place.open();
    calls(&store, "bot", 1);
    let data = place.path().join("data");
    for file in ["record.db", "record.db-wal", "subjects.keys", "../mark/log.high-water"] {
        let mode = std::fs::metadata(data.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
}
