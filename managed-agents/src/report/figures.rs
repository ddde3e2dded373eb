//! What a report counts.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::counts::{Counts, Named};
use super::evidence::{EvidenceKind, Tally};
use super::reviewers::Reviewers;
use crate::calendar;

/// The figures of one period, counted from the entries of the log and nothing else: whoever has an export can count again.
///
/// Serialised, they are the member `figures` of a report in JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    pub(super) entries: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<u64>,
    pub(super) types: Counts,
    pub(super) calls: u64,
    pub(super) ran: u64,
    pub(super) decisions: Counts,
    pub(super) dispositions: Counts,
    pub(super) outcomes: Counts,
    pub(super) reasons: Counts,
    pub(super) deciding_reasons: Counts,
    pub(super) screen: Counts,
    pub(super) policies: Counts,
    pub(super) software: Counts,
    pub(super) agents: Named<Calls>,
    pub(super) tools: Named<Calls>,
    pub(super) rules: Named<Rules>,
    pub(super) states: Counts,
    pub(super) undeclared: u64,
    pub(super) values: u64,
    pub(super) redacted_values: u64,
    pub(super) running_micros: u64,
    pub(super) longest_micros: u64,
    pub(super) reviewers: Reviewers,
    pub(super) over_time: OverTime,
    pub(super) evidence: BTreeMap<EvidenceKind, Tally>,
}

/// The calls of one agent, or of one tool.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Calls {
    /// How many were decided.
    pub calls: u64,
    /// How many verdicts were `allow`.
    pub allow: u64,
    /// How many verdicts were `escalate`.
    pub escalate: u64,
    /// How many verdicts were `deny`.
    pub deny: u64,
    /// How many bodies ran.
    pub ran: u64,
}

/// The calls under one digest of all rules.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Rules {
    /// How many were decided under it.
    pub calls: u64,
    /// The first entry that names it.
    pub first: u64,
    /// The last entry that names it.
    pub last: u64,
}

/// The period in parts of one length.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct OverTime {
    /// In microseconds.
    #[serde(rename = "width_seconds", serialize_with = "seconds")]
    pub(super) width: i64,
    pub(super) buckets: Vec<Bucket>,
}

/// One part of the period.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Bucket {
    /// When it begins, in microseconds since 1970.
    #[serde(serialize_with = "time")]
    pub begins: i64,
    /// Verdicts that allowed.
    pub allow: u64,
    /// Verdicts that escalated.
    pub escalate: u64,
    /// Verdicts that denied.
    pub deny: u64,
    /// Calls that people approved, or had approved, and that ran.
    pub approved: u64,
    /// Calls that wait for people, or were refused until somebody decides.
    pub queued: u64,
    /// Bodies that did not end well.
    pub failed: u64,
    /// Agents that were suspended or revoked, and interrupts that were no drills.
    pub stops: u64,
    /// Alarms of drift that were acknowledged.
    pub drift: u64,
    /// How many decisions say the agent's trust.
    pub trust_seen: u64,
    /// The sum of what they say, in millionths.
    pub trust_sum: u64,
    /// The lowest of it, in millionths.
    pub trust_lowest: Option<u32>,
}

impl Bucket {
    /// The mean trust, in millionths, where any was recorded.
    #[must_use]
    pub fn trust_mean(&self) -> Option<u64> {
        self.trust_sum.checked_div(self.trust_seen)
    }
}

impl OverTime {
    /// In how many parts a period is shown, at most.
    const MOST: i64 = 62;

    /// Of a period from one time to before another, in microseconds since 1970.
    pub(super) fn new(from: i64, to: i64) -> Self {
        const HOUR: i64 = 3_600_000_000;
        let length = to.saturating_sub(from).max(1);
        let fits = |hours: i64| length / (hours * HOUR) < Self::MOST;
        // an hour, a day, a week, 30 days, or as many years as it takes
        let width = [1, 24, 168, 720].into_iter().find(|hours| fits(*hours));
        let width = width.unwrap_or_else(|| 8_760 * (1 + length / (8_760 * HOUR * Self::MOST))) * HOUR;
        let begins = from.div_euclid(width) * width;
        let count = (to - 1 - begins).div_euclid(width) + 1;
        let buckets = (0..count.max(1)).map(|number| Bucket {
            begins: begins + number * width,
            ..Bucket::default()
        });
        Self {
            width,
            buckets: buckets.collect(),
        }
    }

    pub(super) fn at(&mut self, micros: i64) -> Option<&mut Bucket> {
        let first = self.buckets.first()?.begins;
        let place = micros.checked_sub(first)?.div_euclid(self.width);
        self.buckets.get_mut(usize::try_from(place).ok()?)
    }

