//! How large the sums must be so that chance alone raises an alarm as rarely as was promised.
//!
//! The agent's own sessions are drawn again, whole, since the calls of one session hang together. Each round draws as many
//! sessions as there are twice: once for a reference, as if these were all that had been seen, and once for calls that follow.
//! So the thresholds know that the reference itself is a sample.

use super::cusum::{STRETCH, Sums, Thresholds};
use super::reference::{NAT, Reference, TESTS};
use super::stream::{Observation, STREAMS};

/// How many references are drawn, and how many calls follow each.
const ROUNDS: usize = 120;
const CALLS: usize = 4_000;

/// No threshold is lower, whatever the sessions say: one call of a kind that was never seen is no change.
const LEAST: f64 = 6.5;
const MOST: f64 = 60.0;

/// The sessions hold fewer kinds of calls than there will be, so that alarms are made rarer than was promised by this factor.
const MARGIN: f64 = 1.6;

/// Calls in order, by session.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) sessions: Vec<Vec<Observation>>,
    pub(super) tools: usize,
}

/// Thresholds with which chance alone crosses one of them once in `run_length` calls. The same sample gives the same.
pub(super) fn thresholds(sample: &Sample, run_length: u64) -> Thresholds {
    if sample.sessions.iter().all(Vec::is_empty) {
        return [[(MOST * NAT) as i32; TESTS]; STREAMS];
    }
    let mut random = Random::of(sample);
    let mut worlds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let count = sample.sessions.len();
        let drawn: Vec<_> = (0..count)
            .filter_map(|_| sample.sessions.get(random.below(count)))
            .collect();
        let reference = Reference::of(drawn.into_iter().map(Vec::as_slice), sample.tools);
        worlds.push((reference, random.fork()));
    }
    let peaks = peaks(sample, &worlds);
    // one rate for each sum; the right one lies between those of one sum and of all of them
    let calls = (ROUNDS * CALLS) as f64;
    let allowed = calls / (run_length as f64 * MARGIN);
    let (mut low, mut high) = (allowed / (STREAMS * TESTS) as f64, allowed);
    for _ in 0..4 {
        let middle = (low * high).sqrt();
        if (alarms(sample, &worlds, &at_rate(&peaks, middle)) as f64) > allowed {
            high = middle;
        } else {
            low = middle;
        }
    }
    at_rate(&peaks, low)
}

/// The highest value of every excursion of each sum.
fn peaks(sample: &Sample, worlds: &[(Reference, Random)]) -> [[Vec<i32>; TESTS]; STREAMS] {
    let mut peaks: [[Vec<i32>; TESTS]; STREAMS] = Default::default();
    for (reference, random) in worlds {
        let mut sums = Sums::default();
        let mut highest = [[0; TESTS]; STREAMS];
        follow(sample, random, |call, begins| {
            if begins {
                sums.begin();
            }
            sums.add(reference, call, None);
            let now = sums.get().iter().flatten();
            let each = highest.iter_mut().flatten().zip(peaks.iter_mut().flatten()).zip(now);
            for ((highest, peaks), now) in each {
                if *now == 0 && *highest > 0 {
                    // low ones are never asked for
                    if f64::from(*highest) > NAT {
                        peaks.push(*highest);
                    }
                    *highest = 0;
                }
                *highest = (*highest).max(*now);
            }
        });
        let each = highest.iter().flatten().zip(peaks.iter_mut().flatten());
        for (highest, peaks) in each {
            if *highest > 0 {
                peaks.push(*highest);
            }
        }
    }
    for peaks in peaks.iter_mut().flatten() {
        peaks.sort_unstable_by(|one, other| other.cmp(one));
    }
    peaks
}

/// Thresholds that so many excursions of each sum reach.
fn at_rate(peaks: &[[Vec<i32>; TESTS]; STREAMS], excursions: f64) -> Thresholds {
    let (least, most) = ((LEAST * NAT) as i32, (MOST * NAT) as i32);
    let of = |peaks: &Vec<i32>| {
        let at = peaks.get(excursions as usize).copied().unwrap_or(0);
        (at + 1).clamp(least, most)
    };
    std::array::from_fn(|stream| {
        std::array::from_fn(|test| peaks.get(stream).and_then(|tests| tests.get(test)).map_or(most, of))
    })
}

/// How many alarms chance raises.
fn alarms(sample: &Sample, worlds: &[(Reference, Random)], thresholds: &Thresholds) -> u64 {
    let mut alarms = 0;
    for (reference, random) in worlds {
        let mut sums = Sums::default();
        follow(sample, random, |call, begins| {
            if begins {
                sums.begin();
            }
            if sums.add(reference, call, Some(thresholds)).is_some() {
                alarms += 1;
                sums.clear();
            }
        });
    }
    alarms
}

/// Calls as they follow: whole sessions, drawn again.
fn follow(sample: &Sample, random: &Random, mut each: impl FnMut(&Observation, bool)) {
    let mut random = random.clone();
    let mut calls = 0;
    while calls < CALLS {
        let Some(session) = sample.sessions.get(random.below(sample.sessions.len())) else {
            return;
        };
        for (at, call) in session.iter().enumerate() {
            each(call, at % STRETCH == 0);
        }
        calls += session.len().max(1);
    }
}

/// Numbers that look random (splitmix64): the same for the same sample, everywhere.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    fn of(sample: &Sample) -> Self {
        let mut random = Self(0x6d61_2d64_7269_6674);
        for call in sample.sessions.iter().flatten() {
            for category in call {
                random.0 = random.0.rotate_left(5) ^ u64::from(*category);
                random.next();
            }
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn below(&mut self, most: usize) -> usize {
        ((u128::from(self.next()) * most as u128) >> 64) as usize
    }
}
