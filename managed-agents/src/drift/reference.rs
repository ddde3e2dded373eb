//! What is usual: a frozen distribution for each stream, and how much each category speaks for a change.

use serde::{Deserialize, Serialize};

use super::stream::{MOST_TOOLS, Observation, STREAMS, Stream};

/// Log-likelihood ratios are counted in 4 096ths of a nat, so that sums are exact and the same everywhere.
pub(super) const NAT: f64 = 4_096.0;

/// The alternatives that each stream is tested against: which share of the calls is moved, and to which categories, drawn evenly. A small
/// share finds slow changes, a large one sudden ones; what moves to a few rare categories shows later among all of them.
const MOVED: [(f64, To); TESTS] = [(0.1, To::Any), (0.4, To::Any), (0.1, To::Rare)];

/// How many tests there are for each stream.
pub(super) const TESTS: usize = 3;

/// Where calls are moved.
#[derive(Clone, Copy, Eq, PartialEq)]
enum To {
    /// To any category.
    Any,
    /// To those that are rare, where there are such.
    Rare,
}

/// A category of at most this share is rare.
const RARE: f64 = 0.05;

/// What an unseen category counts as: half a call.
const PSEUDO_COUNT: f64 = 0.5;

/// A frozen distribution of one agent's calls.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(super) struct Reference {
    streams: [Distribution; STREAMS],
    calls: u32,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Distribution {
    counts: Vec<u16>,
    /// For each test, what each category adds.
    ratios: [Vec<i32>; TESTS],
}

impl Reference {
    pub(super) fn of<'a>(sessions: impl Iterator<Item = &'a [Observation]>, tools: usize) -> Self {
        let mut streams = Stream::ALL.map(|stream| Distribution {
            counts: vec![0; stream.categories(tools)],
            ratios: Default::default(),
        });
        let mut squares = Stream::ALL.map(|stream| vec![0_u32; stream.categories(tools)]);
        let mut total = 0;
        for session in sessions {
            total += session.len() as u32;
            let each = streams.iter_mut().zip(&mut squares).enumerate();
            for (at, (stream, squares)) in each {
                let mut here = [0_u32; MOST_TOOLS + 1];
                for call in session {
                    let category = call.get(at).copied().unwrap_or(0);
                    if let Some(here) = here.get_mut(usize::from(category)) {
                        *here += 1;
                    }
                }
                for ((count, square), here) in stream.counts.iter_mut().zip(squares).zip(here) {
                    *count = count.saturating_add(here as u16);
                    *square += here * here;
                }
            }
        }
        for (stream, squares) in streams.iter_mut().zip(squares) {
            stream.weigh(&squares, total);
        }
        Self { streams, calls: total }
    }

    /// What a category of a stream adds to one of its tests.
    #[inline]
    pub(super) fn ratio(&self, stream: usize, test: usize, category: u8) -> i32 {
        let ratios = self.streams.get(stream).and_then(|stream| stream.ratios.get(test));
        ratios
            .and_then(|ratios| ratios.get(usize::from(category)).or(ratios.last()))
            .copied()
            .unwrap_or(0)
    }

    /// The share of each category.
    pub(super) fn shares(&self, stream: Stream) -> Vec<f64> {
        let counts = self.streams.get(stream.index()).map(|stream| stream.counts.as_slice());
        let counts = counts.unwrap_or_default();
        let all = f64::from(self.calls.max(1));
        counts.iter().map(|count| f64::from(*count) / all).collect()
    }

    /// Whether it is one that could have been learnt.
    pub(super) fn is_sound(&self) -> bool {
        let fits = |stream: &Distribution| {
            let categories = stream.counts.len();
            let each = stream.ratios.iter().all(|ratios| ratios.len() == categories);
            (1..=MOST_TOOLS + 1).contains(&categories) && each
        };
        self.streams.iter().all(fits)
    }

    /// Bytes on the heap.
    pub(super) fn size(&self) -> usize {
        let each = |stream: &Distribution| {
            stream.counts.capacity() * 2 + stream.ratios.iter().map(|ratios| ratios.capacity() * 4).sum::<usize>()
        };
        self.streams.iter().map(each).sum()
    }
}

impl Distribution {
    /// A category counts as the most that it may well be: one standard error more than was seen, where the calls of a session
    /// hang together.
    fn weigh(&mut self, squares: &[u32], total: u32) {
        let all = f64::from(total) + PSEUDO_COUNT * self.counts.len() as f64;
        let share =
            |(count, squares): (&u16, &u32)| (f64::from(*count) + f64::from(*squares).sqrt() + PSEUDO_COUNT) / all;
        let shares: Vec<f64> = self.counts.iter().zip(squares).map(share).collect();
        let rare = shares.iter().filter(|share| **share <= RARE).count();
        for (ratios, (moved, to)) in self.ratios.iter_mut().zip(MOVED) {
            let only_rare = to == To::Rare && rare > 0;
            let into = if only_rare { rare } else { shares.len() } as f64;
            let ratio = |share: &f64| {
                let comes = if only_rare && *share > RARE { 0.0 } else { moved / into };
                ((1.0 - moved + comes / share).ln() * NAT).round() as i32
            };
            *ratios = shares.iter().map(ratio).collect();
        }
    }
}
