//! The rows of tickets as they are written, within transactions of the log.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use super::{Binding, Ready};
use crate::approval::{Seen, TicketState};
use crate::call::Digest;
use crate::store::sqlite::admission::micros;
use crate::store::sqlite::error::StoreError;
use crate::store::sqlite::log::Log;
use crate::store::sqlite::tip::Tip;

/// Whether a ticket may still be opened: nobody opened one for the same call meanwhile, and not too many wait.
pub(in crate::store::sqlite) fn may_open(db: &Connection, ready: &Ready) -> Result<bool, StoreError> {
    let (opening, binding) = (ready.opening(), ready.binding());
    let mut select = db.prepare_cached("SELECT binding, state, ticket FROM bound WHERE agent = ?1")?;
    let mut rows = select.query([opening.call.agent().as_str()])?;
    let (mut there, mut pending) = (None, 0);
    while let Some(row) = rows.next()? {
        if row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)? == binding {
            there = Some(row.get::<_, i64>(2)?);
        }
        let state = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        pending += u32::from(state == TicketState::Pending.as_str());
    }
    let there = there.map(|ticket| id_of(db, ticket)).transpose()?.flatten();
    if there.as_deref() != opening.replaces.as_deref() {
        return Ok(false);
    }
    // the one that it replaces may be among them
    Ok(pending < opening.most_pending.saturating_add(u32::from(there.is_some())))
}

/// Whether the ticket of an agent's call was approved and not used yet.
pub(in crate::store::sqlite) fn is_approved(
    db: &Connection,
    agent: &str,
    binding: &[u8; 32],
) -> Result<bool, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT 1 FROM bound b JOIN tickets t ON t.place = b.ticket \
         WHERE b.agent = ?1 AND b.binding = ?2 AND t.state IN ('approved', 'edited')",
    )?;
    Ok(select.exists(params![agent, binding])?)
}

/// How many tickets of an agent are pending.
pub(super) fn pending_of(db: &Connection, agent: &str) -> Result<u32, StoreError> {
    let count = db
        .prepare_cached("SELECT count(*) FROM bound WHERE agent = ?1 AND state = 'pending'")?
        .query_row([agent], |row| row.get(0))?;
    Ok(count)
}

/// Opens a ticket with the decision at this place.
pub(in crate::store::sqlite) fn open(
    log: &mut Log<'_>,
    tip: &mut Tip,
    ready: &Ready,
    place: u64,
) -> Result<(), StoreError> {
    let (opening, sealed, binding) = (ready.opening(), &ready.sealed, &ready.binding);
    let call = &opening.call;
    if let Some(replaced) = &opening.replaces {
        close(log, tip, replaced, TicketState::Cancelled)?;
    }
    let (opened, expires) = (micros(opening.opened), micros(opening.expires));
    let (definition, digest) = (call.meta().definition(), call.digest());
    let fixed = Fixed {
        id: &opening.id,
        agent: call.agent().as_str(),
        tool: call.tool(),
        definition: definition.as_bytes(),
        session: call.session(),
        rules: opening.rules.as_ref().map(Digest::as_bytes),
        digest: digest.as_bytes(),
        needed: opening.needed,
        opened,
        expires,
        place,
        subject: sealed.subject,
        nonce: &sealed.nonce,
        sealed: &sealed.bytes,
    };
    log.db
        .prepare_cached(
            "INSERT INTO tickets(place, id, agent, tool, definition, session, rules, digest, needed, state, opened, expires, ran, \
             subject, nonce, box, mark) \
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'pending', ?10, ?11, NULL, ?12, ?13, ?14, ?15)",
        )?
        .execute(params![
            fixed.place.cast_signed(),
            fixed.id,
            fixed.agent,
            fixed.tool,
            fixed.definition,
            fixed.session,
            fixed.rules,
            fixed.digest,
            fixed.needed,
            fixed.opened,
            fixed.expires,
            fixed.subject,
            fixed.nonce,
            fixed.sealed,
            fixed.mark(),
        ])?;
    log.db
        .prepare_cached(
            "INSERT INTO bound(binding, ticket, agent, state, expires, salt, mark) VALUES(?1, ?2, ?3, 'pending', ?4, ?5, ?6)",
        )?
        .execute(params![
            binding.binding,
            place.cast_signed(),
            fixed.agent,
            expires,
            binding.salt.reveal(),
            bound_mark(binding, place),
        ])?;
    Ok(())
}

