//! Times in certificates and statements.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::IdentityError;
use crate::calendar;

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
const LAST: i64 = calendar::LATEST;

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
        let micros = calendar::parse_rfc3339(text)?;
        (0..=calendar::LATEST).contains(&micros).then_some(Self(micros))
    }

    /// Year, month, day, hour, minute, second.
    pub(super) fn civil(self) -> (i64, i64, i64, i64, i64, i64) {
        let seconds = self.seconds();
        let (year, month, day) = calendar::civil(seconds.div_euclid(DAY));
        let rest = seconds.rem_euclid(DAY);
        (year, month, day, rest / 3600, rest / 60 % 60, rest % 60)
    }

    /// The time of a date and a time of day, where there is such a date.
    pub(super) fn of_civil((year, month, day, hour, minute, second): (i64, i64, i64, i64, i64, i64)) -> Option<Self> {
        let fits = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        if !fits || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let moment = Self::from_seconds(calendar::days(year, month, day) * DAY + hour * 3600 + minute * 60 + second);
        (moment.civil() == (year, month, day, hour, minute, second)).then_some(moment)
    }
}

fn micros_of(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
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
        // digits and signs are ASCII
        f.write_str(std::str::from_utf8(&calendar::rfc3339(self.0)).unwrap_or_default())
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
