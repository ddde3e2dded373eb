//! What a call does to the world, as coarse as behaviour is remembered.

#[cfg(feature = "__derives")]
use serde::{Deserialize, Serialize};

use super::meta::{Reversibility, Risk, ToolMeta};

/// What a call does, by its tool's own declarations: the class in which trust is earned.
///
/// # Examples
///
/// ```
/// use managed_agents::call::Effect;
/// use managed_agents::{Risk, ToolMeta};
/// assert_eq!(Effect::of(&ToolMeta::new("lookup").read_only()), Effect::Read);
/// assert_eq!(Effect::of(&ToolMeta::new("book")), Effect::Change);
/// assert_eq!(Effect::of(&ToolMeta::new("refund").with_risk(Risk::High)), Effect::Grave);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "__derives",
    derive(Deserialize, Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "evidence is kept for each of them")]
pub enum Effect {
    /// It changes nothing.
    Read,
    /// It changes something, or nobody said that it does not.
    Change,
    /// It is of high or critical risk, or cannot be undone.
    Grave,
}

impl Effect {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Change, Self::Grave];

    /// Of what is known of a tool.
    #[must_use]
    pub fn of(meta: &ToolMeta) -> Self {
        if meta.risk() >= Risk::High || meta.reversibility() == Reversibility::Irreversible {
            Self::Grave
        } else if meta.is_read_only() {
            Self::Read
        } else {
            Self::Change
        }
    }

    /// The stable word for it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Change => "change",
            Self::Grave => "grave",
        }
    }

    /// Of its stable word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.code() == code)
    }

    #[cfg(feature = "engine")]
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// What kind of thing a call's target is, by its form alone: nothing of the text stays.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TargetKind {
    /// The tool names no target.
    None,
    /// It is made of a redacted argument.
    Redacted,
    /// Empty.
    Empty,
    /// Digits, with signs between them.
    Number,
    /// Something like `ann@example.com`.
    Address,
    /// A URL.
    Url,
    /// A path from the root of a file system.
    Absolute,
    /// A path.
    Relative,
    /// One word.
    Word,
    /// Several words.
    Text,
}

impl TargetKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::None,
        Self::Redacted,
        Self::Empty,
        Self::Number,
        Self::Address,
        Self::Url,
        Self::Absolute,
        Self::Relative,
        Self::Word,
        Self::Text,
    ];

    /// Of a text; reads 200 bytes of it.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = text.as_bytes();
        let text = text.get(..200).unwrap_or(text);
        let has = |byte: u8| text.contains(&byte);
        if text.is_empty() {
            Self::Empty
        } else if text.windows(3).any(|three| three == b"://") {
            Self::Url
        } else if has(b' ') || has(b'\n') {
            Self::Text
        } else if text.starts_with(b"/") || text.starts_with(b"\\") || text.get(1..3) == Some(b":\\") {
            Self::Absolute
        } else if has(b'/') || has(b'\\') {
            Self::Relative
        } else if has(b'@') {
            Self::Address
        } else if text.iter().all(|byte| byte.is_ascii_digit() || b"+-.,:".contains(byte)) {
            Self::Number
        } else {
            Self::Word
        }
    }

    /// The stable word for it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Redacted => "redacted",
            Self::Empty => "empty",
            Self::Number => "number",
            Self::Address => "address",
            Self::Url => "url",
            Self::Absolute => "absolute",
            Self::Relative => "relative",
            Self::Word => "word",
            Self::Text => "text",
        }
    }

    /// Of its stable word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_told_apart_by_their_form() {
        for (text, kind) in [
            ("", TargetKind::Empty),
            ("4711", TargetKind::Number),
            ("2026-01-01", TargetKind::Number),
            ("ann@example.com", TargetKind::Address),
            ("https://example.com/a b", TargetKind::Url),
            ("/etc/passwd", TargetKind::Absolute),
            (r"C:\Windows", TargetKind::Absolute),
            ("src/main.rs", TargetKind::Relative),
            ("mia_li_3668", TargetKind::Word),
            ("two words", TargetKind::Text),
            ("é", TargetKind::Word),
        ] {
            assert_eq!(TargetKind::of(text), kind, "{text}");
            assert_eq!(TargetKind::from_code(kind.code()), Some(kind));
        }
        let long = "é".repeat(300);
        assert_eq!(TargetKind::of(&long), TargetKind::Word);
    }
}
