//! What is remembered of one agent: the fold of its entries in the log's order.

use crate::audit::{Disposition, Event, Traits, What};
use crate::call::Effect;
use crate::trust::{Cause, Ledger, Ruling, Score};
use crate::verdict::Decision;

#[derive(Clone, Debug, Default)]
pub(crate) struct Profile {
    ledger: Ledger,
    /// The place after the last entry that was taken in.
    as_of: u64,
    /// The score of each effect and the hour that it is of, until an entry may have changed it.
    scores: [Option<(u64, Score)>; 3],
}

impl Profile {
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn as_of(&self) -> u64 {
        self.as_of
    }

    /// Takes in one entry; says why trust changed, if it did.
    pub(crate) fn hear(&mut self, event: &Event<'_>) -> Option<Cause> {
        self.as_of = event.place + 1;
        let cause = match event.what {
            What::Decided { traits, .. } => {
                self.ledger
                    .decided(event.at_micros, event.place, traits.effect, ruling(&traits))
            }
            What::Ended { about, outcome } => self.ledger.ended(event.at_micros, about, outcome),
            What::Stated { .. } => None,
        };
        if cause.is_some() {
            self.scores = [None; 3];
        }
        cause
    }

    /// Trust at a time; computed when evidence or the hour is another than last time.
    pub(crate) fn score(&mut self, effect: Effect, at_micros: i64) -> Score {
        let hour = self.ledger.hour_at(at_micros);
        let cached = self.scores.get_mut(effect.index());
        if let Some(Some((of, score))) = cached
            && *of == hour
        {
            return *score;
        }
        let score = self.ledger.score(effect, at_micros);
        if let Some(cached) = self.scores.get_mut(effect.index()) {
            *cached = Some((hour, score));
        }
        score
    }
}

/// What a decision is to the ledger.
fn ruling(traits: &Traits) -> Ruling {
    match (traits.disposition, traits.decision) {
        _ if traits.fault => Ruling::Violation,
        (Disposition::Allowed, Decision::Allow) => Ruling::Allowed,
        (Disposition::Approved, _) => Ruling::Approved,
        _ => Ruling::Neutral,
    }
}
