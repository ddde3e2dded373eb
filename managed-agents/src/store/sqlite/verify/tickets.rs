//! Tickets as the log says that they stand.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Deserialize;

use super::super::error::StoreError;
use super::super::tickets;
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
    edited: bool,
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
                    edited: false,
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
            derived.edited |= stated.kind() == StatementKind::Edit;
            if stated.kind() == StatementKind::Reject {
                derived.state = Some(TicketState::Rejected);
            }
        }
    }

    pub(super) fn finish(self, db: &Connection, report: &mut Report) -> Result<(), StoreError> {
        let rows = tickets::all_marks(db)?;
        let mut live = 0;
        let fits = |id: &str, row: &tickets::TicketMark| {
            let Some(derived) = self.0.get(id) else { return false };
            let agreed = derived.decisions.len() >= usize::from(row.needed.max(1));
            let state = derived.state.unwrap_or(match (agreed, derived.edited) {
                (false, _) => TicketState::Pending,
                (true, false) => TicketState::Approved,
                (true, true) => TicketState::Edited,
            });
            let open = !state.is_closed();
            let decisions: &[(u64, String)] = if open { &derived.decisions } else { &[] };
            row.sound
                && (row.place, row.state, row.ran) == (derived.place, state, derived.ran)
                && row.live == open.then_some(state)
                && row.decisions == decisions
        };
        for (id, row) in &rows {
            live += i64::from(row.live.is_some());
            if !fits(id, row) {
                let what = "how its ticket stands is not what the log says";
                report.add("ticket_differs", Some(row.place), what);
            }
        }
        let count: i64 = db.query_row("SELECT count(*) FROM live", [], |row| row.get(0))?;
        if rows.len() != self.0.len() || count != live {
            report.add(
                "ticket_differs",
                None,
                "there are other tickets than those that the log opened",
            );
        }
        Ok(())
    }
}
