//! What a run rests on: an open ticket's rows and what people signed of it, read at once, and held by the transaction that uses
//! the ticket to be the same to the byte.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};
use sha2::{Digest as _, Sha256};

use super::rows::state;
use crate::approval::{Found, OperatorStatement, Seen, TicketState};
use crate::audit::entry::Entry;
use crate::call::{Digest, Salt};
use crate::store::sqlite::error::StoreError;
use crate::store::sqlite::keys::SubjectKeys;

/// Everything of a ticket but what people are shown, one row for each that people decided (one in all where nobody has).
const ROWS: &str = "SELECT t.place, t.id, t.agent, t.tool, t.definition, t.session, t.rules, t.digest, t.needed, t.state, t.opened, \
                    t.expires, t.ran, t.subject, t.mark, b.binding, b.salt, b.state, b.expires, b.mark, e.nonce, e.box, d.key, d.place, \
                    n.bytes FROM bound b CROSS JOIN tickets t ON t.place = b.ticket LEFT JOIN edits e ON e.ticket = t.place \
                    LEFT JOIN decisions d ON d.ticket = t.place LEFT JOIN entries n ON n.seq = d.place \
                    WHERE b.agent = ?1 AND b.binding = ?2";

/// The open ticket of an agent's call with what people signed, and a hash over all that was read.
pub(super) fn find(
    db: &Connection,
    keys: &SubjectKeys,
    (agent, binding): (&str, &[u8; 32]),
) -> Result<Option<Found>, StoreError> {
    let mut found: Option<Found> = None;
    let mut signed = Vec::new();
    let mut edited = None;
    let hash = each(db, (agent, binding), |row| {
        if found.is_none() {
            let read = first(row, binding)?;
            edited = (read.state == TicketState::Edited).then_some((row.get(0)?, row.get(13)?));
            found = Some(read);
        }
        if let Some(place) = row.get::<_, Option<i64>>(23)? {
            let entry = Entry::parse(row.get::<_, Option<Vec<u8>>>(24)?.unwrap_or_default())?;
            let stated = entry.raw("body").and_then(|body| OperatorStatement::parse(body).ok());
            signed.push((place, stated));
        }
        Ok(())
    })?;
    let Some(mut found) = found else {
        return Ok(None);
    };
    signed.sort_unstable_by_key(|(place, _)| *place);
    found.statements = signed.into_iter().map(|(_, stated)| stated).collect();
    found.seen.rows = hash;
    if let Some(ticket) = edited {
        found.edit = super::edits::read(db, keys, ticket)?.map(|stored| (stored.edit, stored.salt));
    }
    Ok(Some(found))
}

/// The place of an agent's ticket that is approved, if it is the one of this id and everything that was seen of it is as it was.
pub(in crate::store::sqlite) fn is_as_seen(
    db: &Connection,
    (agent, ticket): (&str, &str),
    seen: &Seen,
) -> Result<Option<i64>, StoreError> {
    let mut at = None;
    let hash = each(db, (agent, &seen.binding), |row| {
        let approved = matches!(state(text(row, 9)?)?, TicketState::Approved | TicketState::Edited);
        at = (approved && text(row, 1)? == ticket).then(|| row.get(0)).transpose()?;
        Ok(())
    })?;
    Ok(at.filter(|_| hash == seen.rows))
}

/// Looks at each row, and hashes every column of all.
fn each(
    db: &Connection,
    (agent, binding): (&str, &[u8; 32]),
    mut look: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<[u8; 32], StoreError> {
    let mut hash = Sha256::new();
    let mut select = db.prepare_cached(ROWS)?;
    let columns = select.column_count();
    let mut rows = select.query(params![agent, binding])?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            match row.get_ref(column)? {
                ValueRef::Null => hash.update([0]),
                ValueRef::Integer(number) => {
                    hash.update([1]);
                    hash.update(number.to_be_bytes());
                }
                ValueRef::Real(number) => {
                    hash.update([2]);
                    hash.update(number.to_be_bytes());
                }
                ValueRef::Text(bytes) => add(&mut hash, 3, bytes),
                ValueRef::Blob(bytes) => add(&mut hash, 4, bytes),
            }
        }
        look(row)?;
    }
    Ok(hash.finalize().into())
}

fn add(hash: &mut Sha256, kind: u8, bytes: &[u8]) {
    hash.update([kind]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

fn first(row: &Row<'_>, binding: &[u8; 32]) -> Result<Found, StoreError> {
    Ok(Found {
        id: Arc::from(text(row, 1)?),
        state: state(text(row, 9)?)?,
        expires: time(row.get(11)?),
        needed: row.get(8)?,
        rules: row.get::<_, Option<[u8; 32]>>(6)?.map(Digest::new),
        digest: Digest::new(row.get(7)?),
        binding: *binding,
        salt: Salt::from_bytes(row.get(16)?),
        statements: Vec::new(),
        edit: None,
        seen: Seen {
            binding: *binding,
            rows: [0; 32],
        },
    })
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str, StoreError> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

fn time(micros: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::wait;
    use crate::approval::TicketClaim;
    use crate::audit::entry::tests::record;
    use crate::audit::entry::{Statement, statement};
    use crate::audit::{Committed, Disposition, Recorder as _};
    use crate::governor::Claims;
    use crate::store::sqlite::tickets::ready::tests::{opening, store};
    use crate::verdict::Decision;

    #[test]
    fn a_grant_that_names_a_ticket_of_which_nothing_was_verified_runs_nothing() {
        let (store, dir) = store("named-grant");
        let one = opening("tkt_one", 1);
        let commit = |decision, disposition, claims| {
            let made = record(&one.call, decision, disposition, &[]);
            wait(store.commit(made, Some(&one.call), claims)).unwrap()
        };
        let opens = Claims {
            ticket: TicketClaim::Open(Arc::clone(&one)),
            ..Claims::default()
        };
        let opened = commit(Decision::Escalate, Disposition::Queued, opens);
        assert!(matches!(opened, Committed::Done(_)));
        let approval = statement(&Statement::new("approval", SystemTime::now(), "{}")).unwrap();
        wait(store.decide_ticket("tkt_one", "k1", approval, (TicketState::Approved, 0), None))
            .unwrap()
            .unwrap();
        let granted = |grant: &str| Claims {
            grant: Some(grant.into()),
            ..Claims::default()
        };
        let by_name = commit(Decision::Escalate, Disposition::Approved, granted("tkt_one"));
        assert!(
            matches!(by_name, Committed::Stale),
            "a governor said the name of a ticket"
        );
        let ticket = store.reader().unwrap().ticket("tkt_one").unwrap().unwrap();
        assert_eq!(ticket.state(), TicketState::Approved, "it was not used");
        let own = commit(Decision::Escalate, Disposition::Approved, granted("of-a-governor"));
        assert!(matches!(own, Committed::Done(_)));
        let again = commit(Decision::Escalate, Disposition::Approved, granted("of-a-governor"));
        assert!(matches!(again, Committed::Stale), "once");
        drop(store);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
