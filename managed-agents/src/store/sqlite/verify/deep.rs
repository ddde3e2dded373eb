//! Follows the log entry by entry, and makes the derived tables anew.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use rusqlite::{Connection, OptionalExtension as _};

use super::super::agents;
use super::super::counts;
use super::super::error::StoreError;
use super::super::keys::SubjectKeys;
use super::super::log;
use super::super::names;
use super::super::retention::Removed;
use super::super::tip::Tip;
use super::checkpoints::Checkpoints;
use super::counted::History;
use super::leaves::has_rows_outside;
use super::orders::Orders;
use super::reading::{Seen, What};
use super::report::Report;
use super::statements::Statements;
use super::tickets::Tickets;
use crate::identity::Trust;

pub(super) struct Deep<'a> {
    db: &'a Connection,
    tip: &'a Tip,
    keys: &'a SubjectKeys,
    log_time: i64,
    statements: Statements<'a>,
    orders: Orders,
    tickets: Tickets,
    /// Decisions whose calls have not ended.
    running: BTreeSet<u64>,
    /// Decisions that were closed because their process was gone: a later outcome is none too many.
    unknown: HashSet<u64>,
    values: u64,
    /// The rows in which values are stored.
    sealed: u64,
    history: History,
    /// Rows that were emptied, by the entry that they say did so.
    removed: BTreeMap<u64, Removed>,
    consumed: u64,
    /// The index as it should be: the sum of its rows' hashes, under a key that nobody knows beforehand.
    index: u64,
    hash: RandomState,
    /// The names of the blocks since the last full group.
    group: Vec<u8>,
}

impl<'a> Deep<'a> {
    pub(super) fn new(
        db: &'a Connection,
        tip: &'a Tip,
        keys: &'a SubjectKeys,
        trust: Option<&'a Trust>,
        hash: RandomState,
    ) -> Self {
        Self {
            db,
            tip,
            log_time: 0,
            keys,
            statements: Statements::new(keys, trust),
            orders: Orders::default(),
            tickets: Tickets::default(),
            running: BTreeSet::new(),
            unknown: HashSet::new(),
            values: 0,
            sealed: 0,
            history: History::default(),
            removed: BTreeMap::new(),
            consumed: 0,
            index: 0,
            hash,
            group: Vec::new(),
        }
    }

    /// Adds the sum of the index rows of some blocks, and their names, from which the rows of groups are made.
    pub(super) fn add_index(&mut self, sum: u64, named: Vec<(u64, Vec<u8>)>) {
        self.index = self.index.wrapping_add(sum);
        for (block, row) in named {
            self.group.extend(row);
            if (block + 1).is_multiple_of(names::GROUP) {
                for (id, hashes) in names::merge(block, &std::mem::take(&mut self.group)) {
                    let hash = self.hash.hash_one(("named", id, hashes.as_slice()));
                    self.index = self.index.wrapping_add(hash);
                }
            }
        }
    }

    /// Adds how many rows of values are stored beside some entries.
    pub(super) fn add_sealed(&mut self, rows: u64) {
        self.sealed += rows;
    }

    /// Takes what was read of the entry at a place; entries come in the order of the log.
    pub(super) fn add(
        &mut self,
        place: u64,
        seen: Seen,
        report: &mut Report,
        checkpoints: &mut Checkpoints<'_>,
    ) -> Result<(), StoreError> {
        for (code, detail) in seen.problems {
            report.add(code, Some(place), detail);
        }
        self.log_time = self.log_time.max(seen.at);
        self.values += u64::from(seen.has_values);
        report.erased += u64::from(seen.is_erased);
        if let Some(by) = seen.removed_by {
            // whether that entry says so is seen when it is reached
            self.removed.entry(by).or_default().add(place);
        }
        match seen.what {
            What::Malformed => {}
            What::Decision {
                runs,
                ticket,
                counted,
                rules,
            } => {
                if let Some(rules) = rules {
                    self.orders.decision(place, rules);
                }
                if runs {
                    self.running.insert(place);
                    self.history.runs(place, counted, self.log_time);
                }
                if let Some(ticket) = ticket {
                    self.tickets.decision(place, &ticket, runs);
                    let mut select = self.db.prepare("SELECT seq FROM consumed WHERE name = ?1")?;
                    let by: Option<i64> = select.query_row([ticket], |row| row.get(0)).optional()?;
                    self.consumed += u64::from(by == Some(place.cast_signed()));
                }
            }
            What::Outcome {
                about,
                unknown,
                unbegun,
            } => {
                if let Some(about) = about.filter(|_| !unknown) {
                    self.history.ended(about, unbegun);
                }
                self.outcome(place, about, unknown, report);
            }
            What::Statement(entry) => {
                if entry.kind() == "retention" {
                    self.retention(place, entry.raw("body").unwrap_or_default(), report);
                }
                if let Some(what) = self.orders.add(place, &entry) {
                    report.add("order_missing", Some(place), what);
                }
                self.tickets.statement(place, &entry);
                self.statements.add(place, &entry, report, checkpoints);
            }
        }
        Ok(())
    }

