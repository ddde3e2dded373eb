//! A record that an older version of the library made.

use std::fs;

use managed_agents::store::{Depth, Reader, Store};

use crate::support::{Place, calls, sound};

/// What version 1 of the tables held after two agents' calls, as SQLite prints it, and the key under which its values lie.
fn version_1(place: &Place) {
    let data = place.path().join("data");
    fs::create_dir_all(&data).unwrap();
    let db = rusqlite::Connection::open(data.join("record.db")).unwrap();
    db.execute_batch(include_str!("version_1/record.sql")).unwrap();
    let keys = include_str!("version_1/subjects.keys.hex").trim();
    let keys: Vec<u8> = keys
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    fs::write(data.join("subjects.keys"), keys).unwrap();
}

#[test]
fn a_record_of_version_1_is_read_and_continued() {
    let place = Place::new("version-1");
    version_1(&place);
    let store = place.open();
    let reader = store.reader().unwrap();
    let head = reader.head().unwrap();
    assert_eq!(head.origin(), "test.example/log");
    assert_eq!(head.size(), 22, "what it held is there");
    assert!(reader.verify(Depth::Deep, |_| ()).unwrap().is_sound());
    calls(&store, "bot", 300);
    drop((reader, store));
    sound(place.path());
}

#[test]
fn a_backup_of_version_1_can_be_restored() {
    let (old, place) = (Place::new("old"), Place::new("restored-old"));
    version_1(&old);
    Store::restore(old.path().join("data/record.db"), place.path().join("data")).unwrap();
    fs::copy(
        old.path().join("data/subjects.keys"),
        place.path().join("data/subjects.keys"),
    )
    .unwrap();
    drop(place.open());
    let entries = sound(place.path());
    assert!(entries.len() >= 22);
    drop(Reader::open(place.path().join("data")).unwrap());
}
