//! The keys under which recorded values are encrypted: one for each data subject, in a file of their own.
//!
//! Whoever erases a subject overwrites its key: then what was encrypted under it, in the database, its backups and whatever the
//! disk still holds of either, is lost for good. Subjects stand in the file by hash only.
//!
//! The file is `ma-subjects/1`, a line feed, and records of 80 bytes: what it is (8), the first 24 bytes of
//! SHA-256(`ma-subject/1` ‖ 0 ‖ subject), the key (32), and the first 16 bytes of SHA-256 over the 64 before. A subject's number
//! is its record's place. Whoever writes holds the file's lock; a record that is not complete was never used.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use super::error::{StoreError, StoreErrorKind};
use super::{files, process};
use crate::call::Salt;

const HEADER: &[u8; 14] = b"ma-subjects/1\n";
const RECORD: usize = 80;
const LIVE: &[u8; 8] = b"live\0\0\0\0";
/// Erased, and the log does not say so yet.
const ERASING: &[u8; 8] = b"erasing\0";
const ERASED: &[u8; 8] = b"erased\0\0";

type Name = [u8; 24];

/// A subject's number and key.
#[derive(Clone, Copy)]
pub(super) struct SubjectKey {
    pub(super) number: u32,
    pub(super) key: [u8; 32],
}

/// The key file, and what was read of it.
pub(super) struct SubjectKeys {
    path: PathBuf,
    /// Guards the table; held for a look-up by callers, and for reads and writes of the file by the writer's thread alone.
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    records: u32,
    live: HashMap<Name, SubjectKey>,
    by_number: HashMap<u32, Name>,
    erased: HashSet<u32>,
    /// Erased, and the log does not say so yet.
    unrecorded: Vec<u32>,
}

