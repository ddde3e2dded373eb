//! Compares signed checkpoints with the tree as it grows.

use rusqlite::{Connection, OptionalExtension as _};

use super::super::error::StoreError;
use super::super::tip::Tip;
use super::report::Report;
use crate::audit::tree::note::{Note, NoteVerifier};
use crate::audit::tree::{Checkpoint, Frontier};

pub(super) struct Checkpoints<'c> {
    db: &'c Connection,
    /// Whether every signature is checked, and not the last one alone.
    all: bool,
    keys: Vec<NoteVerifier>,
    next: Option<Row>,
    seen: u64,
    /// The keys that the authority certified for the log of this name.
    certified: Vec<[u8; 32]>,
    /// The keys by which the last checkpoint that fits is signed.
    signers: Vec<[u8; 32]>,
}

struct Row {
    number: i64,
    size: u64,
    note: String,
}

impl<'c> Checkpoints<'c> {
    pub(super) fn new(db: &'c Connection, all: bool, keys: &[String]) -> Result<Self, StoreError> {
        let mut checkpoints = Self {
            db,
            all,
            keys: Vec::new(),
            next: None,
            seen: 0,
            certified: Vec::new(),
            signers: Vec::new(),
        };
        for key in keys {
            checkpoints.add_key(key);
        }
        checkpoints.next = checkpoints.row(i64::MIN)?;
        Ok(checkpoints)
    }

    /// Adds a key that the log names. One that is none signs nothing.
    pub(super) fn add_key(&mut self, key: &str) {
        self.keys.extend(key.parse::<NoteVerifier>());
    }

    /// The authority says that this key signs the log.
    pub(super) fn certify(&mut self, key: [u8; 32]) {
        self.certified.push(key);
    }

    /// The log goes on under another name, for which no key is certified yet.
    pub(super) fn uncertify(&mut self) {
        self.certified.clear();
    }

    fn row(&self, from: i64) -> Result<Option<Row>, StoreError> {
        let mut select = self
            .db
            .prepare("SELECT number, size, note FROM checkpoints WHERE number >= ?1 ORDER BY number LIMIT 1")?;
        let row = select.query_row([from], |row| {
            Ok(Row {
                number: row.get(0)?,
                size: row.get::<_, i64>(1)?.cast_unsigned(),
                note: row.get(2)?,
            })
        });
        Ok(row.optional()?)
    }

    /// The tree has grown to this: checks the checkpoints of its size.
    pub(super) fn reached(&mut self, frontier: &Frontier, report: &mut Report) -> Result<(), StoreError> {
        while self.next.as_ref().is_some_and(|row| row.size <= frontier.size()) {
            let Some(row) = self.next.take() else { break };
            self.next = self.row(row.number.saturating_add(1))?;
            let number = row.number;
            if number.cast_unsigned() != self.seen {
                let what = format!("checkpoint {} is not there; the next is {number}", self.seen);
                report.add("checkpoint_differs", None, what);
            }
            self.seen += 1;
            match self.fault(&row, frontier) {
                Ok(signers) => {
                    report.checkpoints += 1;
                    self.signers = signers;
                }
                Err(why) => report.add("checkpoint_differs", None, format!("checkpoint {number} {why}")),
            }
        }
        Ok(())
    }

    fn fault(&self, row: &Row, frontier: &Frontier) -> Result<Vec<[u8; 32]>, &'static str> {
        let Ok(note) = Note::parse(row.note.as_bytes()) else {
            return Err("is no signed note");
        };
        let Ok(checkpoint) = Checkpoint::parse_text(note.text()) else {
            return Err("is no checkpoint");
        };
        if checkpoint.size() != row.size || row.size != frontier.size() {
            return Err("is of another size than its row says, or out of order");
        }
        if *checkpoint.root() != frontier.root() {
            return Err("signs another root than the records before it hash to");
        }
        if note.to_string() != row.note {
            return Err("is not written as it was signed");
        }
        let last = self.next.is_none();
        if !self.all && !last {
            return Ok(Vec::new());
        }
        let signed = note.verify(&self.keys).unwrap_or_default();
        let signers = signed.iter().map(|signed| signed.key());
        let signers: Vec<_> = signers
            .filter(|key| key.name() == checkpoint.origin())
            .map(NoteVerifier::public)
            .collect();
        if signers.is_empty() {
            return Err("is not signed by a key that the log names");
        }
        Ok(signers)
    }

    pub(super) fn finish(self, tip: &Tip, report: &mut Report) -> Result<(), StoreError> {
        if self.next.is_some() {
            report.add(
                "checkpoint_differs",
                None,
                "there are checkpoints of more records than there are",
            );
        }
        if !self.certified.is_empty() && !self.signers.iter().any(|key| self.certified.contains(key)) {
            let what = "the newest checkpoint is signed by a key that the authority did not certify";
            report.add("statement_forged", None, what);
        }
        if self.seen != tip.checkpoints {
            report.add(
                "checkpoint_differs",
                None,
                format!(
                    "{} checkpoints were signed, and {} are there",
                    tip.checkpoints, self.seen
                ),
            );
        }
        Ok(())
    }
}
