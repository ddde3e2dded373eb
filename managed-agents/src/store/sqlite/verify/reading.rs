//! What can be read of one entry by itself, on whichever thread.

use std::hash::{BuildHasher as _, RandomState};

use super::super::facts::{BLOCK, BlockRows, Facts, Terms};
use super::super::keys::{SubjectKey, SubjectKeys};
use super::super::retention::removed_by;
use super::super::seal;
use super::counted::Counted;
use super::feed::Sealed;
use super::in_force::digest_of;
use crate::audit::Disposition;
use crate::audit::entry::Entry;
use crate::call::Digest;

/// What was read of an entry and of the values beside it.
pub(super) struct Seen {
    pub(super) at: i64,
    pub(super) what: What,
    pub(super) has_values: bool,
    pub(super) is_erased: bool,
    /// The entry that says, as the row of the values does, that a rule removed them.
    pub(super) removed_by: Option<u64>,
    /// Codes, and sentences for people.
    pub(super) problems: Vec<(&'static str, String)>,
}

pub(super) enum What {
    Malformed,
    Decision {
        runs: bool,
        ticket: Option<String>,
        counted: Counted,
        /// The digest of the rules that it was made by.
        rules: Option<Digest>,
    },
    Outcome {
        about: Option<u64>,
        unknown: bool,
        unbegun: bool,
    },
    Statement(Box<Entry>),
}

/// Reads entries one after another.
pub(super) struct Reading<'a> {
    keys: &'a SubjectKeys,
    /// The key that was used last: nobody changes these keys while they are read.
    last: Option<SubjectKey>,
    hash: &'a RandomState,
    terms: Terms,
    block: Vec<Facts>,
    /// The sum of the hashes of the index rows of the blocks that are complete.
    pub(super) index: u64,
    /// The rows of names of those blocks.
    pub(super) named: Vec<(u64, Vec<u8>)>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(keys: &'a SubjectKeys, hash: &'a RandomState) -> Self {
        Self {
            keys,
            last: None,
            hash,
            terms: Terms::default(),
            block: Vec::with_capacity(BLOCK as usize),
            index: 0,
            named: Vec::new(),
        }
    }

    /// The next entries begin with this place, at the beginning of a block.
    pub(super) fn begin(&mut self) {
        self.block.clear();
        self.index = 0;
        self.named.clear();
    }

    pub(super) fn read(&mut self, place: u64, bytes: &[u8], sealed: Option<&Sealed<'_>>) -> Seen {
        let mut seen = Seen {
            at: 0,
            what: What::Malformed,
            has_values: sealed.is_some(),
            is_erased: false,
            removed_by: None,
            problems: Vec::new(),
        };
        let entry = match Entry::parse(bytes) {
            Ok(entry) => entry,
            Err(error) => {
                seen.problems.push(("record_malformed", error.to_string()));
                return seen;
            }
        };
        if entry.sequence() != place {
            let what = format!("it says that its place is {}", entry.sequence());
            seen.problems.push(("record_malformed", what));
        }
        if entry.at_micros() < 0 {
            let what = "its time is before 1970".to_owned();
            seen.problems.push(("record_malformed", what));
        }
        seen.at = entry.at_micros();
        let mut counted = Counted::default();
        match self.values(place, &entry, sealed) {
            Ok(Beside::Open(inputs)) => counted = Counted::of(&entry, inputs.as_deref()),
            Ok(Beside::Erased) => seen.is_erased = true,
            Ok(Beside::Removed(by)) => seen.removed_by = Some(by),
            Err(why) => seen.problems.push(("value_differs", why.to_owned())),
        }
        if seen.is_erased || seen.removed_by.is_some() || !seen.problems.is_empty() {
            counted = Counted::Unknown;
        }
        self.block.push(Facts::read_cached(&entry, &mut self.terms));
        if self.block.len() as u64 == BLOCK {
            self.index_block(place / BLOCK);
        }
        seen.what = match entry.kind() {
            "decision" => What::Decision {
                runs: runs(&entry),
                ticket: entry.untrusted("ticket").map(|ticket| ticket.reveal().to_owned()),
                counted,
                rules: entry.raw("rules").and_then(rules_of),
            },
            "outcome" => What::Outcome {
                about: entry.about(),
                unknown: entry.outcome().is_some_and(|word| word.reveal() == "unknown"),
                unbegun: entry.raw("unbegun") == Some("true"),
            },
            _ => What::Statement(Box::new(entry)),
        };
        seen
    }

    /// Whether what lies beside an entry is what the entry commits to.
    fn values(&mut self, place: u64, entry: &Entry, sealed: Option<&Sealed<'_>>) -> Result<Beside, &'static str> {
        let expected = entry.kind() == "decision" && entry.raw("digest").is_some();
        let Some(sealed) = sealed else {
            return if expected {
                Err("its values are not there")
            } else {
                Ok(Beside::Open(None))
            };
        };
        let mark = seal::check(place, sealed.subject, sealed.nonce, sealed.bytes);
        if !expected || sealed.mark != mark {
            return Err("its values are not those that were encrypted");
        }
        if let Some(by) = removed_by(sealed.nonce, sealed.bytes) {
            return Ok(Beside::Removed(by));
        }
        if self.key(sealed.subject).is_none() && self.keys.is_erased(sealed.subject) {
            return Ok(Beside::Erased);
        }
        let opened = self
            .key(sealed.subject)
            .and_then(|key| seal::open_bytes(key, sealed.nonce, sealed.bytes));
        let opened = opened.ok_or("its values do not open under their subject's key")?;
        let values: Option<Vec<_>> = seal::parts(&opened).collect();
        let mut values: Vec<_> = values.unwrap_or_default().into_iter().map(|(_, value)| value).collect();
        // beside them lies the salt of the call's digest
        let salt = values.iter().rposition(|value| value.path == "/salt");
        if salt.map(|at| values.remove(at)).is_none() || !entry.opens_all(&values) {
            return Err("its values are not those that it commits to");
        }
        let inputs = values.into_iter().find(|value| value.path == "/inputs");
        Ok(Beside::Open(inputs.map(|inputs| inputs.value.to_vec())))
    }

    /// The key of a subject; most entries have that of the one before.
    fn key(&mut self, subject: u32) -> Option<SubjectKey> {
        if self.last.is_none_or(|last| last.number != subject) {
            self.last = self.keys.by_number(subject);
        }
        self.last
    }

    fn index_block(&mut self, block: u64) {
        let facts = std::mem::take(&mut self.block);
        let rows = BlockRows::of(block, &facts);
        self.sum(("blocks", block, rows.low, rows.high));
        for (term, places) in &rows.postings {
            self.sum(("postings", *term, block, places.as_slice()));
        }
        self.sum(("named", block.cast_signed(), rows.named.as_slice()));
        self.named.push((block, rows.named));
    }

    fn sum(&mut self, row: impl std::hash::Hash) {
        self.index = self.index.wrapping_add(self.hash.hash_one(row));
    }
}

fn rules_of(quoted: &str) -> Option<Digest> {
    digest_of(quoted.strip_prefix('"')?.strip_suffix('"')?)
}

/// What lies beside an entry.
enum Beside {
    /// What it commits to, or nothing where it commits to nothing; with its inputs.
    Open(Option<Vec<u8>>),
    Erased,
    /// Removed by a rule, as this entry must say.
    Removed(u64),
}

/// Whether a decision let a body run.
fn runs(entry: &Entry) -> bool {
    let refused = [Disposition::Refused, Disposition::Queued].map(Disposition::code);
    entry
        .disposition()
        .is_some_and(|word| !refused.contains(&word.reveal()))
}
