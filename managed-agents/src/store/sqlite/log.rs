//! One transaction on the log: begin, add entries, write the right edge, commit.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rusqlite::{Connection, OptionalExtension as _, Statement, params};
use sha2::{Digest as _, Sha256};

use super::counts;
use super::error::{StoreError, StoreErrorKind};
use super::facts::Facts;
use super::keys::SubjectKeys;
use super::seal::{self, Values};
use super::tip::{Tip, WRITE_TREE};
use crate::audit::entry::{Entry, PendingEntry, statement, unknown_outcome};
use crate::audit::tree::{Checkpoint, note::NoteSigner};
use crate::audit::{Sequence, entry};

/// Begins a transaction that writes.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// How often a database that another process writes is asked again.
const ASK_AGAIN: Duration = Duration::from_micros(100);

/// Entries after which verdicts may be others: whoever read before them judges anew.
pub(super) const EPOCHAL: [&str; 5] = ["agent", "approver", "erasure", "interrupt", "origin"];

/// A connection that writes, with the statements that every record needs.
pub(super) struct Log<'c> {
    pub(super) db: &'c Connection,
    pub(super) keys: Arc<SubjectKeys>,
    begin: Statement<'c>,
    commit: Statement<'c>,
    read_head: Statement<'c>,
    insert_entry: Statement<'c>,
    insert_sealed: Statement<'c>,
    insert_running: Statement<'c>,
    delete_running: Statement<'c>,
    write_tree: Statement<'c>,
    /// The end of the log as of the last transaction; none after one that failed.
    tip: Option<Tip>,
    syncs: bool,
    patience: Duration,
}

