//! Single flipped bits anywhere, in the record's files and in what was exported of it: what would change what a reader is told is found, and the record named.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};

use managed_agents::AgentId;
use managed_agents::audit::tree::note::{Note, NoteSigner};
use managed_agents::audit::tree::{
    EntryBundle, LogPolicy, TilePath, TileReader as _, check_files, encode_tile, tiles_of,
};
use managed_agents::identity::{AgentState, Enrolment, Trust};
use managed_agents::store::{Depth, Reader, Store};
use rusqlite::types::Value;

use crate::forged::home;
use crate::support::{Place, calls, rounds, runtime};

/// The files of a record and of what is remembered of it.
const FILES: [&str; 5] = [
    "data/record.db",
    "data/record.db-wal",
    "data/subjects.keys",
    "mark/log.high-water",
    "mark/log.revoked",
];

/// A record that is kept in memory, and put down again for each flip.
struct Original {
    files: BTreeMap<&'static str, Vec<u8>>,
    dump: Vec<Row>,
    trust: Trust,
    log_key: [u8; 32],
}

type Row = (String, Vec<Value>);

impl Original {
    /// With two agents, of which one is revoked. Everything is still in the WAL, or nothing.
    fn make(in_wal: bool) -> Self {
        let place = Place::new("flips");
        let home = home(&place);
        for agent in ["bot", "clerk"] {
            home.register(&Enrolment::new(AgentId::parse(agent).unwrap())).unwrap();
        }
        calls(home.store(), "bot", 140);
        home.set_state("clerk", AgentState::Revoked, "test").unwrap();
        runtime().block_on(home.store().flush()).unwrap();
        let trust = home.trust().unwrap().clone();
        let log_key = home.keys().log_key().unwrap().0.reveal();
        let held = in_wal.then_some(home);
        let files = FILES
            .into_iter()
            .filter_map(|name| Some((name, fs::read(place.path().join(name)).ok()?)))
            .collect();
        drop(held);
        let mut original = Self {
            files,
            dump: Vec::new(),
            trust,
            log_key,
        };
        let sandbox = Sandbox::new("dump");
        sandbox.put(&original, None);
        original.dump = dump(&sandbox.path().join("data")).unwrap();
        original
    }
}

/// A directory that is filled anew for each flip; in memory, where the system has a place for that.
struct Sandbox {
    base: PathBuf,
    /// A directory of its own for each: a store that was dropped may still be writing its mark.
    number: Cell<usize>,
}

impl Sandbox {
    fn new(name: &str) -> Self {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        Self {
            base: base.join(format!("managed-agents-{name}-{}", std::process::id())),
            number: Cell::new(0),
        }
    }

    fn path(&self) -> PathBuf {
        self.base.join(self.number.get().to_string())
    }

    /// Puts the files there, one of them with a flipped bit.
    fn put(&self, original: &Original, flip: Option<(&str, usize, u8)>) {
        let _ = fs::remove_dir_all(self.path());
        self.number.set(self.number.get() + 1);
        for dir in ["data", "mark"] {
            fs::create_dir_all(self.path().join(dir)).unwrap();
        }
        for (name, bytes) in &original.files {
            match flip {
                Some((flipped, at, bit)) if flipped == *name => {
                    let mut bytes = bytes.clone();
                    bytes[at] ^= 1 << bit;
                    fs::write(self.path().join(name), bytes).unwrap();
                }
                _ => fs::write(self.path().join(name), bytes).unwrap(),
            }
        }
    }

    /// What is found: nothing, or something, with the first record that is wrong.
    fn look(&self, original: &Original) -> Result<(), Option<u64>> {
        let found = Reader::open(self.path().join("data"))
            .and_then(|reader| reader.trusting(original.trust.clone()).verify(Depth::Deep, |_| ()));
        match found {
            Err(_) => return Err(None),
            Ok(report) if !report.is_sound() => return Err(report.first_bad_record()),
            Ok(_) => {}
        }
        // a log that is shorter is sound in itself
        let options = managed_agents::store::StoreOptions::new(self.path().join("data"))
            .high_water(self.path().join("mark/log.high-water"))
            .log_key(original.log_key);
        Store::open(options).map(drop).map_err(|_| None)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.base);
    }
}

/// The record as static files, which whoever has them and the log's key checks.
struct Exported {
    files: BTreeMap<String, Vec<u8>>,
    policy: LogPolicy,
}

impl Exported {
    fn of(original: &Original) -> Self {
        let sandbox = Sandbox::new("exported");
        sandbox.put(original, None);
        let reader = Reader::open(sandbox.path().join("data")).unwrap();
        let origin = reader.head().unwrap().origin().to_owned();
        let key = NoteSigner::from_seed(&origin, &original.log_key).unwrap();
        let note = reader.checkpoint().unwrap().unwrap();
        let policy = LogPolicy::new(&origin, vec![key.verifier()]);
        let head = policy.verify(&Note::parse(note.as_bytes()).unwrap()).unwrap();
        let mut files = BTreeMap::from([("checkpoint".to_owned(), note.into_bytes())]);
        for (index, entries) in (0..).zip(reader.entries(0, head.size() as usize).unwrap().chunks(256)) {
            let mut bundle = EntryBundle::new();
            for entry in entries {
                bundle.push(entry.as_bytes()).unwrap();
            }
            let path = TilePath::entries(index, bundle.len()).unwrap();
            files.insert(path.to_string(), bundle.as_bytes().to_vec());
        }
        for path in tiles_of(0, head.size()) {
            let hashes = reader.hashes(path.level().unwrap(), path.index(), path.width());
            files.insert(path.to_string(), encode_tile(&hashes.unwrap()));
        }
        let exported = Self { files, policy };
        exported.look("", 0, 0).unwrap();
        exported
    }

