//! The tables of tickets.

use rusqlite::Connection;

use crate::store::sqlite::error::StoreError;
use crate::store::sqlite::schema::Table;

pub(in crate::store::sqlite) const TABLES: [Table; 6] = [
    // calls that wait for people, by the decision that opened them: `box` is what they are shown, erasable; the mark ties the columns that never change
    (
        "tickets",
        "CREATE TABLE tickets(place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, agent TEXT NOT NULL, tool TEXT NOT NULL, \
         definition BLOB NOT NULL, session TEXT, rules BLOB, digest BLOB NOT NULL, needed INTEGER NOT NULL, state TEXT NOT NULL, \
         opened INTEGER NOT NULL, expires INTEGER NOT NULL, ran INTEGER, subject INTEGER NOT NULL, \
         nonce BLOB NOT NULL, box BLOB NOT NULL, mark BLOB NOT NULL) STRICT",
    ),
    // what open tickets are bound to, deleted when they close
    (
        "live",
        "CREATE TABLE live(binding BLOB PRIMARY KEY, ticket INTEGER NOT NULL, agent TEXT NOT NULL, state TEXT NOT NULL, \
         expires INTEGER NOT NULL, salt BLOB NOT NULL, mark BLOB NOT NULL) STRICT, WITHOUT ROWID",
    ),
    ("live_by_agent", "CREATE INDEX live_by_agent ON live(agent, state)"),
    ("live_by_expiry", "CREATE INDEX live_by_expiry ON live(expires)"),
    ("live_by_ticket", "CREATE INDEX live_by_ticket ON live(ticket)"),
    // where in the log people decided on open tickets
    (
        "decisions",
        "CREATE TABLE decisions(ticket INTEGER NOT NULL, key TEXT NOT NULL, place INTEGER NOT NULL, \
         PRIMARY KEY(ticket, key)) STRICT, WITHOUT ROWID",
    ),
];

/// What open tickets are bound to, deleted when they close, in the place of `live`: a call's ticket and those that wait beside it stand
/// together, found by the agent, and what one writes of them is one page.
pub(in crate::store::sqlite) const BOUND: [Table; 1] = [(
    "bound",
    "CREATE TABLE bound(agent TEXT NOT NULL, binding BLOB NOT NULL, ticket INTEGER NOT NULL, state TEXT NOT NULL, \
     expires INTEGER NOT NULL, salt BLOB NOT NULL, mark BLOB NOT NULL, PRIMARY KEY(agent, binding)) STRICT, WITHOUT ROWID",
)];

/// The table that `bound` took the place of, before its indexes.
pub(in crate::store::sqlite) const NOT_BOUND: [&str; 4] = ["live", "live_by_agent", "live_by_expiry", "live_by_ticket"];

/// Takes over what is open.
pub(in crate::store::sqlite) fn fill_bound(db: &Connection) -> Result<(), StoreError> {
    Ok(db.execute_batch(
        "INSERT INTO bound(agent, binding, ticket, state, expires, salt, mark) \
         SELECT agent, binding, ticket, state, expires, salt, mark FROM live",
    )?)
}

/// With which arguments people approved open tickets: encrypted as the values of an entry are, and deleted when the ticket closes.
pub(in crate::store::sqlite) const EDITS: [Table; 1] = [(
    "edits",
    "CREATE TABLE edits(ticket INTEGER PRIMARY KEY, nonce BLOB NOT NULL, box BLOB NOT NULL) STRICT",
)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema;

    #[test]
    fn what_is_open_stays_open_in_a_database_of_an_older_version() {
        let db = Connection::open_in_memory().unwrap();
        // before `bound`
        schema::migrate(&db, &schema::STEPS[..5]).unwrap();
        db.execute_batch(
            "INSERT INTO live(binding, ticket, agent, state, expires, salt, mark) \
             VALUES(x'01', 7, 'a', 'pending', 5, x'02', x'03'), (x'00', 8, 'b', 'approved', 6, x'04', x'05')",
        )
        .unwrap();
        schema::migrate(&db, schema::STEPS).unwrap();
        assert!(schema::is_of(&db, schema::STEPS).unwrap(), "no index of `live` is left");
        let mut select = db
            .prepare("SELECT agent || hex(binding) || ticket || state || expires || hex(salt) || hex(mark) FROM bound")
            .unwrap();
        let rows: Vec<String> = select
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(rows, ["a017pending50203", "b008approved60405"]);
    }
}
