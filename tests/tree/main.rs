//! The Merkle tree of the record: against public vectors, against the definition, against hostile bytes.
#![cfg(test)]
#![expect(clippy::string_slice, reason = "a test that fails should stop")]

mod definition;
mod forms;
mod hostile;
mod receipts;
mod vectors;
mod witness;

use managed_agents::audit::tree::note::{Cosigner, NoteSigner};
use managed_agents::audit::tree::{Hash, LogPolicy, MemoryTiles, leaf_hash};

const ORIGIN: &str = "audit.example/log";

fn log_key() -> NoteSigner {
    NoteSigner::from_seed(ORIGIN, &[1; 32]).unwrap()
}

fn witness_key() -> Cosigner {
    Cosigner::from_seed("witness.example/w1", &[2; 32]).unwrap()
}

/// Trust in the log's key and its witness.
fn policy() -> LogPolicy {
    LogPolicy::new(ORIGIN, vec![log_key().verifier()]).witnesses(vec![witness_key().verifier()], 1)
}

/// Trust in the log's key alone.
fn log_only() -> LogPolicy {
    LogPolicy::new(ORIGIN, vec![log_key().verifier()])
}

fn entry(number: u64) -> Vec<u8> {
    format!("entry {number}").into_bytes()
}

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(|number| leaf_hash(&entry(number))).collect()
}

fn tiles(size: u64) -> MemoryTiles {
    let mut tiles = MemoryTiles::new();
    leaves(size).into_iter().for_each(|leaf| tiles.push(leaf));
    tiles
}

/// The same bytes with one bit changed, for each bit.
fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        (bit, flipped)
    })
}
