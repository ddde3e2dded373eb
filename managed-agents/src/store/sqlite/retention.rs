//! Retention: values that are older than a rule says are removed, and the log says so.
//!
//! A row that was emptied stays, and names the entry that says so; the entry has the digest of all rows of its run. So
//! verification tells what was removed by a rule from what somebody deleted.

use std::time::{Duration, SystemTime};

use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::StoreError;
use super::log::Log;
use super::reader::Reader;
use super::{Store, holds, seal};
use crate::answer::wait;
use crate::audit::entry::Entry;
use crate::calendar;
use crate::call::Digest;

/// So many rows are looked at, and emptied, in one transaction: nobody waits long for it.
const BATCH: usize = 512;

/// Values that are older than this are removed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RetentionRule {
    older_than: Duration,
    tool: Option<String>,
    subject: Option<String>,
}

impl RetentionRule {
    /// Of every tool and subject.
    #[must_use]
    pub fn new(older_than: Duration) -> Self {
        Self {
            older_than,
            tool: None,
            subject: None,
        }
    }

    /// Of this tool's calls only; a `*` at the end stands for any ending.
    #[must_use]
    pub fn tool(mut self, tool: impl Into<String>) -> Self {
        self.tool = Some(tool.into());
        self
    }

    /// Of this data subject only.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// How old values may become.
    #[must_use]
    pub fn older_than(&self) -> Duration {
        self.older_than
    }

    /// The tool, or the beginning of tools' names with a `*` behind it, if the rule is about some only.
    #[must_use]
    pub fn tools(&self) -> Option<&str> {
        self.tool.as_deref()
    }

    /// The data subject, if the rule is about one only.
    #[must_use]
    pub fn of_subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    fn fits_tool(&self, name: &str) -> bool {
        match self.tool.as_deref() {
            None => true,
            Some(tool) => match tool.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == tool,
            },
        }
    }
}

/// What a run of retention did, or would do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Retained {
    /// Of how many calls the values were removed.
    pub removed: u64,
    /// Of how many a hold kept them.
    pub held: u64,
}

/// A row that a rule fits.
pub(super) struct Candidate {
    place: u64,
    tool: String,
}

/// What the writer empties in one transaction.
pub(super) struct Batch {
    candidates: Vec<Candidate>,
    older_than_seconds: u64,
    tool: Option<String>,
    subject: Option<u32>,
}

/// The body of an entry of type `retention`.
#[derive(Deserialize, Serialize)]
pub(super) struct Body {
    pub(super) count: u64,
    older_than_seconds: u64,
    /// SHA-256 over `ma-retention/1`, a zero byte, and each place as eight bytes.
    pub(super) removed: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
}

impl Store {
    /// Removes the values of calls that are older than the rules say, but for those that a hold keeps; each step is recorded. With
    /// `only_count` nothing is removed. `progress` is told how many calls were looked at. Blocks.
    ///
    /// What was removed may still be in copies that were made before, with the keys of its subject: delete those copies in
    /// the same time. [`erase`](Self::erase) destroys keys.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the record cannot be read or written.
    pub fn retain(
        &self,
        rules: &[RetentionRule],
        now: SystemTime,
        only_count: bool,
        mut progress: impl FnMut(u64),
    ) -> Result<Retained, StoreError> {
        let reader = self.reader()?;
        let mut done = Retained::default();
        let mut seen = 0;
        for rule in rules {
            let subject = match &rule.subject {
                Some(subject) => match holds::number_of(reader.keys(), subject)? {
                    Some(number) => Some(number),
                    // nothing of it was ever recorded, or it is erased
                    None => continue,
                },
                None => None,
            };
            let before = calendar::micros(now.checked_sub(rule.older_than).unwrap_or(SystemTime::UNIX_EPOCH));
            let mut after = -1;
            loop {
                let (candidates, last) = candidates(&reader, rule, subject, before, after)?;
                let Some(last) = last else { break };
                after = last;
                seen += BATCH as u64;
                progress(seen);
                if candidates.is_empty() {
                    continue;
                }
                let batch = Batch {
                    candidates,
                    older_than_seconds: rule.older_than.as_secs(),
                    tool: rule.tool.clone(),
                    subject,
                };
                let step = if only_count {
                    would(&reader, &batch)?
                } else {
                    wait(self.retire(batch))?
                };
                done.removed += step.removed;
                done.held += step.held;
            }
        }
        Ok(done)
    }
}