    /// What is found when one bit is flipped: nothing, or something, with the first record that is wrong.
    fn look(&self, flipped: &str, at: usize, bit: u8) -> Result<(), Option<u64>> {
        let read = |path: &str| {
            let mut bytes = self.files.get(path)?.clone();
            if path == flipped {
                bytes[at] ^= 1 << bit;
            }
            Some(bytes)
        };
        let note = read("checkpoint").unwrap();
        let head = Note::parse(&note).map_err(|_| None)?;
        let head = self.policy.verify(&head).map_err(|_| None)?;
        let report = check_files(head.checkpoint(), |path| Ok::<_, Infallible>(read(path)), |_, _| None).unwrap();
        if report.is_sound() {
            Ok(())
        } else {
            Err(report.first_bad_record)
        }
    }

    /// The first record that a byte of a file is of; none for the checkpoint.
    fn record_of(&self, file: &str, at: usize) -> Option<u64> {
        let path: TilePath = file.parse().ok()?;
        let begin = path.index() * 256;
        if let Some(level) = path.level() {
            return Some((begin + at as u64 / 32) << (8 * u32::from(level)));
        }
        let mut end = 0;
        let entries = EntryBundle::decode(&self.files[file], path.width()).unwrap();
        let place = entries.iter().position(|entry| {
            end += 2 + entry.len();
            at < end
        });
        Some(begin + place.unwrap() as u64)
    }
}

/// Every row of every table, or why it cannot be read.
fn dump(data: &Path) -> Result<Vec<Row>, rusqlite::Error> {
    let db = rusqlite::Connection::open(data.join("record.db"))?;
    let mut tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut rows = Vec::new();
    for table in tables {
        let mut select = db.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = select.column_count();
        let mut found = select.query([])?;
        while let Some(row) = found.next()? {
            let values = (0..columns).map(|at| row.get(at)).collect::<Result<Vec<Value>, _>>()?;
            rows.push((table.clone(), values));
        }
    }
    Ok(rows)
}

/// `MANAGED_AGENTS_FLIPS` says how many: 10 000 take some minutes.
#[test]
fn every_flip_that_changes_what_a_reader_is_told_is_found() {
    let (plain, wal) = (Original::make(false), Original::make(true));
    let exported = Exported::of(&plain);
    // the checkpoint is the first
    let names: Vec<&str> = exported.files.keys().map(String::as_str).collect();
    assert_eq!(names[0], "checkpoint");
    let (sandbox, apart) = (Sandbox::new("flipped"), Sandbox::new("flipped-dump"));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let (mut changed, mut named) = (BTreeMap::new(), 0);
    for round in 0..rounds("MANAGED_AGENTS_FLIPS", 300) {
        if round % 20 >= 16 {
            // every bit of these is told to somebody
            let name = names[random(if round % 20 == 19 { 1 } else { names.len() })];
            let (at, bit) = (random(exported.files[name].len()), random(8) as u8);
            let expected = exported.record_of(name, at);
            assert_eq!(
                exported.look(name, at, bit),
                Err(expected),
                "bit {bit} of byte {at} of {name}"
            );
            *changed.entry("exported files").or_insert(0) += 1;
            continue;
        }
        let (original, file) = match round % 20 {
            0 => (&plain, "mark/log.high-water"),
            1 => (&plain, "mark/log.revoked"),
            2 => (&plain, "data/subjects.keys"),
            3..=6 => (&wal, "data/record.db-wal"),
            _ => (&plain, "data/record.db"),
        };
        let (at, bit) = (random(original.files[file].len()), random(8) as u8);
        // before anything opens it for writing, and where nothing is read afterwards
        apart.put(original, Some((file, at, bit)));
        let after = dump(&apart.path().join("data"));
        let is_table = file.starts_with("data/record");
        if is_table && after.as_ref().is_ok_and(|after| *after == original.dump) {
            continue;
        }
        *changed.entry(file).or_insert(0) += 1;
        sandbox.put(original, Some((file, at, bit)));
        let found = sandbox.look(original);
        assert!(
            found.is_err(),
            "bit {bit} of byte {at} of {file} changed what is told, and nothing was found"
        );
        // where only entries differ, the first of them is named
        if let (Ok(after), Err(first)) = (&after, found)
            && let Some(expected) = first_entry(&original.dump, after)
        {
            assert_eq!(first, Some(expected), "byte {at} of {file}");
            named += 1;
        }
    }
    println!(
        "flips that changed what is told, all of them found: {changed:?}; {named} changed one entry, which was named"
    );
    assert!(changed.len() == FILES.len() + 1 && named > 0, "{changed:?}");
}

#[test]
fn a_flip_in_a_signed_head_is_found_by_whoever_has_the_logs_key() {
    let original = Original::make(false);
    let sandbox = Sandbox::new("tiles");
    sandbox.put(&original, None);
    let reader = Reader::open(sandbox.path().join("data")).unwrap();
    let head = reader.checkpoint().unwrap().unwrap();
    let note = Note::parse(head.as_bytes()).unwrap();
    let key = NoteSigner::from_seed(reader.head().unwrap().origin(), &original.log_key).unwrap();
    let policy = LogPolicy::new(reader.head().unwrap().origin(), vec![key.verifier()]);
    assert!(policy.verify(&note).is_ok());
    for at in 0..head.len() {
        let mut bytes = head.clone().into_bytes();
        bytes[at] ^= 1;
        let passes = Note::parse(&bytes).is_ok_and(|note| policy.verify(&note).is_ok());
        assert!(!passes, "byte {at} of the signed head");
    }
}

/// The place of the first entry that differs, if as many rows are there and only entries differ.
fn first_entry(before: &[Row], after: &[Row]) -> Option<u64> {
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
