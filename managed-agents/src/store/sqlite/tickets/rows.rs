//! The rows of tickets as they are written, within transactions of the log, and as verification compares them.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use super::Binding;
use crate::approval::{Opening, ShownCall, TicketState};
use crate::call::{Digest, Salt};
use crate::store::sqlite::admission::micros;
use crate::store::sqlite::error::{StoreError, StoreErrorKind};
use crate::store::sqlite::keys::SubjectKey;
use crate::store::sqlite::log::Log;
use crate::store::sqlite::seal;
use crate::store::sqlite::tip::Tip;

/// Whether a ticket may still be opened: nobody opened one for the same call meanwhile, and not too many wait.
pub(in crate::store::sqlite) fn may_open(
    db: &Connection,
    opening: &Opening,
    binding: &[u8; 32],
) -> Result<bool, StoreError> {
    let there: Option<String> = db
        .prepare_cached("SELECT t.id FROM live l JOIN tickets t ON t.place = l.ticket WHERE l.binding = ?1")?
        .query_row([binding.as_slice()], |row| row.get(0))
        .optional()?;
    if there.as_deref() != opening.replaces.as_deref() {
        return Ok(false);
    }
    // the one that it replaces may be among them
    Ok(
        pending_of(db, opening.call.agent().as_str())?
            < opening.most_pending.saturating_add(u32::from(there.is_some())),
    )
}

/// Whether the ticket of a binding was approved and not used yet.
pub(in crate::store::sqlite) fn is_approved(db: &Connection, binding: &[u8; 32]) -> Result<bool, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT 1 FROM live l JOIN tickets t ON t.place = l.ticket WHERE l.binding = ?1 AND t.state IN ('approved', 'edited')",
    )?;
    Ok(select.exists([binding.as_slice()])?)
}

/// How many tickets of an agent are pending.
pub(super) fn pending_of(db: &Connection, agent: &str) -> Result<u32, StoreError> {
    let count = db
        .prepare_cached("SELECT count(*) FROM live WHERE agent = ?1 AND state = 'pending'")?
        .query_row([agent], |row| row.get(0))?;
    Ok(count)
}

/// Opens a ticket with the decision at this place.
pub(in crate::store::sqlite) fn open(
    log: &mut Log<'_>,
    tip: &mut Tip,
    opening: &Opening,
    place: u64,
    (subject, binding): (SubjectKey, [u8; 32]),
) -> Result<(), StoreError> {
    let call = &opening.call;
    if let Some(replaced) = &opening.replaces {
        close(log, tip, replaced, TicketState::Cancelled)?;
    }
    let shown = serde_json::to_vec(&ShownCall::of(call, &opening.reasons))
        .map_err(|error| StoreError::new(StoreErrorKind::Refused, error.to_string()))?;
    let sealed = seal::seal(subject, &shown)?;
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
    let binding = Binding {
        binding,
        salt: super::key::salt()?,
    };
    log.db
        .prepare_cached(
            "INSERT INTO live(binding, ticket, agent, state, expires, salt, mark) VALUES(?1, ?2, ?3, 'pending', ?4, ?5, ?6)",
        )?
        .execute(params![
            binding.binding,
            place.cast_signed(),
            fixed.agent,
            expires,
            binding.salt.reveal(),
            live_mark(&binding, place),
        ])?;
    Ok(())
}

/// The columns that never change, tied to each other by the mark.
struct Fixed<'a> {
    id: &'a str,
    agent: &'a str,
    tool: &'a str,
    definition: &'a [u8],
    session: Option<&'a str>,
    rules: Option<&'a [u8; 32]>,
    digest: &'a [u8],
    needed: u8,
    opened: i64,
    expires: i64,
    place: u64,
    subject: u32,
    nonce: &'a [u8],
    sealed: &'a [u8],
}

