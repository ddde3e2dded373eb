//! What limits count: applied in the transaction that writes the decision, so that no two processes pass one together.
//!
//! Time is the later of the clock and the log's last entry: it never goes back, not over a restart either. Of a clock that was
//! set ahead and back again it stands still, and nothing is forgotten meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

use super::error::StoreError;
use super::log::Log;
use super::tip::Tip;
use super::{admission, process};
use crate::limit::{Counted, Key};

/// How often the processes that hold a place are asked whether they still live.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// What a call has counted, and when.
#[derive(Clone)]
pub(super) struct Tally {
    counted: Arc<Counted>,
    at: u64,
}

/// When dead processes were last looked for.
#[derive(Default)]
pub(super) struct LastAsked(Option<Instant>);

/// Whether a call exceeds a limit, which is named; else the time that it is counted at.
pub(super) fn check(
    log: &mut Log<'_>,
    tip: &mut Tip,
    counted: &Counted,
    (dir, asked): (&Path, &mut LastAsked),
) -> Result<Result<u64, usize>, StoreError> {
    let now = u64::try_from(admission::micros(SystemTime::now()).max(tip.log_time)).unwrap_or(0);
    for (at, entry) in counted.entries.iter().enumerate() {
        let exceeds = match entry.parts(now) {
            Some((_, first)) => entry.exceeds(sum(log.db, &entry.key, first)?),
            None if !entry.exceeds(running(log.db, &entry.key)?) => false,
            // some of those that run may be dead: where any was freed, the rest are counted again
            None => !free_dead(log, tip, &entry.key, dir, asked)? || entry.exceeds(running(log.db, &entry.key)?),
        };
        if exceeds {
            return Ok(Err(at));
        }
    }
    Ok(Ok(now))
}

/// Counts the call of the next decision, at a time.
pub(super) fn count(log: &Log<'_>, tip: &Tip, counted: &Arc<Counted>, now: u64) -> Result<Tally, StoreError> {
    // the next place: closing a dead process may have added entries
    let sequence = tip.size();
    for entry in &counted.entries {
        match entry.parts(now) {
            None => hold(log.db, &entry.key, sequence)?,
            Some((part, first)) => {
                add(log.db, &entry.key, part, entry.amount)?;
                log.db
                    .prepare("DELETE FROM counts WHERE key = ?1 AND part < ?2")?
                    .execute(params![&*entry.key, first.cast_signed()])?;
            }
        }
    }
    Ok(Tally {
        counted: Arc::clone(counted),
        at: now,
    })
}

