//! Sums that grow when calls are unlike the reference, and say since when.

use serde::{Deserialize, Serialize};

use super::reference::{NAT, Reference, TESTS};
use super::stream::{Observation, STREAMS};

/// A session of more calls is several stretches.
pub(super) const STRETCH: usize = 12;

/// What one stretch of calls can add to a sum.
const MOST_A_STRETCH: i32 = (2.5 * NAT) as i32;

/// The sums of all streams and tests.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Sums {
    sums: [[i32; TESTS]; STREAMS],
    /// What each may reach before this stretch of calls ends.
    caps: [[i32; TESTS]; STREAMS],
    /// How many calls ago each stood at nothing: the change is as old as that, most likely.
    since: [[u32; TESTS]; STREAMS],
}

/// What each sum may reach.
pub(super) type Thresholds = [[i32; TESTS]; STREAMS];

/// A sum above its threshold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Crossing {
    pub(super) stream: usize,
    /// How many calls ago it began.
    pub(super) since: u32,
}

impl Sums {
    /// Adds one call; gives the sum that is furthest above its threshold, if any is.
    #[inline]
    pub(super) fn add(
        &mut self,
        reference: &Reference,
        call: &Observation,
        thresholds: Option<&Thresholds>,
    ) -> Option<Crossing> {
        let mut worst: Option<(i32, Crossing)> = None;
        let each = self
            .sums
            .iter_mut()
            .zip(&mut self.since)
            .zip(&self.caps)
            .zip(call)
            .enumerate();
        for (stream, (((sums, since), caps), category)) in each {
            for (test, (sum, since)) in sums.iter_mut().zip(since).enumerate() {
                let next = sum.saturating_add(reference.ratio(stream, test, *category));
                if next <= 0 {
                    (*sum, *since) = (0, 0);
                    continue;
                }
                let cap = caps.get(test).copied().unwrap_or(i32::MAX);
                let next = next.min(cap);
                *sum = next;
                *since = since.saturating_add(1);
                let limit = thresholds.and_then(|all| all.get(stream)?.get(test));
                if let Some(limit) = limit
                    && next >= *limit
                    && worst.is_none_or(|(over, _)| next - limit > over)
                {
                    let since = *since;
                    worst = Some((next - limit, Crossing { stream, since }));
                }
            }
        }
        worst.map(|(_, crossing)| crossing)
    }

    /// Begins a stretch of calls: a session, or part of a long one. What one stretch adds is bounded, since its calls hang
    /// together: a change shows in several.
    pub(super) fn begin(&mut self) {
        for (caps, sums) in self.caps.iter_mut().zip(&self.sums) {
            for (cap, sum) in caps.iter_mut().zip(sums) {
                *cap = sum.saturating_add(MOST_A_STRETCH);
            }
        }
    }

    /// The sums.
    pub(super) fn get(&self) -> &[[i32; TESTS]; STREAMS] {
        &self.sums
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
        self.begin();
    }
}
