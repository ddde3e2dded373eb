//! Checking the whole record.
//!
//! Some threads read and hash, and one compares; all see the record as it was at one moment, while others may write.

mod checkpoints;
mod counted;
mod deep;
mod feed;
mod in_force;
mod leaves;
mod orders;
mod reading;
mod report;
mod statements;
mod tickets;

use std::hash::RandomState;
use std::path::Path;
use std::sync::mpsc::sync_channel;

use rusqlite::Connection;

pub use report::{Depth, Problem, Report};

use super::error::StoreError;
use super::facts::BLOCK;
use super::keys::SubjectKeys;
use super::tip::Tip;
use super::{lookup, schema};
use crate::identity::Trust;
use checkpoints::Checkpoints;
use deep::Deep;
use leaves::Leaves;
use reading::Reading;

/// How many chunks of one thread may wait for the one that compares: memory is bounded by them.
const MOST_WAITING: usize = 8;
/// The most threads that read.
const MOST_THREADS: usize = 4;

pub(super) fn run(
    database: &Path,
    keys: &Path,
    trust: Option<&Trust>,
    depth: Depth,
    mut progress: impl FnMut(u64),
) -> Result<Report, StoreError> {
    let db = schema::reader(database)?;
    db.execute_batch("BEGIN")?;
    let tip = Tip::read(&db, false)?;
    let mut report = Report::new(&tip);
    check_schema(&db, &mut report)?;
    let keys = SubjectKeys::open(keys)?;

    let deep = depth == Depth::Deep;
    let named = if deep {
        Vec::new()
    } else {
        lookup::log_keys(&db, tip.size())?
    };
    let hash = RandomState::new();
    let mut leaves = Leaves::new(&db, &tip)?;
    let mut checkpoints = Checkpoints::new(&db, deep, &named)?;
    let mut deeper = deep.then(|| Deep::new(&db, &tip, &keys, trust, hash.clone()));
    let chunks = tip.size().div_ceil(feed::CHUNK);
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get().min(MOST_THREADS));
    let threads = (threads as u64).min(chunks).max(1);
    std::thread::scope(|scope| -> Result<(), StoreError> {
        let mut readers = Vec::new();
        for first in 0..threads {
            let (sender, chunks) = sync_channel(MOST_WAITING);
            let size = tip.size();
            let share = feed::Share { size, first, threads };
            let reading = deep.then(|| Reading::new(&keys, &hash));
            let feeding = scope.spawn(move || feed::run(database, share, reading, &sender));
            readers.push((feeding, chunks));
        }
        // in turns: as the parts were shared out
        for (_, chunks) in (0..chunks).zip(readers.iter().cycle()).map(|(_, reader)| reader) {
            // one that ended early says why below
            let Ok(chunk) = chunks.recv() else { break };
            let mut seen = chunk.seen.into_iter();
            for row in chunk.rows {
                let place = leaves.frontier().size();
                leaves.add(&row, &mut report)?;
                if let (Some(deeper), Some(seen)) = (&mut deeper, seen.next()) {
                    deeper.add(place, seen, &mut report, &mut checkpoints)?;
                }
                checkpoints.reached(leaves.frontier(), &mut report)?;
            }
            if let Some(deeper) = &mut deeper {
                deeper.add_sealed(chunk.sealed);
                deeper.add_index(chunk.index, chunk.named);
            }
            progress(leaves.frontier().size());
        }
        for (feeding, chunks) in readers {
            drop(chunks);
            feeding.join().unwrap_or_else(|_| Err(StoreError::stopped()))?;
        }
        Ok(())
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
