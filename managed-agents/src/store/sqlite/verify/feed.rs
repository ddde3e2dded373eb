//! Reads and hashes entries, on several threads: each takes every so-manieth part of the log, and hands it over in its turn.

use std::path::Path;
use std::sync::mpsc::SyncSender;

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::types::ValueRef;
use rusqlite::{Rows, Statement};

use super::super::error::StoreError;
use super::super::facts::BLOCK;
use super::super::schema;
use super::reading::{Reading, Seen};
use crate::audit::tree::{Hash, leaf_hash};

/// How many entries are handed over at once: a block, so that a short log keeps every thread busy too.
pub(super) const CHUNK: u64 = BLOCK;

/// Some entries, one after another.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) rows: Vec<Row>,
    /// Of each what was read of it, if that was asked for.
    pub(super) seen: Vec<Seen>,
    /// How many rows of the side table lie in their range.
    pub(super) sealed: u64,
    /// The sum of the hashes of their index rows.
    pub(super) index: u64,
    /// The rows of names of their blocks.
    pub(super) named: Vec<(u64, Vec<u8>)>,
}

/// One entry, hashed.
pub(super) struct Row {
    pub(super) sequence: i64,
    pub(super) leaf: Hash,
    /// Whether the leaf that is stored is the same.
    pub(super) is_same: bool,
}

/// A row of the side table, where it lies.
pub(super) struct Sealed<'r> {
    pub(super) subject: u32,
    pub(super) nonce: &'r [u8],
    pub(super) bytes: &'r [u8],
    pub(super) mark: &'r [u8],
}

/// Which parts of a log of a size one thread reads.
#[derive(Clone, Copy)]
pub(super) struct Share {
    pub(super) size: u64,
    pub(super) first: u64,
    pub(super) threads: u64,
}

/// Reads every row of the parts in a share, with what is sealed beside it if it is to be read.
pub(super) fn run(
    database: &Path,
    share: Share,
    mut reading: Option<Reading<'_>>,
    to: &SyncSender<Chunk>,
) -> Result<(), StoreError> {
    let db = schema::reader(database)?;
    // as it was at one moment: what is below the size is there, and does not change
    db.execute_batch("PRAGMA cache_size = -256; BEGIN; SELECT size FROM tree")?;
    let mut entries = db.prepare("SELECT seq, leaf, bytes FROM entries WHERE seq >= ?1 AND seq < ?2 ORDER BY seq")?;
    let mut sealed =
        db.prepare("SELECT seq, subject, nonce, box, mark FROM sealed WHERE seq >= ?1 AND seq < ?2 ORDER BY seq")?;
    let mut start = share.first * CHUNK;
    while start < share.size {
        let end = share.size.min(start + CHUNK);
        let chunk = part(&mut entries, &mut sealed, (start, end), reading.as_mut())?;
        if to.send(chunk).is_err() {
            // the thread that compares has ended: it says why
            return Ok(());
        }
        start += share.threads * CHUNK;
    }
    Ok(())
}

fn part(
    entries: &mut Statement<'_>,
    sealed: &mut Statement<'_>,
    (start, end): (u64, u64),
    mut reading: Option<&mut Reading<'_>>,
) -> Result<Chunk, StoreError> {
    let range = [start.cast_signed(), end.cast_signed()];
    let mut rows = entries.query(range)?;
    let mut beside = match &mut reading {
        Some(reading) => {
            reading.begin();
            Some(Beside::begin(sealed, range)?)
        }
        None => None,
    };
    let mut chunk = Chunk::default();
    chunk.rows.reserve(usize::try_from(end - start).unwrap_or_default());
    let mut place = start;
    while let Some(row) = rows.next()? {
        let sequence = row.get(0)?;
        // a column of another type is a record that was changed, and not a file that cannot be read
        let (bytes, is_blob) = match row.get_ref(2)? {
            ValueRef::Blob(bytes) => (bytes, true),
            ValueRef::Text(bytes) => (bytes, false),
            _ => (&[] as &[u8], false),
        };
        let leaf = leaf_hash(bytes);
        let stored = row.get_ref(1)?.as_blob().unwrap_or_default();
        if let (Some(reading), Some(beside)) = (&mut reading, &mut beside) {
            let sealed = beside.at(sequence)?;
            chunk.seen.push(reading.read(place, bytes, sealed.as_ref()));
        }
        chunk.rows.push(Row {
            sequence,
            leaf,
            is_same: is_blob && stored == leaf.as_bytes(),
        });
        place += 1;
    }
    if let Some(beside) = beside {
        chunk.sealed = beside.count_all()?;
    }
    if let Some(reading) = reading {
        chunk.index = reading.index;
        chunk.named = std::mem::take(&mut reading.named);
    }
    Ok(chunk)
}

/// Both tables in the order of the log, side by side.
struct Beside<'s> {
    rows: Rows<'s>,
    /// How many rows were passed over.
    passed: u64,
}

impl<'s> Beside<'s> {
    fn begin(select: &'s mut Statement<'_>, range: [i64; 2]) -> Result<Self, StoreError> {
        let mut rows = select.query(range)?;
        rows.advance()?;
        Ok(Self { rows, passed: 0 })
    }

    /// What is sealed beside this entry; rows beside no entry are passed over, and one too many when rows are counted.
    fn at(&mut self, sequence: i64) -> Result<Option<Sealed<'_>>, StoreError> {
        while let Some(row) = self.rows.get() {
            let next: i64 = row.get(0)?;
            if next >= sequence {
                break;
            }
            self.rows.advance()?;
            self.passed += 1;
        }
        let Some(row) = self.rows.get() else { return Ok(None) };
        if row.get::<_, i64>(0)? != sequence {
            return Ok(None);
        }
        // as above: what is of another type does not fit its mark
        let bytes = |at| {
            row.get_ref(at)
                .ok()
                .and_then(|value| value.as_blob().ok())
                .unwrap_or_default()
        };
        Ok(Some(Sealed {
            subject: row.get(1).unwrap_or_default(),
            nonce: bytes(2),
            bytes: bytes(3),
            mark: bytes(4),
        }))
    }

    /// How many rows there were, to the last of the range.
    fn count_all(mut self) -> Result<u64, StoreError> {
        while self.rows.get().is_some() {
            self.rows.advance()?;
            self.passed += 1;
        }
        Ok(self.passed)
    }
}
