//! The agents' states: a table that is derived from the log's `agent` entries.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::{StoreError, StoreErrorKind};
use super::trusted::{self, Trusted};
use crate::audit::entry::{Entry, PendingEntry};
use crate::identity::{AgentState, Passport, Standing, StateStatement};

/// One agent, as the log's last entries about it leave it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct AgentRow {
    pub(super) passport: String,
    pub(super) expires: i64,
    pub(super) state: AgentState,
    pub(super) number: u64,
    /// How many agents it acts for, one below the other.
    pub(super) depth: u8,
    /// Where its passport stands; none for one that is known to be revoked, and not how it was registered.
    pub(super) passport_at: Option<u64>,
    /// Where its last state stands.
    pub(super) state_at: Option<u64>,
}

impl AgentRow {
    pub(super) fn standing(&self, epoch: u64) -> Standing {
        Standing {
            epoch,
            state: self.state,
            expires_micros: self.expires,
            passport: Arc::from(self.passport.as_str()),
        }
    }
}

/// What an `agent` entry says.
pub(super) enum Said {
    /// A passport: the agent is registered, or its identity renewed.
    Passport(Passport),
    /// Another state.
    State(StateStatement),
}

impl Said {
    /// Reads the body of an `agent` entry. Signatures are for whoever makes and checks statements.
    pub(super) fn read(body: &str) -> Result<Self, StoreError> {
        if let Ok(passport) = Passport::parse(body) {
            return Ok(Self::Passport(passport));
        }
        StateStatement::parse(body)
            .map(Self::State)
            .map_err(|error| refused(format!("an `agent` entry holds no passport and no state: {error}")))
    }

    pub(super) fn agent(&self) -> &str {
        match self {
            Self::Passport(passport) => passport.agent(),
            Self::State(state) => state.agent(),
        }
    }

    /// The row after this, which stands at a place, given the one before.
    pub(super) fn apply(&self, place: u64, before: Option<&AgentRow>) -> Result<AgentRow, StoreError> {
        let agent = self.agent();
        if before.is_some_and(|row| row.state == AgentState::Revoked) {
            return Err(refused(format!("agent `{agent}` is revoked, for good")));
        }
        match self {
            Self::Passport(passport) => Ok(AgentRow {
                passport: passport.id().to_string(),
                expires: passport.expires().as_micros(),
                state: before.map_or(AgentState::Active, |row| row.state),
                number: before.map_or(0, |row| row.number),
                depth: passport.depth(),
                passport_at: Some(place),
                state_at: before.and_then(|row| row.state_at),
            }),
            Self::State(state) => {
                let before = before.ok_or_else(|| refused(format!("agent `{agent}` is not registered")))?;
                if before.number.checked_add(1) != Some(state.number()) {
                    return Err(refused(format!(
                        "statement {} of agent `{agent}` does not follow {}",
                        state.number(),
                        before.number
                    )));
                }
                Ok(AgentRow {
                    state: state.state(),
                    number: state.number(),
                    state_at: Some(place),
                    ..before.clone()
                })
            }
        }
    }
}

/// What an entry that is to be written at a place makes of the agent that it is about; none if it is about none.
pub(super) fn next(
    db: &Connection,
    entry: &PendingEntry,
    place: u64,
    trusted: &mut Trusted,
) -> Result<Option<(String, AgentRow)>, StoreError> {
    if let "approval" | "decision" | "erasure" | "hold" | "log_key" | "origin" | "outcome" | "release" | "retention"
    | "ticket" = entry.index.kind.as_str()
    {
        return Err(refused(format!(
            "the store itself writes entries of type `{}`",
            entry.index.kind
        )));
    }
    let entry = Entry::parse(entry.at(0))?;
    let Some(body) = body_of(&entry) else {
        return Ok(None);
    };
    let said = Said::read(body)?;
    let agent = said.agent().to_owned();
    if entry.agent().is_none_or(|named| named.reveal() != agent) {
        return Err(refused(format!("the entry does not name agent `{agent}`")));
    }
    let before = row(db, &agent)?;
    let after = said.apply(place, before.as_ref())?;
    trusted.admits(db, place, &said, before.as_ref())?;
    Ok(Some((agent, after)))
}

/// What a log that goes on after a restored copy makes of its agents: who acted is suspended, and who is known to have been revoked
/// stays so, whether the copy knows it or not.
pub(super) fn stopped<'a>(rows: &mut BTreeMap<String, AgentRow>, revoked: impl IntoIterator<Item = &'a str>) {
    for row in rows.values_mut().filter(|row| row.state == AgentState::Active) {
        row.state = AgentState::Suspended;
    }
    for agent in revoked {
        let row = rows.entry(agent.to_owned()).or_insert_with(|| AgentRow {
            passport: String::new(),
            expires: 0,
            state: AgentState::Revoked,
            number: 0,
            depth: 0,
            passport_at: None,
            state_at: None,
        });
        row.state = AgentState::Revoked;
    }
}

