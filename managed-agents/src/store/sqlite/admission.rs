//! What must still hold when a decision is written (law 6): checked in the transaction that writes it.

use std::collections::HashMap;
use std::time::SystemTime;

use rusqlite::params;

use super::agents;
use super::error::StoreError;
use super::interrupts::Stops;
use super::log::Log;
use super::message::Decision;
use super::seal::Values;
use super::tickets;
use super::tip::Tip;
use super::trusted::Trusted;
use crate::approval::TicketClaim;
use crate::governor::Claims;
use crate::identity::Standing;

/// Reads states, stops and keys anew when any process has changed one.
pub(super) fn refresh(
    log: &Log<'_>,
    tip: &Tip,
    (standings, stops): (&mut HashMap<String, Standing>, &mut Stops),
    trusted: &mut Trusted,
    epoch: &mut u64,
) -> Result<(), StoreError> {
    if *epoch == tip.epoch {
        return Ok(());
    }
    *standings = agents::standings(&agents::all(log.db)?, tip.epoch);
    *stops = Stops::read(log.db, tip.size())?;
    trusted.believes_ends(log.db, tip.size())?;
    log.keys.reload()?;
    *epoch = tip.epoch;
    Ok(())
}

/// Whether a decision may be written as it is; else it must be judged anew.
pub(super) fn admits(
    log: &Log<'_>,
    tip: &Tip,
    standings: &HashMap<String, Standing>,
    stops: &Stops,
    trusted: &mut Trusted,
    decision: &Decision,
) -> Result<bool, StoreError> {
    if decision.claims.epoch.is_some_and(|seen| seen != tip.epoch) {
        return Ok(false);
    }
    // encrypted for a subject that was erased meanwhile
    if let Values::Sealed(sealed) = &decision.values
        && log.keys.is_erased(sealed.subject)
    {
        return Ok(false);
    }
    let standing = standings.get(&decision.agent);
    // the entry names a passport: it must be the agent's
    if standing.map(|standing| &standing.passport) != decision.passport.as_ref() {
        return Ok(false);
    }
    if decision.runs && !stops.admit(&decision.agent, decision.session.as_deref()) {
        return Ok(false);
    }
    // a refusal is recorded however the agent stands
    if decision.runs
        && let Some(standing) = standing
    {
        if standing.admits(micros(SystemTime::now()), tip.log_time).is_err() {
            return Ok(false);
        }
        trusted.believes(log.db, tip.size(), tip.epoch, &decision.agent)?;
    }
    Ok(true)
}

/// Notes that a grant runs its one call, that of the decision at this place. False, and nothing is noted, where it has run one, or is
/// a ticket that is not to the byte what it was when its signatures were verified: it may have been used since, cancelled or edited.
pub(super) fn consume(
    log: &Log<'_>,
    tip: &mut Tip,
    (agent, claims, grant): (&str, &Claims, &str),
    sequence: u64,
) -> Result<bool, StoreError> {
    let ticket = match &claims.ticket {
        TicketClaim::Granted(seen) => match tickets::is_as_seen(log.db, (agent, grant), seen)? {
            Some(place) => Some(place),
            None => return Ok(false),
        },
        // nobody verified anything of it
        _ if tickets::is_ticket(log.db, grant)? => return Ok(false),
        // a governor's own
        _ => None,
    };
    let noted = log
        .db
        .prepare_cached("INSERT OR IGNORE INTO consumed(name, seq) VALUES(?1, ?2)")?
        .execute(params![grant, sequence.cast_signed()])?;
    if noted == 0 {
        return Ok(false);
    }
    tip.consumed += 1;
    if let Some(place) = ticket {
        tickets::consume(log.db, (place, agent), sequence)?;
    }
    Ok(true)
}

pub(super) fn micros(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(_) => 0,
    }
}
