//! The evidence for and against one agent.

use serde::{Deserialize, Serialize};

use super::{beta, decay};
use crate::call::Effect;
use crate::outcome::Outcome;

/// Evidence is counted in millionths.
const ONE: u64 = 1_000_000;

/// The prior: mean 0.68, weight 20.
const PRIOR_GOOD: f64 = 13.6;
const PRIOR_BAD: f64 = 6.4;

/// What a completed call earns, by effect.
const CREDIT: [u64; 3] = [ONE / 50, ONE / 4, ONE];
/// What completed calls earn in one hour, at most: one grave act, however it is split.
const CREDIT_AN_HOUR: [u64; 3] = [ONE / 5, ONE, ONE];
/// What is earned in all, at most; the nearer, the less a call adds.
const MOST_GOOD: [u64; 3] = [20 * ONE, 200 * ONE, 200 * ONE];
/// What a denial weighs, by effect: at least five times what completing the call would have earned.
const VIOLATION: [u64; 3] = [ONE / 2, 5 * ONE / 4, 5 * ONE];
/// What stands against an agent, at most, so that there is a way back.
const MOST_BAD: u64 = 60 * ONE;

/// How many calls may be under way before the oldest earns nothing.
const MOST_RUNNING: usize = 128;

/// What a decision is to the ledger.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the ledger must know each of them")]
pub enum Ruling {
    /// The verdict allowed the call: completing it earns credit.
    Allowed,
    /// A person approved it: completing it earns credit and forgives.
    Approved,
    /// It was denied, and the agent is at fault.
    Violation,
    /// Nothing is earned and nothing lost: it waits, or it ran although nobody allowed it, or the denial is no fault of the
    /// agent's.
    Neutral,
}

/// How much an alarm of drift weighs.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Alarm {
    /// A change that could be chance in a small part.
    Moderate,
    /// A large change.
    High,
    /// Hardly anything is as it was.
    Critical,
}

/// Why trust changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Cause {
    /// A call completed.
    Completed,
    /// A call that a person approved completed.
    ApprovedCompleted,
    /// A call was denied.
    Violation,
    /// The agent's behaviour drifted.
    Drift(Alarm),
}

impl Cause {
    /// The stable word for it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ApprovedCompleted => "approved_completed",
            Self::Violation => "violation",
            Self::Drift(_) => "drift",
        }
    }
}

/// Trust in one class of calls at one time: the 5 % quantile, with its interval and the evidence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Score {
    value: u32,
    upper: u32,
    good: u64,
    bad: u64,
}

impl Score {
    /// The score, 0 to 1: with a probability of 95 % the true share of good calls is at least this.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.value) / 1e6
    }

    /// The score in millionths.
    #[must_use]
    pub fn millionths(self) -> u32 {
        self.value
    }

    /// The upper end of the interval, whose lower end is the score: 90 % of the distribution lie between.
    #[must_use]
    pub fn upper(self) -> f64 {
        f64::from(self.upper) / 1e6
    }

    /// What counts for the agent beyond the prior, in completed grave calls.
    #[must_use]
    pub fn good(self) -> f64 {
        self.good as f64 / ONE as f64
    }

    /// What counts against the agent beyond the prior.
    #[must_use]
    pub fn bad(self) -> f64 {
        self.bad as f64 / ONE as f64
    }

    fn of(good: u64, bad: u64) -> Self {
        let a = PRIOR_GOOD + good as f64 / ONE as f64;
        let b = PRIOR_BAD + bad as f64 / ONE as f64;
        let millionths = |share: f64| (share.clamp(0.0, 1.0) * 1e6).floor() as u32;
        Self {
            value: millionths(beta::lower(a, b)),
            upper: millionths(beta::upper(a, b)),
            good,
            bad,
        }
    }
}

/// What counts for and against an agent, and as of when: all that a score is made of.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Evidence {
    hour: u64,
    good: [u64; 3],
    bad: u64,
}

impl Evidence {
    /// Trust in one class of calls at a time.
    pub(crate) fn score(&self, effect: Effect, at_micros: i64) -> Score {
        let idle = hour_of(at_micros).saturating_sub(self.hour);
        let good = self.good.iter().skip(effect.index()).sum();
        Score::of(decay::GOOD.after(good, idle), decay::BAD.after(self.bad, idle))
    }

    /// What trust would be if a call of this class were denied now.
    pub(crate) fn score_if_denied(mut self, effect: Effect, at_micros: i64) -> Score {
        self.advance(at_micros);
        self.violated(effect);
        self.score(effect, at_micros)
    }

    fn violated(&mut self, effect: Effect) {
        // else an agent with much against it could go on and off for nothing
        let share = if effect == Effect::Grave { 4 } else { 8 };
        for good in &mut self.good {
            *good -= *good / share;
        }
        self.against(weight(VIOLATION, effect));
    }

    fn against(&mut self, weight: u64) {
        self.bad = (self.bad + weight).min(MOST_BAD);
    }

