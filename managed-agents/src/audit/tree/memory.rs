//! A tree in memory.

use std::convert::Infallible;

use super::frontier::Frontier;
use super::hash::Hash;
use super::prove::TileReader;
use super::tile::TILE_WIDTH;

/// All tiles of a tree in memory, 32 bytes a leaf: for tests, and for logs that are small.
#[derive(Clone, Debug, Default)]
pub struct MemoryTiles {
    levels: Vec<Vec<Hash>>,
    frontier: Frontier,
}

impl MemoryTiles {
    /// The empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            levels: Vec::new(),
            frontier: Frontier::new(),
        }
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let levels = &mut self.levels;
        self.frontier.push_with(leaf, |level, _, hash| {
            // levels come in order, so at most one is new
            match levels.get_mut(usize::from(level)) {
                Some(row) => row.push(*hash),
                None => levels.push(vec![*hash]),
            }
        });
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root over all leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }
}

impl TileReader for MemoryTiles {
    type Error = Infallible;

    /// Fewer hashes than asked for where the tree has no more.
    fn hashes(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Infallible> {
        let row = self.levels.get(usize::from(level)).map_or(&[][..], Vec::as_slice);
        let start = usize::try_from(index)
            .ok()
            .and_then(|index| index.checked_mul(usize::from(TILE_WIDTH)));
        let rest = start.and_then(|start| row.get(start..)).unwrap_or_default();
        Ok(rest.iter().take(usize::from(width)).copied().collect())
    }
}
