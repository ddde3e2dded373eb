//! Text from elsewhere, fit to be looked at.

use std::fmt::{self, Write as _};

/// A text from elsewhere, fit for a terminal or a page of plain text: characters that control a terminal, turn the
/// direction of text, or cannot be seen are printed as `\u{…}`.
///
/// What a model wrote is an attacker's text until somebody has looked, and what somebody approves must be what they saw: a
/// right-to-left override shows `exe.fdp` where `pdf.exe` stands (Unicode Technical Report 36), and tag characters hide
/// whole sentences. Everything else is printed as it is, look-alikes of other letters included. It does not escape HTML.
///
/// # Examples
///
/// ```
/// use managed_agents::Escaped;
/// assert_eq!(Escaped::new("pay \u{202e}05").to_string(), r"pay \u{202e}05");
/// assert_eq!(Escaped::new("a\u{1b}[2Kb\u{200b}").to_string(), r"a\u{1b}[2Kb\u{200b}");
/// assert_eq!(Escaped::new("Grüße, 東京").to_string(), "Grüße, 東京");
/// ```
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Escaped<'a>(&'a str);

impl<'a> Escaped<'a> {
    /// The text, to be printed.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self(text)
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if is_hidden(c) {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Escaped({self})")
    }
}

/// Controls (category Cc), format characters that leave no mark of their own (Cf), line and paragraph separators, what else
/// is ignorable by default (`Default_Ignorable_Code_Point` of the Unicode Character Database), and private use.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_controls_turns_or_hides_text_is_escaped() {
        // a bell, a C1 control, a soft hyphen, an Arabic letter mark, a Hangul filler, an embedding, an isolate, a byte
        // order mark, a variation selector, a tag, a supplementary variation selector, private use
        for c in [
            '\u{7}',
            '\n',
            '\u{7f}',
            '\u{9b}',
            '\u{ad}',
            '\u{61c}',
            '\u{3164}',
            '\u{200d}',
            '\u{202b}',
            '\u{2029}',
            '\u{2067}',
            '\u{feff}',
            '\u{fe0f}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{e123}',
            '\u{10fffd}',
        ] {
            let shown = Escaped::new(&format!("a{c}b")).to_string();
            assert_eq!(shown, format!("a\\u{{{:x}}}b", u32::from(c)));
        }
    }

    #[test]
    fn what_can_be_seen_stays() {
        for text in [
            "",
            "{\"to\":\"bob\"}",
            "naïve Ελληνικά עברית العربية 漢字 한국어 🚀",
            "a\\u{202e}b",
        ] {
            assert_eq!(Escaped::new(text).to_string(), text);
        }
    }
}
