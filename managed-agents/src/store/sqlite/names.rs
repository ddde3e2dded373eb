//! Finding entries by their evaluation.
//!
//! An evaluation's name can be anything, and a table in the order of names would be written at another place for each record. So a
//! block's names are kept as one row of hashes with places, sorted; and when 256 blocks are there, they are merged into rows of one
//! first byte each. A look-up reads one row of each such group, and those of the blocks since.

use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use super::error::StoreError;
use super::facts::{BLOCK, Facts};
use super::lookup;

/// How many blocks are merged.
pub(super) const GROUP: u64 = 256;

/// A hash of 4 bytes and a place within the group of 2, most significant first.
const ENTRY: usize = 6;

/// An evaluation's name, as it is kept: two that collide are told apart when the entry is read.
pub(super) fn hash(evaluation: &str) -> u32 {
    let hash = Sha256::new()
        .chain_update(b"evaluation\0")
        .chain_update(evaluation)
        .finalize();
    hash.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// The row of a block.
pub(super) fn row<'a>(block: u64, facts: impl Iterator<Item = &'a Facts>) -> Vec<u8> {
    let mut entries = Vec::with_capacity(BLOCK as usize);
    for (place, facts) in (block % GROUP * BLOCK..).zip(facts) {
        // below 2^16: a group has as many entries
        entries.extend(facts.named.map(|hash| (hash, place as u16)));
    }
    entries.sort_unstable();
    let mut row = Vec::with_capacity(entries.len() * ENTRY);
    for (hash, place) in entries {
        row.extend_from_slice(&hash.to_be_bytes());
        row.extend_from_slice(&place.to_be_bytes());
    }
    row
}

/// The rows of a group whose last block is this one, given the rows of its blocks one after another: each with its id.
pub(super) fn merge(last: u64, rows: &[u8]) -> Vec<(i64, Vec<u8>)> {
    let (entries, _) = rows.as_chunks::<ENTRY>();
    let mut entries = entries.to_vec();
    entries.sort_unstable();
    entries
        .chunk_by(|one, next| one.first() == next.first())
        .map(|same| {
            let bucket = same.first().and_then(|entry| entry.first()).copied().unwrap_or(0);
            (group_id(last / GROUP, bucket), same.concat())
        })
        .collect()
}

fn group_id(group: u64, bucket: u8) -> i64 {
    (1 << 52) | ((group << 8) | u64::from(bucket)).cast_signed()
}

/// Writes the row of a block, and those of its group if it is the last of one.
pub(super) fn write(db: &Connection, block: u64, row: &[u8]) -> Result<(), StoreError> {
    let mut insert = db.prepare("INSERT INTO named(id, hashes) VALUES(?1, ?2)")?;
    insert.execute(params![block.cast_signed(), row])?;
    if (block + 1).is_multiple_of(GROUP) {
        let mut select = db.prepare("SELECT hashes FROM named WHERE id >= ?1 AND id <= ?2")?;
        let mut found = select.query([(block + 1 - GROUP).cast_signed(), block.cast_signed()])?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            rows.extend_from_slice(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?);
        }
        for (id, hashes) in merge(block, &rows) {
            insert.execute(params![id, hashes])?;
        }
    }
    Ok(())
}

/// The places in full blocks where an evaluation may stand, in the order of the log.
pub(super) fn find(db: &Connection, size: u64, evaluation: &str) -> Result<Vec<u64>, StoreError> {
    let wanted = hash(evaluation).to_be_bytes();
    let blocks = size / BLOCK;
    let groups = blocks / GROUP;
    let mut select = db.prepare("SELECT hashes FROM named WHERE id = ?1")?;
    let mut places = Vec::new();
    let ids = (0..groups).map(|group| (group, group_id(group, wanted.first().copied().unwrap_or(0))));
    let since = (groups * GROUP..blocks).map(|block| (groups, block.cast_signed()));
    for (group, id) in ids.chain(since) {
        let row: Option<Vec<u8>> = select.query_row([id], |row| row.get(0)).optional()?;
        let row = row.unwrap_or_default();
        let (entries, _) = row.as_chunks::<ENTRY>();
        let from = entries.partition_point(|entry| entry.get(..4).is_some_and(|hash| hash < wanted.as_slice()));
        let same = entries.iter().skip(from).take_while(|entry| entry.starts_with(&wanted));
        places.extend(same.filter_map(|entry| {
            let place = u16::from_be_bytes(*entry.last_chunk()?);
            Some(group * GROUP * BLOCK + u64::from(place))
        }));
    }
    places.sort_unstable();
    Ok(places)
}

/// Makes the rows of a record that had none.
pub(super) fn fill(db: &Connection) -> Result<(), StoreError> {
    let size: Option<i64> = db.query_row("SELECT size FROM tree", [], |row| row.get(0)).optional()?;
    for block in 0..size.unwrap_or(0).cast_unsigned() / BLOCK {
        let mut facts = Vec::with_capacity(BLOCK as usize);
        for place in block * BLOCK..(block + 1) * BLOCK {
            let entry = lookup::entry(db, place)?;
            let entry = entry.ok_or_else(|| StoreError::corrupt(format!("record {place} is not there")))?;
            facts.push(Facts::read(&entry));
        }
        write(db, block, &row(block, facts.iter()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(number: u64) -> Facts {
        Facts {
            at: 0,
            terms: [None; 5],
            // every second one has a name, and some share one
            named: number.is_multiple_of(2).then(|| hash(&format!("eval_{}", number / 4))),
        }
    }

    #[test]
    fn each_name_is_found_at_its_places_in_groups_and_in_the_blocks_since() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE named(id INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT")
            .unwrap();
        let blocks = 2 * GROUP + 3;
        for block in 0..blocks {
            let facts: Vec<_> = (block * BLOCK..(block + 1) * BLOCK).map(facts).collect();
            write(&db, block, &row(block, facts.iter())).unwrap();
        }
        let size = blocks * BLOCK + 17;
        for name in [0, 1, 16_383, 16_384, 32_768, 32_769, (blocks * BLOCK - 1) / 4] {
            let found = find(&db, size, &format!("eval_{name}")).unwrap();
            for place in [4 * name, 4 * name + 2] {
                assert!(found.contains(&place), "{name}: {found:?}");
            }
            assert!(found.is_sorted() && found.len() < 4, "{name}: {found:?}");
        }
        assert!(find(&db, size, "eval_none").unwrap().len() < 2);
        assert!(find(&db, 0, "eval_0").unwrap().is_empty());
    }
}
