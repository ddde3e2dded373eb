//! Text that an attacker wrote, as a reviewer may look at it: also what looks like other letters is escaped.

use std::fmt::Write as _;

use unicode_security::MixedScript as _;
use unicode_security::confusable_detection::skeleton;

use crate::Escaped;

/// The text on one line. Escaped are characters that control a terminal, turn text or cannot be seen; and, in words of mixed
/// scripts and in words that look like ASCII and are not, everything that is not ASCII (Unicode Technical Standard 39, sections
/// 4 and 5).
pub(super) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let is_part = |c: char| c.is_alphanumeric() || (!c.is_ascii() && !c.is_whitespace());
        let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if deceives(word) {
            for c in word.chars() {
                if c.is_ascii() {
                    out.push(c);
                } else {
                    // a `String` takes everything
                    let _ = write!(out, "{}", c.escape_unicode());
                }
            }
        } else {
            let _ = write!(out, "{}", Escaped::new(word));
        }
        let between = after.chars().next();
        if let Some(c) = between {
            let _ = write!(out, "{}", Escaped::new(c.encode_utf8(&mut [0; 4])));
        }
        rest = after.get(between.map_or(0, char::len_utf8)..).unwrap_or_default();
    }
    out
}

/// Whether something in a text is escaped because it looks like something else.
pub(super) fn deceives_somewhere(text: &str) -> bool {
    text.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric())
        .any(deceives)
}

fn deceives(word: &str) -> bool {
    if word.is_ascii() {
        return false;
    }
    !word.is_single_script() || skeleton(word).all(|c| c.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_are_escaped_and_honest_words_are_not() {
        for honest in [
            "Grüße, 東京",
            "привет мир",
            "naïve café",
            "pay bob 5",
            "{\"to\":\"Ωμέγα\"}",
        ] {
            assert_eq!(shown(honest), honest);
            assert!(!deceives_somewhere(honest), "{honest}");
        }
        // a Cyrillic a in a Latin word, and a word of Cyrillic letters that all look Latin
        assert_eq!(shown("p\u{430}ypal.com"), r"p\u{430}ypal.com");
        assert_eq!(shown("\u{440}\u{430}\u{443}"), r"\u{440}\u{430}\u{443}");
        assert!(deceives_somewhere("to p\u{430}ypal"));
        assert_eq!(shown("a\u{202e}b\u{1b}[2J\u{200b}"), r"a\u{202e}b\u{1b}[2J\u{200b}");
        assert_eq!(shown("one\ntwo\t"), r"one\u{a}two\u{9}");
    }
}
