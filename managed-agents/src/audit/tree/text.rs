//! Small forms that the files of a log share: strict base64, strict decimals, lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(super) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Standard base64 with its padding; one text for one value, so that a changed character is never the same value.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// ASCII digits, no sign, no leading zero but for `0` itself.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if text.is_empty() || !digits || leading_zero {
        return None;
    }
    text.parse().ok()
}

/// The first line without its newline, and what follows it; `None` where no newline is left.
pub(super) fn line(text: &str) -> Option<(&str, &str)> {
    text.split_once('\n')
}

/// At most 60 characters of what was read, for a message.
pub(super) fn shown(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_form() {
        for (text, number) in [("0", 0), ("7", 7), ("18446744073709551615", u64::MAX)] {
            assert_eq!(decimal(text), Some(number));
        }
        for text in [
            "",
            "00",
            "07",
            "+7",
            "-1",
            " 7",
            "7 ",
            "7\n",
            "0x7",
            "18446744073709551616",
            "٧",
        ] {
            assert_eq!(decimal(text), None, "{text:?}");
        }
    }

    #[test]
    fn base64_has_one_form() {
        assert_eq!(from_base64("AAE="), Some(vec![0, 1]));
        for text in ["AAE", "AAF=", "AA\nE=", "AAE= ", "A-E=", "=", "AAE=="] {
            assert_eq!(from_base64(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_message_shows_the_beginning_only() {
        assert_eq!(shown("a\u{202e}b"), "\"a\\u{202e}b\"");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), 63);
    }
}
