//! What a check of the record found.

use std::fmt;

use super::super::tip::Tip;
use crate::audit::tree::Hash;

/// The most problems that a report names; more are counted.
const MOST_PROBLEMS: usize = 100;

/// How much is checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Depth {
    /// Every entry is hashed, and tiles, root and the newest signed checkpoint are compared.
    Quick,
    /// Also: every entry is read, and its sequence, its time and how decisions and outcomes pair; all tables that are derived
    /// from entries are made anew and compared; every checkpoint's signature; and values that are not erased are decrypted
    /// and compared with what the entries commit to. Statements about agents and the log's key are checked against the authority's
    /// certificate, where the reader [has one](super::super::Reader::trusting). Where a root approver is enrolled, what needs an order is held
    /// to the orders that approvers signed, and each decision to rules that one of them put into force.
    Deep,
}

/// What a check of the record found.
#[derive(Clone, Debug)]
pub struct Report {
    origin: String,
    size: u64,
    root: Hash,
    pub(super) checkpoints: u64,
    pub(super) erased: u64,
    pub(super) removed: u64,
    pub(super) unchecked: u64,
    pub(super) replaced: u64,
    problems: Vec<Problem>,
    more: u64,
    first: Option<u64>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    code: &'static str,
    record: Option<u64>,
    detail: String,
}

impl Report {
    pub(super) fn new(tip: &Tip) -> Self {
        Self {
            origin: tip.origin.clone(),
            size: tip.size(),
            root: tip.root,
            checkpoints: 0,
            erased: 0,
            removed: 0,
            unchecked: 0,
            replaced: 0,
            problems: Vec::new(),
            more: 0,
            first: None,
        }
    }

    pub(crate) fn add(&mut self, code: &'static str, record: Option<u64>, detail: impl Into<String>) {
        self.first = match (self.first, record) {
            (Some(first), Some(record)) => Some(first.min(record)),
            (first, record) => first.or(record),
        };
        if self.problems.len() == MOST_PROBLEMS {
            self.more += 1;
            return;
        }
        self.problems.push(Problem {
            code,
            record,
            detail: detail.into(),
        });
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// The log's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries were checked.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root that the log claims.
    #[must_use]
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// How many signed checkpoints fit the log.
    #[must_use]
    pub fn checkpoints(&self) -> u64 {
        self.checkpoints
    }

    /// How many entries commit to values whose data subject was erased; counted by a deep check.
    #[must_use]
    pub fn erased(&self) -> u64 {
        self.erased
    }

    /// Of how many records a rule of retention removed the values.
    #[must_use]
    pub fn removed(&self) -> u64 {
        self.removed
    }

    /// How many statements a deep check read without checking their signatures, because nobody said whom to believe.
    #[must_use]
    pub fn unchecked_statements(&self) -> u64 {
        self.unchecked
    }

    /// How many decisions a deep check found that were made by rules that an approver had signed, and had signed others in the place of by
    /// then: by programs that had not read them yet.
    #[must_use]
    pub fn replaced_rules(&self) -> u64 {
        self.replaced
    }

    /// What is wrong: at most 100.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many more problems there are than are named.
    #[must_use]
    pub fn more_problems(&self) -> u64 {
        self.more
    }

    /// The first record that is wrong, where one can be named.
    #[must_use]
    pub fn first_bad_record(&self) -> Option<u64> {
        self.first
    }
}

impl Problem {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The record that it is about, where it is about one.
    #[must_use]
    pub fn record(&self) -> Option<u64> {
        self.record
    }

    /// The sentence for a person; it holds no recorded value.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.record {
            Some(record) => write!(f, "record {record}: {} ({})", self.detail, self.code),
            None => write!(f, "{} ({})", self.detail, self.code),
        }
    }
}
