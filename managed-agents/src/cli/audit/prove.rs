//! `audit prove`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::write_file;
use crate::audit::Sequence;
use crate::audit::tree::note::{Note, NoteVerifier};
use crate::audit::tree::{LogPolicy, Receipt, ReceiptErrorKind, VerifiedCheckpoint, root_of};
use crate::cli::BAD;
use crate::cli::failure::{Failure, shown_path};
use crate::cli::output::{Output, complain};
use crate::cli::place::Place;
use crate::cli::table::line as shown;
use crate::store::Reader;

/// No receipt and no entry is larger.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Writes the receipt of an entry, or checks one
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when the receipt is written, or holds; 2 when a receipt does not hold; 1 for any other error.

A receipt (c2sp.org/tlog-proof) and the entry's bytes are all that is needed to check that the entry is in the log: no record, and
none of this program. The key of the log comes from whoever is trusted to know it: `audit checkpoint --key`.

Examples:
  managed-agents audit prove 12 --out 12.tlog-proof --entry 12.json
  managed-agents audit prove --check 12.tlog-proof --entry 12.json --key example.com/log+35beb53a+AepKbGPinFIK…")]
pub(in crate::cli) struct Prove {
    /// Place of the entry, from 0
    #[arg(required_unless_present = "check", conflicts_with = "check")]
    seq: Option<u64>,

    /// Where to write the receipt [default: standard output]
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    out: Option<PathBuf>,

    /// Prove it in this head, as `audit checkpoint --out` wrote it, with the signatures of witnesses [default: the newest]
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    head: Option<PathBuf>,

    /// Check this receipt; needs --entry and --key, and no record
    #[arg(long, value_name = "FILE", requires = "entry", requires = "key")]
    check: Option<PathBuf>,

    /// File of the entry's bytes: written beside the receipt, or checked
    #[arg(long, value_name = "FILE")]
    entry: Option<PathBuf>,

    /// Key of the log, as `audit checkpoint --key` prints it
    #[arg(long, value_name = "VKEY", requires = "check")]
    key: Option<NoteVerifier>,

    /// Key of a witness that must have signed, too
    #[arg(long = "witness-key", value_name = "VKEY", requires = "check")]
    witnesses: Vec<NoteVerifier>,
}

impl Prove {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        match (self.seq, &self.check, &self.entry, &self.key) {
            (Some(seq), ..) => self.write(seq, place, out),
            (None, Some(receipt), Some(entry), Some(key)) => self.check(receipt, entry, key, out),
            _ => Err(Failure::new(
                "name the place of an entry, or a receipt, an entry and a key to check",
            )),
        }
    }

    fn write(&self, seq: u64, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let reader = place.reader()?;
        let entry = reader.entry(Sequence::new(seq))?;
        let entry = entry.ok_or_else(|| Failure::new(format!("there is no entry {seq}")))?;
        let head = match &self.head {
            Some(path) => kept_head(path, place, &reader)?,
            None => place.signed_head(&reader, seq + 1)?.0,
        };
        if head.size() <= seq {
            return Err(Failure::new(format!(
                "that head is of {} entries: it has no entry {seq}",
                head.size()
            )));
        }
        let proof = reader.prove_inclusion(seq, head.size())?;
        let receipt = Receipt::new(seq, proof, head.into_note()).to_string();
        if let Some(path) = &self.entry {
            write_file(path, entry.as_bytes())?;
        }
        match &self.out {
            Some(path) => write_file(path, receipt.as_bytes())?,
            None => out.bytes(receipt.as_bytes())?,
        }
        Ok(0)
    }

    fn check(&self, receipt: &Path, entry: &Path, key: &NoteVerifier, out: &mut Output) -> Result<u8, Failure> {
        if key.is_cosigner() {
            return Err(Failure::new("--key is a witness's key: name the log's"));
        }
        if self.witnesses.iter().any(|witness| !witness.is_cosigner()) {
            return Err(Failure::new("--witness-key is no witness's key"));
        }
        let read = Receipt::parse(&read(receipt)?).map_err(|error| Failure::of_file(receipt, error))?;
        let bytes = self::read(entry)?;
        // an entry never ends a line, and editors do
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let policy =
            LogPolicy::new(key.name(), vec![key.clone()]).witnesses(self.witnesses.clone(), self.witnesses.len());
        match read.verify(bytes, &policy) {
            Ok(head) => {
                out.line(format_args!(
                    "{} is entry {} of the log {}, which then had {} entries.",
                    shown_path(entry),
                    read.index(),
                    shown(key.name()),
                    head.size()
                ))?;
                for seen in head.cosignatures() {
                    out.line(format_args!(
                        "Seen by {} at {} s since 1970.",
                        shown(seen.witness()),
                        seen.time()
                    ))?;
                }
                Ok(0)
            }
            Err(error) if error.kind() == ReceiptErrorKind::Malformed => Err(Failure::of_file(receipt, error)),
            Err(error) => {
                complain(&format!("error: the receipt does not hold: {}", Failure::of(&error)));
                Ok(BAD)
            }
        }
    }
}

/// A head that was kept: signed by this log, and still its beginning.
pub(in crate::cli) fn kept_head(path: &Path, place: &Place, reader: &Reader) -> Result<VerifiedCheckpoint, Failure> {
    let note = Note::parse(&read(path)?).map_err(|error| Failure::of_file(path, error))?;
    let (_, key) = place.signed_head(reader, 0)?;
    let head = LogPolicy::new(key.name(), vec![key.clone()]).verify(&note);
    let head = head.map_err(|error| Failure::of_file(path, error))?;
    let root = root_of(reader, head.size()).map_err(|error| Failure::of_file(path, error))?;
    if root != *head.checkpoint().root() {
        return Err(Failure::of_file(path, "it is of another history than this record"));
    }
    Ok(head)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let fail = |error: std::io::Error| Failure::of_file(path, error);
    if fs::metadata(path).map_err(fail)?.len() > MOST_BYTES {
        return Err(Failure::of_file(path, "it is too large to be that"));
    }
    fs::read(path).map_err(fail)
}
