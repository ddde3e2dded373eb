//! What is usual: a frozen distribution for each stream, and how much each category speaks for a change.

use super::stream::{MOST_TOOLS, Observation, STREAMS, Stream};

/// Log-likelihood ratios are counted in 4 096ths of a nat, so that sums are exact and the same everywhere.
pub(super) const NAT: f64 = 4_096.0;

/// The alternatives that each stream is tested against: this share of the calls is moved to categories drawn evenly. A small
/// one finds slow changes, a large one sudden ones.
const MOVED: [f64; TESTS] = [0.1, 0.4];

/// How many tests there are for each stream.
pub(super) const TESTS: usize = 2;

/// What an unseen category counts as: half a call.
const PSEUDO_COUNT: f64 = 0.5;

/// A frozen distribution of one agent's calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reference {
    streams: [Distribution; STREAMS],
    calls: u32,
}

#[derive(Clone, Debug, Default, PartialEq)]
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
        let categories = self.counts.len() as f64;
        let all = f64::from(total) + PSEUDO_COUNT * categories;
        for (ratios, moved) in self.ratios.iter_mut().zip(MOVED) {
            let ratio = |(count, squares): (&u16, &u32)| {
                let share = (f64::from(*count) + f64::from(*squares).sqrt() + PSEUDO_COUNT) / all;
                let ratio = (1.0 - moved + moved / categories / share).ln();
                (ratio * NAT).round() as i32
            };
            *ratios = self.counts.iter().zip(squares).map(ratio).collect();
        }
    }
}
