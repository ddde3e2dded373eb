//! What an entry is found by, and the tables that find it.
//!
//! Entries are looked up in blocks of 256, as their tiles are: for each term and block one row says where in the block the term
//! stands. The rows of a block are written when it is full, so that a record costs no index of its own; the entries of the
//! last block, at most 255, are read one by one.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

use super::error::StoreError;
use super::names;
use crate::audit::entry::{Entry, IndexColumns};

/// How many entries a block has.
pub(super) const BLOCK: u64 = 256;

/// What an entry can be asked for by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Field {
    Kind,
    Agent,
    Tool,
    Decision,
    Session,
}

/// A field and its value, as a number: two that collide are told apart when the entry is read.
pub(super) fn term(field: Field, value: &str) -> i64 {
    let name: &[u8] = match field {
        Field::Kind => b"kind\0",
        Field::Agent => b"agent\0",
        Field::Tool => b"tool\0",
        Field::Decision => b"decision\0",
        Field::Session => b"session\0",
    };
    let hash = Sha256::new().chain_update(name).chain_update(value).finalize();
    hash.first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

/// Terms that were hashed before.
#[derive(Default)]
pub(super) struct Terms([HashMap<String, i64>; 5]);

impl Terms {
    /// The most values that are kept of a field.
    const MOST: usize = 1_024;

    fn of(&mut self, field: Field, value: &str) -> i64 {
        let Some(known) = self.0.get_mut(field as usize) else {
            return term(field, value);
        };
        if let Some(known) = known.get(value) {
            return *known;
        }
        if known.len() == Self::MOST {
            known.clear();
        }
        let new = term(field, value);
        known.insert(value.to_owned(), new);
        new
    }
}

/// What an entry is found by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Facts {
    pub(super) at: i64,
    pub(super) terms: [Option<i64>; 5],
    /// Its evaluation, hashed.
    pub(super) named: Option<u32>,
}

impl Facts {
    /// Of an entry that waits for its place.
    pub(super) fn of(index: &IndexColumns) -> Self {
        thread_local! {
            static TERMS: RefCell<Terms> = RefCell::default();
        }
        TERMS.with_borrow_mut(|terms| {
            let mut of = |field, value: Option<&str>| value.map(|value| terms.of(field, value));
            Self {
                at: index.at_micros,
                terms: [
                    of(Field::Kind, Some(&index.kind)),
                    of(Field::Agent, index.agent.as_deref()),
                    of(Field::Tool, index.tool.as_deref()),
                    of(Field::Decision, index.decision),
                    of(Field::Session, index.session.as_deref()),
                ],
                named: index.evaluation.as_deref().map(names::hash),
            }
        })
    }

    /// Of the outcome of a decision that is found by these.
    pub(super) fn of_outcome(&self, at: i64) -> Self {
        static OUTCOME: LazyLock<i64> = LazyLock::new(|| term(Field::Kind, "outcome"));
        let [_, agent, ..] = self.terms;
        Self {
            at,
            terms: [Some(*OUTCOME), agent, None, None, None],
            named: self.named,
        }
    }

    /// Of an entry that was read.
    pub(super) fn read(entry: &Entry) -> Self {
        Self::read_with(entry, term)
    }

    /// Of one of many entries that are read: terms that come again and again are hashed once.
    pub(super) fn read_cached(entry: &Entry, terms: &mut Terms) -> Self {
        Self::read_with(entry, |field, value| terms.of(field, value))
    }

    fn read_with(entry: &Entry, mut term: impl FnMut(Field, &str) -> i64) -> Self {
        let kind = term(Field::Kind, entry.kind());
        let mut of =
            |field, value: Option<crate::audit::export::Untrusted<'_>>| value.map(|value| term(field, value.reveal()));
        Self {
            at: entry.at_micros(),
            terms: [
                Some(kind),
                of(Field::Agent, entry.agent()),
                of(Field::Tool, entry.tool()),
                of(Field::Decision, entry.decision()),
                of(Field::Session, entry.session()),
            ],
            named: entry.evaluation().map(|id| names::hash(id.reveal())),
        }
    }
}

/// The rows of one block.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct BlockRows {
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) postings: BTreeMap<i64, Vec<u8>>,
    pub(super) named: Vec<u8>,
}

impl BlockRows {
    pub(super) fn of(block: u64, facts: &[Facts]) -> Self {
        let mut rows = Self {
            named: names::row(block, facts.iter()),
            low: i64::MAX,
            high: i64::MIN,
            postings: BTreeMap::new(),
        };
        for (place, facts) in (0..=u8::MAX).zip(facts) {
            rows.low = rows.low.min(facts.at);
            rows.high = rows.high.max(facts.at);
            for term in facts.terms.iter().flatten() {
                rows.postings.entry(*term).or_default().push(place);
            }
        }
        rows
    }

    /// Writes the rows.
    pub(super) fn write(&self, db: &Connection, block: u64) -> Result<(), StoreError> {
        db.execute(
            "INSERT INTO blocks(block, low, high) VALUES(?1, ?2, ?3)",
            params![block as i64, self.low, self.high],
        )?;
        let mut insert = db.prepare("INSERT INTO postings(term, block, places) VALUES(?1, ?2, ?3)")?;
        for (term, places) in &self.postings {
            insert.execute(params![term, block as i64, places])?;
        }
        names::write(db, block, &self.named)
    }
}
