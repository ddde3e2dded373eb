//! The end of the log: what a writer must know to add to it.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::StoreError;
use super::facts::{BLOCK, BlockRows, Facts};
use crate::audit::entry::Entry;
use crate::audit::tree::{Frontier, Hash, leaf_hash};

/// The one row of `tree`, and the entries since the last full tile.
#[derive(Clone, Debug)]
pub(super) struct Tip {
    pub(super) frontier: Frontier,
    pub(super) root: Hash,
    /// The latest time of any entry, in microseconds since 1970.
    pub(super) log_time: i64,
    pub(super) epoch: u64,
    pub(super) synced_size: u64,
    pub(super) synced_root: Hash,
    pub(super) checkpoints: u64,
    pub(super) consumed: u64,
    pub(super) origin: String,
    tail: Vec<(Hash, Facts)>,
}

impl Tip {
    /// The end of a log that has no entry yet.
    pub(super) fn begin(origin: &str) -> Self {
        Self {
            frontier: Frontier::new(),
            root: Hash::EMPTY_TREE,
            log_time: 0,
            epoch: 0,
            synced_size: 0,
            synced_root: Hash::EMPTY_TREE,
            checkpoints: 0,
            consumed: 0,
            origin: origin.to_owned(),
            tail: Vec::new(),
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Reads the one row; the tail is read when `with_tail`.
    pub(super) fn read(db: &Connection, with_tail: bool) -> Result<Self, StoreError> {
        let (tip, size, frontier) = db
            .prepare_cached(
                "SELECT root, log_time, epoch, synced_size, synced_root, checkpoints, consumed, origin, size, frontier \
                 FROM tree WHERE id = 0",
            )?
            .query_row([], |row| {
                let tip = Self {
                    frontier: Frontier::new(),
                    root: Hash::new(row.get(0)?),
                    log_time: row.get(1)?,
                    epoch: row.get::<_, i64>(2)?.cast_unsigned(),
                    synced_size: row.get::<_, i64>(3)?.cast_unsigned(),
                    synced_root: Hash::new(row.get(4)?),
                    checkpoints: row.get::<_, i64>(5)?.cast_unsigned(),
                    consumed: row.get::<_, i64>(6)?.cast_unsigned(),
                    origin: row.get(7)?,
                    tail: Vec::new(),
                };
                Ok((tip, row.get::<_, i64>(8)?.cast_unsigned(), row.get::<_, Vec<u8>>(9)?))
            })?;
        let frontier = Frontier::from_bytes(&frontier).map_err(|error| StoreError::corrupt(error.to_string()))?;
        if frontier.size() != size || frontier.root() != tip.root {
            return Err(StoreError::corrupt(
                "the log's size, root and right edge do not fit each other",
            ));
        }
        let mut tip = Self { frontier, ..tip };
        if with_tail {
            tip.read_tail(db)?;
        }
        Ok(tip)
    }

    /// The same, where another process has added to what was known: only what it added is read.
    pub(super) fn read_after(db: &Connection, before: Self) -> Result<Self, StoreError> {
        let mut tip = Self::read(db, false)?;
        let (old, new) = (before.size(), tip.size());
        if new < old || new / BLOCK != old / BLOCK {
            tip.read_tail(db)?;
            return Ok(tip);
        }
        tip.tail = before.tail;
        tip.read_since(db, old)?;
        let mut frontier = before.frontier;
        for (leaf, _) in tip.tail.iter().skip((old % BLOCK) as usize) {
            frontier.push_with(*leaf, |_, _, _| ());
        }
        if frontier.root() != tip.root {
            return Err(StoreError::corrupt("another log goes on where this one was"));
        }
        Ok(tip)
    }

    /// The entries since the last full tile, hashed anew.
    fn read_tail(&mut self, db: &Connection) -> Result<(), StoreError> {
        self.tail.clear();
        self.read_since(db, self.size() - self.size() % BLOCK)
    }

    /// Adds the entries from a place on to the tail, hashed anew.
    fn read_since(&mut self, db: &Connection, from: u64) -> Result<(), StoreError> {
        let size = self.size();
        let mut select = db.prepare_cached("SELECT seq, leaf, bytes FROM entries WHERE seq >= ?1 ORDER BY seq")?;
        let mut rows = select.query([from.cast_signed()])?;
        let mut next = from;
        while let Some(row) = rows.next()? {
            let bytes: Vec<u8> = row.get(2)?;
            let leaf = leaf_hash(&bytes);
            if row.get::<_, i64>(0)?.cast_unsigned() != next || row.get::<_, [u8; 32]>(1)? != *leaf.as_bytes() {
                return Err(StoreError::corrupt(format!("record {next} is not what was written")));
            }
            self.tail.push((leaf, Facts::read(&Entry::parse(bytes)?)));
            next += 1;
        }
        if next != size {
            return Err(StoreError::corrupt(format!(
                "the log has {size} records, and ends after {next}"
            )));
        }
        Ok(())
    }

    /// Adds an entry; when it fills a tile, the tile and its look-up rows are written.
    pub(super) fn push(&mut self, db: &Connection, leaf: Hash, facts: Facts) -> Result<(), StoreError> {
        let mut above = Vec::new();
        self.log_time = self.log_time.max(facts.at);
        self.frontier.push_with(leaf, |level, index, hash| {
            if level > 0 {
                above.push((level, index, *hash));
            }
        });
        self.tail.push((leaf, facts));
        if self.tail.len() as u64 == BLOCK {
            let block = self.size() / BLOCK - 1;
            let hashes: Vec<u8> = self.tail.iter().flat_map(|(leaf, _)| *leaf.as_bytes()).collect();
            db.execute(
                "INSERT INTO tiles(id, hashes) VALUES(?1, ?2)",
                params![tile_id(0, block), hashes],
            )?;
            let facts: Vec<Facts> = self.tail.iter().map(|(_, facts)| *facts).collect();
            BlockRows::of(block, &facts).write(db, block)?;
            self.tail.clear();
        }
        for (level, index, hash) in above {
            grow_tile(db, level, index, &hash)?;
        }
        Ok(())
    }

    /// Writes the one row.
    pub(super) fn write(&mut self, update: &mut rusqlite::Statement<'_>) -> Result<(), StoreError> {
        self.root = self.frontier.root();
        update.execute(params![
            self.size().cast_signed(),
            self.root.as_bytes(),
            self.frontier.to_bytes(),
            self.log_time,
            self.epoch.cast_signed(),
            self.synced_size.cast_signed(),
            self.synced_root.as_bytes(),
            self.checkpoints.cast_signed(),
            self.consumed.cast_signed(),
            self.origin,
        ])?;
        Ok(())
    }
}

/// What [`Tip::write`] fills in.
pub(super) const WRITE_TREE: &str = "INSERT OR REPLACE INTO tree(id, size, root, frontier, log_time, epoch, synced_size, \
                                     synced_root, checkpoints, consumed, origin) \
                                     VALUES(0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

pub(super) fn tile_id(level: u8, index: u64) -> i64 {
    (i64::from(level) << 52) | index.cast_signed()
}

/// Above level 0, a tile grows with each full tile below it.
fn grow_tile(db: &Connection, level: u8, index: u64, hash: &Hash) -> Result<(), StoreError> {
    let id = tile_id(level, index / BLOCK);
    let mut hashes: Vec<u8> = db
        .query_row("SELECT hashes FROM tiles WHERE id = ?1", [id], |row| row.get(0))
        .optional()?
        .unwrap_or_default();
    if hashes.len() as u64 != index % BLOCK * Hash::LEN as u64 {
        return Err(StoreError::corrupt(format!(
            "tile {} of level {level} has another width than the log's size calls for",
            index / BLOCK
        )));
    }
    hashes.extend_from_slice(hash.as_bytes());
    db.execute(
        "INSERT OR REPLACE INTO tiles(id, hashes) VALUES(?1, ?2)",
        params![id, hashes],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::wait;
    use crate::audit::entry::{Statement, statement};
    use crate::store::sqlite::schema;
    use crate::store::{Store, StoreOptions};

    #[test]
    fn what_another_process_added_is_read_as_if_from_the_beginning() {
        let dir = std::env::temp_dir().join(format!("managed-agents-tip-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let store = Store::open(StoreOptions::new(&dir).high_water(dir.join("mark"))).unwrap();
        let db = schema::reader(&schema::database(&dir)).unwrap();
        let mut known = Tip::read(&db, true).unwrap();
        // within a block, over its end, by a whole block, and nothing at all
        for count in [1, 3, 200, 60, 256, 255, 0, 2, 512] {
            for _ in 0..count {
                let said = Statement::new("note", std::time::SystemTime::now(), "{}");
                wait(store.append(statement(&said).unwrap(), false)).unwrap();
            }
            let (after, anew) = (Tip::read_after(&db, known).unwrap(), Tip::read(&db, true).unwrap());
            assert_eq!(after.frontier.to_bytes(), anew.frontier.to_bytes());
            assert_eq!((after.size(), &after.tail), (anew.size(), &anew.tail));
            known = after;
        }
        // what was known is of another log
        let mut other = Frontier::new();
        (0..known.size()).for_each(|_| other.push_with(leaf_hash(b"x"), |_, _, _| ()));
        known.frontier = other;
        let said = Statement::new("note", std::time::SystemTime::now(), "{}");
        wait(store.append(statement(&said).unwrap(), false)).unwrap();
        assert!(Tip::read_after(&db, known).is_err());
        drop((db, store));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
