//! Tickets as verification compares them.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::Binding;
use super::rows::{Fixed, bound_mark, state};
use crate::approval::TicketState;
use crate::call::Salt;
use crate::store::sqlite::error::StoreError;

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

/// A row of what an open ticket is bound to.
struct Bound {
    agent: String,
    state: TicketState,
    expires: i64,
    binding: Binding,
    mark: Vec<u8>,
}

/// Every ticket by its id.
pub(in crate::store::sqlite) fn all_marks(db: &Connection) -> Result<BTreeMap<String, TicketMark>, StoreError> {
    let bound = all_bound(db)?;
    let mut select = db.prepare(
        "SELECT id, agent, tool, definition, session, rules, digest, needed, state, opened, expires, place, ran, subject, nonce, \
         box, mark FROM tickets",
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
        let bound = bound.get(&fixed.place.cast_signed());
        let same = bound.is_none_or(|bound| {
            bound.agent == agent
                && bound.expires == fixed.expires
                && bound.mark == bound_mark(&bound.binding, fixed.place)
        });
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
            live: bound.map(|bound| bound.state),
            decisions: decided,
        };
        found.insert(id, one);
    }
    Ok(found)
}

/// What open tickets are bound to, by their places: few, beside the tickets that ever were.
fn all_bound(db: &Connection) -> Result<BTreeMap<i64, Bound>, StoreError> {
    let mut select = db.prepare("SELECT ticket, agent, state, expires, binding, salt, mark FROM bound")?;
    let mut rows = select.query([])?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let bound = Bound {
            agent: row.get(1)?,
            state: state(&row.get::<_, String>(2)?)?,
            expires: row.get(3)?,
            binding: Binding {
                binding: row.get(4)?,
                salt: Salt::from_bytes(row.get(5)?),
            },
            mark: row.get(6)?,
        };
        found.insert(row.get(0)?, bound);
    }
    Ok(found)
}
