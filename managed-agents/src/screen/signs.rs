//! Which kinds of signs stand in a text, told in one pass: most rules look only at words that hold one of them.

/// A set of kinds of signs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::screen) struct Signs(u16);

impl Signs {
    pub(in crate::screen) const NONE: Self = Self(0);
    pub(in crate::screen) const SLASH: Self = Self(1);
    pub(in crate::screen) const DOT: Self = Self(2);
    pub(in crate::screen) const TILDE: Self = Self(4);
    /// `*`, `?` or `[`.
    pub(in crate::screen) const GLOB: Self = Self(8);
    pub(in crate::screen) const EQUALS: Self = Self(16);
    pub(in crate::screen) const AT: Self = Self(32);
    pub(in crate::screen) const DASH: Self = Self(64);
    pub(in crate::screen) const UPPER: Self = Self(128);
    pub(in crate::screen) const DIGIT: Self = Self(256);
    pub(in crate::screen) const BANG: Self = Self(512);
    pub(in crate::screen) const UNDERSCORE: Self = Self(1024);
    pub(in crate::screen) const BLANK: Self = Self(4096);
    /// No ASCII.
    pub(in crate::screen) const WIDE: Self = Self(2048);

    /// No sign: what is asked about ends here.
    pub(in crate::screen) const STOP: Self = Self(1 << 15);

    /// The signs of a text.
    pub(in crate::screen) fn of(text: &str) -> Self {
        let kinds = text
            .bytes()
            .map(|byte| KINDS.get(usize::from(byte)).copied().unwrap_or_default());
        Self(kinds.fold(0, |all, kind| all | kind))
    }

    /// The sign that a byte is.
    pub(in crate::screen) const fn of_byte(byte: u8) -> Self {
        match byte {
            b'/' => Self::SLASH,
            b'.' => Self::DOT,
            b'~' => Self::TILDE,
            b' ' => Self::BLANK,
            b'*' | b'?' | b'[' => Self::GLOB,
            b'=' => Self::EQUALS,
            b'@' => Self::AT,
            b'-' => Self::DASH,
            b'A'..=b'Z' => Self::UPPER,
            b'0'..=b'9' => Self::DIGIT,
            b'!' => Self::BANG,
            b'_' => Self::UNDERSCORE,
            0x80.. => Self::WIDE,
            _ => Self::NONE,
        }
    }

    pub(in crate::screen) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(in crate::screen) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The signs of each byte.
static KINDS: [u16; 256] = kinds();

#[expect(
    clippy::indexing_slicing,
    reason = "it runs when the program is compiled, where a bad index is an error"
)]
const fn kinds() -> [u16; 256] {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < kinds.len() {
        kinds[byte] = Signs::of_byte(byte as u8).0;
        byte += 1;
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_of_a_text_is_told() {
        assert_eq!(Signs::of("notes"), Signs::NONE);
        assert_eq!(Signs::of("a/b.c"), Signs::SLASH.and(Signs::DOT));
        for (text, sign) in [
            ("~", Signs::TILDE),
            ("a*", Signs::GLOB),
            ("?", Signs::GLOB),
            ("[", Signs::GLOB),
            ("a=b", Signs::EQUALS),
            ("@", Signs::AT),
            ("a b", Signs::BLANK),
            ("-", Signs::DASH),
            ("aZ", Signs::UPPER),
            ("x9", Signs::DIGIT),
            ("!", Signs::BANG),
            ("_", Signs::UNDERSCORE),
            ("é", Signs::WIDE),
        ] {
            assert!(Signs::of(text).has(sign), "{text}");
        }
    }
}