    fn retention(&mut self, place: u64, body: &str, report: &mut Report) {
        let removed = self.removed.remove(&place).unwrap_or_default();
        if !removed.is(body) {
            let what = "the values that it says were removed are not those that are missing";
            report.add("value_differs", Some(place), what);
        }
        report.removed += removed.count;
    }

    fn outcome(&mut self, place: u64, about: Option<u64>, unknown: bool, report: &mut Report) {
        match about {
            Some(about) if self.running.remove(&about) => {
                if unknown {
                    self.unknown.insert(about);
                }
            }
            // came after its process was taken for dead
            Some(about) if self.unknown.remove(&about) => {}
            _ => report.add("outcome_unmatched", Some(place), "it ends no call that was running"),
        }
    }

    /// The index as it is.
    fn stored_index(&self) -> Result<u64, StoreError> {
        let mut sum = 0_u64;
        let mut add = |hash: u64| sum = sum.wrapping_add(hash);
        let mut select = self.db.prepare("SELECT block, low, high FROM blocks")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let block = row.get::<_, i64>(0)?.cast_unsigned();
            let (low, high): (i64, i64) = (row.get(1)?, row.get(2)?);
            add(self.hash.hash_one(("blocks", block, low, high)));
        }
        let mut select = self.db.prepare("SELECT term, block, places FROM postings")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let block = row.get::<_, i64>(1)?.cast_unsigned();
            let places = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
            add(self.hash.hash_one(("postings", row.get::<_, i64>(0)?, block, places)));
        }
        let mut select = self.db.prepare("SELECT id, hashes FROM named")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let hashes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            add(self.hash.hash_one(("named", row.get::<_, i64>(0)?, hashes)));
        }
        Ok(sum)
    }

    pub(super) fn finish(self, report: &mut Report) -> Result<(), StoreError> {
        if self.stored_index()? != self.index {
            report.add("index_differs", None, "what entries are found by is not what they say");
        }
        if agents::all(self.db)? != self.statements.agents {
            report.add(
                "state_differs",
                None,
                "the agents' states are not those that the log says",
            );
        }
        if (self.log_time, self.statements.epoch, self.statements.origin.as_str())
            != (self.tip.log_time, self.tip.epoch, self.tip.origin.as_str())
        {
            report.add(
                "state_differs",
                None,
                "the log's time, epoch or origin is not that of its records",
            );
        }
        if let Some(by) = self.removed.keys().next() {
            report.add(
                "value_differs",
                None,
                format!("values were removed that entry {by} does not say were"),
            );
        }
        if self.sealed != self.values || has_rows_outside(self.db, "sealed", self.tip.size())? {
            report.add("value_differs", None, "there are values of records that have none");
        }
        let consumed: i64 = self
            .db
            .query_row("SELECT count(*) FROM consumed", [], |row| row.get(0))?;
        if consumed.cast_unsigned() != self.consumed || self.consumed != self.tip.consumed {
            report.add(
                "state_differs",
                None,
                "the consumed grants are not those that the log says",
            );
        }
        if counts::fault(self.db)? {
            report.add("state_differs", None, "what limits count is not what was written");
        } else if !self.history.is(self.db, self.tip.log_time)? {
            report.add("state_differs", None, "what policies count is not what the log says");
        }
        self.orders.finish(report);
        self.tickets.finish(self.db, self.keys, report)?;
        let mut select = self.db.prepare("SELECT seq, process, mark FROM running ORDER BY seq")?;
        let mut rows = select.query([])?;
        let mut running = BTreeSet::new();
        while let Some(row) = rows.next()? {
            let place = row.get::<_, i64>(0)?.cast_unsigned();
            let mark: Vec<u8> = row.get(2)?;
            if mark != log::running_mark(place, row.get(1)?) {
                report.add(
                    "state_differs",
                    Some(place),
                    "whose process runs it is not what was written",
                );
            }
            running.insert(place);
        }
        if let Some(place) = running.symmetric_difference(&self.running).next() {
            // a changed outcome, which is named already, leaves its decision running
            let record = report.first_bad_record().is_none().then_some(*place);
            report.add("state_differs", record, "whether a call runs is not what the log says");
        }
        Ok(())
    }
}