/// The call has ended; one that never began is given back.
pub(super) fn ended(db: &Connection, sequence: u64, tally: &Tally, began: bool) -> Result<(), StoreError> {
    for entry in &tally.counted.entries {
        match entry.parts(tally.at) {
            None => {
                db.prepare("DELETE FROM holds WHERE key = ?1 AND seq = ?2")?
                    .execute(params![&*entry.key, sequence.cast_signed()])?;
            }
            Some((part, _)) if !began => {
                let amount = amount(db, &entry.key, part)?;
                // a sum that could not be held stays at its end
                if amount > 0 && amount < i64::MAX as u64 {
                    put(db, &entry.key, part, amount.saturating_sub(entry.amount))?;
                }
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The process that ran the call has died.
pub(super) fn release(db: &Connection, sequence: u64) -> Result<(), StoreError> {
    db.execute("DELETE FROM holds WHERE seq = ?1", [sequence.cast_signed()])?;
    Ok(())
}

/// Closes what dead processes ran of what is counted; says whether there were any.
fn free_dead(
    log: &mut Log<'_>,
    tip: &mut Tip,
    key: &Key,
    dir: &Path,
    asked: &mut LastAsked,
) -> Result<bool, StoreError> {
    if asked.0.is_some_and(|last| last.elapsed() < ASK_AGAIN) {
        return Ok(false);
    }
    asked.0 = Some(Instant::now());
    let mut select = log.db.prepare(
        "SELECT DISTINCT running.process FROM holds JOIN running ON running.seq = holds.seq WHERE holds.key = ?1",
    )?;
    let holders: Vec<i64> = select
        .query_map([&**key], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    drop(select);
    let mut freed = false;
    for holder in holders {
        // who has written a row has had its lock from before that on
        if process::is_dead(dir, holder)? {
            log.close_process(tip, holder)?;
            freed = true;
        }
    }
    Ok(freed)
}

fn running(db: &Connection, key: &Key) -> Result<u64, StoreError> {
    let mut select = db.prepare("SELECT count(*) FROM holds WHERE key = ?1")?;
    Ok(select.query_row([&**key], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

fn sum(db: &Connection, key: &Key, first: u64) -> Result<u64, StoreError> {
    let mut select = db.prepare("SELECT amount FROM counts WHERE key = ?1 AND part >= ?2")?;
    let mut rows = select.query(params![&**key, first.cast_signed()])?;
    let mut sum = 0_u64;
    while let Some(row) = rows.next()? {
        sum = sum.saturating_add(row.get::<_, i64>(0)?.cast_unsigned());
    }
    Ok(sum)
}

fn amount(db: &Connection, key: &Key, part: u64) -> Result<u64, StoreError> {
    use rusqlite::OptionalExtension as _;
    let mut select = db.prepare("SELECT amount FROM counts WHERE key = ?1 AND part = ?2")?;
    let amount = select
        .query_row(params![&**key, part.cast_signed()], |row| row.get::<_, i64>(0))
        .optional()?;
    Ok(amount.unwrap_or(0).cast_unsigned())
}

fn add(db: &Connection, key: &Key, part: u64, more: u64) -> Result<(), StoreError> {
    let amount = amount(db, key, part)?.saturating_add(more);
    put(db, key, part, amount)
}

fn put(db: &Connection, key: &Key, part: u64, amount: u64) -> Result<(), StoreError> {
    let (part, amount) = (part.cast_signed(), i64::try_from(amount).unwrap_or(i64::MAX));
    db.prepare("INSERT OR REPLACE INTO counts(key, part, amount, mark) VALUES(?1, ?2, ?3, ?4)")?
        .execute(params![&**key, part, amount, mark(key, &[part, amount])])?;
    Ok(())
}

fn hold(db: &Connection, key: &Key, sequence: u64) -> Result<(), StoreError> {
    let sequence = sequence.cast_signed();
    db.prepare("INSERT INTO holds(key, seq, mark) VALUES(?1, ?2, ?3)")?
        .execute(params![&**key, sequence, mark(key, &[sequence])])?;
    Ok(())
}

/// Ties a row's columns to each other: they stand in no entry.
pub(super) fn mark(key: &[u8], numbers: &[i64]) -> [u8; 8] {
    let mut hash = Sha256::new().chain_update(key);
    for number in numbers {
        hash.update(number.to_be_bytes());
    }
    *hash.finalize().first_chunk().unwrap_or(&[0; 8])
}

/// What is wrong with the tables: the calls of `holds` must be among those that run.
pub(super) fn fault(db: &Connection) -> Result<bool, StoreError> {
    let mut select = db.prepare("SELECT key, part, amount, mark FROM counts")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let key: Vec<u8> = row.get(0)?;
        if row.get::<_, Vec<u8>>(3)? != mark(&key, &[row.get(1)?, row.get(2)?]) {
            return Ok(true);
        }
    }
    let mut select =
        db.prepare("SELECT key, holds.seq, holds.mark, running.seq FROM holds LEFT JOIN running USING(seq)")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let key: Vec<u8> = row.get(0)?;
        if row.get::<_, Vec<u8>>(2)? != mark(&key, &[row.get(1)?]) || row.get::<_, Option<i64>>(3)?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}
