//! The entries of outcomes, statements and decisions, each within the transaction of its group.

use std::collections::HashMap;
use std::path::Path;

use super::group::{Appended, Placed};
use crate::approval::TicketClaim;
use crate::audit::Sequence;
use crate::audit::entry::outcome;
use crate::identity::{AgentState, Standing};
use crate::limit::Stands;
use crate::store::sqlite::counts::{self, LastAsked, Tally};
use crate::store::sqlite::error::{StoreError, StoreErrorKind};
use crate::store::sqlite::facts::Facts;
use crate::store::sqlite::interrupts::{self, Stops};
use crate::store::sqlite::log::Log;
use crate::store::sqlite::message::{Append, Decision, Ended};
use crate::store::sqlite::seal::Values;
use crate::store::sqlite::shared::{Place, Shared};
use crate::store::sqlite::tickets::{self, Ready};
use crate::store::sqlite::tip::Tip;
use crate::store::sqlite::trusted::Trusted;
use crate::store::sqlite::{admission, agents, encode};

/// A call that this process runs.
pub(super) struct Running {
    pub(super) evaluation: String,
    pub(super) agent: String,
    /// What it counts.
    pub(super) tally: Option<Tally>,
    pub(super) facts: Facts,
    pub(super) _place: Place,
}

/// The place of an outcome, or none if the call does not run.
pub(super) fn write_outcome(
    log: &mut Log<'_>,
    tip: &mut Tip,
    running: &HashMap<u64, Running>,
    ended: &Ended,
) -> Result<Option<u64>, StoreError> {
    // the first outcome counts, and what never ran has none
    let Some(call) = running.get(&ended.place) else {
        return Ok(None);
    };
    let place = Sequence::new(ended.place);
    let entry = outcome(place, &call.evaluation, &call.agent, &ended.record, ended.at);
    let facts = call.facts.of_outcome(entry.index.at_micros);
    let sequence = log.append(tip, &entry, facts, &mut Values::None)?;
    log.ended(ended.place)?;
    if let Some(tally) = &call.tally {
        counts::ended(log.db, ended.place, tally, ended.record.began())?;
    }
    Ok(Some(sequence))
}

pub(super) fn write_append(
    log: &mut Log<'_>,
    tip: &mut Tip,
    stops: &Stops,
    trusted: &mut Trusted,
    append: &Append,
) -> Result<Appended, StoreError> {
    let follows = match append.entry.index.kind.as_str() {
        interrupts::KIND => stops
            .check(log, (&mut *trusted, &tip.origin), &append.entry)
            .map(|()| None),
        _ => agents::next(log.db, &append.entry, tip.size(), trusted),
    };
    let agent = match follows {
        Ok(agent) => agent,
        // refused before anything was written
        Err(error) if error.kind() == StoreErrorKind::Refused => return Ok(Err(error)),
        Err(error) => return Err(error),
    };
    let facts = Facts::of(&append.entry.index);
    let place = log.append(tip, &append.entry, facts, &mut Values::None)?;
    let mut revoked = None;
    if let Some((agent, row)) = agent {
        agents::write(log.db, &agent, &row)?;
        revoked = (row.state == AgentState::Revoked).then_some(agent);
    }
    Ok(Ok((Sequence::new(place), revoked)))
}

/// Makes the entry of a decision anew, whose verdict was found to rest on other inputs than was thought.
fn tell(log: &Log<'_>, decision: &mut Decision, inputs: Box<str>) -> Result<(), StoreError> {
    let Some(made_of) = &mut decision.made_of else {
        return Ok(());
    };
    let (record, call) = &mut **made_of;
    record.rests_on(inputs);
    let passport = decision.passport.as_deref();
    (decision.entry, decision.values) = encode(record, call.as_deref(), passport, &log.keys)?;
    Ok(())
}

/// The place of a decision, unless what it rests on has changed, or it exceeds a limit.
pub(super) fn write_decision(
    log: &mut Log<'_>,
    tip: &mut Tip,
    (standings, stops, shared): (&HashMap<String, Standing>, &Stops, &Shared),
    (trusted, process, dir, asked): (&mut Trusted, i64, &Path, &mut LastAsked),
    (decision, ready): (&mut Decision, &mut Option<Ready>),
) -> Result<Placed, StoreError> {
    if !admission::admits(log, tip, standings, stops, trusted, decision)? {
        return Ok(Placed::Stale);
    }
    let at = decision.entry.index.at_micros;
    if let Some(history) = decision.claims.held.history.clone() {
        match history.on(&counts::read(log, tip, &*history, at)?) {
            Stands::Same => {}
            Stands::Told(inputs) => tell(log, decision, inputs)?,
            Stands::Other => return Ok(Placed::Stale),
        }
    }
    let opening = match &decision.claims.ticket {
        TicketClaim::Open(opening) => {
            let ready = match ready.take() {
                Some(ready) if ready.fits(opening, &log.keys)? => ready,
                _ => Ready::of(opening, &log.keys, &shared.ticket_key)?,
            };
            if !tickets::may_open(log.db, &ready)? {
                return Ok(Placed::Stale);
            }
            Some(ready)
        }
        TicketClaim::Unapproved(call) => {
            if let Some(binding) = shared.binding(call)
                && tickets::is_approved(log.db, call.agent().as_str(), &binding)?
            {
                return Ok(Placed::Stale);
            }
            None
        }
        TicketClaim::Close(..) | TicketClaim::Granted(_) | TicketClaim::None => None,
    };
    let mut tally = None;
    let held = &decision.claims.held;
    if let Some(counted) = &held.counted
        && let Some(exceeded) = counts::check(log, tip, counted, at, (dir, &mut *asked))?
    {
        return Ok(Placed::Exceeded(exceeded));
    }
    // the last thing that may turn out otherwise: nothing was written before
    let next = tip.size();
    if let Some(grant) = &decision.claims.grant
        && !admission::consume(log, tip, (&decision.agent, &decision.claims, grant), next)?
    {
        return Ok(Placed::Stale);
    }
    // one that waits for people is not counted
    if decision.runs && held.is_counted() {
        let history = held.history.as_ref().map(|history| history.counted());
        tally = Some(counts::count(log, tip, [held.counted.as_ref(), history], at, asked)?);
    }
    let sequence = log.append(tip, &decision.entry, decision.facts, &mut decision.values)?;
    if decision.runs {
        log.run(sequence, process)?;
    }
    if let Some(ready) = opening {
        tickets::open(log, tip, &ready, sequence)?;
        shared.book.note_open(&decision.agent, ready.binding(), sequence);
    }
    if let TicketClaim::Close(ticket, state) = &decision.claims.ticket {
        tickets::close(log, tip, ticket, *state)?;
    }
    Ok(Placed::At(sequence, tally))
}
