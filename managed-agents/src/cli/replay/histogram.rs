//! Times in bounded memory: percentiles within 3 %.

use std::time::Duration;

/// Each power of two of nanoseconds is split into this many parts.
const PARTS: u64 = 32;

/// Counts times.
#[derive(Debug)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    sum: Duration,
    max: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; 64 * PARTS as usize],
            total: 0,
            sum: Duration::ZERO,
            max: Duration::ZERO,
        }
    }
}

impl Histogram {
    pub(super) fn add(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = usize::try_from(slot(nanos))
            .ok()
            .and_then(|slot| self.counts.get_mut(slot))
        {
            *count += 1;
        }
        self.total += 1;
        self.sum += time;
        self.max = self.max.max(time);
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn sum(&self) -> Duration {
        self.sum
    }

    pub(super) fn max(&self) -> Duration {
        self.max
    }

    /// The time that this many of a thousand do not exceed.
    pub(super) fn per_mille(&self, share: u64) -> Duration {
        let rank = (self.total * share).div_ceil(1_000).max(1);
        let mut seen = 0;
        for (slot, count) in (0..).zip(&self.counts) {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(highest(slot)).min(self.max);
            }
        }
        self.max
    }
}

/// The slot of a time: below `PARTS` exact, above it by the leading bits.
fn slot(nanos: u64) -> u64 {
    if nanos < PARTS {
        return nanos;
    }
    let power = u64::from(nanos.ilog2() - PARTS.ilog2());
    power * PARTS + (nanos >> power)
}

/// The highest time of a slot.
fn highest(slot: u64) -> u64 {
    if slot < 2 * PARTS {
        return slot;
    }
    let power = slot / PARTS - 1;
    let lead = slot % PARTS + PARTS;
    ((u128::from(lead + 1) << power) - 1).try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_a_slot_that_ends_within_3_percent_of_it() {
        for nanos in (0..100_000).chain([1 << 40, u64::MAX / 3, u64::MAX]) {
            let end = highest(slot(nanos));
            assert!(end >= nanos, "{nanos} {end}");
            assert!(u128::from(end - nanos) * 32 <= u128::from(nanos) + 32, "{nanos} {end}");
            assert!(slot(nanos) < 64 * PARTS);
        }
    }

    #[test]
    fn percentiles_are_those_of_the_times() {
        let mut times = Histogram::default();
        for micros in 1..=1_000 {
            times.add(Duration::from_micros(micros));
        }
        for (share, micros) in [(500, 500.0), (990, 990.0), (1_000, 1_000.0)] {
            let found = times.per_mille(share).as_secs_f64() * 1e6;
            assert!((found / micros - 1.0).abs() < 0.035, "{share}: {found}");
        }
        assert_eq!(Histogram::default().per_mille(500), Duration::ZERO);
    }
}