impl Fixed<'_> {
    fn mark(&self) -> [u8; 8] {
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
fn live_mark(binding: &Binding, place: u64) -> [u8; 8] {
    let hash = Sha256::new()
        .chain_update(binding.binding)
        .chain_update(binding.salt.reveal())
        .chain_update(place.to_be_bytes())
        .finalize();
    *hash.first_chunk().unwrap_or(&[0; 8])
}

/// Notes that the decision at this place runs the ticket's call. False when the ticket is not one that may run.
pub(in crate::store::sqlite) fn consume(db: &Connection, id: &str, place: u64) -> Result<bool, StoreError> {
    let Some(ticket) = place_of(db, id)? else {
        return Ok(false);
    };
    let changed = db
        .prepare_cached(
            "UPDATE tickets SET state = 'consumed', ran = ?2 WHERE place = ?1 AND state IN ('approved', 'edited')",
        )?
        .execute(params![ticket, place.cast_signed()])?;
    if changed == 1 {
        forget(db, ticket)?;
    }
    Ok(changed == 1)
}

/// Whether a grant is a ticket of this store.
pub(in crate::store::sqlite) fn state_of(db: &Connection, id: &str) -> Result<Option<TicketState>, StoreError> {
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
    let Some(ticket) = place_of(log.db, id)? else {
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
    forget(log.db, ticket)?;
    let body = format!(r#"{{"state":"{to}","ticket":{}}}"#, serde_json::Value::from(id));
    log.state(tip, "ticket", &body)?;
    Ok(true)
}

/// The place of a ticket.
fn place_of(db: &Connection, id: &str) -> Result<Option<i64>, StoreError> {
    let place = db
        .prepare_cached("SELECT place FROM tickets WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    Ok(place)
}

/// Deletes what the ticket at a place was bound to.
fn forget(db: &Connection, ticket: i64) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM live WHERE ticket = ?1",
        "DELETE FROM edits WHERE ticket = ?1",
        "DELETE FROM decisions WHERE ticket = ?1",
    ] {
        db.prepare_cached(sql)?.execute([ticket])?;
    }
    Ok(())
}

/// Closes every ticket whose time is over.
pub(in crate::store::sqlite) fn expire_due(log: &mut Log<'_>, tip: &mut Tip, now: i64) -> Result<u64, StoreError> {
    let ids: Vec<String> = log
        .db
        .prepare_cached(
            "SELECT t.id FROM live l JOIN tickets t ON t.place = l.ticket WHERE l.expires <= ?1 ORDER BY l.expires LIMIT 1000",
        )?
        .query_map([now], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut closed = 0;
    for id in ids {
        if close(log, tip, &id, TicketState::Expired)? {
            closed += 1;
        } else if let Some(ticket) = place_of(log.db, &id)? {
            // what is bound to a ticket that is closed is nobody's
            forget(log.db, ticket)?;
        }
    }
    Ok(closed)
}

/// Closes the open tickets of a data subject that was erased.
pub(in crate::store::sqlite) fn close_erased(log: &mut Log<'_>, tip: &mut Tip, subject: u32) -> Result<(), StoreError> {
    let ids: Vec<String> = log
        .db
        .prepare_cached(
            "SELECT t.id FROM live l JOIN tickets t ON t.place = l.ticket WHERE t.subject = ?1 ORDER BY t.place",
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
        .prepare("SELECT id FROM tickets WHERE place IN (SELECT ticket FROM live) ORDER BY place")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for id in ids {
        close(log, tip, &id, TicketState::Cancelled)?;
    }
    // what is bound to no ticket that was open is nobody's
    log.db
        .execute_batch("DELETE FROM live; DELETE FROM edits; DELETE FROM decisions")?;
    Ok(())
}

pub(super) fn state(word: &str) -> Result<TicketState, StoreError> {
    TicketState::parse(word).ok_or_else(|| StoreError::corrupt("a ticket is in a state that there is not"))
}

/// What verification compares of a ticket.
pub(in crate::store::sqlite) struct TicketMark {
    pub(in crate::store::sqlite) place: u64,
    pub(in crate::store::sqlite) state: TicketState,
    pub(in crate::store::sqlite) needed: u8,
    pub(in crate::store::sqlite) ran: Option<u64>,
    /// Whether the columns are those that were written.
    pub(in crate::store::sqlite) sound: bool,
    /// The states that the open row has; none when there is no open row.
    pub(in crate::store::sqlite) live: Option<TicketState>,
    /// Who decided, and where.
    pub(in crate::store::sqlite) decisions: Vec<(u64, String)>,
}

/// Every ticket by its id.
pub(in crate::store::sqlite) fn all_marks(db: &Connection) -> Result<BTreeMap<String, TicketMark>, StoreError> {
    let mut select = db.prepare(
        "SELECT t.id, t.agent, t.tool, t.definition, t.session, t.rules, t.digest, t.needed, t.state, t.opened, t.expires, \
         t.place, t.ran, t.subject, t.nonce, t.box, t.mark, l.state, l.agent, l.expires, l.binding, l.salt, l.mark \
         FROM tickets t LEFT JOIN live l ON l.ticket = t.place",
    )?;
    let mut decisions = db.prepare("SELECT place, key FROM decisions WHERE ticket = ?1 ORDER BY place")?;
    let mut rows = select.query([])?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (id, agent, tool): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (definition, session): (Vec<u8>, Option<String>) = (row.get(3)?, row.get(4)?);
        let (rules, digest): (Option<[u8; 32]>, Vec<u8>) = (row.get(5)?, row.get(6)?);
        let (nonce, sealed, mark): (Vec<u8>, Vec<u8>, Vec<u8>) = (row.get(14)?, row.get(15)?, row.get(16)?);
        let fixed = Fixed {
            id: &id,
            agent: &agent,
            tool: &tool,
            definition: &definition,
            session: session.as_deref(),
            rules: rules.as_ref(),
            digest: &digest,
            needed: row.get(7)?,
            opened: row.get(9)?,
            expires: row.get(10)?,
            place: row.get::<_, i64>(11)?.cast_unsigned(),
            subject: row.get(13)?,
            nonce: &nonce,
            sealed: &sealed,
        };
        let live: Option<String> = row.get(17)?;
        let (live_agent, live_expires): (Option<String>, Option<i64>) = (row.get(18)?, row.get(19)?);
        let (binding, salt): (Option<[u8; 32]>, Option<[u8; 32]>) = (row.get(20)?, row.get(21)?);
        let live_mark_there: Option<Vec<u8>> = row.get(22)?;
        let bound = binding.zip(salt).map(|(binding, salt)| {
            let salt = Salt::from_bytes(salt);
            live_mark(&Binding { binding, salt }, fixed.place).to_vec()
        });
        let same = live_agent.is_none_or(|of| of == agent)
            && live_expires.is_none_or(|at| at == fixed.expires)
            && live_mark_there == bound;
        let decided = decisions
            .query_map([fixed.place.cast_signed()], |row| {
                Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))
            })?
            .collect::<Result<_, rusqlite::Error>>()?;
        let one = TicketMark {
            place: fixed.place,
            state: state(&row.get::<_, String>(8)?)?,
            needed: fixed.needed,
            ran: row.get::<_, Option<i64>>(12)?.map(i64::cast_unsigned),
            sound: mark == fixed.mark() && same,
            live: live.as_deref().map(state).transpose()?,
            decisions: decided,
        };
        found.insert(id, one);
    }
    Ok(found)
}
