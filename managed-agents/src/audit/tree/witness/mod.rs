//! The witness protocol (c2sp.org/tlog-witness), without its sockets: a log shows a second party each new checkpoint with a proof
//! that it only grew; the second party remembers it, and signs.
//!
//! The log's side: [`AddCheckpoint`] makes the body of `POST <witness>/add-checkpoint`, [`read_response`] reads the answer. The
//! witness's side: [`Witness::add_checkpoint`] makes the answer.
//!
//! # Examples
//!
//! ```
//! use managed_agents::audit::tree::note::{Cosigner, NoteSigner};
//! use managed_agents::audit::tree::witness::{AddCheckpoint, MemoryWitnessState, Witness, WitnessAnswer, read_response};
//! use managed_agents::audit::tree::{Checkpoint, LogPolicy, MemoryTiles, leaf_hash};
//!
//! let log = NoteSigner::from_seed("audit.example/log", &[1; 32])?;
//! let policy = LogPolicy::new("audit.example/log", vec![log.verifier()]);
//! let cosigner = Cosigner::from_seed("witness.example", &[2; 32])?;
//! let trusted = [cosigner.verifier()];
//! let witness = Witness::new(cosigner, vec![policy.clone()], MemoryWitnessState::new());
//!
//! let mut tiles = MemoryTiles::new();
//! tiles.push(leaf_hash(b"entry"));
//! let mut head = Checkpoint::new("audit.example/log", tiles.size(), tiles.root())?.sign(&log);
//!
//! let request = AddCheckpoint::prove(&tiles, 0, policy.verify(&head)?)?;
//! let response = witness.add_checkpoint(request.to_string().as_bytes(), 1_800_000_000);
//! let answer = read_response(response.status(), response.body().as_bytes(), &head, &trusted)?;
//! let WitnessAnswer::Cosigned(signatures) = answer else { panic!("{answer:?}") };
//! signatures.into_iter().for_each(|signature| head.add(signature));
//! assert!(policy.witnesses(trusted.to_vec(), 1).verify(&head).is_ok());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod request;
mod response;
mod server;
mod state;

pub use request::{AddCheckpoint, RequestError};
pub use response::{WitnessAnswer, WitnessAnswerError, read_response};
pub use server::{Witness, WitnessResponse};
pub use state::{Head, MemoryWitnessState, WitnessState};
