//! Roots and proofs are those of the recursive definition in RFC 9162, section 2.1.

use managed_agents::audit::tree::{
    Frontier, Hash, MemoryTiles, TileReader, leaf_hash, node_hash, prove_consistency, prove_inclusion, root_of,
    tiles_of, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;

use super::{leaves, tiles};

fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::EMPTY_TREE,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

fn inclusion(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let middle = split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (mut proof, sibling) = if index < middle {
        (inclusion(index, left), root(right))
    } else {
        (inclusion(index - middle, right), root(left))
    };
    proof.push(sibling);
    proof
}

fn consistency(from: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
    if from == leaves.len() {
        return if known { Vec::new() } else { vec![root(leaves)] };
    }
    let middle = split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (mut proof, sibling) = if from <= middle {
        (consistency(from, left, known), root(right))
    } else {
        (consistency(from - middle, right, false), root(left))
    };
    proof.push(sibling);
    proof
}

#[test]
fn every_proof_in_every_tree_up_to_70_leaves_is_the_defined_one() {
    let (all, tiles) = (leaves(70), tiles(70));
    for size in 1..=70 {
        let now = &all[..size];
        assert_eq!(root_of(&tiles, size as u64).unwrap(), root(now));
        for index in 0..size {
            let proof = prove_inclusion(&tiles, index as u64, size as u64).unwrap();
            assert_eq!(proof, inclusion(index, now), "{index} of {size}");
            verify_inclusion(&now[index], index as u64, size as u64, &proof, &root(now)).unwrap();
        }
        for from in 1..=size {
            let proof = prove_consistency(&tiles, from as u64, size as u64).unwrap();
            assert_eq!(proof, consistency(from, now, true), "{from} to {size}");
            verify_consistency(from as u64, size as u64, &proof, &root(&now[..from]), &root(now)).unwrap();
        }
    }
}

#[test]
fn a_place_outside_of_the_tree_has_no_proof() {
    let tiles = tiles(5);
    for (index, size) in [(0, 0), (5, 5), (u64::MAX, 5), (4, 9)] {
        assert!(prove_inclusion(&tiles, index, size).is_err(), "{index} of {size}");
    }
    for (from, to) in [(0, 5), (6, 5), (u64::MAX, 5), (5, 9)] {
        assert!(prove_consistency(&tiles, from, to).is_err(), "{from} to {to}");
    }
    assert!(root_of(&tiles, u64::MAX).is_err());
    assert!(verify_inclusion(&Hash::EMPTY_TREE, 0, 0, &[], &Hash::EMPTY_TREE).is_err());
}

#[test]
fn the_largest_sizes_neither_panic_nor_overflow() {
    let hash = leaf_hash(b"x");
    let proof = [hash; 64];
    for size in [1 << 63, (1 << 63) + 1, u64::MAX - 1, u64::MAX] {
        for other in [0, 1, 1 << 62, (1 << 63) - 1, 1 << 63, u64::MAX - 1, u64::MAX] {
            for len in [0, 1, 62, 63, 64] {
                assert!(verify_inclusion(&hash, other, size, &proof[..len], &hash).is_err());
                let held = verify_consistency(other, size, &proof[..len], &hash, &hash).is_ok();
                assert_eq!(held, other == size && len == 0);
            }
        }
    }
}

#[test]
fn every_tile_hash_is_told_once_and_in_order() {
    let mut frontier = Frontier::new();
    let mut told: Vec<Vec<Hash>> = Vec::new();
    let all = leaves(66_000);
    for leaf in &all {
        frontier.push_with(*leaf, |level, index, hash| {
            if told.len() == usize::from(level) {
                told.push(Vec::new());
            }
            assert_eq!(told[usize::from(level)].len() as u64, index);
            told[usize::from(level)].push(*hash);
        });
    }
    assert_eq!(told.iter().map(Vec::len).collect::<Vec<_>>(), [66_000, 257, 1]);
    assert_eq!(told[1][200], root(&all[200 * 256..201 * 256]));
    assert_eq!(told[2][0], root(&all[..65_536]));
    assert_eq!(frontier.root(), root(&all));
}

#[test]
fn the_tiles_of_a_tree_are_those_of_the_specification() {
    let count = |size| {
        let of = |wanted: &dyn Fn(u8, u16) -> bool| {
            tiles_of(0, size)
                .filter(|tile| wanted(tile.level().unwrap(), tile.width()))
                .count()
        };
        (
            of(&|level, width| level == 0 && width == 256),
            of(&|level, width| level > 0 && width == 256),
            tiles_of(0, size)
                .filter(|tile| tile.width() < 256)
                .map(|tile| (tile.level().unwrap(), tile.width()))
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(count(0), (0, 0, vec![]));
    assert_eq!(count(256), (1, 0, vec![(1, 1)]));
    assert_eq!(count(70_000), (273, 1, vec![(0, 112), (1, 17), (2, 1)]));
}

#[test]
fn what_is_new_between_two_trees_is_what_the_older_had_not() {
    for (from, to) in [
        (0, 1),
        (1, 1),
        (255, 256),
        (256, 256),
        (256, 257),
        (300, 70_000),
        (65_535, 65_536),
    ] {
        let older: Vec<_> = tiles_of(0, from).collect();
        let expected: Vec<_> = tiles_of(0, to).filter(|tile| !older.contains(tile)).collect();
        assert_eq!(tiles_of(from, to).collect::<Vec<_>>(), expected, "{from} to {to}");
    }
}

/// Refuses to tell more than was asked, and counts.
struct Careful(MemoryTiles, std::cell::RefCell<Vec<(u8, u64)>>);

impl TileReader for Careful {
    type Error = std::convert::Infallible;

    fn hashes(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Self::Error> {
        assert!((1..=256).contains(&width));
        let mut read = self.1.borrow_mut();
        assert!(!read.contains(&(level, index)), "read twice");
        read.push((level, index));
        self.0.hashes(level, index, width)
    }
}

#[test]
fn a_proof_reads_each_tile_once_and_few_of_them() {
    let careful = Careful(tiles(70_000), Vec::new().into());
    prove_inclusion(&careful, 12_345, 70_000).unwrap();
    assert!(careful.1.borrow().len() <= 6, "{:?}", careful.1);
    careful.1.borrow_mut().clear();
    prove_consistency(&careful, 12_345, 70_000).unwrap();
    assert!(careful.1.borrow().len() <= 6, "{:?}", careful.1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn proofs_of_larger_trees_are_the_defined_ones(size in 70..1500_usize, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let (all, tiles) = (leaves(size as u64), tiles(size as u64));
        let whole = root(&all);
        prop_assert_eq!(tiles.root(), whole);
        let (index, from) = (a.index(size), b.index(size) + 1);
        let proof = prove_inclusion(&tiles, index as u64, size as u64).unwrap();
        prop_assert_eq!(&proof, &inclusion(index, &all));
        prop_assert!(verify_inclusion(&all[index], index as u64, size as u64, &proof, &whole).is_ok());
        let proof = prove_consistency(&tiles, from as u64, size as u64).unwrap();
        prop_assert_eq!(&proof, &consistency(from, &all, true));
        prop_assert!(verify_consistency(from as u64, size as u64, &proof, &root(&all[..from]), &whole).is_ok());
    }

    #[test]
    fn a_proof_fits_no_other_place_and_no_other_size(size in 2..600_u64, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(), other in 1..700_u64) {
        let (all, tiles) = (leaves(size), tiles(size));
        let whole = tiles.root();
        let (index, elsewhere) = (a.index(size as usize) as u64, b.index(size as usize) as u64);
        let proof = prove_inclusion(&tiles, index, size).unwrap();
        let leaf = all[index as usize];
        if elsewhere != index {
            prop_assert!(verify_inclusion(&leaf, elsewhere, size, &proof, &whole).is_err());
            prop_assert!(verify_inclusion(&all[elsewhere as usize], index, size, &proof, &whole).is_err());
        }
        let from = index + 1;
        let proof = prove_consistency(&tiles, from, size).unwrap();
        let old = root(&all[..from as usize]);
        if other != from && from != size {
            prop_assert!(verify_consistency(other, size, &proof, &old, &whole).is_err());
        }
        if from != size {
            prop_assert!(verify_consistency(from, from, &proof, &old, &old).is_err());
        }
    }

    #[test]
    fn a_stored_edge_grows_as_if_it_had_never_been_stored(before in 0..600_u64, after in 0..300_u64) {
        let all = leaves(before + after);
        let mut frontier = Frontier::new();
        all[..before as usize].iter().for_each(|leaf| frontier.push(*leaf));
        let mut stored = Frontier::from_bytes(&frontier.to_bytes()).unwrap();
        prop_assert_eq!(&stored, &frontier);
        all[before as usize..].iter().for_each(|leaf| stored.push(*leaf));
        prop_assert_eq!(stored.root(), root(&all));
        prop_assert_eq!(stored.size(), before + after);
    }
}