/// The columns that never change, tied to each other by the mark.
pub(super) struct Fixed<'a> {
    pub(super) id: &'a str,
    pub(super) agent: &'a str,
    pub(super) tool: &'a str,
    pub(super) definition: &'a [u8],
    pub(super) session: Option<&'a str>,
    pub(super) rules: Option<&'a [u8; 32]>,
    pub(super) digest: &'a [u8],
    pub(super) needed: u8,
    pub(super) opened: i64,
    pub(super) expires: i64,
    pub(super) place: u64,
    pub(super) subject: u32,
    pub(super) nonce: &'a [u8],
    pub(super) sealed: &'a [u8],
}

impl Fixed<'_> {
    pub(super) fn mark(&self) -> [u8; 8] {
        let mut hash = Sha256::new();
        let numbers = [
            i64::from(self.needed),
            self.opened,
            self.expires,
            self.place.cast_signed(),
            i64::from(self.subject),
        ];
        let parts = [
            self.id.as_bytes(),
            self.agent.as_bytes(),
            self.tool.as_bytes(),
            self.definition,
            self.session.unwrap_or("\0").as_bytes(),
            self.rules.map_or(&[][..], |rules| rules.as_slice()),
            self.digest,
            self.nonce,
            self.sealed,
        ];
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        for number in numbers {
            hash.update(number.to_be_bytes());
        }
        *hash.finalize().first_chunk().unwrap_or(&[0; 8])
    }
}

/// Ties what a ticket is bound to to the ticket.
pub(super) fn bound_mark(binding: &Binding, place: u64) -> [u8; 8] {
    let hash = Sha256::new()
        .chain_update(binding.binding)
        .chain_update(binding.salt.reveal())
        .chain_update(place.to_be_bytes())
        .finalize();
    *hash.first_chunk().unwrap_or(&[0; 8])
}

/// Reads once where a decision about a call of this agent, or with this grant, is going to read and write, so that it is at hand: while
/// somebody else still has work to do for that decision.
pub(in crate::store::sqlite) fn look_ahead(
    db: &Connection,
    agent: &str,
    grant: Option<&(Arc<str>, Seen)>,
) -> Result<(), StoreError> {
    let ticket = grant.map(|(ticket, _)| &**ticket);
    db.prepare_cached(
        "SELECT size, (SELECT count(*) FROM bound WHERE agent = ?1), (SELECT max(seq) FROM entries), (SELECT max(seq) FROM sealed), \
         (SELECT max(seq) FROM running), (SELECT max(place) FROM tickets), (SELECT state FROM tickets WHERE id = ?2), \
         (SELECT seq FROM consumed WHERE name = ?2) FROM tree WHERE id = 0",
    )?
    .query_row(params![agent, ticket], |_| Ok(()))?;
    if let Some((ticket, seen)) = grant {
        super::seen::is_as_seen(db, (agent, ticket), seen)?;
    }
    Ok(())
}

/// Whether a grant is a ticket of this store.
pub(in crate::store::sqlite) fn is_ticket(db: &Connection, grant: &str) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached("SELECT 1 FROM tickets WHERE id = ?1")?
        .exists([grant])?)
}

/// Notes that the decision at this place runs the ticket's call.
pub(in crate::store::sqlite) fn consume(
    db: &Connection,
    (ticket, agent): (i64, &str),
    place: u64,
) -> Result<(), StoreError> {
    let changed = db
        .prepare_cached(
            "UPDATE tickets SET state = 'consumed', ran = ?2 WHERE place = ?1 AND state IN ('approved', 'edited')",
        )?
        .execute(params![ticket, place.cast_signed()])?;
    if changed != 1 {
        return Err(StoreError::corrupt("a ticket changed while it was used"));
    }
    forget(db, ticket, agent)
}

