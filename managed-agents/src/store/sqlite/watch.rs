//! The thread that looks, while calls run or somebody attends, whether another process has stopped something.
//!
//! It reads one number of the database every 20 ms, and more only where any process has written since. While nothing runs it
//! sleeps: what is admitted next is checked by the transaction that writes it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::error::StoreError;
use super::interrupts::Stops;
use super::shared::Shared;
use super::{agents, schema};

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(20);
/// How long it goes on when nothing runs, so that one call after another does not put it to sleep and wake it each time.
const LINGER: Duration = Duration::from_secs(2);

/// Wakes the thread, and ends it.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    awake: AtomicBool,
    /// Guards whether the thread is to end; held to change or to wait.
    ended: Mutex<bool>,
    changed: Condvar,
}

impl Alarm {
    /// Something runs from now on.
    #[inline]
    pub(super) fn wake(&self) {
        if !self.awake.load(Ordering::SeqCst) {
            self.wake_up();
        }
    }

    #[cold]
    fn wake_up(&self) {
        // under the lock, so that a thread that is about to sleep hears it
        drop(self.ended.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    pub(super) fn end(&self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits until something runs; says whether the thread is to go on.
    fn wait(&self, runs: impl Fn() -> bool) -> bool {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        self.awake.store(false, Ordering::SeqCst);
        while !*ended && !runs() {
            ended = self.changed.wait(ended).unwrap_or_else(PoisonError::into_inner);
        }
        self.awake.store(true, Ordering::SeqCst);
        !*ended
    }

    /// Sleeps for a period; says whether the thread is to go on.
    fn sleep(&self) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if *ended {
            return false;
        }
        let (ended, _) = self
            .changed
            .wait_timeout(ended, PERIOD)
            .unwrap_or_else(PoisonError::into_inner);
        !*ended
    }
}

/// Begins to watch; what is given closes when the thread has ended.
pub(super) fn start(dir: &Path, shared: Arc<Shared>) -> Result<Receiver<()>, StoreError> {
    let db = schema::reader(&schema::database(dir))?;
    let (ending, ended) = channel();
    std::thread::Builder::new()
        .name("managed-agents watch".to_owned())
        .spawn(move || {
            run(&db, &shared);
            // closed before anybody hears that the thread has ended
            drop(db);
            drop(ending);
        })
        .map_err(|error| StoreError::io("start a thread for", dir, &error))?;
    Ok(ended)
}

fn run(db: &Connection, shared: &Shared) {
    let mut seen = None;
    while shared.alarm.wait(|| shared.is_attended()) {
        let mut busy = Instant::now();
        while busy.elapsed() < LINGER {
            if !shared.alarm.sleep() {
                return;
            }
            if shared.is_attended() {
                busy = Instant::now();
            }
            if let Err(error) = look(db, shared, &mut seen) {
                // the transaction that writes sees it all the same
                tracing::error!(%error, "whether anything was stopped cannot be read");
                seen = None;
            }
        }
    }
}

/// Tells the bodies of this process what is new.
fn look(db: &Connection, shared: &Shared, seen: &mut Option<(i64, u64)>) -> Result<(), StoreError> {
    let version: i64 = db.pragma_query_value(None, "data_version", |row| row.get(0))?;
    if seen.is_some_and(|(known, _)| known == version) {
        return Ok(());
    }
    let known = seen.map(|(_, epoch)| epoch);
    // in one transaction: epoch, stops and states are of one moment
    let moment = db.unchecked_transaction()?;
    let (epoch, size): (u64, u64) = moment.query_row("SELECT epoch, size FROM tree WHERE id = 0", [], |row| {
        Ok((
            row.get::<_, i64>(0)?.cast_unsigned(),
            row.get::<_, i64>(1)?.cast_unsigned(),
        ))
    })?;
    if known != Some(epoch) {
        let stops = Stops::read(&moment, size)?;
        let standings = agents::standings(&agents::all(&moment)?, epoch);
        shared.publish(epoch, standings, &stops);
    }
    *seen = Some((version, epoch));
    Ok(())
}
