//! Quantiles of the Beta distribution.

/// The standard normal deviate that 5 % lie above.
const DEVIATE: f64 = 1.644_853_626_951_472_2;

/// The value below which 5 % of Beta(`a`, `b`) lie, for `a` and `b` of at least 5: at most 0.005 from the true one, which
/// a test shows.
///
/// Abramowitz and Stegun, 26.5.22. Only sums, products, quotients and roots are used, which IEEE 754 rounds alike
/// everywhere: the same evidence gives the same bits on every machine.
pub(super) fn lower(a: f64, b: f64) -> f64 {
    let lambda = (DEVIATE * DEVIATE - 3.0) / 6.0;
    let of_a = 1.0 / (2.0 * a - 1.0);
    let of_b = 1.0 / (2.0 * b - 1.0);
    let h = 2.0 / (of_a + of_b);
    let w = DEVIATE * (h + lambda).sqrt() / h - (of_b - of_a) * (lambda + 5.0 / 6.0 - 2.0 / (3.0 * h));
    a / (a + b * exp(2.0 * w))
}

/// The value above which 5 % of Beta(`a`, `b`) lie.
pub(super) fn upper(a: f64, b: f64) -> f64 {
    1.0 - lower(b, a)
}

/// e^x for small x, with the same bits everywhere: the standard library's may differ in the last one.
fn exp(x: f64) -> f64 {
    let small = x / 64.0;
    let mut sum = 1.0;
    let mut term = 1.0;
    for n in 1..=8 {
        term = term * small / f64::from(n);
        sum += term;
    }
    for _ in 0..6 {
        sum *= sum;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ln Γ, by Lanczos' series (g = 7, n = 9).
    fn ln_gamma(x: f64) -> f64 {
        const C: [f64; 9] = [
            0.999_999_999_999_809_9,
            676.520_368_121_885_1,
            -1_259.139_216_722_402_8,
            771.323_428_777_653_1,
            -176.615_029_162_140_6,
            12.507_343_278_686_905,
            -0.138_571_095_265_720_12,
            9.984_369_578_019_572e-6,
            1.505_632_735_149_311_6e-7,
        ];
        let x = x - 1.0;
        let t = x + 7.5;
        let mut sum = C[0];
        for (n, c) in C.iter().enumerate().skip(1) {
            sum += c / (x + n as f64);
        }
        0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
    }

    /// The regularised incomplete Beta function, by its continued fraction (Lentz).
    fn incomplete(a: f64, b: f64, x: f64) -> f64 {
        if x > (a + 1.0) / (a + b + 2.0) {
            return 1.0 - incomplete(b, a, 1.0 - x);
        }
        let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp() / a;
        let (mut f, mut c, mut d) = (1.0, 1.0, 0.0);
        for i in 0..2_000 {
            let m = f64::from(i / 2);
            let numerator = if i == 0 {
                1.0
            } else if i % 2 == 0 {
                m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
            } else {
                -((a + m) * (a + b + m) * x) / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
            };
            d = 1.0 / (1.0 + numerator * d);
            c = 1.0 + numerator / c;
            f *= c * d;
            if (c * d - 1.0).abs() < 1e-14 {
                break;
            }
        }
        front * (f - 1.0)
    }

    fn accurate(a: f64, b: f64, p: f64) -> f64 {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..80 {
            let middle = (low + high) / 2.0;
            if incomplete(a, b, middle) < p {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    #[test]
    fn the_reference_knows_values_that_tables_give() {
        // Beta(2, 3): 6x² − 8x³ + 3x⁴
        assert!((incomplete(2.0, 3.0, 0.5) - 0.6875).abs() < 1e-12);
        // Beta(1, 1) is uniform
        assert!((accurate(1.0, 1.0, 0.05) - 0.05).abs() < 1e-9);
    }

    #[test]
    fn the_closed_form_is_within_five_thousandths_of_the_true_quantile() {
        let mut worst: f64 = 0.0;
        let steps = [
            5.0, 6.4, 8.0, 10.0, 13.6, 20.0, 33.0, 60.0, 110.0, 213.6, 500.0, 1_000.0, 5_000.0,
        ];
        for a in steps {
            for b in steps {
                worst = worst.max((lower(a, b) - accurate(a, b, 0.05)).abs());
                worst = worst.max((upper(a, b) - accurate(a, b, 0.95)).abs());
            }
        }
        println!("largest error {worst:.6}");
        assert!(worst <= 0.005, "{worst}");
    }

    #[test]
    fn the_exponential_is_the_exponential() {
        for x in [-4.0, -1.0, -0.1, 0.0, 0.1, 1.0, 4.0_f64] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-9, "{x}");
        }
    }
}
