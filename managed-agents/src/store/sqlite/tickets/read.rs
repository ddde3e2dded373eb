//! The rows of tickets, read.

use rusqlite::{Connection, Row, params};

use super::rows::state;
use super::{Binding, Ticket, TicketQuery};
use crate::audit::Sequence;
use crate::call::{Digest, Salt};
use crate::store::sqlite::error::StoreError;
use crate::store::sqlite::keys::SubjectKeys;
use crate::store::sqlite::seal;

/// How many tickets are listed when nothing is said.
const MOST_LISTED: usize = 1_000;

/// What [`read`] reads, in its order.
const COLUMNS: &str = "t.place, t.id, t.agent, t.tool, t.definition, t.session, t.rules, t.digest, t.needed, t.state, \
                       t.opened, t.expires, t.ran, t.subject, t.nonce, t.box, b.binding, b.salt";

pub(super) fn by_id(db: &Connection, keys: &SubjectKeys, id: &str) -> Result<Option<Ticket>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM tickets t LEFT JOIN bound b ON b.agent = t.agent AND b.ticket = t.place WHERE t.id = ?1"
    );
    let mut select = db.prepare_cached(&sql)?;
    let mut rows = select.query([id])?;
    rows.next()?.map(|row| read(db, keys, row)).transpose()
}

pub(super) fn list(db: &Connection, keys: &SubjectKeys, query: &TicketQuery) -> Result<Vec<Ticket>, StoreError> {
    // from the few that are open to their tickets, never the other way about: there may be a million of those
    let sql = match (query.all, &query.agent) {
        (true, _) => format!(
            "SELECT {COLUMNS} FROM tickets t LEFT JOIN bound b ON b.agent = t.agent AND b.ticket = t.place \
             WHERE ?1 IS NULL OR t.agent = ?1 ORDER BY t.place DESC LIMIT ?2"
        ),
        (false, None) => format!(
            "SELECT {COLUMNS} FROM bound b CROSS JOIN tickets t ON t.place = b.ticket \
             WHERE ?1 IS NULL ORDER BY b.ticket LIMIT ?2"
        ),
        (false, Some(_)) => format!(
            "SELECT {COLUMNS} FROM bound b CROSS JOIN tickets t ON t.place = b.ticket \
             WHERE b.agent = ?1 ORDER BY b.ticket LIMIT ?2"
        ),
    };
    let most = i64::try_from(query.most.unwrap_or(MOST_LISTED)).unwrap_or(i64::MAX);
    let mut select = db.prepare_cached(&sql)?;
    let mut rows = select.query(params![query.agent, most])?;
    let mut tickets = Vec::new();
    while let Some(row) = rows.next()? {
        tickets.push(read(db, keys, row)?);
    }
    Ok(tickets)
}

/// Reads [`COLUMNS`].
fn read(db: &Connection, keys: &SubjectKeys, row: &Row<'_>) -> Result<Ticket, StoreError> {
    let place: i64 = row.get(0)?;
    let subject: u32 = row.get(13)?;
    let shown = match keys.by_number(subject) {
        Some(key) => {
            let (nonce, sealed): (Vec<u8>, Vec<u8>) = (row.get(14)?, row.get(15)?);
            let opened = seal::open_bytes(key, &nonce, &sealed);
            opened.and_then(|bytes| serde_json::from_slice(&bytes).ok())
        }
        None => None,
    };
    let binding: Option<[u8; 32]> = row.get(16)?;
    let salt: Option<[u8; 32]> = row.get(17)?;
    let mut select = db.prepare_cached("SELECT place FROM decisions WHERE ticket = ?1 ORDER BY place")?;
    let decisions = select
        .query_map([place], |row| row.get::<_, i64>(0))?
        .map(|place| Ok(Sequence::new(place?.cast_unsigned())))
        .collect::<Result<_, rusqlite::Error>>()?;
    let edit = match binding {
        Some(_) => super::edits::read(db, keys, (place, subject))?,
        None => None,
    };
    let digest = |bytes: [u8; 32]| Digest::new(bytes);
    Ok(Ticket {
        id: row.get(1)?,
        agent: row.get(2)?,
        tool: row.get(3)?,
        definition: digest(row.get(4)?),
        session: row.get(5)?,
        rules: row.get::<_, Option<[u8; 32]>>(6)?.map(digest),
        digest: digest(row.get(7)?),
        needed: row.get(8)?,
        state: state(&row.get::<_, String>(9)?)?,
        opened: row.get(10)?,
        expires: row.get(11)?,
        place: place.cast_unsigned(),
        subject,
        ran: row.get::<_, Option<i64>>(12)?.map(i64::cast_unsigned),
        shown,
        decisions,
        binding: binding.zip(salt).map(|(binding, salt)| Binding {
            binding,
            salt: Salt::from_bytes(salt),
        }),
        edit,
    })
}