    /// How long each part is, in seconds.
    #[must_use]
    pub fn width_seconds(&self) -> u64 {
        self.width.unsigned_abs() / 1_000_000
    }

    /// The parts, oldest first.
    #[must_use]
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }
}

impl Figures {
    /// How many entries the log has in the period.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// The places of the first and the last of them.
    #[must_use]
    pub fn places(&self) -> Option<(u64, u64)> {
        self.first.zip(self.last)
    }

    /// The entries by type.
    #[must_use]
    pub fn types(&self) -> &Counts {
        &self.types
    }

    /// How many calls were decided.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// How many bodies ran.
    #[must_use]
    pub fn ran(&self) -> u64 {
        self.ran
    }

    /// The verdicts: `allow`, `escalate`, `deny`.
    #[must_use]
    pub fn decisions(&self) -> &Counts {
        &self.decisions
    }

    /// What was made of the verdicts: `allowed`, `refused`, `queued`, `approved`, `fail_open`, `proceeded_unapproved`, `observed`.
    #[must_use]
    pub fn dispositions(&self) -> &Counts {
        &self.dispositions
    }

    /// How bodies ended.
    #[must_use]
    pub fn outcomes(&self) -> &Counts {
        &self.outcomes
    }

    /// Every reason's code, each once for a call that has it.
    #[must_use]
    pub fn reasons(&self) -> &Counts {
        &self.reasons
    }

    /// The code of the reason that decided.
    #[must_use]
    pub fn deciding_reasons(&self) -> &Counts {
        &self.deciding_reasons
    }

    /// What the screen found.
    #[must_use]
    pub fn screen(&self) -> &Counts {
        &self.screen
    }

    /// The ids of policies that decided.
    #[must_use]
    pub fn policies(&self) -> &Counts {
        &self.policies
    }

    /// The states that agents were given, and `registered` for each passport.
    #[must_use]
    pub fn states(&self) -> &Counts {
        &self.states
    }

    /// The calls of each agent, in the order of their names.
    pub fn agents(&self) -> impl Iterator<Item = (&str, &Calls)> + '_ {
        self.agents.names.iter().map(|(name, calls)| (name.as_str(), calls))
    }

    /// The calls of each tool, in the order of their names.
    pub fn tools(&self) -> impl Iterator<Item = (&str, &Calls)> + '_ {
        self.tools.names.iter().map(|(name, calls)| (name.as_str(), calls))
    }

    /// The digests of rules that calls were decided under.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &Rules)> + '_ {
        self.rules.names.iter().map(|(digest, rules)| (digest.as_str(), rules))
    }

    /// Calls of tools that declare nothing of themselves.
    #[must_use]
    pub fn undeclared(&self) -> u64 {
        self.undeclared
    }

    /// How many values are committed to, and how many of them are redacted.
    #[must_use]
    pub fn values(&self) -> (u64, u64) {
        (self.values, self.redacted_values)
    }

    /// How people decided on calls that waited for them.
    #[must_use]
    pub fn reviewers(&self) -> &Reviewers {
        &self.reviewers
    }

    /// The period in parts.
    #[must_use]
    pub fn over_time(&self) -> &OverTime {
        &self.over_time
    }

    /// How many entries are evidence of a kind, and where.
    #[must_use]
    pub fn evidence(&self, kind: EvidenceKind) -> Tally {
        self.evidence.get(&kind).copied().unwrap_or_default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
fn time<S: Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment(*micros))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
fn seconds<S: Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(micros / 1_000_000)
}

/// A time as entries have it.
pub(super) fn moment(micros: i64) -> String {
    String::from_utf8_lossy(&calendar::rfc3339(micros)).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_time_of_a_period_has_its_part(
            from in -60_000_000_000_000_000_i64..250_000_000_000_000_000,
            length in prop_oneof![1_i64..10_000_000_000, 1_i64..300_000_000_000_000_000],
            share in 0.0..1.0_f64,
        ) {
            let mut parts = OverTime::new(from, from + length);
            prop_assert!(parts.buckets().len() <= 64, "{}", parts.buckets().len());
            let at = from + ((length - 1) as f64 * share) as i64;
            let width = parts.width;
            for at in [from, at.min(from + length - 1), from + length - 1] {
                let begins = parts.at(at).map(|bucket| bucket.begins);
                prop_assert!(begins.is_some_and(|begins| (begins..begins + width).contains(&at)));
            }
        }
    }
}