/// Makes `statements` of a record that had none.
pub(super) fn fill_statements(db: &Connection) -> Result<(), StoreError> {
    let size: Option<i64> = db.query_row("SELECT size FROM tree", [], |row| row.get(0)).optional()?;
    let mut rows = BTreeMap::new();
    for entry in super::lookup::of_kind(db, "agent", size.unwrap_or(0).cast_unsigned())? {
        if let Some(said) = body_of(&entry).map(Said::read) {
            let said = said?;
            let row = said.apply(entry.sequence(), rows.get(said.agent()))?;
            rows.insert(said.agent().to_owned(), row);
        }
    }
    rows.iter().try_for_each(|(agent, row)| write(db, agent, row))
}

/// The body of an entry, if it is an `agent` entry.
pub(super) fn body_of(entry: &Entry) -> Option<&str> {
    (entry.kind() == "agent").then(|| entry.raw("body")).flatten()
}

pub(super) fn row(db: &Connection, agent: &str) -> Result<Option<AgentRow>, StoreError> {
    let row = db
        .query_row(
            "SELECT a.passport, expires, a.state, number, s.passport, s.state, s.depth FROM agents a LEFT JOIN statements s USING(agent) \
             WHERE agent = ?1",
            [agent],
            read_row,
        )
        .optional()?;
    Ok(row)
}

pub(super) fn all(db: &Connection) -> Result<BTreeMap<String, AgentRow>, StoreError> {
    let mut select = db.prepare(
        "SELECT a.passport, expires, a.state, number, s.passport, s.state, s.depth, agent FROM agents a LEFT JOIN statements s USING(agent)",
    )?;
    let rows = select.query_map([], |row| Ok((row.get(7)?, read_row(row)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Who is revoked.
pub(super) fn revoked(db: &Connection) -> Result<BTreeSet<String>, StoreError> {
    let mut select = db.prepare("SELECT agent FROM agents WHERE state = 'revoked'")?;
    let agents = select.query_map([], |row| row.get(0))?;
    Ok(agents.collect::<Result<_, _>>()?)
}

/// How agents stand. Who acts for somebody that is stopped is stopped as well.
pub(super) fn standings(rows: &BTreeMap<String, AgentRow>, epoch: u64) -> HashMap<String, Standing> {
    let mut standings: HashMap<String, Standing> = HashMap::with_capacity(rows.len());
    // in the order of names, which puts each behind those that it acts for
    for (agent, row) in rows {
        let mut standing = row.standing(epoch);
        if row.depth > 0
            && let Some(parent) = trusted::above(agent).find_map(|above| standings.get(above))
        {
            standing = standing.under(parent);
        }
        standings.insert(agent.clone(), standing);
    }
    standings
}

pub(super) fn write(db: &Connection, agent: &str, row: &AgentRow) -> Result<(), StoreError> {
    db.execute(
        "INSERT OR REPLACE INTO agents(agent, passport, expires, state, number) VALUES(?1, ?2, ?3, ?4, ?5)",
        params![agent, row.passport, row.expires, row.state.as_str(), row.number as i64],
    )?;
    db.execute(
        "INSERT OR REPLACE INTO statements(agent, passport, state, depth) VALUES(?1, ?2, ?3, ?4)",
        params![
            agent,
            row.passport_at.map(u64::cast_signed),
            row.state_at.map(u64::cast_signed),
            row.depth,
        ],
    )?;
    Ok(())
}

fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<AgentRow> {
    let state: String = row.get(2)?;
    let number: i64 = row.get(3)?;
    Ok(AgentRow {
        passport: row.get(0)?,
        expires: row.get(1)?,
        state: AgentState::parse(&state).ok_or(rusqlite::Error::InvalidQuery)?,
        number: u64::try_from(number).map_err(|_| rusqlite::Error::InvalidQuery)?,
        passport_at: row.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned),
        state_at: row.get::<_, Option<i64>>(5)?.map(i64::cast_unsigned),
        // none where `statements` was changed: nothing then says that it may act
        depth: row.get::<_, Option<u8>>(6)?.unwrap_or(0),
    })
}

fn refused(detail: String) -> StoreError {
    StoreError::new(StoreErrorKind::Refused, detail)
}