/// How a ticket stands; none if there never was one of this id.
pub(super) fn state_of(db: &Connection, id: &str) -> Result<Option<TicketState>, StoreError> {
    let word: Option<String> = db
        .prepare_cached("SELECT state FROM tickets WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    word.map(|word| state(&word)).transpose()
}

/// Closes a ticket that is open, and records that; false when there is no such ticket open.
pub(in crate::store::sqlite) fn close(
    log: &mut Log<'_>,
    tip: &mut Tip,
    id: &str,
    to: TicketState,
) -> Result<bool, StoreError> {
    let found: Option<(i64, String)> = log
        .db
        .prepare_cached("SELECT place, agent FROM tickets WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((ticket, agent)) = found else {
        return Ok(false);
    };
    let changed = log
        .db
        .prepare_cached(
            "UPDATE tickets SET state = ?2 WHERE place = ?1 AND state IN ('pending', 'approved', 'edited', 'rejected')",
        )?
        .execute(params![ticket, to.as_str()])?;
    if changed == 0 {
        return Ok(false);
    }
    forget(log.db, ticket, &agent)?;
    let body = format!(r#"{{"state":"{to}","ticket":{}}}"#, serde_json::Value::from(id));
    log.state(tip, "ticket", &body)?;
    Ok(true)
}

/// The id of the ticket at a place.
fn id_of(db: &Connection, ticket: i64) -> Result<Option<String>, StoreError> {
    let id = db
        .prepare_cached("SELECT id FROM tickets WHERE place = ?1")?
        .query_row([ticket], |row| row.get(0))
        .optional()?;
    Ok(id)
}

/// Deletes what the ticket of an agent at a place was bound to.
fn forget(db: &Connection, ticket: i64, agent: &str) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM bound WHERE agent = ?1 AND ticket = ?2")?
        .execute(params![agent, ticket])?;
    for sql in [
        "DELETE FROM edits WHERE ticket = ?1",
        "DELETE FROM decisions WHERE ticket = ?1",
    ] {
        db.prepare_cached(sql)?.execute([ticket])?;
    }
    Ok(())
}

/// Closes every ticket whose time is over.
pub(in crate::store::sqlite) fn expire_due(log: &mut Log<'_>, tip: &mut Tip, now: i64) -> Result<u64, StoreError> {
    let due: Vec<(String, i64, String)> = log
        .db
        .prepare_cached(
            "SELECT t.id, b.ticket, b.agent FROM bound b JOIN tickets t ON t.place = b.ticket \
             WHERE b.expires <= ?1 ORDER BY b.expires LIMIT 1000",
        )?
        .query_map([now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let mut closed = 0;
    for (id, ticket, agent) in due {
        if close(log, tip, &id, TicketState::Expired)? {
            closed += 1;
        } else {
            // what is bound to a ticket that is closed is nobody's
            forget(log.db, ticket, &agent)?;
        }
    }
    Ok(closed)
}

/// Closes the open tickets of a data subject that was erased.
pub(in crate::store::sqlite) fn close_erased(log: &mut Log<'_>, tip: &mut Tip, subject: u32) -> Result<(), StoreError> {
    let ids: Vec<String> = log
        .db
        .prepare_cached(
            "SELECT t.id FROM bound b JOIN tickets t ON t.place = b.ticket WHERE t.subject = ?1 ORDER BY t.place",
        )?
        .query_map([subject], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for id in ids {
        close(log, tip, &id, TicketState::Cancelled)?;
    }
    Ok(())
}

/// Closes every open ticket: the log is not the one that they were opened in. What lies in the copy may have run since it was made.
pub(in crate::store::sqlite) fn cancel_all(log: &mut Log<'_>, tip: &mut Tip) -> Result<(), StoreError> {
    let ids: Vec<String> = log
        .db
        .prepare("SELECT id FROM tickets WHERE place IN (SELECT ticket FROM bound) ORDER BY place")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for id in ids {
        close(log, tip, &id, TicketState::Cancelled)?;
    }
    // what is bound to no ticket that was open is nobody's
    log.db
        .execute_batch("DELETE FROM bound; DELETE FROM edits; DELETE FROM decisions")?;
    Ok(())
}

pub(super) fn state(word: &str) -> Result<TicketState, StoreError> {
    TicketState::parse(word).ok_or_else(|| StoreError::corrupt("a ticket is in a state that there is not"))
}
