//! Checking the whole record.
//!
//! One thread reads, the other hashes and compares; both see the record as it was at one moment, while others may write.

mod checkpoints;
mod deep;
mod feed;
mod leaves;
mod report;

use std::path::Path;
use std::sync::mpsc::sync_channel;

use rusqlite::Connection;

pub use report::{Depth, Problem, Report};

use super::error::StoreError;
use super::facts::BLOCK;
use super::keys::SubjectKeys;
use super::tip::Tip;
use super::{lookup, schema};
use checkpoints::Checkpoints;
use deep::Deep;
use leaves::Leaves;

/// How many chunks may wait for the thread that hashes: memory is bounded by them.
const MOST_WAITING: usize = 4;

pub(super) fn run(
    database: &Path,
    keys: &Path,
    depth: Depth,
    mut progress: impl FnMut(u64),
) -> Result<Report, StoreError> {
    let db = schema::reader(database)?;
    db.execute_batch("BEGIN")?;
    let tip = Tip::read(&db, false)?;
    let mut report = Report::new(&tip);
    check_schema(&db, &mut report)?;
    let keys = SubjectKeys::open(keys)?;
    let reading = schema::reader(database)?;
    reading.execute_batch("BEGIN; SELECT size FROM tree")?;

    let deep = depth == Depth::Deep;
    let named = if deep {
        Vec::new()
    } else {
        lookup::log_keys(&db, tip.size())?
    };
    let mut leaves = Leaves::new(&db, &tip);
    let mut checkpoints = Checkpoints::new(&db, deep, &named)?;
    let mut deeper = deep.then(|| Deep::new(&db, &tip, &keys));
    std::thread::scope(|scope| -> Result<(), StoreError> {
        let (sender, chunks) = sync_channel(MOST_WAITING);
        let size = tip.size();
        let feeding = scope.spawn(move || feed::run(&reading, size, deep, &sender));
        for chunk in chunks {
            for row in chunk.rows() {
                leaves.add(&row, &mut report)?;
                if let Some(deeper) = &mut deeper {
                    deeper.add(&row, &mut report, &mut checkpoints)?;
                }
                checkpoints.reached(leaves.frontier(), &mut report)?;
            }
            progress(leaves.frontier().size());
        }
        match feeding.join() {
            Ok(done) => done,
            Err(_) => Err(StoreError::stopped()),
        }
    })?;
    leaves.finish(&mut report)?;
    checkpoints.finish(&tip, &mut report)?;
    if let Some(deeper) = deeper {
        deeper.finish(&mut report)?;
    }
    Ok(report)
}

/// The tables are those that this version makes, and no trigger or view stands beside them.
fn check_schema(db: &Connection, report: &mut Report) -> Result<(), StoreError> {
    if !schema::is_of(db, schema::STEPS)? {
        report.add(
            "schema_changed",
            None,
            "the tables are not those that this version makes",
        );
    }
    Ok(())
}

/// Which block, counted from 0, ends with a log of this size.
fn block_ending_at(size: u64) -> Option<u64> {
    (size > 0 && size.is_multiple_of(BLOCK)).then(|| size / BLOCK - 1)
}