/// The rows of the next batch that a rule fits, and the last that was looked at.
fn candidates(
    reader: &Reader,
    rule: &RetentionRule,
    subject: Option<u32>,
    before: i64,
    after: i64,
) -> Result<(Vec<Candidate>, Option<i64>), StoreError> {
    let mut select = reader.database().prepare(
        "SELECT s.seq, s.subject, e.bytes FROM sealed s JOIN entries e ON e.seq = s.seq WHERE s.seq > ?1 AND length(s.box) > 0 \
         ORDER BY s.seq LIMIT ?2",
    )?;
    let mut rows = select.query(params![after, BATCH as i64])?;
    let (mut found, mut last) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let place: i64 = row.get(0)?;
        last = Some(place);
        if subject.is_some_and(|subject| row.get(1) != Ok(subject)) {
            continue;
        }
        let entry = Entry::parse(row.get::<_, Vec<u8>>(2)?)?;
        let tool = entry.tool();
        let tool = tool.as_ref().map_or("", |tool| tool.reveal());
        if entry.at_micros() < before && rule.fits_tool(tool) {
            found.push(Candidate {
                place: place.cast_unsigned(),
                tool: tool.to_owned(),
            });
        }
    }
    Ok((found, last))
}

/// What would be removed.
fn would(reader: &Reader, batch: &Batch) -> Result<Retained, StoreError> {
    let holds = holds::standing(reader.database(), reader.head()?.size())?;
    let mut done = Retained::default();
    for candidate in &batch.candidates {
        let Some(subject) = subject_of(reader.database(), candidate.place)? else {
            continue;
        };
        if holds.iter().any(|hold| hold.keeps(subject, &candidate.tool)) {
            done.held += 1;
        } else {
            done.removed += 1;
        }
    }
    Ok(done)
}

/// Empties rows, but for those that are held, and records that.
pub(super) fn retire(log: &mut Log<'_>, batch: &Batch) -> Result<Retained, StoreError> {
    log.transact(true, |log, tip| {
        let holds = holds::standing(log.db, tip.size())?;
        let by = tip.size();
        let (mut done, mut removed) = (Retained::default(), Removed::default());
        let mut update = log
            .db
            .prepare("UPDATE sealed SET nonce = ?2, box = x'', mark = ?3 WHERE seq = ?1")?;
        for candidate in &batch.candidates {
            // another process may have emptied it
            let Some(subject) = subject_of(log.db, candidate.place)? else {
                continue;
            };
            if holds.iter().any(|hold| hold.keeps(subject, &candidate.tool)) {
                done.held += 1;
                continue;
            }
            let nonce = by.to_be_bytes();
            let mark = seal::check(candidate.place, subject, &nonce, &[]);
            update.execute(params![candidate.place.cast_signed(), nonce, mark])?;
            removed.add(candidate.place);
            done.removed += 1;
        }
        drop(update);
        if done.removed > 0 {
            let body = Body {
                count: removed.count,
                older_than_seconds: batch.older_than_seconds,
                removed: removed.digest(),
                subject: batch.subject,
                tool: batch.tool.clone(),
            };
            log.state(tip, "retention", &serde_json::to_string(&body).unwrap_or_default())?;
        }
        Ok(done)
    })
}

/// The subject of a row that has values.
fn subject_of(db: &rusqlite::Connection, place: u64) -> Result<Option<u32>, StoreError> {
    let mut select = db.prepare("SELECT subject FROM sealed WHERE seq = ?1 AND length(box) > 0")?;
    Ok(select.query_row([place.cast_signed()], |row| row.get(0)).optional()?)
}

/// The entry that a row which was emptied names.
pub(super) fn removed_by(nonce: &[u8], bytes: &[u8]) -> Option<u64> {
    let nonce: [u8; 8] = nonce.try_into().ok()?;
    bytes.is_empty().then(|| u64::from_be_bytes(nonce))
}

/// Rows of one entry, in the order of their places.
pub(super) struct Removed {
    pub(super) count: u64,
    hash: Sha256,
}

impl Default for Removed {
    fn default() -> Self {
        Self {
            count: 0,
            hash: Sha256::new().chain_update(b"ma-retention/1\0"),
        }
    }
}

impl Removed {
    pub(super) fn add(&mut self, place: u64) {
        self.count += 1;
        self.hash.update(place.to_be_bytes());
    }

    pub(super) fn digest(&self) -> String {
        Digest::new(self.hash.clone().finalize().into()).to_string()
    }

    /// Whether this is what an entry's body says.
    pub(super) fn is(&self, body: &str) -> bool {
        serde_json::from_str::<Body>(body).is_ok_and(|body| body.count == self.count && body.removed == self.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_one_tool_or_the_beginning_of_several() {
        let rule = |tool: &str| RetentionRule::new(Duration::from_secs(1)).tool(tool);
        assert!(rule("send").fits_tool("send") && !rule("send").fits_tool("send_all"));
        assert!(rule("send*").fits_tool("send_all") && rule("*").fits_tool("x") && !rule("send*").fits_tool("sen"));
        assert!(RetentionRule::new(Duration::ZERO).fits_tool("x"));
    }

    #[test]
    fn a_row_names_the_entry_that_emptied_it_only_when_it_is_empty() {
        assert_eq!(removed_by(&7_u64.to_be_bytes(), b""), Some(7));
        assert_eq!(removed_by(&7_u64.to_be_bytes(), b"x"), None);
        assert_eq!(removed_by(&[0; 24], b""), None);
    }
}
