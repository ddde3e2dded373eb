//! The tree's tiles, read from the database.

use rusqlite::{Connection, OptionalExtension as _};

use super::error::StoreError;
use super::facts::BLOCK;
use super::tip::tile_id;
use crate::audit::tree::{Hash, ProveError, TileReader, decode_tile};

/// Reads tiles: full ones from their table, the last one of level 0 from its entries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles<'c>(&'c Connection);

impl<'c> Tiles<'c> {
    pub(super) fn of(db: &'c Connection) -> Self {
        Self(db)
    }

    /// The row of a tile, if there is one.
    pub(super) fn row(self, level: u8, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let mut select = self.0.prepare("SELECT hashes FROM tiles WHERE id = ?1")?;
        Ok(select.query_row([tile_id(level, index)], |row| row.get(0)).optional()?)
    }

    fn leaves(self, index: u64, width: u16) -> Result<Vec<Hash>, StoreError> {
        let first = index * BLOCK;
        let mut select = self
            .0
            .prepare("SELECT leaf FROM entries WHERE seq >= ?1 AND seq < ?2 ORDER BY seq")?;
        let end = first + u64::from(width);
        let leaves = select.query_map([first.cast_signed(), end.cast_signed()], |row| {
            row.get(0).map(Hash::new)
        })?;
        Ok(leaves.collect::<Result<_, _>>()?)
    }
}

impl TileReader for Tiles<'_> {
    type Error = StoreError;

    fn hashes(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, StoreError> {
        match self.row(level, index)? {
            Some(row) => {
                let row = row
                    .get(..usize::from(width) * Hash::LEN)
                    .ok_or_else(|| StoreError::corrupt(format!("tile {index} of level {level} is too short")))?;
                decode_tile(row, width).map_err(|error| StoreError::corrupt(error.to_string()))
            }
            None if level == 0 => self.leaves(index, width),
            None => Err(StoreError::corrupt(format!(
                "tile {index} of level {level} is not there"
            ))),
        }
    }
}

pub(super) fn unproven(error: ProveError<StoreError>) -> StoreError {
    let detail = error.to_string();
    error.into_read_error().unwrap_or_else(|| StoreError::corrupt(detail))
}
