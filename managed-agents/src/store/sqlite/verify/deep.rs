//! Reads every entry, and makes the derived tables anew.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use rusqlite::{Connection, OptionalExtension as _};
use serde::Deserialize;

use super::super::agents::{self, AgentRow, Said};
use super::super::error::StoreError;
use super::super::facts::{BlockRows, Facts};
use super::super::keys::SubjectKeys;
use super::super::retention::{Removed, removed_by};
use super::super::tip::Tip;
use super::super::{log, seal};
use super::block_ending_at;
use super::checkpoints::Checkpoints;
use super::feed::{Row, Sealed};
use super::report::Report;
use crate::audit::Disposition;
use crate::audit::entry::Entry;

pub(super) struct Deep<'a> {
    db: &'a Connection,
    tip: &'a Tip,
    keys: &'a SubjectKeys,
    next: u64,
    log_time: i64,
    epoch: u64,
    origin: String,
    agents: BTreeMap<String, AgentRow>,
    /// Decisions whose calls have not ended.
    running: BTreeSet<u64>,
    /// Decisions that were closed because their process was gone: a later outcome is none too many.
    unknown: HashSet<u64>,
    values: u64,
    /// Rows that were emptied, by the entry that they say did so.
    removed: BTreeMap<u64, Removed>,
    consumed: u64,
    block: Vec<Facts>,
    /// The index as it should be: the sum of its rows' hashes, under a key that nobody knows beforehand.
    index: u64,
    hash: RandomState,
}