impl SubjectKeys {
    /// Reads the file, which need not be there.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let keys = Self {
            path: path.to_owned(),
            table: Mutex::default(),
        };
        keys.reload()?;
        Ok(keys)
    }

    /// Reads the file anew: another process may have added and erased.
    pub(super) fn reload(&self) -> Result<(), StoreError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(StoreError::io("read", &self.path, &error)),
        };
        let table = self.parse(&bytes)?;
        *self.table() = table;
        Ok(())
    }

    /// The key of a subject, if it was needed before.
    pub(super) fn find(&self, subject: &str) -> Option<SubjectKey> {
        self.table().live.get(&name_of(subject)).copied()
    }

    /// The key of a number.
    pub(super) fn by_number(&self, number: u32) -> Option<SubjectKey> {
        let table = self.table();
        table.live.get(table.by_number.get(&number)?).copied()
    }

    /// Whether the file still has the key of this number: another process may have erased its subject since it was read.
    pub(super) fn is_still_there(&self, number: u32) -> Result<bool, StoreError> {
        let io = |error: io::Error| StoreError::io("read", &self.path, &error);
        let mut file = File::open(&self.path).map_err(io)?;
        file.seek(SeekFrom::Start(place_of(number))).map_err(io)?;
        let mut tag = [0; LIVE.len()];
        file.read_exact(&mut tag).map_err(io)?;
        Ok(tag == *LIVE)
    }

    /// Whether the subject of this number was erased.
    pub(super) fn is_erased(&self, number: u32) -> bool {
        self.table().erased.contains(&number)
    }

    /// Which erasures the log does not say yet.
    pub(super) fn unrecorded(&self) -> Vec<u32> {
        self.table().unrecorded.clone()
    }

    /// The key of a subject, made if it was never needed. Survives a loss of power when it returns.
    pub(super) fn find_or_make(&self, subject: &str) -> Result<SubjectKey, StoreError> {
        if let Some(found) = self.find(subject) {
            return Ok(found);
        }
        let mut file = self.locked()?;
        let io = |error: io::Error| StoreError::io("write", &self.path, &error);
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let mut table = self.parse(&bytes)?;
        let name = name_of(subject);
        if let Some(found) = table.live.get(&name).copied() {
            *self.table() = table;
            return Ok(found);
        }
        let made = SubjectKey {
            number: table.records,
            key: *Salt::fresh()?.reveal(),
        };
        // begins after the last complete record: what a dead process left of one is overwritten
        let place = place_of(made.number);
        if bytes.is_empty() {
            file.seek(SeekFrom::Start(0)).map_err(io)?;
            file.write_all(HEADER).map_err(io)?;
        }
        file.set_len(place).map_err(io)?;
        file.seek(SeekFrom::Start(place)).map_err(io)?;
        file.write_all(&record(LIVE, &name, &made.key)).map_err(io)?;
        file.sync_all().map_err(io)?;
        files::sync_dir(&self.path).map_err(io)?;
        table.add(name, made);
        *self.table() = table;
        Ok(made)
    }

    /// Destroys a subject's key; gives its number, or none if there is no such subject. [`confirm`](Self::confirm) follows when the
    /// log says so.
    pub(super) fn erase(&self, subject: &str) -> Result<Option<u32>, StoreError> {
        let mut file = self.locked()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(|error| StoreError::io("read", &self.path, &error))?;
        let table = self.parse(&bytes)?;
        let found = table.live.get(&name_of(subject)).copied();
        if let Some(found) = found {
            self.overwrite(&mut file, found.number, ERASING)?;
        }
        drop(file);
        self.reload()?;
        Ok(found.map(|found| found.number))
    }

    /// The log says that the subject of this number was erased.
    pub(super) fn confirm(&self, number: u32) -> Result<(), StoreError> {
        let mut file = self.locked()?;
        self.overwrite(&mut file, number, ERASED)?;
        drop(file);
        self.reload()
    }

    fn overwrite(&self, file: &mut File, number: u32, tag: &[u8; 8]) -> Result<(), StoreError> {
        let io = |error: io::Error| StoreError::io("write", &self.path, &error);
        file.seek(SeekFrom::Start(place_of(number))).map_err(io)?;
        file.write_all(&record(tag, &[0; 24], &[0; 32])).map_err(io)?;
        file.sync_all().map_err(io)
    }

    fn locked(&self) -> Result<File, StoreError> {
        process::wait_for(&self.path, process::SLOW_DISK)
    }

    fn parse(&self, bytes: &[u8]) -> Result<Table, StoreError> {
        let corrupt = |what: &str| StoreError::new(StoreErrorKind::Corrupt, format!("{}: {what}", self.path.display()));
        let mut table = Table::default();
        if bytes.is_empty() {
            return Ok(table);
        }
        let records = bytes
            .strip_prefix(HEADER)
            .ok_or_else(|| corrupt("it is no file of subjects' keys"))?;
        let (records, _incomplete) = records.as_chunks::<RECORD>();
        for bytes in records {
            let number = table.records;
            let (tag, rest) = bytes
                .split_first_chunk::<8>()
                .ok_or_else(|| corrupt("a record is cut"))?;
            let (name, rest) = rest
                .split_first_chunk::<24>()
                .ok_or_else(|| corrupt("a record is cut"))?;
            let (key, _) = rest
                .split_first_chunk::<32>()
                .ok_or_else(|| corrupt("a record is cut"))?;
            if record(tag, name, key) != *bytes {
                return Err(corrupt(&format!("record {number} was changed")));
            }
            match tag {
                LIVE => table.add(*name, SubjectKey { number, key: *key }),
                ERASED | ERASING => {
                    table.records += 1;
                    table.erased.insert(number);
                    if tag == ERASING {
                        table.unrecorded.push(number);
                    }
                }
                _ => return Err(corrupt(&format!("record {number} is of no kind that is known"))),
            }
        }
        Ok(table)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // the table is replaced as a whole
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn add(&mut self, name: Name, key: SubjectKey) {
        self.by_number.insert(key.number, name);
        self.live.insert(name, key);
        self.records += 1;
    }
}

fn place_of(number: u32) -> u64 {
    HEADER.len() as u64 + u64::from(number) * RECORD as u64
}

fn record(tag: &[u8; 8], name: &Name, key: &[u8; 32]) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    let check = Sha256::new()
        .chain_update(tag)
        .chain_update(name)
        .chain_update(key)
        .finalize();
    let parts = tag.iter().chain(name).chain(key).chain(&check);
    record.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
    record
}

fn name_of(subject: &str) -> Name {
    let hash = Sha256::new()
        .chain_update(b"ma-subject/1\0")
        .chain_update(subject)
        .finalize();
    let mut name = [0; 24];
    name.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    name
}
