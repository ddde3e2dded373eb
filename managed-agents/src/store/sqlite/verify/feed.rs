//! Reads entries for the thread that hashes them.

use std::sync::mpsc::SyncSender;

use rusqlite::{Connection, Rows, Statement};

use super::super::error::StoreError;

/// Entries are handed over in chunks of about this many bytes.
const CHUNK: usize = 256 * 1024;

/// Some entries, one after another.
#[derive(Default)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    rows: Vec<Place>,
}

struct Place {
    sequence: i64,
    leaf: [u8; 32],
    end: usize,
    sealed: Option<Sealed>,
}

/// A row of the side table.
pub(super) struct Sealed {
    pub(super) subject: u32,
    pub(super) nonce: Vec<u8>,
    pub(super) bytes: Vec<u8>,
    pub(super) mark: Vec<u8>,
}

/// One entry as it stands in the database.
pub(super) struct Row<'a> {
    pub(super) sequence: i64,
    pub(super) leaf: [u8; 32],
    pub(super) bytes: &'a [u8],
    pub(super) sealed: Option<&'a Sealed>,
}

impl Chunk {
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let mut start = 0;
        self.rows.iter().map(move |place| {
            let bytes = self.bytes.get(start..place.end).unwrap_or_default();
            start = place.end;
            Row {
                sequence: place.sequence,
                leaf: place.leaf,
                bytes,
                sealed: place.sealed.as_ref(),
            }
        })
    }
}

/// Reads every row below `size`, with what is sealed beside it if `values`.
pub(super) fn run(db: &Connection, size: u64, values: bool, to: &SyncSender<Chunk>) -> Result<(), StoreError> {
    let mut entries = db.prepare("SELECT seq, leaf, bytes FROM entries WHERE seq < ?1 ORDER BY seq")?;
    let mut rows = entries.query([size.cast_signed()])?;
    let mut sealed = db.prepare("SELECT seq, subject, nonce, box, mark FROM sealed WHERE seq < ?1 ORDER BY seq")?;
    let mut beside = if values {
        Some(Beside::begin(&mut sealed, size)?)
    } else {
        None
    };
    let mut chunk = Chunk::default();
    let mut weight = 0;
    while let Some(row) = rows.next()? {
        let sequence = row.get(0)?;
        // what is no blob any more is no record that hashes to anything
        let bytes = row.get_ref(2)?.as_blob().unwrap_or_default();
        chunk.bytes.extend_from_slice(bytes);
        weight += bytes.len();
        let sealed = match &mut beside {
            Some(beside) => beside.at(sequence)?,
            None => None,
        };
        weight += sealed.as_ref().map_or(0, |sealed| sealed.bytes.len());
        chunk.rows.push(Place {
            sequence,
            leaf: row.get(1).unwrap_or_default(),
            end: chunk.bytes.len(),
            sealed,
        });
        if weight >= CHUNK {
            weight = 0;
            // the other thread has ended: it says why
            if to.send(std::mem::take(&mut chunk)).is_err() {
                return Ok(());
            }
        }
    }
    // as above
    let _ = to.send(chunk);
    Ok(())
}

/// Both tables in the order of the log, side by side.
struct Beside<'s> {
    rows: Rows<'s>,
    next: Option<(i64, Sealed)>,
}

impl<'s> Beside<'s> {
    fn begin(select: &'s mut Statement<'_>, size: u64) -> Result<Self, StoreError> {
        let mut beside = Self {
            rows: select.query([size.cast_signed()])?,
            next: None,
        };
        beside.step()?;
        Ok(beside)
    }

    fn step(&mut self) -> Result<(), StoreError> {
        self.next = match self.rows.next()? {
            None => None,
            Some(row) => Some((
                row.get(0)?,
                Sealed {
                    subject: row.get(1)?,
                    nonce: row.get(2)?,
                    bytes: row.get(3)?,
                    mark: row.get(4)?,
                },
            )),
        };
        Ok(())
    }

    /// What is sealed beside this entry; rows beside no entry are passed over, and missed when rows are counted.
    fn at(&mut self, sequence: i64) -> Result<Option<Sealed>, StoreError> {
        while self.next.as_ref().is_some_and(|(next, _)| *next < sequence) {
            self.step()?;
        }
        if self.next.as_ref().is_none_or(|(next, _)| *next != sequence) {
            return Ok(None);
        }
        let found = self.next.take().map(|(_, sealed)| sealed);
        self.step()?;
        Ok(found)
    }
}
