//! Whether statements about agents are signed by whom they must be.
//!
//! Who can write the files of a record and has the log's key, which lies beside them, can append what looks like a statement. So each is
//! checked against the authority's certificates when it is appended here, when the agent first acts on it (whoever appended it),
//! and when the record is verified.

use std::collections::HashMap;

use rusqlite::Connection;

use super::agents::{self, AgentRow, Said};
use super::error::{StoreError, StoreErrorKind};
use super::interrupts;
use super::lookup;
use super::query::Query;
use crate::audit::entry::Entry;
pub(super) use crate::call::above;
use crate::identity::{AgentState, IdentityError, KeyDir, Passport, PublicKey, ResumeStatement, Trust};

/// How deep a chain of passports is looked for: deeper ones are no passports.
const MAX_CHAIN: usize = 16;

/// Whom a writer believes, and what it has checked already.
pub(super) struct Trusted {
    keys: Option<KeyDir>,
    /// None where nobody said whom to believe: then statements are taken as they stand.
    trust: Option<Trust>,
    /// The places of the passport and the state that were checked last, by agent, and the epoch in which they were looked up.
    believed: HashMap<String, Believed>,
    /// Up to where the ends of stops were checked.
    ends_until: u64,
}

#[derive(Clone, Copy, Eq, PartialEq)]
struct Believed {
    epoch: u64,
    passport: Option<u64>,
    state: Option<u64>,
}

impl Trusted {
    /// Reads the certificates in a directory of keys, if there is one.
    pub(super) fn new(keys: Option<KeyDir>) -> Result<Self, StoreError> {
        let mut trusted = Self {
            keys,
            trust: None,
            believed: HashMap::new(),
            ends_until: 0,
        };
        trusted.read()?;
        Ok(trusted)
    }

    fn read(&mut self) -> Result<(), StoreError> {
        let trust = self.keys.as_ref().map(KeyDir::trust).transpose();
        // what was believed before goes on being so where there is none now
        if let Some(trust) = trust.map_err(|error| refused(error.to_string()))?.flatten() {
            self.trust = Some(trust);
        }
        Ok(())
    }

    /// Checks, where there is somebody to believe; once more when the certificates may have been replaced.
    fn check<T>(&mut self, check: impl Fn(&Trust) -> Result<T, IdentityError>) -> Result<Option<T>, StoreError> {
        let Some(trust) = &self.trust else {
            return Ok(None);
        };
        let first = check(trust);
        if first.is_err() {
            self.read()?;
            if let Some(trust) = &self.trust {
                return check(trust).map(Some).map_err(|error| refused(error.to_string()));
            }
        }
        first.map(Some).map_err(|error| refused(error.to_string()))
    }

    /// Checks a statement that is to be appended after `before`.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Refused`] when it does not follow, or is not signed by whom it must be.
    pub(super) fn admits(
        &mut self,
        db: &Connection,
        size: u64,
        said: &Said,
        before: Option<&AgentRow>,
    ) -> Result<(), StoreError> {
        match said {
            Said::Passport(passport) => {
                if let Some(place) = before.and_then(|row| row.passport_at) {
                    let previous = passport_at(db, place)?;
                    passport
                        .succeeds(&previous)
                        .map_err(|error| refused(error.to_string()))?;
                }
                if let Some(id) = passport.parent() {
                    let parent = above(passport.agent()).find_map(|agent| agents::row(db, agent).transpose());
                    if parent.transpose()?.is_none_or(|row| row.passport != id.to_string()) {
                        return Err(refused(format!(
                            "passport {id}, on which it rests, is not that of who hands on"
                        )));
                    }
                }
                self.vouched(db, size, passport)
            }
            Said::State(state) => {
                let keys = keys_above(db, state.agent())?;
                self.check(|trust| state.verify_signer(trust, keys.iter().copied()))?;
                Ok(())
            }
        }
    }

    /// Checks that an authority vouches for a passport, directly or through those that it rests on.
    fn vouched(&mut self, db: &Connection, size: u64, passport: &Passport) -> Result<(), StoreError> {
        if self.trust.is_none() {
            return Ok(());
        }
        let chain = chain(db, size, passport)?;
        self.check(|trust| trust.verify(&chain))?;
        Ok(())
    }

    /// Checks what says that an agent may act, unless that was done: it was perhaps written by another process, or another program.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Corrupt`] when what the tables say was not signed.
    pub(super) fn believes(&mut self, db: &Connection, size: u64, epoch: u64, agent: &str) -> Result<(), StoreError> {
        if self.trust.is_none() || self.believed.get(agent).is_some_and(|believed| believed.epoch == epoch) {
            return Ok(());
        }
        // who it acts for must be what it is said to be, too
        for agent in std::iter::once(agent).chain(above(agent)) {
            let Some(row) = agents::row(db, agent)? else {
                continue;
            };
            let now = Believed {
                epoch,
                passport: row.passport_at,
                state: row.state_at,
            };
            let known = self.believed.get(agent).copied();
            if known.is_none_or(|known| {
                known
                    != Believed {
                        epoch: known.epoch,
                        ..now
                    }
            }) {
                self.read_back(db, size, agent, &row)
                    .map_err(|error| unsigned(agent, &error))?;
            }
            self.believed.insert(agent.to_owned(), now);
        }
        Ok(())
    }

    /// Checks the end of a stop, in the log of this name.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Refused`] when it is not signed by an authority.
    pub(super) fn resumes(&mut self, resume: &ResumeStatement, origin: &str) -> Result<(), StoreError> {
        self.check(|trust| resume.verify(trust, origin)).map(|_| ())
    }