impl<'a> Deep<'a> {
    pub(super) fn new(db: &'a Connection, tip: &'a Tip, keys: &'a SubjectKeys) -> Self {
        Self {
            db,
            tip,
            keys,
            next: 0,
            log_time: 0,
            epoch: 0,
            origin: String::new(),
            agents: BTreeMap::new(),
            running: BTreeSet::new(),
            unknown: HashSet::new(),
            values: 0,
            removed: BTreeMap::new(),
            consumed: 0,
            block: Vec::new(),
            index: 0,
            hash: RandomState::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        row: &Row<'_>,
        report: &mut Report,
        checkpoints: &mut Checkpoints<'_>,
    ) -> Result<(), StoreError> {
        let place = self.next;
        self.next += 1;
        let entry = match Entry::parse(row.bytes.to_vec()) {
            Ok(entry) => entry,
            Err(error) => {
                report.add("record_malformed", Some(place), error.to_string());
                return Ok(());
            }
        };
        if entry.sequence() != place {
            let what = format!("it says that its place is {}", entry.sequence());
            report.add("record_malformed", Some(place), what);
        }
        self.log_time = self.log_time.max(entry.at_micros());
        match entry.kind() {
            "decision" => self.decision(place, &entry, report)?,
            "outcome" => self.outcome(place, &entry, report),
            _ => self.statement(place, &entry, report, checkpoints),
        }
        self.sealed(place, &entry, row.sealed, report);
        self.block.push(Facts::read(&entry));
        if let Some(block) = block_ending_at(self.next) {
            self.index_block(block);
        }
        Ok(())
    }

    fn decision(&mut self, place: u64, entry: &Entry, report: &mut Report) -> Result<(), StoreError> {
        let refused = [Disposition::Refused, Disposition::Queued].map(Disposition::code);
        if entry
            .disposition()
            .is_some_and(|word| !refused.contains(&word.reveal()))
        {
            self.running.insert(place);
        }
        if let Some(ticket) = entry.untrusted("ticket") {
            let mut select = self.db.prepare("SELECT seq FROM consumed WHERE name = ?1")?;
            let by: Option<i64> = select.query_row([ticket.reveal()], |row| row.get(0)).optional()?;
            self.consumed += u64::from(by == Some(place.cast_signed()));
        }
        if entry.at_micros() < 0 {
            report.add("record_malformed", Some(place), "its time is before 1970");
        }
        Ok(())
    }

    fn outcome(&mut self, place: u64, entry: &Entry, report: &mut Report) {
        let unknown = entry.outcome().is_some_and(|word| word.reveal() == "unknown");
        match entry.about() {
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

    fn statement(&mut self, place: u64, entry: &Entry, report: &mut Report, checkpoints: &mut Checkpoints<'_>) {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Body {
            origin: String,
            key: String,
            subject: Option<u32>,
        }
        let body = || {
            let body = entry.raw("body").unwrap_or_default();
            serde_json::from_str::<Body>(body).unwrap_or_default()
        };
        self.epoch += u64::from(matches!(entry.kind(), "agent" | "erasure" | "interrupt" | "origin"));
        match entry.kind() {
            "origin" => self.origin = body().origin,
            "log_key" => checkpoints.add_key(&body().key),
            "retention" => {
                let removed = self.removed.remove(&place).unwrap_or_default();
                if !removed.is(entry.raw("body").unwrap_or_default()) {
                    report.add(
                        "value_differs",
                        Some(place),
                        "the values that it says were removed are not those that are missing",
                    );
                }
                report.removed += removed.count;
            }
            "erasure" if !body().subject.is_some_and(|number| self.keys.is_erased(number)) => {
                report.add(
                    "value_differs",
                    Some(place),
                    "it says that a subject was erased whose key is there",
                );
            }
            "agent" => {
                let said = agents::body_of(entry).map(Said::read);
                let applied = said.and_then(Result::ok).and_then(|said| {
                    let row = said.apply(self.agents.get(said.agent())).ok()?;
                    self.agents.insert(said.agent().to_owned(), row);
                    Some(())
                });
                if applied.is_none() {
                    report.add(
                        "state_differs",
                        Some(place),
                        "it does not follow what was stated before",
                    );
                }
            }
            _ => {}
        }
    }

    /// What lies beside an entry is what the entry commits to.
    fn sealed(&mut self, place: u64, entry: &Entry, sealed: Option<&Sealed>, report: &mut Report) {
        let expected = entry.kind() == "decision" && entry.raw("digest").is_some();
        let Some(sealed) = sealed else {
            if expected {
                report.add("value_differs", Some(place), "its values are not there");
            }
            return;
        };
        self.values += 1;
        let mark = seal::check(place, sealed.subject, &sealed.nonce, &sealed.bytes);
        if !expected || sealed.mark != mark {
            report.add(
                "value_differs",
                Some(place),
                "its values are not those that were encrypted",
            );
            return;
        }
        if let Some(by) = removed_by(&sealed.nonce, &sealed.bytes) {
            // whether that entry says so is seen when it is reached
            self.removed.entry(by).or_default().add(place);
            return;
        }
        if self.keys.is_erased(sealed.subject) {
            report.erased += 1;
            return;
        }
        let opened = self
            .keys
            .by_number(sealed.subject)
            .and_then(|key| seal::open(key, &sealed.nonce, &sealed.bytes));
        let Some(values) = opened else {
            report.add(
                "value_differs",
                Some(place),
                "its values do not open under their subject's key",
            );
            return;
        };
        let commitments = entry.commitments();
        let opens = commitments.iter().all(|commitment| {
            let value = values.iter().find(|value| value.path == commitment.path());
            value.is_some_and(|value| commitment.opens(value))
        });
        // beside them lies the salt of the call's digest
        if !opens || values.len() != commitments.len() + 1 {
            report.add(
                "value_differs",
                Some(place),
                "its values are not those that it commits to",
            );
        }
    }

    fn index_block(&mut self, block: u64) {
        let facts = std::mem::take(&mut self.block);
        let rows = BlockRows::of(facts.iter());
        self.sum(("blocks", block, rows.low, rows.high));
        for (term, places) in &rows.postings {
            self.sum(("postings", *term, block, places.as_slice()));
        }
        for (place, facts) in (self.next - facts.len() as u64..).zip(&facts) {
            if let Some(evaluation) = &facts.evaluation {
                self.sum(("evaluations", evaluation.as_str(), place));
            }
        }
    }

    fn sum(&mut self, row: impl std::hash::Hash) {
        self.index = self.index.wrapping_add(self.hash.hash_one(row));
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
        let mut select = self.db.prepare("SELECT name, seq FROM evaluations")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            let place = row.get::<_, i64>(1)?.cast_unsigned();
            add(self.hash.hash_one(("evaluations", name, place)));
        }
        Ok(sum)
    }

    pub(super) fn finish(self, report: &mut Report) -> Result<(), StoreError> {
        let count = |table: &str| -> Result<u64, StoreError> {
            let sql = format!("SELECT count(*) FROM {table}");
            Ok(self.db.query_row(&sql, [], |row| row.get::<_, i64>(0))?.cast_unsigned())
        };
        if self.stored_index()? != self.index {
            report.add("index_differs", None, "what entries are found by is not what they say");
        }
        if agents::all(self.db)? != self.agents {
            report.add(
                "state_differs",
                None,
                "the agents' states are not those that the log says",
            );
        }
        if (self.log_time, self.epoch, self.origin.as_str())
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
        if count("sealed")? != self.values {
            report.add("value_differs", None, "there are values of records that have none");
        }
        if count("consumed")? != self.consumed || self.consumed != self.tip.consumed {
            report.add(
                "state_differs",
                None,
                "the consumed grants are not those that the log says",
            );
        }
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
