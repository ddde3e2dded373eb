//! How far two distributions are apart.

/// The Jensen-Shannon divergence in bits between what is usual and the shares of so many calls, less what it is on average
/// when nothing changed.
pub(super) fn corrected(usual: &[f64], now: &[f64], calls: u64) -> f64 {
    let used = usual
        .iter()
        .zip(now)
        .filter(|(usual, now)| **usual + **now > 0.0)
        .count();
    let chance = used.saturating_sub(1) as f64 / (8.0 * calls.max(1) as f64 * std::f64::consts::LN_2);
    (divergence(usual, now) - chance).max(0.0)
}

/// The Jensen-Shannon divergence in bits, 0 to 1.
pub(super) fn divergence(one: &[f64], other: &[f64]) -> f64 {
    let of = |share: f64, middle: f64| {
        if share > 0.0 {
            share * (share / middle).log2()
        } else {
            0.0
        }
    };
    let each = one.iter().zip(other).map(|(one, other)| {
        let middle = f64::midpoint(*one, *other);
        f64::midpoint(of(*one, middle), of(*other, middle))
    });
    each.sum::<f64>().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_nothing_between_equals_and_one_between_strangers() {
        assert_eq!(divergence(&[0.5, 0.5], &[0.5, 0.5]), 0.0);
        assert!((divergence(&[1.0, 0.0], &[0.0, 1.0]) - 1.0).abs() < 1e-12);
        // by hand: 0.5·log2(0.5/0.75) + 0.25·log2(1/… )
        assert!((divergence(&[0.5, 0.5], &[1.0, 0.0]) - 0.311_278_124_459_132_8).abs() < 1e-12);
        assert!(corrected(&[0.5, 0.5], &[0.55, 0.45], 20) == 0.0);
    }
}
