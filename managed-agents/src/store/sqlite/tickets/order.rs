//! What people order: a ticket's next state, together with the statement that says so.

use rusqlite::{OptionalExtension as _, params};

use super::{edits, rows};
use crate::approval::{OperatorStatement, TicketState};
use crate::audit::Sequence;
use crate::audit::entry::{Entry, PendingEntry};
use crate::call::Digest;
use crate::store::sqlite::error::StoreError;
use crate::store::sqlite::facts::Facts;
use crate::store::sqlite::log::Log;
use crate::store::sqlite::message::Reply;
use crate::store::sqlite::seal::{SealedBox, Values};
use crate::store::sqlite::tip::Tip;

/// A change of tickets on its way to the writer.
pub(in crate::store::sqlite) struct Order {
    pub(in crate::store::sqlite) change: Change,
    pub(in crate::store::sqlite) reply: Reply<Result<Sequence, NotTaken>>,
}

pub(in crate::store::sqlite) enum Change {
    /// A person decided; the entry holds the signed statement.
    Decide(Box<Decided>),
    /// Tickets whose time is over are closed.
    Expire { now: i64 },
}

/// A person's decision.
pub(in crate::store::sqlite) struct Decided {
    pub(in crate::store::sqlite) ticket: String,
    pub(in crate::store::sqlite) key: String,
    pub(in crate::store::sqlite) entry: PendingEntry,
    pub(in crate::store::sqlite) to: TicketState,
    pub(in crate::store::sqlite) now: i64,
    /// With which arguments, encrypted, and the digest of that in the statement.
    pub(in crate::store::sqlite) edit: Option<(SealedBox, Digest)>,
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
    /// Others approved it with other arguments, or as it is.
    OtherEdit,
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
        Change::Decide(decided) => decide(log, tip, decided),
    }
}

fn decide(log: &mut Log<'_>, tip: &mut Tip, decided: &Decided) -> Result<Result<Sequence, NotTaken>, StoreError> {
    let Decided {
        ticket,
        key,
        entry,
        to,
        now,
        edit,
    } = decided;
    let (to, now) = (*to, *now);
    let row: Option<(i64, String, u8, i64, String)> = log
        .db
        .prepare_cached("SELECT place, state, needed, expires, agent FROM tickets WHERE id = ?1")?
        .query_row([ticket], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .optional()?;
    let Some((ticket_place, word, needed, expires, agent)) = row else {
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
    if matches!(to, TicketState::Approved | TicketState::Edited)
        && !agrees(log, ticket_place, edit.as_ref().map(|(_, digest)| *digest))?
    {
        return Ok(Err(NotTaken::OtherEdit));
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
    if let Some((sealed, _)) = edit {
        edits::write(log.db, ticket_place, sealed)?;
    }
    let people: u32 = log
        .db
        .prepare_cached("SELECT count(*) FROM decisions WHERE ticket = ?1")?
        .query_row([ticket_place], |row| row.get(0))?;
    if to == TicketState::Rejected || people >= u32::from(needed) {
        log.db
            .prepare_cached("UPDATE tickets SET state = ?2 WHERE place = ?1")?
            .execute(params![ticket_place, to.as_str()])?;
        log.db
            .prepare_cached("UPDATE bound SET state = ?3 WHERE agent = ?1 AND ticket = ?2")?
            .execute(params![agent, ticket_place, to.as_str()])?;
    }
    Ok(Ok(Sequence::new(place)))
}

/// Whether all who approved an open ticket before approved the same of it.
fn agrees(log: &Log<'_>, ticket_place: i64, edit: Option<Digest>) -> Result<bool, StoreError> {
    let mut select = log
        .db
        .prepare_cached("SELECT e.bytes FROM decisions d JOIN entries e ON e.seq = d.place WHERE d.ticket = ?1")?;
    let entries: Vec<Vec<u8>> = select
        .query_map([ticket_place], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let edit = edit.map(|edit| edit.to_string());
    for bytes in entries {
        let entry = Entry::parse(bytes)?;
        let stated = entry.raw("body").and_then(|body| OperatorStatement::parse(body).ok());
        if stated.is_some_and(|stated| stated.about("edit") != edit.as_deref()) {
            return Ok(false);
        }
    }
    Ok(true)
}
