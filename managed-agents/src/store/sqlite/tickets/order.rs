//! What people order: a ticket's next state, together with the statement that says so.

use rusqlite::{OptionalExtension as _, params};

use super::rows;
use crate::approval::TicketState;
use crate::audit::Sequence;
use crate::audit::entry::PendingEntry;
use crate::store::sqlite::error::StoreError;
use crate::store::sqlite::facts::Facts;
use crate::store::sqlite::log::Log;
use crate::store::sqlite::message::Reply;
use crate::store::sqlite::seal::Values;
use crate::store::sqlite::tip::Tip;

/// A change of tickets on its way to the writer.
pub(in crate::store::sqlite) struct Order {
    pub(in crate::store::sqlite) change: Change,
    pub(in crate::store::sqlite) reply: Reply<Result<Sequence, NotTaken>>,
}

pub(in crate::store::sqlite) enum Change {
    /// A person decided; the entry holds the signed statement.
    Decide {
        ticket: String,
        key: String,
        entry: Box<PendingEntry>,
        to: TicketState,
        now: i64,
    },
    /// Tickets whose time is over are closed.
    Expire { now: i64 },
}

/// Why a decision was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NotTaken {
    /// There is no such ticket.
    Unknown,
    /// It stands otherwise by now.
    Stands(TicketState),
    /// The same key approved it already.
    Twice,
}

/// Makes a change; within a transaction of the log.
pub(in crate::store::sqlite) fn apply(
    log: &mut Log<'_>,
    tip: &mut Tip,
    change: &Change,
) -> Result<Result<Sequence, NotTaken>, StoreError> {
    match change {
        Change::Expire { now } => {
            rows::expire_due(log, tip, *now)?;
            Ok(Ok(Sequence::new(tip.size())))
        }
        Change::Decide {
            ticket,
            key,
            entry,
            to,
            now,
        } => decide(log, tip, (ticket, key, *to, *now), entry),
    }
}

fn decide(
    log: &mut Log<'_>,
    tip: &mut Tip,
    (ticket, key, to, now): (&str, &str, TicketState, i64),
    entry: &PendingEntry,
) -> Result<Result<Sequence, NotTaken>, StoreError> {
    let row: Option<(i64, String, u8, i64)> = log
        .db
        .prepare_cached("SELECT place, state, needed, expires FROM tickets WHERE id = ?1")?
        .query_row([ticket], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((ticket_place, word, needed, expires)) = row else {
        return Ok(Err(NotTaken::Unknown));
    };
    let state =
        TicketState::parse(&word).ok_or_else(|| StoreError::corrupt("a ticket is in no state that there is"))?;
    if !state.is_closed() && expires <= now {
        rows::close(log, tip, ticket, TicketState::Expired)?;
        return Ok(Err(NotTaken::Stands(TicketState::Expired)));
    }
    // an approval that was not used yet can be taken back
    let may = match to {
        TicketState::Cancelled => !state.is_closed(),
        _ => state == TicketState::Pending,
    };
    if !may {
        return Ok(Err(NotTaken::Stands(state)));
    }
    let mut there = log
        .db
        .prepare_cached("SELECT 1 FROM decisions WHERE ticket = ?1 AND key = ?2")?;
    if to != TicketState::Cancelled && there.exists(params![ticket_place, key])? {
        return Ok(Err(NotTaken::Twice));
    }
    let facts = Facts::of(&entry.index);
    let place = log.append(tip, entry, facts, &mut Values::None)?;
    if to == TicketState::Cancelled {
        rows::close(log, tip, ticket, to)?;
        return Ok(Ok(Sequence::new(place)));
    }
    log.db
        .prepare_cached("INSERT INTO decisions(ticket, key, place) VALUES(?1, ?2, ?3)")?
        .execute(params![ticket_place, key, place.cast_signed()])?;
    let people: u32 = log
        .db
        .prepare_cached("SELECT count(*) FROM decisions WHERE ticket = ?1")?
        .query_row([ticket_place], |row| row.get(0))?;
    if to == TicketState::Rejected || people >= u32::from(needed) {
        log.db
            .prepare_cached("UPDATE tickets SET state = ?2 WHERE place = ?1")?
            .execute(params![ticket_place, to.as_str()])?;
        log.db
            .prepare_cached("UPDATE live SET state = ?2 WHERE ticket = ?1")?
            .execute(params![ticket_place, to.as_str()])?;
    }
    Ok(Ok(Sequence::new(place)))
}