    /// Checks the ends of stops that were not checked yet: they were perhaps written by another process, or another program.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Corrupt`] when one was not signed.
    pub(super) fn believes_ends(&mut self, db: &Connection, size: u64) -> Result<(), StoreError> {
        if self.trust.is_none() {
            return Ok(());
        }
        let since = self.ends_until;
        let ends = lookup::of_kind(db, interrupts::KIND, size)?
            .into_iter()
            .filter_map(|entry| {
                let resume = ResumeStatement::parse(entry.raw("body")?).ok()?;
                (entry.sequence() >= since).then_some((entry.sequence(), resume))
            });
        let ends: Vec<_> = ends.collect();
        if !ends.is_empty() {
            let origins = lookup::origins(db, size)?;
            for (place, resume) in ends {
                let origin = origins.iter().rev().find(|(begun, _)| *begun < place);
                let origin = origin.map_or("", |(_, origin)| origin.as_str());
                self.resumes(&resume, origin).map_err(|error| {
                    StoreError::corrupt(format!(
                        "record {place}, the end of a stop, was not signed by an authority that is trusted here: {error}"
                    ))
                })?;
            }
        }
        self.ends_until = size;
        Ok(())
    }

    fn read_back(&mut self, db: &Connection, size: u64, agent: &str, row: &AgentRow) -> Result<(), StoreError> {
        // being stopped needs no proof: a forged stop only stops
        if row.state != AgentState::Active {
            return Ok(());
        }
        let place = row
            .passport_at
            .ok_or_else(|| refused("it has no passport".to_owned()))?;
        let passport = passport_at(db, place)?;
        let same = passport.agent() == agent
            && passport.id().to_string() == row.passport
            && passport.expires().as_micros() == row.expires
            && passport.depth() == row.depth;
        if !same {
            return Err(refused("its passport is another".to_owned()));
        }
        self.vouched(db, size, &passport)?;
        match (row.number, row.state_at) {
            (0, None) => Ok(()),
            (number, Some(place)) => {
                let Said::State(state) = said_at(db, place)? else {
                    return Err(refused("its state is none".to_owned()));
                };
                if state.agent() != agent || state.state() != row.state || state.number() != number {
                    return Err(refused("its state is another".to_owned()));
                }
                self.check(|trust| state.verify_signer(trust, []))?;
                Ok(())
            }
            _ => Err(refused("nothing says its state".to_owned())),
        }
    }
}

/// The passports that one rests on, from the one that an authority signed, and itself.
pub(super) fn chain(db: &Connection, size: u64, passport: &Passport) -> Result<Vec<Passport>, StoreError> {
    let mut chain = vec![passport.clone()];
    let mut lowest = passport.clone();
    while let Some(id) = lowest.parent() {
        if chain.len() == MAX_CHAIN {
            return Err(refused("it rests on too many others".to_owned()));
        }
        let parent = above(lowest.agent()).find_map(|agent| {
            let found = passports(db, size, agent, |passport| passport.id() == id);
            found.transpose()
        });
        lowest = parent
            .transpose()?
            .ok_or_else(|| refused(format!("passport {id}, on which it rests, is not recorded")))?;
        chain.push(lowest.clone());
    }
    chain.reverse();
    Ok(chain)
}

/// The newest passport of an agent that is wanted.
fn passports(
    db: &Connection,
    size: u64,
    agent: &str,
    wanted: impl Fn(&Passport) -> bool,
) -> Result<Option<Passport>, StoreError> {
    let mut query = Query::new().kind("agent").agent(agent).newest_first();
    loop {
        let page = query.run(db, size)?;
        let bodies = page.entries().iter().filter_map(agents::body_of);
        let found = bodies
            .filter_map(|body| Passport::parse(body).ok())
            .find(|passport| wanted(passport));
        match (found, page.next()) {
            (None, Some(cursor)) => query = query.after(cursor),
            (found, _) => return Ok(found),
        }
    }
}

/// The keys of an agent and of those that it may act for: any of them may stop it.
fn keys_above(db: &Connection, agent: &str) -> Result<Vec<PublicKey>, StoreError> {
    let mut keys = Vec::new();
    for agent in std::iter::once(agent).chain(above(agent)) {
        if let Some(place) = agents::row(db, agent)?.and_then(|row| row.passport_at) {
            keys.push(passport_at(db, place)?.key());
        }
    }
    Ok(keys)
}

fn passport_at(db: &Connection, place: u64) -> Result<Passport, StoreError> {
    match said_at(db, place)? {
        Said::Passport(passport) => Ok(passport),
        Said::State(_) => Err(refused(format!("record {place} is no passport"))),
    }
}

fn said_at(db: &Connection, place: u64) -> Result<Said, StoreError> {
    let entry: Option<Entry> = lookup::entry(db, place)?;
    let entry = entry.ok_or_else(|| StoreError::corrupt(format!("record {place} is not there")))?;
    let body = agents::body_of(&entry).ok_or_else(|| refused(format!("record {place} is about no agent")))?;
    Said::read(body)
}

fn refused(why: String) -> StoreError {
    StoreError::new(StoreErrorKind::Refused, why)
}

fn unsigned(agent: &str, error: &StoreError) -> StoreError {
    StoreError::corrupt(format!(
        "what the record says of agent `{agent}` was not signed by an authority that is trusted here: {error}"
    ))
}