    /// Forgets what the hours since the last entry make forgotten; says whether any have passed.
    fn advance(&mut self, at_micros: i64) -> bool {
        let hour = hour_of(at_micros);
        let hours = hour.saturating_sub(self.hour);
        if hours == 0 {
            return false;
        }
        for good in &mut self.good {
            *good = decay::GOOD.after(*good, hours);
        }
        self.bad = decay::BAD.after(self.bad, hours);
        self.hour = hour;
        true
    }
}

/// The evidence for and against one agent. Times are in microseconds since 1970; one that lies before an earlier one counts
/// as that.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Ledger {
    evidence: Evidence,
    /// What was earned in this hour.
    earned: [u64; 3],
    forgiven: bool,
    /// The calls under way, oldest first.
    pub(super) running: Vec<Running>,
    completed: u64,
    violations: u64,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Running {
    place: u64,
    effect: Effect,
    approved: bool,
}

impl Ledger {
    /// Of an agent of whom nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a decision; `place` names it when its outcome comes.
    pub fn decided(&mut self, at_micros: i64, place: u64, effect: Effect, ruling: Ruling) -> Option<Cause> {
        self.advance(at_micros);
        match ruling {
            Ruling::Neutral => None,
            Ruling::Violation => {
                self.violations += 1;
                self.evidence.violated(effect);
                Some(Cause::Violation)
            }
            Ruling::Allowed | Ruling::Approved => {
                if self.running.len() >= MOST_RUNNING {
                    self.running.remove(0);
                }
                self.running.push(Running {
                    place,
                    effect,
                    approved: ruling == Ruling::Approved,
                });
                None
            }
        }
    }

    /// Notes how a call ended. A call that is not under way earns nothing, and none earns twice.
    pub fn ended(&mut self, at_micros: i64, place: u64, outcome: Outcome) -> Option<Cause> {
        let found = self.running.iter().rposition(|call| call.place == place)?;
        let call = self.running.remove(found);
        self.advance(at_micros);
        if outcome != Outcome::Ok {
            return None;
        }
        self.completed += 1;
        let at = call.effect.index();
        let (Some(good), Some(earned)) = (self.evidence.good.get_mut(at), self.earned.get_mut(at)) else {
            return None;
        };
        let left = weight(CREDIT_AN_HOUR, call.effect).saturating_sub(*earned);
        let credit = weight(CREDIT, call.effect).min(left);
        *earned += credit;
        let most = weight(MOST_GOOD, call.effect);
        *good += credit - credit * (*good).min(most) / most;
        if !call.approved {
            return Some(Cause::Completed);
        }
        if !self.forgiven {
            self.forgiven = true;
            self.evidence.bad -= self.evidence.bad / 8;
        }
        Some(Cause::ApprovedCompleted)
    }

    /// Notes an alarm of drift.
    pub fn alarmed(&mut self, at_micros: i64, alarm: Alarm) -> Cause {
        self.advance(at_micros);
        self.evidence.against(match alarm {
            Alarm::Moderate => ONE,
            Alarm::High => 2 * ONE,
            Alarm::Critical => 4 * ONE,
        });
        Cause::Drift(alarm)
    }

    /// Trust in one class of calls at a time.
    #[must_use]
    pub fn score(&self, effect: Effect, at_micros: i64) -> Score {
        self.evidence.score(effect, at_micros)
    }

    /// What trust would be if a call of this class were denied now.
    #[must_use]
    pub fn score_if_denied(&self, effect: Effect, at_micros: i64) -> Score {
        self.evidence.score_if_denied(effect, at_micros)
    }

    /// Whether it is one that entries could have made: what was kept is read from a file.
    pub(crate) fn is_sound(&self) -> bool {
        let most = |amounts: &[u64; 3], most: [u64; 3]| amounts.iter().zip(most).all(|(amount, most)| *amount <= most);
        most(&self.evidence.good, MOST_GOOD)
            && most(&self.earned, CREDIT_AN_HOUR)
            && self.evidence.bad <= MOST_BAD
            && self.running.len() <= MOST_RUNNING
            && self.completed.max(self.violations) < 1 << 60
    }

    #[cfg(feature = "cli")]
    pub(crate) fn evidence(&self) -> Evidence {
        self.evidence
    }

    /// How many calls completed, and how many were denied, ever.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.completed, self.violations)
    }

    /// Bytes on the heap.
    pub(crate) fn size(&self) -> usize {
        self.running.capacity() * size_of::<Running>()
    }

    /// The hour in which a score at a time is: while nothing is heard, it changes with the hour only.
    pub(crate) fn hour_at(&self, at_micros: i64) -> u64 {
        hour_of(at_micros).max(self.evidence.hour)
    }

    /// Forgets what the hours since the last entry make forgotten.
    fn advance(&mut self, at_micros: i64) {
        if self.evidence.advance(at_micros) {
            self.earned = [0; 3];
            self.forgiven = false;
        }
    }
}

fn hour_of(at_micros: i64) -> u64 {
    u64::try_from(at_micros).unwrap_or(0) / 3_600_000_000
}

fn weight(table: [u64; 3], effect: Effect) -> u64 {
    match effect {
        Effect::Read => table[0],
        Effect::Change => table[1],
        Effect::Grave => table[2],
    }
}
