//! Holds: what must be kept, whatever age or a subject's wish would remove.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::error::{StoreError, StoreErrorKind};
use super::keys::SubjectKeys;
use super::log::Log;
use super::lookup;
use crate::audit::Sequence;

/// What a hold keeps: the values of a subject, of a tool, of both together, or everything.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hold {
    pub(super) subject: Option<String>,
    pub(super) tool: Option<String>,
}

impl Hold {
    /// Everything.
    #[must_use]
    pub fn everything() -> Self {
        Self::default()
    }

    /// The values of this data subject only.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// The values of this tool's calls only.
    #[must_use]
    pub fn tool(mut self, tool: impl Into<String>) -> Self {
        self.tool = Some(tool.into());
        self
    }
}

/// A hold that stands. The subject is known by its number alone: the log holds no name of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StandingHold {
    place: u64,
    at: String,
    subject: Option<u32>,
    tool: Option<String>,
}

impl StandingHold {
    /// The place of the entry that began it, by which it is released.
    #[must_use]
    pub fn place(&self) -> Sequence {
        Sequence::new(self.place)
    }

    /// Since when it stands, as RFC 3339 says it.
    #[must_use]
    pub fn since(&self) -> &str {
        &self.at
    }

    /// The number of the subject, if it is about one.
    #[must_use]
    pub fn subject(&self) -> Option<u32> {
        self.subject
    }

    /// The tool, if it is about one.
    #[must_use]
    pub fn tool(&self) -> Option<&str> {
        self.tool.as_deref()
    }

    /// Whether it keeps a value.
    pub(super) fn keeps(&self, subject: u32, tool: &str) -> bool {
        self.subject.is_none_or(|held| held == subject) && self.tool.as_deref().is_none_or(|held| held == tool)
    }
}

/// The body of an entry of type `hold`.
#[derive(Deserialize, Serialize)]
struct Body {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
}

/// The body of an entry of type `release`.
#[derive(Deserialize, Serialize)]
struct Release {
    hold: u64,
}

/// Every hold that stands, oldest first.
pub(super) fn standing(db: &Connection, size: u64) -> Result<Vec<StandingHold>, StoreError> {
    let begun = lookup::of_kind(db, "hold", size)?;
    if begun.is_empty() {
        return Ok(Vec::new());
    }
    let released: Vec<u64> = lookup::of_kind(db, "release", size)?
        .iter()
        .filter_map(|entry| serde_json::from_str::<Release>(entry.raw("body")?).ok())
        .map(|release| release.hold)
        .collect();
    let mut holds = Vec::new();
    for entry in begun.iter().filter(|entry| !released.contains(&entry.sequence())) {
        let body = entry
            .raw("body")
            .and_then(|body| serde_json::from_str::<Body>(body).ok());
        // one that cannot be read keeps everything
        let body = body.unwrap_or(Body {
            subject: None,
            tool: None,
        });
        holds.push(StandingHold {
            place: entry.sequence(),
            at: entry.at().to_owned(),
            subject: body.subject,
            tool: body.tool,
        });
    }
    Ok(holds)
}

/// Begins a hold. A subject of which nothing is recorded yet is held all the same.
pub(super) fn begin(log: &mut Log<'_>, hold: &Hold) -> Result<u64, StoreError> {
    let subject = match &hold.subject {
        Some(subject) => Some(log.keys.find_or_make(subject)?.number),
        None => None,
    };
    let body = Body {
        subject,
        tool: hold.tool.clone(),
    };
    let body = serde_json::to_string(&body).unwrap_or_default();
    log.transact(true, |log, tip| log.state(tip, "hold", &body))
}

/// Ends a hold.
pub(super) fn release(log: &mut Log<'_>, place: u64) -> Result<u64, StoreError> {
    log.transact(true, |log, tip| {
        stands(log.db, tip.size(), place)?;
        let body = serde_json::to_string(&Release { hold: place }).unwrap_or_default();
        log.state(tip, "release", &body)
    })
}

/// An error unless the hold stands that began with this entry.
pub(super) fn stands(db: &Connection, size: u64, place: u64) -> Result<(), StoreError> {
    if standing(db, size)?.iter().any(|hold| hold.place == place) {
        return Ok(());
    }
    Err(StoreError::new(
        StoreErrorKind::Refused,
        format!("no hold stands that began with entry {place}"),
    ))
}

/// Why a subject cannot be erased: a hold on everything, on the subject, or on a tool of which values of the subject are kept.
pub(super) fn check_erasure(db: &Connection, size: u64, subject: u32) -> Result<(), StoreError> {
    let holds = standing(db, size)?;
    let mut about_tools = Vec::new();
    for hold in &holds {
        match (hold.subject, &hold.tool) {
            (Some(held), _) if held != subject => {}
            (_, None) => return Err(held_by(hold)),
            (_, Some(_)) => about_tools.push(hold),
        }
    }
    if about_tools.is_empty() {
        return Ok(());
    }
    let mut select = db.prepare("SELECT seq FROM sealed WHERE subject = ?1 AND length(box) > 0")?;
    let places: Vec<i64> = select
        .query_map([subject], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for place in places {
        let entry = lookup::entry(db, place.cast_unsigned())?;
        let tool = entry.as_ref().and_then(crate::audit::entry::Entry::tool);
        let tool = tool.as_ref().map_or("", |tool| tool.reveal());
        if let Some(hold) = about_tools.iter().find(|hold| hold.keeps(subject, tool)) {
            return Err(held_by(hold));
        }
    }
    Ok(())
}

fn held_by(hold: &StandingHold) -> StoreError {
    StoreError::new(
        StoreErrorKind::Held,
        format!("the hold of entry {} keeps it", hold.place),
    )
}

/// The number of a subject, if it has one.
pub(super) fn number_of(keys: &SubjectKeys, subject: &str) -> Result<Option<u32>, StoreError> {
    keys.reload()?;
    Ok(keys.find(subject).map(|key| key.number))
}
