//! How evidence is forgotten, in whole numbers.

/// A factor for each hour, as a 64-bit fraction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decay(u64);

/// Halves in 30 days: 2^(−1/720).
pub(super) const GOOD: Decay = Decay(18_428_993_857_179_165_969);
/// Halves in 60 days: 2^(−1/1440).
pub(super) const BAD: Decay = Decay(18_437_866_829_417_916_986);

impl Decay {
    /// What is left of an amount after so many hours. Rounded down: what is forgotten is forgotten in the end.
    pub(super) fn after(self, amount: u64, hours: u64) -> u64 {
        if hours == 0 || amount == 0 {
            return amount;
        }
        let mut factor: u64 = u64::MAX;
        let mut power = self.0;
        // longer than any half-life keeps anything for
        let mut left = hours.min(1 << 20);
        while left > 0 {
            if left & 1 == 1 {
                factor = times(factor, power);
            }
            power = times(power, power);
            left >>= 1;
        }
        times(amount, factor)
    }
}

/// The product of a number and a 64-bit fraction, rounded down.
fn times(number: u64, fraction: u64) -> u64 {
    ((u128::from(number) * u128::from(fraction)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_is_left_after_the_half_life_and_nothing_in_the_end() {
        for (decay, hours) in [(GOOD, 720), (BAD, 1_440)] {
            let left = decay.after(1_000_000, hours);
            assert!((499_990..=500_000).contains(&left), "{left}");
            assert_eq!(decay.after(1_000_000, 0), 1_000_000);
            assert_eq!(decay.after(u64::MAX >> 1, u64::MAX), 0);
            let mut last = u64::MAX;
            for hours in (0..10_000).step_by(37) {
                let left = decay.after(200_000_000, hours);
                assert!(left <= last, "more is left after {hours} hours than before");
                last = left;
            }
        }
    }
}
