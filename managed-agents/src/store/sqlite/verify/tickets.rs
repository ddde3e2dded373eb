//! Tickets as the log says that they stand.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Deserialize;

use super::super::error::StoreError;
use super::super::keys::SubjectKeys;
use super::super::tickets::{self, KeptEdit};
use super::report::Report;
use crate::approval::{OperatorStatement, STORED, StatementKind, TicketState};
use crate::audit::entry::Entry;

/// Every ticket that the log has opened.
#[derive(Default)]
pub(super) struct Tickets(BTreeMap<String, Derived>);

struct Derived {
    place: u64,
    /// None while people's approvals are still counted.
    state: Option<TicketState>,
    ran: Option<u64>,
    decisions: Vec<(u64, String)>,
    /// The digest of what was changed of the call.
    edit: Option<String>,
}

impl Tickets {
    /// A decision about a ticket: the first opens it, and one that runs uses it up.
    pub(super) fn decision(&mut self, place: u64, ticket: &str, runs: bool) {
        if let Some(derived) = self.0.get_mut(ticket) {
            if runs {
                derived.state = Some(TicketState::Consumed);
                derived.ran = Some(place);
            }
        } else if !runs && ticket.starts_with(STORED) {
            self.0.insert(
                ticket.to_owned(),
                Derived {
                    place,
                    state: None,
                    ran: None,
                    decisions: Vec::new(),
                    edit: None,
                },
            );
        }
    }

    pub(super) fn statement(&mut self, place: u64, entry: &Entry) {
        #[derive(Deserialize)]
        struct Closed {
            state: String,
            ticket: String,
        }
        let body = entry.raw("body").unwrap_or_default();
        if !matches!(entry.kind(), "ticket" | "approval") {
            return;
        }
        if entry.kind() == "ticket" {
            if let Ok(closed) = serde_json::from_str::<Closed>(body)
                && let Some(derived) = self.0.get_mut(&closed.ticket)
            {
                derived.state = TicketState::parse(&closed.state);
            }
            return;
        }
        let Ok(stated) = OperatorStatement::parse(body) else {
            return;
        };
        if let Some(derived) = stated.about("ticket").and_then(|id| self.0.get_mut(id))
            && stated.kind() != StatementKind::Cancel
        {
            derived.decisions.push((place, stated.signer().to_string()));
            if stated.kind() == StatementKind::Edit {
                derived.edit = stated.about("edit").map(str::to_owned);
            }
            if stated.kind() == StatementKind::Reject {
                derived.state = Some(TicketState::Rejected);
            }
        }
    }

    pub(super) fn finish(self, db: &Connection, keys: &SubjectKeys, report: &mut Report) -> Result<(), StoreError> {
        let rows = tickets::all_marks(db)?;
        let mut live = 0;
        let fits = |id: &str, row: &tickets::TicketMark| {
            let Some(derived) = self.0.get(id) else { return false };
            let agreed = derived.decisions.len() >= usize::from(row.needed.max(1));
            let state = derived.state.unwrap_or(match (agreed, &derived.edit) {
                (false, _) => TicketState::Pending,
                (true, None) => TicketState::Approved,
                (true, Some(_)) => TicketState::Edited,
            });
            let open = !state.is_closed();
            let decisions: &[(u64, String)] = if open { &derived.decisions } else { &[] };
            row.sound
                && (row.place, row.state, row.ran) == (derived.place, state, derived.ran)
                && row.live == open.then_some(state)
                && row.decisions == decisions
        };
        let edits = tickets::all_edits(db, keys)?;
        let mut edited = 0;
        for (id, row) in &rows {
            // an edit lies beside a ticket as long as it is open, and is what was signed
            let signed = self.0.get(id).and_then(|derived| derived.edit.as_ref());
            let signed = signed.filter(|_| row.live.is_some());
            let there = edits.get(&row.place);
            edited += usize::from(there.is_some());
            let same = match (there, signed) {
                (None, None) | (Some(KeptEdit::Locked), Some(_)) => true,
                (Some(KeptEdit::Edit(there)), Some(signed)) => there == signed,
                _ => false,
            };
            if !same {
                let what = "what was changed of its call is not what was signed";
                report.add("ticket_differs", Some(row.place), what);
                continue;
            }
            live += i64::from(row.live.is_some());
            if !fits(id, row) {
                let what = "how its ticket stands is not what the log says";
                report.add("ticket_differs", Some(row.place), what);
            }
        }
        let count: i64 = db.query_row("SELECT count(*) FROM bound", [], |row| row.get(0))?;
        if rows.len() != self.0.len() || count != live || edited != edits.len() {
            report.add(
                "ticket_differs",
                None,
                "there are other tickets than those that the log opened",
            );
        }
        Ok(())
    }
}
