//! Asking for entries.

use std::time::SystemTime;

use rusqlite::Connection;

use super::admission::micros;
use super::error::StoreError;
use super::facts::{BLOCK, Field, term};
use super::lookup::{self, Wanted};
use crate::audit::entry::Entry;
use crate::verdict::Decision;

/// How many blocks of the index one page may look at: a page that finds little ends early, with a cursor to go on.
const MOST_BLOCKS: usize = 1_024;

/// Which entries are asked for: those that fit every condition.
///
/// # Examples
///
/// ```no_run
/// use managed_agents::Decision;
/// use managed_agents::store::{Query, Reader};
/// let reader = Reader::open("/var/lib/bot")?;
/// let mut query = Query::new().agent("support-bot").decision(Decision::Deny).most(50);
/// loop {
///     let page = reader.query(&query)?;
///     for entry in page.entries() {
///         println!("{}", entry.sequence());
///     }
///     let Some(cursor) = page.next() else { break };
///     query = query.after(cursor);
/// }
/// # Ok::<_, managed_agents::store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Query {
    conditions: Vec<(Field, String)>,
    since: i64,
    until: i64,
    newest_first: bool,
    cursor: Option<u64>,
    most: usize,
}

/// A part of what was asked for.
#[derive(Clone, Debug)]
pub struct Page {
    entries: Vec<Entry>,
    next: Option<u64>,
}

impl Page {
    /// The entries; there may be fewer than asked for, or none, and more to come.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Takes the entries.
    #[must_use]
    pub fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    /// Where to go on; none when nothing is left.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        self.next
    }
}

impl Default for Query {
    fn default() -> Self {
        Self::new()
    }
}

impl Query {
    /// Every entry, oldest first, 100 a page.
    #[must_use]
    pub fn new() -> Self {
        Self {
            conditions: Vec::new(),
            since: i64::MIN,
            until: i64::MAX,
            newest_first: false,
            cursor: None,
            most: 100,
        }
    }

    fn with(mut self, field: Field, value: &str) -> Self {
        self.conditions.push((field, value.to_owned()));
        self
    }

    /// Of one type: `decision`, `outcome`, `agent`, …
    #[must_use]
    pub fn kind(self, kind: &str) -> Self {
        self.with(Field::Kind, kind)
    }

    /// About one agent.
    #[must_use]
    pub fn agent(self, agent: &str) -> Self {
        self.with(Field::Agent, agent)
    }

    /// Of one tool.
    #[must_use]
    pub fn tool(self, tool: &str) -> Self {
        self.with(Field::Tool, &crate::audit::entry::clip(tool))
    }

    /// Of one decision.
    #[must_use]
    pub fn decision(self, decision: Decision) -> Self {
        self.with(Field::Decision, decision.code())
    }

    /// Of one session.
    #[must_use]
    pub fn session(self, session: &str) -> Self {
        self.with(Field::Session, &crate::audit::entry::clip(session))
    }

    /// Not before a time.
    #[must_use]
    pub fn since(mut self, time: SystemTime) -> Self {
        self.since = micros(time);
        self
    }

    /// Before a time.
    #[must_use]
    pub fn until(mut self, time: SystemTime) -> Self {
        self.until = micros(time);
        self
    }

    /// The newest first.
    #[must_use]
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    /// Goes on where a page ended.
    #[must_use]
    pub fn after(mut self, cursor: u64) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// At most so many entries a page.
    #[must_use]
    pub fn most(mut self, entries: usize) -> Self {
        self.most = entries.clamp(1, 10_000);
        self
    }

    fn fits(&self, entry: &Entry) -> bool {
        let is = |found: Option<crate::audit::export::Untrusted<'_>>, wanted: &str| {
            found.is_some_and(|found| found.reveal() == wanted)
        };
        (self.since..self.until).contains(&entry.at_micros())
            && self.conditions.iter().all(|(field, wanted)| match field {
                Field::Kind => entry.kind() == wanted,
                Field::Agent => is(entry.agent(), wanted),
                Field::Tool => is(entry.tool(), wanted),
                Field::Decision => is(entry.decision(), wanted),
                Field::Session => is(entry.session(), wanted),
            })
    }

    pub(super) fn run(&self, db: &Connection, size: u64) -> Result<Page, StoreError> {
        let mut search = Search {
            query: self,
            db,
            found: Vec::new(),
        };
        let next = if self.newest_first {
            search.backwards(size)?
        } else {
            search.forwards(size)?
        };
        Ok(Page {
            entries: search.found,
            next,
        })
    }
}

/// A cursor is the place of the last entry that was looked at.
struct Search<'q, 'c> {
    query: &'q Query,
    db: &'c Connection,
    found: Vec<Entry>,
}

impl Search<'_, '_> {
    fn forwards(&mut self, size: u64) -> Result<Option<u64>, StoreError> {
        let indexed = size - size % BLOCK;
        let mut from = self.query.cursor.map_or(0, |cursor| cursor.saturating_add(1));
        let wanted = self.wanted();
        for _ in 0..MOST_BLOCKS {
            if from >= indexed {
                break;
            }
            let Some((block, places)) = lookup::next_block(self.db, &wanted, from / BLOCK, false)? else {
                from = indexed;
                break;
            };
            for place in places {
                let sequence = block * BLOCK + u64::from(place);
                if sequence >= from && self.look(sequence)? {
                    return Ok(Some(sequence));
                }
            }
            from = (block + 1) * BLOCK;
        }
        if from < indexed {
            return Ok(Some(from - 1));
        }
        for sequence in from..size {
            if self.look(sequence)? {
                return Ok((sequence + 1 < size).then_some(sequence));
            }
        }
        Ok(None)
    }

    fn backwards(&mut self, size: u64) -> Result<Option<u64>, StoreError> {
        let indexed = size - size % BLOCK;
        // the entries below this are still to be looked at
        let mut below = self.query.cursor.unwrap_or(size).min(size);
        while below > indexed {
            below -= 1;
            if self.look(below)? {
                return Ok((below > 0).then_some(below));
            }
        }
        let wanted = self.wanted();
        for _ in 0..MOST_BLOCKS {
            let Some(last) = below.checked_sub(1) else {
                return Ok(None);
            };
            let Some((block, places)) = lookup::next_block(self.db, &wanted, last / BLOCK, true)? else {
                return Ok(None);
            };
            for place in places.into_iter().rev() {
                let sequence = block * BLOCK + u64::from(place);
                if sequence < below && self.look(sequence)? {
                    return Ok((sequence > 0).then_some(sequence));
                }
            }
            below = block * BLOCK;
        }
        Ok((below > 0).then_some(below))
    }

    fn wanted(&self) -> Wanted {
        let terms = self.query.conditions.iter();
        let everything = self.query.since == i64::MIN && self.query.until == i64::MAX;
        Wanted {
            terms: terms.map(|(field, value)| term(*field, value)).collect(),
            time: (!everything).then_some((self.query.since, self.query.until)),
        }
    }

    /// Takes an entry if it fits; says whether the page is full.
    fn look(&mut self, sequence: u64) -> Result<bool, StoreError> {
        let entry = lookup::entry(self.db, sequence)?;
        self.found.extend(entry.filter(|entry| self.query.fits(entry)));
        Ok(self.found.len() >= self.query.most)
    }
}
