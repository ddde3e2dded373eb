//! Making proofs from tiles.

use std::fmt;

use super::hash::{Hash, node_hash};
use super::tile::TILE_WIDTH;

/// Where the hashes of a tree are read from, one tile at a time.
///
/// At level L, tile `index` holds the roots of the groups of 256^L leaves from number `index * 256` on (at level 0, the leaves).
pub trait TileReader {
    /// Why a tile cannot be read.
    type Error;

    /// The first `width` hashes of a tile, 1 to 256 of them; the reader may hold more of it.
    ///
    /// # Errors
    ///
    /// Whatever keeps the tile from being read.
    fn hashes(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Self::Error>;
}

impl<T: TileReader + ?Sized> TileReader for &T {
    type Error = T::Error;

    fn hashes(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Self::Error> {
        (**self).hashes(level, index, width)
    }
}

/// The proof that the leaf at `index` is in the tree with `size` leaves: the hashes beside its path, from the leaf up (RFC 9162,
/// section 2.1.3.1). Reads at most two tiles per level.
///
/// # Errors
///
/// [`ProveError`] when there is no such leaf, or a tile cannot be read.
pub fn prove_inclusion<R: TileReader>(reader: &R, index: u64, size: u64) -> Result<Vec<Hash>, ProveError<R::Error>> {
    if index >= size {
        return Err(ProveError::new(ProveErrorKind::OutOfRange));
    }
    let mut tree = Tree::new(reader, size);
    let mut proof = Vec::new();
    let (mut low, mut high) = (0, size);
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            proof.push(tree.root(middle, high)?);
            high = middle;
        } else {
            proof.push(tree.root(low, middle)?);
            low = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree with `from` leaves is the beginning of the tree with `to` leaves (RFC 9162, section 2.1.4.1); empty when
/// the two are one.
///
/// # Errors
///
/// [`ProveError`] when `from` is 0, of which there is nothing to prove, or larger than `to`; or when a tile cannot be read.
pub fn prove_consistency<R: TileReader>(reader: &R, from: u64, to: u64) -> Result<Vec<Hash>, ProveError<R::Error>> {
    if from == 0 || from > to {
        return Err(ProveError::new(ProveErrorKind::OutOfRange));
    }
    let mut tree = Tree::new(reader, to);
    let mut proof = Vec::new();
    let (mut low, mut high) = (0, to);
    while high != from {
        let middle = low + split(high - low);
        if from <= middle {
            proof.push(tree.root(middle, high)?);
            high = middle;
        } else {
            proof.push(tree.root(low, middle)?);
            low = middle;
        }
    }
    // the older tree's own root is known to whoever checks
    if low > 0 {
        proof.push(tree.root(low, high)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The root of the tree with `size` leaves, from its tiles.
///
/// # Errors
///
/// [`ProveError`] when a tile cannot be read.
pub fn root_of<R: TileReader>(reader: &R, size: u64) -> Result<Hash, ProveError<R::Error>> {
    if size == 0 {
        return Ok(Hash::EMPTY_TREE);
    }
    Tree::new(reader, size).root(0, size)
}

/// The largest power of two smaller than `leaves`, which are two or more.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

struct ReadTile {
    level: u8,
    index: u64,
    hashes: Vec<Hash>,
}

/// A tree of a fixed size, and the tiles read of it so far.
struct Tree<'a, R> {
    reader: &'a R,
    size: u64,
    read: Vec<ReadTile>,
}

impl<'a, R: TileReader> Tree<'a, R> {
    fn new(reader: &'a R, size: u64) -> Self {
        Self {
            reader,
            size,
            read: Vec::new(),
        }
    }

    /// The root over the leaves `low..high`, where `low` is a multiple of the next power of two of their number.
    fn root(&mut self, low: u64, high: u64) -> Result<Hash, ProveError<R::Error>> {
        let mut perfect = Vec::new();
        let mut next = low;
        while next < high {
            let height = (high - next).ilog2();
            perfect.push(self.perfect(height, next >> height)?);
            next += 1 << height;
        }
        let root = perfect.into_iter().rev().reduce(|right, left| node_hash(&left, &right));
        root.ok_or_else(|| ProveError::new(ProveErrorKind::OutOfRange))
    }

    /// The root of the `number`-th perfect subtree of this height.
    fn perfect(&mut self, height: u32, number: u64) -> Result<Hash, ProveError<R::Error>> {
        let level = (height / 8) as u8;
        let within = height % 8;
        let first = number << within;
        let start = (first % u64::from(TILE_WIDTH)) as usize;
        let tile = self.tile(level, first / u64::from(TILE_WIDTH))?;
        let mut row = tile
            .get(start..start + (1 << within))
            .ok_or_else(|| ProveError::new(ProveErrorKind::ShortTile))?
            .to_vec();
        for _ in 0..within {
            let (pairs, _) = row.as_chunks();
            row = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
        }
        row.first()
            .copied()
            .ok_or_else(|| ProveError::new(ProveErrorKind::ShortTile))
    }

    fn tile(&mut self, level: u8, index: u64) -> Result<&[Hash], ProveError<R::Error>> {
        let known = self
            .read
            .iter()
            .position(|tile| tile.level == level && tile.index == index);
        let place = match known {
            Some(place) => place,
            None => {
                let full = (self.size >> (8 * u32::from(level))) - index * u64::from(TILE_WIDTH);
                let width = full.min(u64::from(TILE_WIDTH)) as u16;
                let hashes = self.reader.hashes(level, index, width).map_err(|source| ProveError {
                    kind: ProveErrorKind::Read,
                    source: Some(source),
                })?;
                if hashes.len() != usize::from(width) {
                    return Err(ProveError::new(ProveErrorKind::ShortTile));
                }
                self.read.push(ReadTile { level, index, hashes });
                self.read.len() - 1
            }
        };
        self.read
            .get(place)
            .map(|tile| tile.hashes.as_slice())
            .ok_or_else(|| ProveError::new(ProveErrorKind::ShortTile))
    }
}

/// A proof cannot be made.
#[derive(Clone, Debug)]
pub struct ProveError<E> {
    kind: ProveErrorKind,
    source: Option<E>,
}

/// Why a proof cannot be made.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProveErrorKind {
    /// The index or the older size is not within the tree, or the older size is 0.
    OutOfRange,
    /// The reader gave a tile of another width than was asked for.
    ShortTile,
    /// A tile cannot be read.
    Read,
}

impl<E> ProveError<E> {
    const fn new(kind: ProveErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Why.
    #[must_use]
    pub const fn kind(&self) -> ProveErrorKind {
        self.kind
    }

    /// What the reader said, if it could not read.
    #[must_use]
    pub fn into_read_error(self) -> Option<E> {
        self.source
    }
}

impl<E: fmt::Display> fmt::Display for ProveError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, &self.source) {
            (ProveErrorKind::OutOfRange, _) => {
                f.write_str("no proof: the index or the older size is not within the tree")
            }
            (ProveErrorKind::Read, Some(source)) => write!(f, "no proof: a tile cannot be read: {source}"),
            (ProveErrorKind::Read, None) => f.write_str("no proof: a tile cannot be read"),
            (ProveErrorKind::ShortTile, _) => {
                f.write_str("no proof: a tile has another width than the tree's size calls for")
            }
        }
    }
}

impl<E: std::error::Error> std::error::Error for ProveError<E> {}
