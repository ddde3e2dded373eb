//! Hashes entries, and compares them with leaves, tiles and root.

use rusqlite::{Connection, OptionalExtension as _, Statement};

use super::super::error::StoreError;
use super::super::facts::BLOCK;
use super::super::tip::{Tip, tile_id};
use super::block_ending_at;
use super::feed::Row;
use super::report::Report;
use crate::audit::tree::{Frontier, Hash};

pub(super) struct Leaves<'a> {
    db: &'a Connection,
    tip: &'a Tip,
    frontier: Frontier,
    /// The last tile of each level, as far as it has come.
    open: Vec<Vec<Hash>>,
    tiles: u64,
    select: Statement<'a>,
}

impl<'a> Leaves<'a> {
    pub(super) fn new(db: &'a Connection, tip: &'a Tip) -> Result<Self, StoreError> {
        Ok(Self {
            db,
            tip,
            frontier: Frontier::new(),
            open: Vec::new(),
            tiles: 0,
            select: db.prepare("SELECT hashes FROM tiles WHERE id = ?1")?,
        })
    }

    pub(super) fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    pub(super) fn add(&mut self, row: &Row, report: &mut Report) -> Result<(), StoreError> {
        let expected = self.frontier.size();
        if row.sequence != expected.cast_signed() {
            report.add(
                "record_missing",
                Some(expected),
                format!("it is not there; the next is {}", row.sequence),
            );
        }
        let leaf = row.leaf;
        if !row.is_same {
            report.add("record_changed", Some(expected), "it does not hash to its leaf");
        }
        let open = &mut self.open;
        self.frontier.push_with(leaf, |level, _, hash| {
            let level = usize::from(level);
            if open.len() <= level {
                open.resize(level + 1, Vec::new());
            }
            if let Some(tile) = open.get_mut(level) {
                tile.push(*hash);
            }
        });
        if block_ending_at(self.frontier.size()).is_some() {
            self.compare_full(report)?;
        }
        if self.frontier.size() == self.tip.synced_size && self.frontier.root() != self.tip.synced_root {
            report.add(
                "root_differs",
                None,
                format!(
                    "the first {} records do not hash to their fsynced root",
                    self.tip.synced_size
                ),
            );
        }
        Ok(())
    }

    /// Compares the tiles that the last leaf filled.
    fn compare_full(&mut self, report: &mut Report) -> Result<(), StoreError> {
        for level in 0..self.open.len() {
            let Some(tile) = self.open.get_mut(level).filter(|tile| tile.len() as u64 == BLOCK) else {
                continue;
            };
            let tile = std::mem::take(tile);
            let level = u8::try_from(level).unwrap_or(u8::MAX);
            let index = (self.frontier.size() >> (8 * (u32::from(level) + 1))) - 1;
            self.compare(level, index, &tile, report)?;
        }
        Ok(())
    }

    fn compare(&mut self, level: u8, index: u64, tile: &[Hash], report: &mut Report) -> Result<(), StoreError> {
        self.tiles += 1;
        let span = 1_u64 << (8 * u32::from(level));
        let stored: Option<Vec<u8>> = self
            .select
            .query_row([tile_id(level, index)], |row| row.get(0))
            .optional()?;
        let stored = stored.unwrap_or_default();
        let (stored, _) = stored.as_chunks::<32>();
        let same = tile
            .iter()
            .zip(stored)
            .take_while(|(ours, theirs)| ours.as_bytes() == *theirs)
            .count();
        if same < tile.len() || stored.len() != tile.len() {
            let record = (index * BLOCK + same as u64) * span;
            // above level 0 a hash stands for many records: one that is named already explains it
            let explained = level > 0
                && report
                    .first_bad_record()
                    .is_some_and(|first| (record..record + span).contains(&first));
            report.add(
                "tile_changed",
                (!explained).then(|| record.min(self.frontier.size().saturating_sub(1))),
                format!("tile {index} of level {level} differs from it on"),
            );
        }
        Ok(())
    }

    pub(super) fn finish(mut self, report: &mut Report) -> Result<(), StoreError> {
        let size = self.frontier.size();
        if size != self.tip.size() {
            report.add(
                "record_missing",
                Some(size),
                format!("the log has {} records, and {size} are there", self.tip.size()),
            );
        }
        if self.frontier.root() != self.tip.root {
            report.add("root_differs", None, "the records do not hash to the log's root");
        } else if self.frontier != self.tip.frontier {
            report.add("root_differs", None, "the log's right edge is not that of its records");
        }
        if self.tip.synced_size > self.tip.size() {
            report.add("root_differs", None, "more is said to be fsynced than there is");
        }
        // above level 0, the last tile of each level is stored as it grows
        for (level, tile) in std::mem::take(&mut self.open).into_iter().enumerate().skip(1) {
            let level = u8::try_from(level).unwrap_or(u8::MAX);
            if !tile.is_empty() {
                let index = size >> (8 * (u32::from(level) + 1));
                self.compare(level, index, &tile, report)?;
            }
        }
        let tiles: i64 = self.db.query_row("SELECT count(*) FROM tiles", [], |row| row.get(0))?;
        if tiles.cast_unsigned() != self.tiles {
            report.add("tile_changed", None, "there are tiles that the log does not call for");
        }
        if has_rows_outside(self.db, "entries", self.tip.size())? {
            report.add("record_missing", None, "there are records that the log does not count");
        }
        Ok(())
    }
}

/// Whether a table of what belongs to entries has rows before the log's first or after its last. Those between are all read, so
/// that this stands for counting them, which would read the table once more.
pub(super) fn has_rows_outside(db: &Connection, table: &str, size: u64) -> Result<bool, StoreError> {
    let sql =
        format!("SELECT EXISTS(SELECT 1 FROM {table} WHERE seq < 0) OR EXISTS(SELECT 1 FROM {table} WHERE seq >= ?1)");
    Ok(db.query_row(&sql, [size.cast_signed()], |row| row.get(0))?)
}
