//! Checking proofs.

use super::hash::{Hash, node_hash};

/// Checks that `leaf` is the entry at `index` of the tree with `size` leaves and this root (RFC 9162, section 2.1.3.2).
///
/// # Errors
///
/// [`ProofError`] when the proof does not show it.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofErrorKind::OutOfRange.into());
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofErrorKind::Length.into());
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // the last node of a row has no sibling where it is a left child: it goes up unchanged
            let unpaired = if node & 1 == 0 {
                node.trailing_zeros().min(63)
            } else {
                0
            };
            node >>= unpaired;
            last >>= unpaired;
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofErrorKind::Length.into());
    }
    same(&hash, root)
}

/// Checks that the tree with `from` leaves is the beginning of the tree with `to` leaves (RFC 9162, section 2.1.4.2).
///
/// A tree of no leaves is the beginning of every tree, so a proof from size 0 shows nothing and is refused.
///
/// # Errors
///
/// [`ProofError`] when the proof does not show it.
pub fn verify_consistency(
    from: u64,
    to: u64,
    proof: &[Hash],
    from_root: &Hash,
    to_root: &Hash,
) -> Result<(), ProofError> {
    if from == 0 || from > to {
        return Err(ProofErrorKind::OutOfRange.into());
    }
    if from == to {
        if !proof.is_empty() {
            return Err(ProofErrorKind::Length.into());
        }
        return same(from_root, to_root);
    }
    // where the older tree is perfect, its root is the first hash, and is not sent
    let (first, rest) = if from.is_power_of_two() {
        (from_root, proof)
    } else {
        proof.split_first().ok_or(ProofErrorKind::Length)?
    };
    let (mut node, mut last) = (from - 1, to - 1);
    let perfect = node.trailing_ones();
    node >>= perfect;
    last >>= perfect;
    let (mut older, mut newer) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(ProofErrorKind::Length.into());
        }
        if node & 1 == 1 || node == last {
            older = node_hash(sibling, &older);
            newer = node_hash(sibling, &newer);
            let unpaired = if node & 1 == 0 {
                node.trailing_zeros().min(63)
            } else {
                0
            };
            node >>= unpaired;
            last >>= unpaired;
        } else {
            newer = node_hash(&newer, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofErrorKind::Length.into());
    }
    same(&older, from_root)?;
    same(&newer, to_root)
}

fn same(computed: &Hash, expected: &Hash) -> Result<(), ProofError> {
    if computed == expected {
        Ok(())
    } else {
        Err(ProofErrorKind::RootMismatch.into())
    }
}

/// A proof does not show what it should.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the proof does not hold: {}", match .kind {
    ProofErrorKind::OutOfRange => "the index or the older size is not within the tree",
    ProofErrorKind::Length => "it has too few or too many hashes for these sizes",
    ProofErrorKind::RootMismatch => "its hashes do not lead to the root",
})]
pub struct ProofError {
    kind: ProofErrorKind,
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProofErrorKind {
    /// The index or the older size is not within the tree.
    OutOfRange,
    /// There are too few or too many hashes.
    Length,
    /// The hashes lead to another root.
    RootMismatch,
}

impl ProofError {
    /// Why.
    #[must_use]
    pub const fn kind(&self) -> ProofErrorKind {
        self.kind
    }
}

impl From<ProofErrorKind> for ProofError {
    fn from(kind: ProofErrorKind) -> Self {
        Self { kind }
    }
}
