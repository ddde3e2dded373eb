//! What a verdict was reached on, and the scores of an assessment: for the record, in words only once somebody reads them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::call::Digest;

/// What a verdict was reached on: for the record, so that it can be reached again.
#[derive(Debug)]
pub(crate) struct Basis<I: ?Sized = dyn AsInputs> {
    /// The digest of the governor's rules.
    pub(crate) rules: Digest,
    /// The policies that decided, by id.
    pub(crate) policies: Vec<Arc<str>>,
    /// What an assessment made of the call.
    pub(crate) scores: Option<Scores>,
    /// What the governor itself decided, and on which facts.
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "cedar")),
        expect(dead_code, reason = "only a durable record writes them")
    )]
    pub(crate) inputs: I,
}

/// What a governor decided, and on which facts. Most calls are recorded in memory, where nobody reads it.
pub(crate) trait AsInputs: fmt::Debug + Send + Sync {
    /// As JSON.
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "cedar")),
        expect(dead_code, reason = "only a durable record writes them")
    )]
    fn json(&self) -> Cow<'_, str>;
}

impl AsInputs for Box<str> {
    fn json(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl Basis {
    /// The same, on inputs that are found to be others.
    pub(crate) fn on(&self, inputs: Box<str>) -> Arc<Self> {
        Arc::new(Basis {
            rules: self.rules,
            policies: self.policies.clone(),
            scores: self.scores.clone(),
            inputs,
        })
    }
}

/// So many dimensions lie where the scores lie; the standard ones, and a few of the user's own.
const INLINE: usize = 16;
/// The dimension was not assessed.
const NOT_ASSESSED: u32 = u32::MAX;

/// A unified confidence score and what it was made of, in millionths: records hold no floats.
#[derive(Clone, Debug)]
pub(crate) struct Scores {
    ucs: f64,
    tier: u8,
    /// Shared by all verdicts of an assessor.
    names: Arc<[Arc<str>]>,
    first: [u32; INLINE],
    /// Those that have no room there.
    others: Box<[u32]>,
}

impl Scores {
    /// Of dimensions of these names none was assessed yet.
    #[cfg(feature = "engine")]
    pub(crate) fn new(ucs: f64, tier: u8, names: &Arc<[Arc<str>]>) -> Self {
        Self {
            ucs,
            tier,
            names: Arc::clone(names),
            first: [NOT_ASSESSED; INLINE],
            others: vec![NOT_ASSESSED; names.len().saturating_sub(INLINE)].into(),
        }
    }

    /// Says the score, 0 to 1, of the dimension whose name stands at a place.
    #[cfg(feature = "engine")]
    #[inline]
    pub(crate) fn set(&mut self, place: usize, score: f64) {
        let room = match place.checked_sub(INLINE) {
            None => self.first.get_mut(place),
            Some(place) => self.others.get_mut(place),
        };
        if let Some(room) = room {
            *room = millionths(score);
        }
    }

    pub(crate) fn ucs(&self) -> f64 {
        self.ucs
    }

    pub(crate) fn tier(&self) -> u8 {
        self.tier
    }

    /// Name and score in millionths of each dimension that was assessed, by name.
    pub(crate) fn dimensions(&self) -> impl Iterator<Item = (&str, u32)> + '_ {
        let scores = self.first.iter().chain(&self.others);
        let all = self.names.iter().zip(scores).map(|(name, score)| (&**name, *score));
        all.filter(|(_, score)| *score != NOT_ASSESSED)
    }
}

/// A score of 0 to 1 in millionths; what is no score is 0.
pub(crate) fn millionths(score: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0 to 1 000 000; NaN becomes 0"
    )]
    let millionths = (score.clamp(0.0, 1.0) * 1_000_000.0 + 0.5) as u32;
    millionths
}

#[cfg(all(test, feature = "engine"))]
mod tests {
    use super::*;

    #[test]
    fn more_dimensions_than_have_room_beside_each_other_are_all_there() {
        for number in [0, 1, INLINE - 1, INLINE, INLINE + 1, 40] {
            let names: Arc<[Arc<str>]> = (0..number).map(|at| Arc::from(format!("d{at:02}"))).collect();
            let mut scores = Scores::new(0.5, 2, &names);
            assert_eq!(scores.dimensions().count(), 0, "{number}");
            for place in (0..number + 3).step_by(2) {
                scores.set(place, 1.0 / (place + 1) as f64);
            }
            let expected: Vec<_> = (0..number)
                .step_by(2)
                .map(|place| (format!("d{place:02}"), millionths(1.0 / (place + 1) as f64)))
                .collect();
            let told: Vec<_> = scores
                .dimensions()
                .map(|(name, score)| (name.to_owned(), score))
                .collect();
            assert_eq!(told, expected, "{number}");
        }
    }

    #[test]
    fn what_is_no_score_is_none() {
        assert_eq!(millionths(f64::NAN), 0);
        assert_eq!(
            [-1.0, 0.0, 0.734, 1.0, 7.0].map(millionths),
            [0, 0, 734_000, 1_000_000, 1_000_000]
        );
    }
}
