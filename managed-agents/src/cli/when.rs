//! Times and lengths of time as people write them.

use std::time::{Duration, SystemTime};

use crate::identity::Moment;

/// A time: `2026-11-24`, `2026-11-24T09:30:00Z`, or how long ago: `90m`, `12h`, `7d`.
pub(super) fn time(text: &str) -> Result<SystemTime, String> {
    if let Ok(ago) = length(text) {
        return Ok(Moment::now().before(ago).into());
    }
    let full = match text.len() {
        10 => format!("{text}T00:00:00.000000Z"),
        20 => text.replace('Z', ".000000Z"),
        _ => text.to_owned(),
    };
    Moment::parse(&full)
        .map(Into::into)
        .map_err(|_| "not a time: write 2026-11-24, 2026-11-24T09:30:00Z, or 90m, 12h, 7d for how long ago".to_owned())
}

/// A length of time: `90s`, `15m`, `12h`, `30d`.
pub(super) fn length(text: &str) -> Result<Duration, String> {
    let wrong = || "not a length of time: write 90s, 15m, 12h or 30d".to_owned();
    let seconds = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => return Err(wrong()),
    };
    let digits = text.get(..text.len() - 1).unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    count.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them_and_nothing_else_is() {
        let full = Moment::parse("2026-11-24T09:30:00.000000Z").unwrap();
        assert_eq!(time("2026-11-24T09:30:00Z"), Ok(full.into()));
        assert_eq!(time("2026-11-24T09:30:00.000000Z"), Ok(full.into()));
        assert_eq!(
            time("2026-11-24"),
            Ok(full.before(Duration::from_secs(9 * 3600 + 1800)).into())
        );
        let then = time("2h").unwrap().into();
        let ago = Moment::now().since(then);
        assert!((7_200..7_205).contains(&ago.as_secs()), "{ago:?}");
        for wrong in [
            "",
            "2026",
            "2026-02-30",
            "2h30",
            "-2h",
            "h",
            "1w",
            "2026-11-24T25:00:00Z",
            "99999999999999999999d",
            "é",
        ] {
            assert!(time(wrong).is_err(), "{wrong}");
            assert!(length(wrong).is_err(), "{wrong}");
        }
    }
}
