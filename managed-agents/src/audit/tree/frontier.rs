//! The right edge of a tree: all that is needed to add leaves and to know the root.

use super::hash::{Hash, node_hash};

/// The right edge of a growing tree: the roots of the perfect subtrees that its leaves fall into, at most 64 of them.
///
/// Adding a leaf costs one node hash on average; [`to_bytes`](Self::to_bytes) is small enough to be stored with every commit.
///
/// # Examples
///
/// ```
/// use managed_agents::audit::tree::{Frontier, leaf_hash};
/// let mut log = Frontier::new();
/// for entry in ["a", "b", "c"] {
///     log.push(leaf_hash(entry.as_bytes()));
/// }
/// let stored = log.to_bytes();
/// assert_eq!(Frontier::from_bytes(&stored)?.root(), log.root());
/// # Ok::<_, managed_agents::audit::tree::FrontierError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Frontier {
    size: u64,
    /// One root for each set bit of `size`, the largest subtree first.
    roots: Vec<Hash>,
}

impl Frontier {
    /// The edge of the empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            roots: Vec::new(),
        }
    }

    /// How many leaves the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root over all leaves, [`Hash::EMPTY_TREE`] if there are none.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.roots
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or(Hash::EMPTY_TREE)
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_with(leaf, |_, _, _| ());
    }

    /// Adds a leaf, and tells `stored` every hash that belongs in a tile because of it, as (tile level, index within that
    /// level, hash): the leaf itself at level 0; when it completes the `n`-th group of 256^L leaves, that group's root at level L.
    pub fn push_with(&mut self, leaf: Hash, mut stored: impl FnMut(u8, u64, &Hash)) {
        let index = self.size;
        stored(0, index, &leaf);
        let mut node = leaf;
        // a one bit at the end of the size is a subtree of the same height to the left
        for height in 1..=index.trailing_ones() {
            let Some(left) = self.roots.pop() else { break };
            node = node_hash(&left, &node);
            if height % 8 == 0 {
                stored((height / 8) as u8, index >> height, &node);
            }
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// The form it is stored in: the size in 8 bytes, most significant first, then the roots.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + self.roots.len() * Hash::LEN);
        bytes.extend_from_slice(&self.size.to_be_bytes());
        for root in &self.roots {
            bytes.extend_from_slice(root.as_bytes());
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    ///
    /// [`FrontierError`] unless there are exactly as many roots as the size calls for.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let wrong = FrontierError { len: bytes.len() };
        let (size, rest) = bytes.split_first_chunk().ok_or_else(|| wrong.clone())?;
        let size = u64::from_be_bytes(*size);
        let (roots, left_over) = rest.as_chunks();
        // no log grows to half of all sizes, and what is read must have room for further leaves
        if !left_over.is_empty() || roots.len() != size.count_ones() as usize || size > i64::MAX as u64 {
            return Err(wrong);
        }
        Ok(Self {
            size,
            roots: roots.iter().copied().map(Hash::new).collect(),
        })
    }
}

/// Bytes are not a stored [`Frontier`].
#[derive(Clone, Debug, thiserror::Error)]
#[error("{len} bytes are not the right edge of a tree: the size does not fit the number of hashes")]
pub struct FrontierError {
    len: usize,
}
