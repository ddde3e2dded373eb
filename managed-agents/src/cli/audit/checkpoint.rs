//! `audit checkpoint`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::write_file;
use crate::audit::tree::note::NoteVerifier;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, complain};
use crate::cli::place::Place;
use crate::cli::witness::ask;
use crate::http::Endpoint;

/// Prints the signed head of the log, and the key that signed it
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0, or 1 when the log cannot be read or signed, or a witness does not sign: it says why.

The head (c2sp.org/tlog-checkpoint) goes to standard output, the key to standard error. Whoever keeps a head can tell later whether
the log only grew. A witness does that for every head it is asked to sign (c2sp.org/tlog-witness).

Example:
  managed-agents audit checkpoint --witness https://witness.example/ --witness-key witness.example+0f3a…+BBkl… --out head")]
pub(in crate::cli) struct CheckpointCommand {
    /// Print the key alone
    #[arg(long, conflicts_with_all = ["out", "json", "witness"])]
    key: bool,

    /// Write the head into this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Have it signed by the witness at this address, too
    #[arg(long, value_name = "URL", requires = "witness_key")]
    witness: Vec<String>,

    /// Key of each witness, in the same order, as `witness serve` prints it
    #[arg(long, value_name = "VKEY", requires = "witness")]
    witness_key: Vec<NoteVerifier>,

    /// Print head and key as one line of JSON
    #[arg(long)]
    json: bool,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line<'a> {
    origin: &'a str,
    size: u64,
    root: String,
    checkpoint: String,
    key: String,
}

impl CheckpointCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        if self.witness.len() != self.witness_key.len() {
            return Err(Failure::new("name one --witness-key for each --witness"));
        }
        let reader = place.reader()?;
        let (head, key) = place.signed_head(&reader, reader.head()?.size())?;
        if self.key {
            out.line(&key)?;
            return Ok(0);
        }
        let mut note = head.note().clone();
        for (url, witness) in self.witness.iter().zip(&self.witness_key) {
            let endpoint = Endpoint::parse(url).map_err(|error| Failure::of(&error))?;
            for signature in ask::cosign(&endpoint, witness, &head, &reader)? {
                note.add(signature);
            }
        }
        let text = note.to_string();
        if let Some(path) = &self.out {
            write_file(path, text.as_bytes())?;
        }
        if self.json {
            out.json(&Line {
                origin: head.checkpoint().origin(),
                size: head.size(),
                root: head.checkpoint().root().to_string(),
                checkpoint: text,
                key: key.to_string(),
            })?;
        } else {
            if self.out.is_none() {
                out.bytes(text.as_bytes())?;
                out.flush()?;
            }
            complain(&format!("The log's key: {key}"));
        }
        Ok(0)
    }
}