impl<'c> Log<'c> {
    /// Must be called when the tables are there.
    pub(super) fn new(db: &'c Connection, keys: Arc<SubjectKeys>, patience: Duration) -> Result<Self, StoreError> {
        db.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Self {
            db,
            keys,
            begin: db.prepare(BEGIN)?,
            commit: db.prepare("COMMIT")?,
            read_head: db.prepare("SELECT size, epoch, checkpoints, synced_size FROM tree WHERE id = 0")?,
            insert_entry: db.prepare("INSERT INTO entries(seq, leaf, bytes) VALUES(?1, ?2, ?3)")?,
            insert_sealed: db
                .prepare("INSERT INTO sealed(seq, subject, nonce, box, mark) VALUES(?1, ?2, ?3, ?4, ?5)")?,
            insert_running: db.prepare("INSERT INTO running(seq, process, mark) VALUES(?1, ?2, ?3)")?,
            delete_running: db.prepare("DELETE FROM running WHERE seq = ?1")?,
            write_tree: db.prepare(WRITE_TREE)?,
            tip: None,
            syncs: false,
            patience,
        })
    }

    /// Does work in one transaction, which is fsynced if `synced`. The work says whether there is anything to write.
    pub(super) fn transact<T>(
        &mut self,
        synced: bool,
        work: impl FnOnce(&mut Self, &mut Tip) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.sync(synced)?;
        begin_with(&mut self.begin, self.patience)?;
        match self.work(work) {
            Ok((done, tip)) => {
                self.tip = Some(tip);
                Ok(done)
            }
            Err(error) => {
                self.tip = None;
                if !self.db.is_autocommit() {
                    // what failed is undone by SQLite itself when the connection ends
                    let _ = self.db.execute_batch("ROLLBACK");
                }
                Err(error)
            }
        }
    }

    /// Has the next transaction fsynced, or not.
    pub(super) fn sync(&mut self, synced: bool) -> Result<(), StoreError> {
        if self.syncs != synced {
            let mode = if synced { "FULL" } else { "NORMAL" };
            self.db.pragma_update(None, "synchronous", mode)?;
            self.syncs = synced;
        }
        Ok(())
    }

    fn work<T>(
        &mut self,
        work: impl FnOnce(&mut Self, &mut Tip) -> Result<T, StoreError>,
    ) -> Result<(T, Tip), StoreError> {
        let mut tip = self.current()?;
        let done = work(self, &mut tip)?;
        tip.write(&mut self.write_tree)?;
        self.commit.execute([])?;
        Ok((done, tip))
    }

    /// The end of the log, read anew if another process has written.
    fn current(&mut self) -> Result<Tip, StoreError> {
        let head = self.read_head.query_row([], |row| {
            let number = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
            Ok((number(0)?, number(1)?, number(2)?, number(3)?))
        })?;
        match self.tip.take() {
            Some(tip) if (tip.size(), tip.epoch, tip.checkpoints, tip.synced_size) == head => Ok(tip),
            Some(before) => Tip::read_after(self.db, before),
            None => Tip::read(self.db, true),
        }
    }

    /// Adds an entry, and what it commits to.
    pub(super) fn append(
        &mut self,
        tip: &mut Tip,
        entry: &PendingEntry,
        facts: Facts,
        values: &mut Values,
    ) -> Result<u64, StoreError> {
        let sequence = tip.size();
        let bytes = entry.at(sequence);
        if bytes.len() > entry::MAX_BYTES {
            return Err(StoreError::new(StoreErrorKind::Refused, "an entry is over 64 KiB"));
        }
        let leaf = crate::audit::tree::leaf_hash(&bytes);
        self.insert_entry
            .execute(params![sequence.cast_signed(), leaf.as_bytes(), bytes])?;
        if let Values::Open { subject, bytes } = values {
            let key = self.keys.find_or_make(subject)?;
            *values = Values::Sealed(seal::seal(key, bytes)?);
        }
        if let Values::Sealed(sealed) = values {
            let mark = seal::check(sequence, sealed.subject, &sealed.nonce, &sealed.bytes);
            self.insert_sealed.execute(params![
                sequence.cast_signed(),
                sealed.subject,
                sealed.nonce,
                sealed.bytes,
                mark
            ])?;
        }
        if EPOCHAL.contains(&entry.index.kind.as_str()) {
            tip.epoch += 1;
        }
        tip.push(self.db, leaf, facts)?;
        Ok(sequence)
    }

    /// Adds a statement's entry.
    pub(super) fn state(&mut self, tip: &mut Tip, kind: &str, body: &str) -> Result<u64, StoreError> {
        let entry = statement(&entry::Statement::new(kind, SystemTime::now(), body))?;
        let facts = Facts::of(&entry.index);
        self.append(tip, &entry, facts, &mut Values::None)
    }

    /// Notes that a process runs the call of this decision.
    pub(super) fn run(&mut self, sequence: u64, process: i64) -> Result<(), StoreError> {
        let mark = running_mark(sequence, process);
        self.insert_running
            .execute(params![sequence.cast_signed(), process, mark])?;
        Ok(())
    }

    /// Notes that the call of this decision runs no more.
    pub(super) fn ended(&mut self, sequence: u64) -> Result<(), StoreError> {
        self.delete_running.execute([sequence.cast_signed()])?;
        Ok(())
    }

    /// Records that how the calls ended that this process ran is not known.
    pub(super) fn close_process(&mut self, tip: &mut Tip, process: i64) -> Result<(), StoreError> {
        let mut select = self
            .db
            .prepare("SELECT seq FROM running WHERE process = ?1 ORDER BY seq")?;
        let left: Vec<i64> = select
            .query_map([process], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for sequence in left.into_iter().map(i64::cast_unsigned) {
            let (evaluation, agent) = self.named(sequence)?;
            let entry = unknown_outcome(Sequence::new(sequence), &evaluation, &agent, SystemTime::now());
            let facts = Facts::of(&entry.index);
            self.append(tip, &entry, facts, &mut Values::None)?;
            self.ended(sequence)?;
            counts::release(self.db, sequence)?;
        }
        Ok(())
    }

    /// Whether the call of an evaluation runs.
    pub(super) fn runs(&self, evaluation: &str) -> Result<bool, StoreError> {
        let mut select = self.db.prepare("SELECT seq FROM running ORDER BY seq DESC")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            if self.named(row.get::<_, i64>(0)?.cast_unsigned())?.0 == evaluation {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The evaluation and agent of a decision.
    pub(super) fn named(&self, sequence: u64) -> Result<(String, String), StoreError> {
        let bytes: Option<Vec<u8>> = self
            .db
            .query_row(
                "SELECT bytes FROM entries WHERE seq = ?1",
                [sequence.cast_signed()],
                |row| row.get(0),
            )
            .optional()?;
        let bytes = bytes.ok_or_else(|| StoreError::corrupt(format!("record {sequence} is not there")))?;
        let entry = Entry::parse(bytes)?;
        let text = |text: Option<crate::audit::export::Untrusted<'_>>| {
            text.map(|text| text.reveal().to_owned()).unwrap_or_default()
        };
        Ok((text(entry.evaluation()), text(entry.agent())))
    }

    /// Notes that all entries so far are fsynced, as they are when this transaction is, and signs them.
    pub(super) fn seal_size(&mut self, tip: &mut Tip, signer: Option<&NoteSigner>) -> Result<(), StoreError> {
        tip.synced_size = tip.size();
        tip.synced_root = tip.frontier.root();
        let Some(signer) = signer else {
            return Ok(());
        };
        let checkpoint = Checkpoint::new(&tip.origin, tip.synced_size, tip.synced_root)
            .map_err(|error| StoreError::corrupt(error.to_string()))?;
        let note = checkpoint.sign(signer).to_string();
        self.db.execute(
            "INSERT INTO checkpoints(number, size, note) VALUES(?1, ?2, ?3)",
            params![tip.checkpoints.cast_signed(), tip.synced_size.cast_signed(), note],
        )?;
        tip.checkpoints += 1;
        Ok(())
    }
}

/// Begins a transaction that writes; waits at most so long for another process that does.
pub(super) fn begin(db: &Connection, patience: Duration) -> Result<(), StoreError> {
    begin_with(&mut db.prepare(BEGIN)?, patience)
}

fn begin_with(statement: &mut Statement<'_>, patience: Duration) -> Result<(), StoreError> {
    let begun = Instant::now();
    loop {
        match statement.execute([]).map(|_| ()).map_err(StoreError::from) {
            Err(error) if error.kind() == StoreErrorKind::Locked && begun.elapsed() < patience => {
                std::thread::sleep(ASK_AGAIN);
            }
            done => return done,
        }
    }
}

/// Ties a row's columns to each other: the process stands in no entry.
pub(super) fn running_mark(sequence: u64, process: i64) -> [u8; 8] {
    let hash = Sha256::new()
        .chain_update(sequence.to_be_bytes())
        .chain_update(process.to_be_bytes())
        .finalize();
    *hash.first_chunk().unwrap_or(&[0; 8])
}
