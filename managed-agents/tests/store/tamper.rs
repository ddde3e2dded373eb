//! Single flipped bits anywhere: what would change what a reader is told is found, and the record named.

use std::fs;
use std::path::Path;

use managed_agents::store::{Depth, Reader, Store};
use rusqlite::types::Value;

use crate::support::{Place, calls, options, rounds};

/// Every row of every table, or why it cannot be read.
fn dump(data: &Path) -> Result<Vec<(String, Vec<Value>)>, rusqlite::Error> {
    let db = rusqlite::Connection::open(data.join("record.db"))?;
    let mut rows = Vec::new();
    for table in [
        "tree",
        "entries",
        "tiles",
        "checkpoints",
        "sealed",
        "running",
        "agents",
        "consumed",
        "blocks",
        "postings",
        "evaluations",
        "counts",
        "holds",
    ] {
        let mut select = db.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = select.column_count();
        let mut found = select.query([])?;
        while let Some(row) = found.next()? {
            let values = (0..columns).map(|at| row.get(at)).collect::<Result<Vec<Value>, _>>()?;
            rows.push((table.to_owned(), values));
        }
    }
    Ok(rows)
}

/// What is found: nothing, or something, with the first record that is wrong.
fn look(place: &Path) -> Result<(), Option<u64>> {
    let found = Reader::open(place.join("data")).and_then(|reader| reader.verify(Depth::Deep, |_| ()));
    match found {
        Err(_) => return Err(None),
        Ok(report) if !report.is_sound() => return Err(report.first_bad_record()),
        Ok(_) => {}
    }
    // a log that is shorter is sound in itself
    match Store::open(options(place)) {
        Ok(_) => Ok(()),
        Err(_) => Err(None),
    }
}

/// `MANAGED_AGENTS_FLIPS` says how many; 10 000 takes a while.
#[test]
fn every_flip_that_changes_what_a_reader_is_told_is_found() {
    // in one log everything is still in the WAL, in the other nothing
    let (wal, plain) = (Place::new("flips-wal"), Place::new("flips"));
    calls(&plain.open(), "bot", 330);
    let held = wal.open();
    calls(&held, "bot", 330);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let (mut changed, mut named) = (0, 0);
    for round in 0..rounds("MANAGED_AGENTS_FLIPS", 160) {
        let (from, file) = if round % 4 == 0 {
            (&wal, "record.db-wal")
        } else {
            (&plain, "record.db")
        };
        let copy = Place::new("flipped");
        fs::create_dir_all(copy.path().join("data")).unwrap();
        fs::create_dir_all(copy.path().join("mark")).unwrap();
        for name in [
            "data/record.db",
            "data/record.db-wal",
            "data/subjects.keys",
            "mark/log.high-water",
        ] {
            if from.path().join(name).exists() {
                fs::copy(from.path().join(name), copy.path().join(name)).unwrap();
            }
        }
        let before = dump_of(&copy);
        let target = copy.path().join("data").join(file);
        let mut bytes = fs::read(&target).unwrap();
        let at = random(bytes.len());
        let bit = random(8);
        bytes[at] ^= 1 << bit;
        fs::write(&target, &bytes).unwrap();
        // before anything opens it for writing
        let after = dump_of(&copy);
        let same = after.as_ref().is_ok_and(|after| *before.as_ref().unwrap() == *after);
        if same {
            continue;
        }
        changed += 1;
        let found = look(copy.path());
        assert!(
            found.is_err(),
            "bit {bit} of byte {at} of {file} changed what is told, and nothing was found"
        );
        // where only entries differ, the first of them is named
        if let (Ok(before), Ok(after), Err(first)) = (&before, &after, found)
            && let Some(expected) = first_entry(before, after)
        {
            assert_eq!(first, Some(expected), "byte {at} of {file}");
            named += 1;
        }
    }
    println!("{changed} flips changed what is told; {named} changed one entry, which was named");
    assert!(changed > 0 && named > 0);
}

type Dump = Result<Vec<(String, Vec<Value>)>, rusqlite::Error>;

/// Of a copy of its own, since reading changes the files beside a database.
fn dump_of(place: &Place) -> Dump {
    let copy = Place::new("dump");
    for name in ["record.db", "record.db-wal"] {
        let from = place.path().join("data").join(name);
        if from.exists() {
            fs::copy(from, copy.path().join(name)).unwrap();
        }
    }
    dump(copy.path())
}

/// The place of the first entry that differs, if as many rows are there and only entries differ.
fn first_entry(before: &[(String, Vec<Value>)], after: &[(String, Vec<Value>)]) -> Option<u64> {
    if before.len() != after.len() {
        return None;
    }
    let differ: Vec<_> = before.iter().zip(after).filter(|(old, new)| old != new).collect();
    let only = differ
        .iter()
        .all(|(old, new)| old.0 == "entries" && new.0 == "entries" && old.1[0] == new.1[0]);
    match (only, differ.first()?.0.1.first()?) {
        (true, Value::Integer(place)) => u64::try_from(*place).ok(),
        _ => None,
    }
}
