//! What is written in one transaction, and what became of it.

use crate::approval::{TicketClaim, TicketState};
use crate::audit::Sequence;
use crate::store::sqlite::counts::Tally;
use crate::store::sqlite::error::StoreError;
use crate::store::sqlite::message::{Append, Decision, Keeping, Reply};
use crate::store::sqlite::tickets::{Change, NotTaken, Order};

/// What is written in one transaction, and the results.
#[derive(Default)]
pub(super) struct Group {
    pub(super) decisions: Vec<(Box<Decision>, Option<Placed>)>,
    pub(super) appends: Vec<(Box<Append>, Option<Appended>)>,
    pub(super) orders: Vec<(Box<Order>, Option<Ordered>)>,
    pub(super) erasures: Vec<(String, Reply<Option<Sequence>>)>,
    pub(super) keepings: Vec<Keeping>,
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.decisions.is_empty() && self.appends.is_empty() && self.orders.is_empty()
    }

    /// The last decision of a person among it that was taken.
    pub(super) fn decided(&self) -> Option<Sequence> {
        let orders = self.orders.iter();
        let decided = orders.filter(|(order, _)| matches!(order.change, Change::Decide(_)));
        decided.filter_map(|(_, result)| (*result)?.ok()).max()
    }

    /// The tickets that were used or closed by what was written of it.
    pub(super) fn over(&self) -> impl Iterator<Item = &str> {
        let calls = self
            .decisions
            .iter()
            .filter_map(|(decision, result)| match (&decision.claims.ticket, result) {
                (TicketClaim::Close(ticket, _), Some(Placed::At(..))) => Some(&**ticket),
                (TicketClaim::Granted(_), Some(Placed::At(..))) => decision.claims.grant.as_deref(),
                _ => None,
            });
        let people = self
            .orders
            .iter()
            .filter_map(|(order, result)| match (&order.change, result) {
                (Change::Decide(decided), Some(Ok(_))) => {
                    (decided.to != TicketState::Approved).then_some(&*decided.ticket)
                }
                _ => None,
            });
        calls.chain(people)
    }

    /// Whether a stop, a revocation or a consumed grant is among it.
    pub(super) fn must_sync(&self) -> bool {
        !self.orders.is_empty()
            || self.appends.iter().any(|(append, _)| append.synced)
            || self
                .decisions
                .iter()
                .any(|(decision, _)| decision.claims.grant.is_some())
    }

    pub(super) fn fail(self, error: &StoreError) {
        for (append, _) in self.appends {
            // whoever asked may have gone
            let _ = append.reply.send(Err(error.clone()));
        }
        for (order, _) in self.orders {
            let _ = order.reply.send(Err(error.clone()));
        }
        for (decision, _) in self.decisions {
            let Decision { place, reply, .. } = *decision;
            // given back before the caller hears of it
            drop(place);
            let _ = reply.send(Err(error.clone()));
        }
    }
}

/// What became of a decision in the transaction.
pub(super) enum Placed {
    At(u64, Option<Tally>),
    Stale,
    Exceeded(usize),
}

/// The place of a statement and whom it revokes, or why it was refused before anything was written.
pub(super) type Appended = Result<(Sequence, Option<String>), StoreError>;

/// The place of a change of tickets, or why it was not made.
pub(super) type Ordered = Result<Sequence, NotTaken>;
