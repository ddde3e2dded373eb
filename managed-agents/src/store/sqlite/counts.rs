//! What limits and policies count: applied in the transaction that writes the decision, so that no two processes pass one
//! together.
//!
//! Time is the later of the decision's and the log's last entry's: it never goes back, not over a restart either. Of a clock that was
//! set ahead and back again it stands still, and nothing is forgotten meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

use super::error::StoreError;
use super::log::Log;
use super::process;
use super::tip::Tip;
use crate::limit::{Counted, Counter, Key, Rests, as_count};

/// How often the processes that hold a place are asked whether they still live.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// How often counters of sessions that are long over are looked for.
const SWEEP: Duration = Duration::from_secs(600);

/// What a call has counted of limits and of the history, and when.
#[derive(Clone)]
pub(super) struct Tally {
    counted: [Option<Arc<Counted>>; 2],
    at: u64,
}

/// When dead processes, and old counters, were last looked for.
#[derive(Default)]
pub(super) struct LastAsked {
    dead: Option<Instant>,
    old: Option<Instant>,
}

/// The time at which a decision counts: its own, or that of the log's last entry where that is later. Both stand in the log,
/// from which what is counted of the history is made anew.
fn time(tip: &Tip, at_micros: i64) -> u64 {
    u64::try_from(at_micros.max(tip.log_time)).unwrap_or(0)
}

/// Whether the decision of a time exceeds a limit, which is named.
pub(super) fn check(
    log: &mut Log<'_>,
    tip: &mut Tip,
    counted: &Counted,
    at_micros: i64,
    (dir, asked): (&Path, &mut LastAsked),
) -> Result<Option<usize>, StoreError> {
    let now = time(tip, at_micros);
    for (at, entry) in counted.entries.iter().enumerate() {
        let exceeds = match entry.parts(now) {
            Some((_, first)) => entry.exceeds(sum(log.db, &entry.key, first)?),
            None if !entry.exceeds(running(log.db, &entry.key)?) => false,
            // some of those that run may be dead: where any was freed, the rest are counted again
            None => !free_dead(log, tip, &entry.key, dir, asked)? || entry.exceeds(running(log.db, &entry.key)?),
        };
        if exceeds {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// What the counters hold that a verdict of a time rests on.
pub(super) fn read(log: &Log<'_>, tip: &Tip, rests: &dyn Rests, at_micros: i64) -> Result<Vec<i64>, StoreError> {
    let now = time(tip, at_micros);
    let counts = rests.read().map(|entry| match entry.parts(now) {
        Some((_, first)) => sum(log.db, &entry.key, first).map(as_count),
        None => running(log.db, &entry.key).map(as_count),
    });
    counts.collect()
}

/// Counts the call of the next decision: what limits count, and what the history does.
pub(super) fn count(
    log: &Log<'_>,
    tip: &Tip,
    counted: [Option<&Arc<Counted>>; 2],
    at_micros: i64,
    asked: &mut LastAsked,
) -> Result<Tally, StoreError> {
    // the next place: closing a dead process may have added entries
    let sequence = tip.size();
    let now = time(tip, at_micros);
    for entry in counted.iter().flatten().flat_map(|counted| counted.once()) {
        match entry.parts(now) {
            None => hold(log.db, &entry.key, sequence)?,
            Some((part, first)) => {
                add(log.db, &entry.key, part, entry.amount)?;
                log.db
                    .prepare_cached("DELETE FROM counts WHERE key = ?1 AND part < ?2")?
                    .execute(params![&*entry.key, first.cast_signed()])?;
            }
        }
    }
    if asked.old.is_none_or(|last| last.elapsed() >= SWEEP) {
        asked.old = Some(Instant::now());
        sweep(log.db, now)?;
    }
    Ok(Tally {
        counted: counted.map(|counted| counted.cloned()),
        at: now,
    })
}

/// Forgets sessions that are long over: nothing else comes back to their counters.
fn sweep(db: &Connection, now: u64) -> Result<(), StoreError> {
    let Some((begin, first)) = Counter::sessions(now) else {
        return Ok(());
    };
    // a key is never shorter, and no byte of it is greater
    let end = [begin.as_slice(), &[0xff]].concat();
    db.execute(
        "DELETE FROM counts WHERE key >= ?1 AND key < ?2 AND part < ?3",
        params![begin, end, first.cast_signed()],
    )?;
    Ok(())
}

/// The call has ended; one that never began is given back.
pub(super) fn ended(db: &Connection, sequence: u64, tally: &Tally, began: bool) -> Result<(), StoreError> {
    for entry in tally.counted.iter().flatten().flat_map(|counted| counted.once()) {
        match entry.parts(tally.at) {
            None => {
                db.prepare_cached("DELETE FROM holds WHERE key = ?1 AND seq = ?2")?
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
    if asked.dead.is_some_and(|last| last.elapsed() < ASK_AGAIN) {
        return Ok(false);
    }
    asked.dead = Some(Instant::now());
    let mut select = log.db.prepare_cached(
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
    let mut select = db.prepare_cached("SELECT count(*) FROM holds WHERE key = ?1")?;
    Ok(select.query_row([&**key], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

fn sum(db: &Connection, key: &Key, first: u64) -> Result<u64, StoreError> {
    let mut select = db.prepare_cached("SELECT amount FROM counts WHERE key = ?1 AND part >= ?2")?;
    let mut rows = select.query(params![&**key, first.cast_signed()])?;
    let mut sum = 0_u64;
    while let Some(row) = rows.next()? {
        sum = sum.saturating_add(row.get::<_, i64>(0)?.cast_unsigned());
    }
    Ok(sum)
}

fn amount(db: &Connection, key: &Key, part: u64) -> Result<u64, StoreError> {
    use rusqlite::OptionalExtension as _;
    let mut select = db.prepare_cached("SELECT amount FROM counts WHERE key = ?1 AND part = ?2")?;
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
    db.prepare_cached("INSERT OR REPLACE INTO counts(key, part, amount, mark) VALUES(?1, ?2, ?3, ?4)")?
        .execute(params![&**key, part, amount, mark(key, &[part, amount])])?;
    Ok(())
}

fn hold(db: &Connection, key: &Key, sequence: u64) -> Result<(), StoreError> {
    let sequence = sequence.cast_signed();
    db.prepare_cached("INSERT INTO holds(key, seq, mark) VALUES(?1, ?2, ?3)")?
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
