//! The agents' states: a table that is derived from the log's `agent` entries.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::{StoreError, StoreErrorKind};
use crate::audit::entry::{Entry, PendingEntry};
use crate::identity::{AgentState, Passport, Standing, StateStatement};

/// One agent, as the log's last entries about it leave it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct AgentRow {
    pub(super) passport: String,
    pub(super) expires: i64,
    pub(super) state: AgentState,
    pub(super) number: u64,
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

    /// The row after this, given the one before.
    pub(super) fn apply(&self, before: Option<&AgentRow>) -> Result<AgentRow, StoreError> {
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
                    ..before.clone()
                })
            }
        }
    }
}

/// What an entry that is to be written makes of the agent that it is about; none if it is about none.
pub(super) fn next(db: &Connection, entry: &PendingEntry) -> Result<Option<(String, AgentRow)>, StoreError> {
    if let "origin" | "erasure" | "hold" | "log_key" | "release" | "retention" | "decision" | "outcome" =
        entry.index.kind.as_str()
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
    let row = said.apply(row(db, &agent)?.as_ref())?;
    Ok(Some((agent, row)))
}

/// The body of an entry, if it is an `agent` entry.
pub(super) fn body_of(entry: &Entry) -> Option<&str> {
    (entry.kind() == "agent").then(|| entry.raw("body")).flatten()
}

pub(super) fn row(db: &Connection, agent: &str) -> Result<Option<AgentRow>, StoreError> {
    let row = db
        .query_row(
            "SELECT passport, expires, state, number FROM agents WHERE agent = ?1",
            [agent],
            read_row,
        )
        .optional()?;
    Ok(row)
}

pub(super) fn all(db: &Connection) -> Result<BTreeMap<String, AgentRow>, StoreError> {
    let mut select = db.prepare("SELECT passport, expires, state, number, agent FROM agents")?;
    let rows = select.query_map([], |row| Ok((row.get(4)?, read_row(row)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn write(db: &Connection, agent: &str, row: &AgentRow) -> Result<(), StoreError> {
    db.execute(
        "INSERT OR REPLACE INTO agents(agent, passport, expires, state, number) VALUES(?1, ?2, ?3, ?4, ?5)",
        params![agent, row.passport, row.expires, row.state.as_str(), row.number as i64],
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
    })
}

fn refused(detail: String) -> StoreError {
    StoreError::new(StoreErrorKind::Refused, detail)
}
