//! Times in certificates and statements.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::IdentityError;

/// A time in UTC, in microseconds since 1970, from then to the end of the year 9999; what is outside is the nearer end.
///
/// Printed as in RFC 3339, always with microseconds and `Z`, so that texts sort as times do. Leap seconds are not counted,
/// as in all Unix time; the text of one (`23:59:60`) is refused.
///
/// # Examples
///
/// ```
/// use managed_agents::identity::Moment;
/// let moment = Moment::from_micros(1_767_225_600_000_001);
/// assert_eq!(moment.to_string(), "2026-01-01T00:00:00.000001Z");
/// assert_eq!(Moment::parse("2026-01-01T00:00:00.000001Z")?, moment);
/// # Ok::<_, managed_agents::identity::IdentityError>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Moment(i64);

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400;
/// 9999-12-31T23:59:59.999999Z
const LAST: i64 = 253_402_300_799_999_999;

impl Moment {
    /// The time that is so many microseconds after the beginning of 1970.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(if micros < 0 {
            0
        } else if micros > LAST {
            LAST
        } else {
            micros
        })
    }

    /// The time by the system's clock.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Microseconds since the beginning of 1970.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the beginning of 1970.
    pub(super) const fn seconds(self) -> i64 {
        self.0 / MICROS
    }

    pub(super) const fn from_seconds(seconds: i64) -> Self {
        Self::from_micros(seconds.saturating_mul(MICROS))
    }

    /// So much later.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self::from_micros(self.0.saturating_add(micros_of(time)))
    }

    /// So much earlier.
    #[must_use]
    pub fn before(self, time: Duration) -> Self {
        Self::from_micros(self.0.saturating_sub(micros_of(time)))
    }

    /// How long it is from `earlier` to this; nothing if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads the one form that is printed: 27 characters of RFC 3339.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] names a text that is none.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        Self::read(text).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            IdentityError::malformed(format!(
                "`{}` is no time of the form 2026-01-01T00:00:00.000000Z",
                shown.escape_debug()
            ))
        })
    }

    fn read(text: &str) -> Option<Self> {
        let number = |from: usize, to: usize| -> Option<i64> {
            let digits = text.get(from..to)?;
            digits
                .bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| digits.parse().ok())?
        };
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second, micro) = (number(11, 13)?, number(14, 16)?, number(17, 19)?, number(20, 26)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = days_of(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
        let moment = Self::from_micros(seconds.checked_mul(MICROS)?.checked_add(micro)?);
        // also refuses days that no month has, and other characters between the numbers
        (moment.to_string() == text).then_some(moment)
    }

    /// Year, month, day, hour, minute, second.
    pub(super) fn civil(self) -> (i64, i64, i64, i64, i64, i64) {
        let seconds = self.seconds();
        let (year, month, day) = civil_of(seconds.div_euclid(DAY));
        let rest = seconds.rem_euclid(DAY);
        (year, month, day, rest / 3600, rest / 60 % 60, rest % 60)
    }

    /// The time of a date and a time of day, where there is such a date.
    pub(super) fn of_civil((year, month, day, hour, minute, second): (i64, i64, i64, i64, i64, i64)) -> Option<Self> {
        let fits = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        if !fits || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let moment = Self::from_seconds(days_of(year, month, day) * DAY + hour * 3600 + minute * 60 + second);
        (moment.civil() == (year, month, day, hour, minute, second)).then_some(moment)
    }
}

fn micros_of(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// The day's number since 1970-01-01 in the Gregorian calendar: years counted from March, so that leap days come last.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        time.duration_since(SystemTime::UNIX_EPOCH)
            .map_or(Self(0), |since| Self::from_micros(micros_of(since)))
    }
}

impl From<Moment> for SystemTime {
    fn from(moment: Moment) -> Self {
        Self::UNIX_EPOCH + Duration::from_micros(moment.0.unsigned_abs())
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, hour, minute, second) = self.civil();
        let micro = self.0 % MICROS;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micro:06}Z"
        )
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_leap_second_and_days_that_no_month_has_are_refused() {
        for text in [
            "2016-12-31T23:59:60.000000Z",
            "2026-02-29T00:00:00.000000Z",
            "2026-13-01T00:00:00.000000Z",
            "2026-00-01T00:00:00.000000Z",
            "2026-01-01 00:00:00.000000Z",
            "2026-01-01T00:00:00.000000+",
            "2026-01-01T00:00:00.00000Z",
            "+026-01-01T00:00:00.000000Z",
            "1969-12-31T23:59:59.999999Z",
            "",
        ] {
            assert!(Moment::parse(text).is_err(), "{text}");
        }
        assert!(Moment::parse("2024-02-29T23:59:59.999999Z").is_ok());
    }

    #[test]
    fn known_times_are_printed() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"),
            (i64::MAX, "9999-12-31T23:59:59.999999Z"),
            (i64::MIN, "1970-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(Moment::from_micros(micros).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn texts_read_back_and_sort_as_times(a in 0..=LAST, b in 0..=LAST) {
            let (a, b) = (Moment(a), Moment(b));
            prop_assert_eq!(Moment::parse(&a.to_string()).unwrap(), a);
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(Moment::of_civil(a.civil()).unwrap().seconds(), a.seconds());
        }
    }
}
