//! What verifying a log costs beside SHA-256 over the same bytes, and what single steps cost.

#![expect(clippy::unwrap_used, reason = "a benchmark that fails should stop")]

use std::time::{Duration, Instant};

use divan::{Bencher, black_box};
use managed_agents::audit::tree::note::NoteSigner;
use managed_agents::audit::tree::{
    Checkpoint, Frontier, Hash, LogPolicy, MemoryTiles, leaf_hash, node_hash, prove_inclusion, verify_inclusion,
};
use sha2::{Digest as _, Sha256};

/// The bytes of a decision's entry, about.
const ENTRY: usize = 415;
const ENTRIES: u64 = 1_000_000;

fn main() {
    for entries in [1_000, 10_000, 100_000, ENTRIES] {
        verification(entries);
    }
    divan::main();
}

/// Root of a log against SHA-256 over the same bytes, in turns, the median of ratios.
fn verification(entries: u64) {
    let mut entry = [b'e'; ENTRY];
    let mut ratios = Vec::new();
    let mut last = (Duration::ZERO, Duration::ZERO);
    for _ in 0..7 {
        let floor = Instant::now();
        let mut hasher = Sha256::new();
        for number in 0..entries {
            number_entry(&mut entry, number);
            hasher.update(entry);
        }
        black_box(hasher.finalize());
        let floor = floor.elapsed();

        let tree = Instant::now();
        let mut frontier = Frontier::new();
        for number in 0..entries {
            number_entry(&mut entry, number);
            frontier.push(leaf_hash(&entry));
        }
        black_box(frontier.root());
        let tree = tree.elapsed();
        ratios.push(tree.as_secs_f64() / floor.as_secs_f64());
        last = (floor, tree);
    }
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios.get(ratios.len() / 2).unwrap();
    let (floor, tree) = last;
    println!(
        "{entries} entries of {ENTRY} bytes: SHA-256 {floor:.1?}, tree {tree:.1?}, {ratio:.2} times (at most 2.5)"
    );
}

fn number_entry(entry: &mut [u8; ENTRY], number: u64) {
    *entry.first_chunk_mut().unwrap() = number.to_be_bytes();
}

#[divan::bench]
fn hash_of_an_entry(bencher: Bencher<'_, '_>) {
    bencher.bench(|| leaf_hash(black_box(&[7; ENTRY])));
}

#[divan::bench]
fn sha_256_of_an_entry(bencher: Bencher<'_, '_>) {
    bencher.bench(|| Sha256::digest(black_box(&[7; ENTRY])));
}

#[divan::bench]
fn hash_of_a_node(bencher: Bencher<'_, '_>) {
    let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
    bencher.bench(|| node_hash(black_box(&left), black_box(&right)));
}

#[divan::bench]
fn push_of_a_leaf(bencher: Bencher<'_, '_>) {
    let mut frontier = Frontier::new();
    let leaf = leaf_hash(b"leaf");
    bencher.bench_local(|| frontier.push(black_box(leaf)));
}

#[divan::bench]
fn root_of_a_million(bencher: Bencher<'_, '_>) {
    let mut frontier = Frontier::new();
    (0..ENTRIES).for_each(|_| frontier.push(Hash::EMPTY_TREE));
    bencher.bench(|| black_box(&frontier).root());
}

fn tiles(entries: u64) -> MemoryTiles {
    let mut tiles = MemoryTiles::new();
    (0..entries).for_each(|number| tiles.push(leaf_hash(&number.to_be_bytes())));
    tiles
}

#[divan::bench(args = [1_000, 1_000_000])]
fn inclusion_proof(bencher: Bencher<'_, '_>, entries: u64) {
    let tiles = tiles(entries);
    let mut index = 0;
    bencher.bench_local(|| {
        index = (index + 7919) % entries;
        prove_inclusion(&tiles, index, entries).unwrap()
    });
}

#[divan::bench(args = [1_000, 1_000_000])]
fn check_of_an_inclusion_proof(bencher: Bencher<'_, '_>, entries: u64) {
    let tiles = tiles(entries);
    let (index, root) = (entries / 3, tiles.root());
    let proof = prove_inclusion(&tiles, index, entries).unwrap();
    let leaf = leaf_hash(&index.to_be_bytes());
    bencher.bench(|| verify_inclusion(black_box(&leaf), index, entries, &proof, &root).unwrap());
}

#[divan::bench]
fn signature_of_a_checkpoint(bencher: Bencher<'_, '_>) {
    let key = NoteSigner::from_seed("audit.example/log", &[1; 32]).unwrap();
    let head = Checkpoint::new("audit.example/log", 1, leaf_hash(b"")).unwrap();
    bencher.bench(|| black_box(&head).sign(&key));
}

#[divan::bench]
fn check_of_a_checkpoint(bencher: Bencher<'_, '_>) {
    let key = NoteSigner::from_seed("audit.example/log", &[1; 32]).unwrap();
    let head = Checkpoint::new("audit.example/log", 1, leaf_hash(b""))
        .unwrap()
        .sign(&key);
    let policy = LogPolicy::new("audit.example/log", vec![key.verifier()]);
    bencher.bench(|| policy.verify(black_box(&head)).unwrap());
}
