//! What is to be delivered, kept beside the record: a small database of its own, so that no call waits for it.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::WebhookError;
use super::event::Event;

/// So many letters that were delivered are remembered, so that nothing is sent anew when a ticket is joined.
const REMEMBERED: i64 = 20_000;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS cursor(id INTEGER PRIMARY KEY, next INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS letters(
  id INTEGER PRIMARY KEY, webhook TEXT NOT NULL, event TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL,
  attempts INTEGER NOT NULL, due INTEGER NOT NULL, state TEXT NOT NULL, error TEXT NOT NULL, UNIQUE(webhook, event)) STRICT;
CREATE INDEX IF NOT EXISTS due ON letters(state, due);
";

/// The queue of a data directory.
pub(super) struct Queue(Connection);

/// A letter that is to be sent.
pub(super) struct Due {
    pub(super) id: i64,
    pub(super) event: String,
    pub(super) body: String,
    pub(super) attempts: usize,
}

impl Queue {
    pub(super) fn open(dir: &Path) -> Result<Self, WebhookError> {
        let path = dir.join("webhooks.db");
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            // made here, for the owner alone, so that its journal is as well
            let made = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(&path);
            made.map_err(|error| WebhookError::io(&error))?;
        }
        let db = Connection::open(path)?;
        db.busy_timeout(Duration::from_secs(5))?;
        db.pragma_update(None, "journal_mode", "wal")?;
        db.pragma_update(None, "secure_delete", "ON")?;
        db.execute_batch(TABLES)?;
        Ok(Self(db))
    }

    /// The next entry that is to be read; where nothing was read yet, `begin`.
    pub(super) fn cursor(&self, begin: u64) -> Result<u64, WebhookError> {
        let found: Option<i64> = self
            .0
            .query_row("SELECT next FROM cursor WHERE id = 0", [], |row| row.get(0))
            .optional()?;
        if let Some(next) = found {
            return Ok(next.cast_unsigned());
        }
        self.0
            .execute("INSERT INTO cursor(id, next) VALUES(0, ?1)", [begin.cast_signed()])?;
        Ok(begin)
    }

    /// Adds letters, and says that entries below `next` are read: both or neither.
    pub(super) fn add(&mut self, letters: &[(&str, &Event)], next: Option<u64>, now: i64) -> Result<(), WebhookError> {
        let transaction = self.0.transaction()?;
        for (webhook, event) in letters {
            transaction.execute(
                "INSERT OR IGNORE INTO letters(webhook, event, type, body, attempts, due, state, error) \
                 VALUES(?1, ?2, ?3, ?4, 0, ?5, 'waiting', '')",
                params![webhook, event.id(), event.kind().name(), event.body(), now],
            )?;
        }
        if let Some(next) = next {
            transaction.execute("UPDATE cursor SET next = ?1 WHERE id = 0", [next.cast_signed()])?;
        }
        Ok(transaction.commit()?)
    }

    /// Letters to a webhook that are due, oldest first.
    pub(super) fn due(&self, webhook: &str, now: i64, most: usize) -> Result<Vec<Due>, WebhookError> {
        let mut select = self.0.prepare(
            "SELECT id, event, body, attempts FROM letters WHERE state = 'waiting' AND due <= ?2 AND webhook = ?1 ORDER BY id LIMIT ?3",
        )?;
        let rows = select.query_map(params![webhook, now, most as i64], |row| {
            Ok(Due {
                id: row.get(0)?,
                event: row.get(1)?,
                body: row.get(2)?,
                attempts: usize::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(super) fn delivered(&self, id: i64) -> Result<(), WebhookError> {
        self.0.execute(
            "UPDATE letters SET state = 'delivered', body = '', error = '', attempts = attempts + 1 WHERE id = ?1",
            [id],
        )?;
        self.0.execute(
            "DELETE FROM letters WHERE state = 'delivered' AND id <= (SELECT max(id) FROM letters) - ?1",
            [REMEMBERED],
        )?;
        Ok(())
    }

    /// An attempt failed: when the next is, or none.
    pub(super) fn failed(&self, id: i64, error: &str, next: Option<i64>) -> Result<(), WebhookError> {
        let state = if next.is_some() { "waiting" } else { "dead" };
        self.0.execute(
            "UPDATE letters SET attempts = attempts + 1, error = ?2, state = ?3, due = ?4 WHERE id = ?1",
            params![id, error, state, next.unwrap_or(0)],
        )?;
        Ok(())
    }
}

/// What is waiting to be delivered, and what is dead.
pub struct Letters(Queue);

/// A letter that was not delivered yet, or never.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Letter {
    /// Its number.
    pub id: i64,
    /// The name of the webhook.
    pub webhook: String,
    /// The event's id.
    pub event: String,
    /// The event's name, such as `ticket.opened`.
    pub kind: String,
    /// How often it was tried.
    pub attempts: u64,
    /// Whether it is tried no more.
    pub dead: bool,
    /// What the last attempt ended with.
    pub error: String,
}

impl Letters {
    pub(super) fn open(dir: &Path) -> Result<Self, WebhookError> {
        Queue::open(dir).map(Self)
    }

    /// Every letter that is not delivered, oldest first.
    ///
    /// # Errors
    ///
    /// [`WebhookError`] when the queue cannot be read.
    pub fn all(&self) -> Result<Vec<Letter>, WebhookError> {
        let mut select = self.0.0.prepare(
            "SELECT id, webhook, event, type, attempts, state, error FROM letters WHERE state <> 'delivered' ORDER BY id LIMIT 10000",
        )?;
        let rows = select.query_map([], |row| {
            Ok(Letter {
                id: row.get(0)?,
                webhook: row.get(1)?,
                event: row.get(2)?,
                kind: row.get(3)?,
                attempts: row.get::<_, i64>(4)?.unsigned_abs(),
                dead: row.get::<_, String>(5)? == "dead",
                error: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Tries a dead letter again, as if for the first time; says whether there is one of this number.
    ///
    /// # Errors
    ///
    /// [`WebhookError`] when the queue cannot be written.
    pub fn revive(&self, id: i64) -> Result<bool, WebhookError> {
        let changed = self.0.0.execute(
            "UPDATE letters SET state = 'waiting', attempts = 0, due = 0 WHERE id = ?1 AND state = 'dead'",
            [id],
        )?;
        Ok(changed > 0)
    }
}

impl fmt::Debug for Letters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letters").finish_non_exhaustive()
    }
}
