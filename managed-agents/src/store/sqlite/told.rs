//! Who hears what is written: every entry about an agent once, in the order of the log, whichever process wrote it.
//!
//! What this process writes is told from what was sent to the writer; what other processes wrote in between is read first.
//! It is told by the writer's thread after the transaction, and before whoever waits for the decision hears that it is
//! written.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use rusqlite::Connection;

use super::error::StoreError;
use super::lookup;
use super::query::Query;
use super::reader::Reader;
use crate::audit::{Event, Watcher, fits, hear};
use crate::call::AgentId;

#[derive(Default)]
pub(super) struct Watchers {
    by_agent: HashMap<String, Vec<Weak<dyn Watcher>>>,
    /// The first entry that was not told yet.
    told: u64,
}

impl Watchers {
    pub(super) fn is_empty(&self) -> bool {
        self.by_agent.is_empty()
    }

    /// Adds a watcher who knows what stands before `seen`.
    pub(super) fn add(
        &mut self,
        db: &Connection,
        agent: String,
        watcher: &Arc<dyn Watcher>,
        seen: u64,
    ) -> Result<(), StoreError> {
        self.by_agent.retain(|_, watchers| {
            watchers.retain(|watcher| watcher.strong_count() > 0);
            !watchers.is_empty()
        });
        if self.is_empty() {
            self.told = seen;
        }
        self.catch_up(db, seen)?;
        for sequence in seen..self.told {
            if let Some(entry) = lookup::entry(db, sequence)?.filter(|entry| fits(entry, &agent)) {
                hear(&entry, |event| watcher.heard(event));
            }
        }
        self.by_agent.entry(agent).or_default().push(Arc::downgrade(watcher));
        Ok(())
    }

    /// Who hears of this agent already.
    pub(super) fn of(&self, agent: &str) -> Vec<Arc<dyn Watcher>> {
        let watchers = self.by_agent.get(agent).into_iter().flatten();
        watchers.filter_map(Weak::upgrade).collect()
    }

    /// Tells of the entries before a place that are not told yet.
    pub(super) fn catch_up(&mut self, db: &Connection, before: u64) -> Result<(), StoreError> {
        while self.told < before {
            if let Some(entry) = lookup::entry(db, self.told)? {
                hear(&entry, |event| self.tell(event));
            }
            self.told += 1;
        }
        Ok(())
    }

    /// Tells of an entry that this process wrote.
    pub(super) fn wrote(&mut self, event: &Event<'_>) {
        self.tell(event);
        self.told = event.place + 1;
    }

    fn tell(&self, event: &Event<'_>) {
        for watcher in self.by_agent.get(event.agent).into_iter().flatten() {
            if let Some(watcher) = watcher.upgrade() {
                watcher.heard(event);
            }
        }
    }
}

/// Tells a watcher of what the record has about an agent; says up to which place.
pub(super) fn replay(reader: &Reader, agent: &AgentId, watcher: &Arc<dyn Watcher>) -> Result<u64, StoreError> {
    let size = reader.head()?.size();
    let from = resumed(reader, agent, watcher)?.unwrap_or(0);
    lookup::each_about(&reader.db, agent.as_str(), from..size, |entry| {
        if fits(entry, agent.as_str()) {
            hear(entry, |event| watcher.heard(event));
        }
    })?;
    Ok(size)
}

/// Lets a watcher go on from what it wrote down last; says from where.
fn resumed(reader: &Reader, agent: &AgentId, watcher: &Arc<dyn Watcher>) -> Result<Option<u64>, StoreError> {
    let mut query = Query::new()
        .agent(agent.as_str())
        .kind("behaviour")
        .newest_first()
        .most(1);
    loop {
        let page = reader.query(&query)?;
        if let Some(entry) = page.entries().first() {
            return Ok(watcher.resumes(agent, entry.sequence(), entry.raw("body").unwrap_or_default()));
        }
        match page.next() {
            Some(cursor) => query = query.after(cursor),
            None => return Ok(None),
        }
    }
}
