//! A log that is not the one that was here.

use std::fs;
use std::path::Path;

use managed_agents::home::{Home, HomeErrorKind};
use managed_agents::identity::{AgentState, Enrolment};
use managed_agents::store::{Depth, Reader, Store, StoreErrorKind};
use managed_agents::{AgentId, Harness};

use crate::forged::{home, home_options};
use crate::support::{Place, calls, runtime, send, sound};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in ["record.db", "record.db-wal", "subjects.keys"] {
        let _ = fs::remove_file(to.join(file));
        if from.join(file).exists() {
            fs::copy(from.join(file), to.join(file)).unwrap();
        }
    }
}

#[test]
fn a_restored_old_copy_is_rolled_back_until_it_is_accepted() {
    let place = Place::new("restored");
    let data = place.path().join("data");
    calls(&place.open(), "bot", 20);
    Store::backup(&data, place.path().join("backup.db"), |_, _| ()).unwrap();
    calls(&place.open(), "bot", 20);
    let origin = Reader::open(&data).unwrap().head().unwrap().origin().to_owned();

    Store::restore(place.path().join("backup.db"), &data).unwrap();
    for _ in 0..2 {
        let error = Store::open(place.options()).unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (StoreErrorKind::RolledBack, "rolled_back")
        );
    }
    let store = Store::accept_restored(place.options()).unwrap();
    calls(&store, "bot", 5);
    drop(store);
    let entries = sound(place.path());
    let accepted = entries.iter().filter(|entry| entry.kind() == "origin").nth(1).unwrap();
    assert!(accepted.as_json().contains(&origin), "it says what came before");
    assert_ne!(Reader::open(&data).unwrap().head().unwrap().origin(), origin);
    drop(place.open());
}

#[test]
fn a_backup_of_a_store_that_is_written_is_one_sound_moment() {
    let place = Place::new("backup");
    let store = place.open();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| calls(&store, "bot", 300));
        for number in 0..5 {
            let to = place.path().join(format!("{number}.db"));
            Store::backup(store.dir(), &to, |_, _| ()).unwrap();
            let reader = Reader::open_files(&to, &store.dir().join("subjects.keys")).unwrap();
            let report = reader.verify(Depth::Deep, |_| ()).unwrap();
            assert!(report.is_sound(), "{:#?}", report.problems());
        }
        writing.join().unwrap();
    });
    let error = Store::backup(store.dir(), place.path().join("0.db"), |_, _| ()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    let error = Store::restore(place.path().join("0.db"), store.dir()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Locked, "a process has it open");
}

#[test]
fn a_log_that_is_gone_or_another_is_rolled_back() {
    let place = Place::new("gone");
    let data = place.path().join("data");
    calls(&place.open(), "bot", 5);
    fs::remove_dir_all(&data).unwrap();
    assert_eq!(
        Store::open(place.options()).unwrap_err().kind(),
        StoreErrorKind::RolledBack
    );

    // a whole other log, longer than the first, under the same name and key
    let other = Place::new("another");
    calls(&other.open(), "bot", 20);
    copy(&other.path().join("data"), &data);
    assert_eq!(
        Store::open(place.options()).unwrap_err().kind(),
        StoreErrorKind::RolledBack
    );
    drop(Store::accept_restored(place.options()).unwrap());
    drop(place.open());
}

#[test]
fn a_cut_tail_is_found() {
    let place = Place::new("cut");
    let data = place.path().join("data");
    let store = place.open();
    calls(&store, "bot", 50);
    let cut = Place::new("cut-copy");
    copy(&data, &cut.path().join("data"));
    fs::create_dir_all(cut.path().join("mark")).unwrap();
    fs::copy(
        place.path().join("mark/log.high-water"),
        cut.path().join("mark/log.high-water"),
    )
    .unwrap();
    let wal = cut.path().join("data/record.db-wal");
    let whole = fs::read(&wal).unwrap();
    fs::write(&wal, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(
        Store::open(cut.options()).unwrap_err().kind(),
        StoreErrorKind::RolledBack
    );
}

#[test]
fn a_rewritten_entry_is_named() {
    let place = Place::new("rewritten");
    calls(&place.open(), "bot", 300);
    let db = rusqlite::Connection::open(place.path().join("data/record.db")).unwrap();
    db.execute_batch(
        "UPDATE entries SET bytes = CAST(replace(CAST(bytes AS TEXT), '\"ok\"', '\"no\"') AS BLOB) WHERE seq = 77",
    )
    .unwrap();
    let changed = db.changes();
    drop(db);
    assert_eq!(changed, 1);
    let reader = Reader::open(place.path().join("data")).unwrap();
    for depth in [Depth::Quick, Depth::Deep] {
        let report = reader.verify(depth, |_| ()).unwrap();
        assert_eq!(report.first_bad_record(), Some(77), "{:?}", report.problems());
    }
}

#[test]
fn an_old_copy_revives_nobody() {
    let place = Place::new("revives");
    let data = place.path().join("data");
    let enrolment = |agent: &str| Enrolment::new(AgentId::parse(agent).unwrap());
    let home = home(&place);
    home.register(&enrolment("bot")).unwrap();
    home.register(&enrolment("clerk")).unwrap();
    Store::backup(&data, place.path().join("backup.db"), |_, _| ()).unwrap();
    home.register(&enrolment("late")).unwrap();
    for agent in ["bot", "late"] {
        home.set_state(agent, AgentState::Revoked, "stolen").unwrap();
    }
    drop(home);

    Store::restore(place.path().join("backup.db"), &data).unwrap();
    assert!(Home::open(home_options(&place)).is_err(), "rolled back");
    // without the mark the names that lie beside it still tell
    fs::remove_file(place.path().join("mark/log.high-water")).unwrap();
    let error = Home::open(home_options(&place)).unwrap_err();
    assert_eq!(
        error.kind(),
        HomeErrorKind::Store(StoreErrorKind::RolledBack),
        "{error}"
    );

    let home = Home::accept_restored(home_options(&place)).unwrap();
    let state = |home: &Home, agent: &str| home.store().standing(agent).map(|one| one.state);
    assert_eq!(state(&home, "bot"), Some(AgentState::Revoked));
    assert_eq!(
        state(&home, "late"),
        Some(AgentState::Revoked),
        "though the copy knows nothing of it"
    );
    assert_eq!(
        state(&home, "clerk"),
        Some(AgentState::Suspended),
        "until somebody says that it may act"
    );
    assert!(home.register(&enrolment("late")).is_err());
    assert!(home.set_state("bot", AgentState::Active, "again").is_err());
    home.set_state("clerk", AgentState::Active, "looked_at").unwrap();
    let clerk = Harness::builder()
        .agent_id("clerk")
        .home(&home)
        .build_blocking()
        .unwrap();
    runtime().block_on(clerk.scope(send("ann", "one"))).unwrap();
    runtime().block_on(home.store().flush()).unwrap();
    let reader = home.store().reader().unwrap().trusting(home.trust().unwrap().clone());
    let report = reader.verify(Depth::Deep, |_| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems());
    drop((clerk, home));
    assert_eq!(state(&self::home(&place), "bot"), Some(AgentState::Revoked));
}
