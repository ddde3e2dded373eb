//! Dates, and times as entries and statements have them: RFC 3339, UTC, microseconds, always 27 characters.

use std::time::{SystemTime, UNIX_EPOCH};

/// The first and the last microsecond that four digits of a year can say.
const EARLIEST: i64 = -62_167_219_200_000_000;
pub(crate) const LATEST: i64 = 253_402_300_799_999_999;
const DAY: i64 = 86_400_000_000;

/// Microseconds since 1970; a time that four digits of a year cannot say becomes the nearest that they can.
pub(crate) fn micros(time: SystemTime) -> i64 {
    let micros = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(LATEST),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(EARLIEST, |before| -before),
    };
    micros.clamp(EARLIEST, LATEST)
}

/// `2026-11-24T02:11:57.123456Z`.
pub(crate) fn rfc3339(micros: i64) -> [u8; 27] {
    let micros = micros.clamp(EARLIEST, LATEST);
    let (year, month, day) = civil(micros.div_euclid(DAY));
    let time = micros.rem_euclid(DAY);
    let mut out = *b"0000-00-00T00:00:00.000000Z";
    for (at, width, number) in [
        (0, 4, year),
        (5, 2, month),
        (8, 2, day),
        (11, 2, time / 3_600_000_000),
        (14, 2, time / 60_000_000 % 60),
        (17, 2, time / 1_000_000 % 60),
        (20, 6, time % 1_000_000),
    ] {
        digits(out.get_mut(at..at + width), number);
    }
    out
}

/// Microseconds since 1970, of exactly the form that [`rfc3339`] writes.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    let part = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse::<i64>().ok())
            .flatten()
    };
    let days = days(part(0..4)?, part(5..7)?, part(8..10)?);
    let seconds = part(11..13)? * 3600 + part(14..16)? * 60 + part(17..19)?;
    let micros = (days * 86_400 + seconds) * 1_000_000 + part(20..26)?;
    // what does not print as it was is no time: 30 February, 25 o'clock, another separator
    (rfc3339(micros) == *text.as_bytes()).then_some(micros)
}

fn digits(out: Option<&mut [u8]>, mut number: i64) {
    for digit in out.into_iter().flatten().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

/// Year, month and day of a day since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The inverse of [`civil`].
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_print_as_rfc_3339_says() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_000_001, "2000-02-29T00:00:00.000001Z"),
            (1_767_225_600_123_456, "2026-01-01T00:00:00.123456Z"),
            (i64::MAX, "9999-12-31T23:59:59.999999Z"),
            (i64::MIN, "0000-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(std::str::from_utf8(&rfc3339(micros)).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "2026-02-30T00:00:00.000000Z",
            "2026-01-01T24:00:00.000000Z",
            "2026-01-01T00:00:60.000000Z",
            "2026-01-01 00:00:00.000000Z",
            "2026-01-01T00:00:00.000000+",
            "2026-01-01T00:00:00Z",
            "+026-01-01T00:00:00.000000Z",
            "2026-01-01T00:00:00.00000é",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_time_reads_back_as_it_was(micros in EARLIEST..=LATEST) {
            let text = rfc3339(micros);
            prop_assert_eq!(parse_rfc3339(std::str::from_utf8(&text).unwrap()), Some(micros));
        }
    }
}
