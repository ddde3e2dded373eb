//! The Merkle tree over the record's entries, and the files by which an outsider checks it.
//!
//! Everything here is pure: bytes in, bytes out. Where entries, tiles and a witness's memory are kept is behind
//! [`TileReader`] and [`witness::WitnessState`]. The forms are the public ones of [C2SP](https://c2sp.org), so that other programs
//! read them too:
//!
//! | what | here | specification |
//! |---|---|---|
//! | hashes of entries and nodes | [`leaf_hash`], [`node_hash`], [`Frontier`] | RFC 6962, section 2.1 |
//! | proofs | [`prove_inclusion`], [`prove_consistency`], [`verify_inclusion`], [`verify_consistency`] | RFC 9162, section 2.1 |
//! | tiles, entry bundles, their paths | [`TilePath`], [`encode_tile`], [`EntryBundle`], [`check_files`] | c2sp.org/tlog-tiles |
//! | signed texts | [`note`] | c2sp.org/signed-note |
//! | the signed head of a log | [`Checkpoint`] | c2sp.org/tlog-checkpoint |
//! | a witness's signature | [`note::Cosigner`] | c2sp.org/tlog-cosignature (Ed25519) |
//! | the receipt of one entry | [`Receipt`] | c2sp.org/tlog-proof |
//! | asking a witness, being one | [`witness`] | c2sp.org/tlog-witness |
//!
//! # Examples
//!
//! A log of three entries, its signed head, and a receipt that whoever trusts the log's key can check:
//!
//! ```
//! use managed_agents::audit::tree::note::NoteSigner;
//! use managed_agents::audit::tree::{Checkpoint, LogPolicy, MemoryTiles, Receipt, leaf_hash, prove_inclusion};
//!
//! let entries: [&[u8]; 3] = [b"first", b"second", b"third"];
//! let mut tiles = MemoryTiles::new();
//! for entry in entries {
//!     tiles.push(leaf_hash(entry));
//! }
//!
//! let key = NoteSigner::from_seed("audit.example/log", &[7; 32])?;
//! let head = Checkpoint::new("audit.example/log", tiles.size(), tiles.root())?.sign(&key);
//! let receipt = Receipt::new(1, prove_inclusion(&tiles, 1, tiles.size())?, head);
//!
//! let policy = LogPolicy::new("audit.example/log", vec![key.verifier()]);
//! let read = Receipt::parse(receipt.to_string().as_bytes())?;
//! assert_eq!(read.verify(b"second", &policy)?.checkpoint().size(), 3);
//! assert!(read.verify(b"secund", &policy).is_err());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod bundle;
mod checkpoint;
mod files;
mod frontier;
mod hash;
mod memory;
pub mod note;
mod policy;
mod proof;
mod prove;
mod receipt;
mod text;
mod tile;
pub mod witness;

pub use bundle::{BundleError, EntryBundle};
pub use checkpoint::{Checkpoint, CheckpointError, CheckpointErrorKind};
pub use files::{FileProblem, FilesReport, check_files};
pub use frontier::{Frontier, FrontierError};
pub use hash::{Hash, HashError, leaf_hash, node_hash};
pub use memory::MemoryTiles;
pub use policy::{Cosignature, LogPolicy, VerifiedCheckpoint};
pub use proof::{ProofError, ProofErrorKind, verify_consistency, verify_inclusion};
pub use prove::{ProveError, ProveErrorKind, TileReader, prove_consistency, prove_inclusion, root_of};
pub use receipt::{Receipt, ReceiptError, ReceiptErrorKind};
pub use tile::{TILE_WIDTH, TileError, TilePath, decode_tile, encode_tile, tiles_of};
