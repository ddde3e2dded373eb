//! The tables of tickets.

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

/// With which arguments people approved open tickets: encrypted as the values of an entry are, and deleted when the ticket closes.
pub(in crate::store::sqlite) const EDITS: [Table; 1] = [(
    "edits",
    "CREATE TABLE edits(ticket INTEGER PRIMARY KEY, nonce BLOB NOT NULL, box BLOB NOT NULL) STRICT",
)];
