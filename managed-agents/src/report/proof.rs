//! Entries that a report names, with what proves them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::error::ReportError;
use super::figures::Figures;
use crate::audit::Sequence;
use crate::audit::tree::{Receipt, VerifiedCheckpoint, leaf_hash};
use crate::store::Reader;

/// An entry and its receipt (c2sp.org/tlog-proof): who has the log's key needs nothing else to check it.
#[derive(Clone, Debug, Serialize)]
pub struct Proof {
    seq: u64,
    leaf: String,
    entry: String,
    receipt: String,
}

impl Proof {
    /// The entry's place.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.seq
    }

    /// The hash of its leaf, in base64.
    #[must_use]
    pub fn leaf(&self) -> &str {
        &self.leaf
    }

    /// The entry's bytes, which are JSON.
    #[must_use]
    pub fn entry(&self) -> &str {
        &self.entry
    }

    /// The receipt.
    #[must_use]
    pub fn receipt(&self) -> &str {
        &self.receipt
    }

    /// Of one entry, if the head has it.
    pub(super) fn of(reader: &Reader, head: &VerifiedCheckpoint, sequence: u64) -> Result<Option<Self>, ReportError> {
        if sequence >= head.size() {
            return Ok(None);
        }
        let Some(entry) = reader.entry(Sequence::new(sequence))? else {
            return Ok(None);
        };
        let path = reader.prove_inclusion(sequence, head.size())?;
        Ok(Some(Self {
            seq: sequence,
            leaf: leaf_hash(entry.as_bytes()).to_string(),
            entry: entry.as_json().to_owned(),
            receipt: Receipt::new(sequence, path, head.note().clone()).to_string(),
        }))
    }
}

/// Of the first and the last entry of each kind of evidence.
pub(super) fn of(reader: &Reader, head: &VerifiedCheckpoint, figures: &Figures) -> Result<Vec<Proof>, ReportError> {
    let places: BTreeSet<u64> = figures.evidence.values().flat_map(|tally| tally.places()).collect();
    let proofs = places
        .into_iter()
        .map(|place| Proof::of(reader, head, place).transpose());
    proofs.flatten().collect()
}
