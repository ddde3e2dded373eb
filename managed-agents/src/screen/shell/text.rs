//! A text that is shared with what it was read from, as most words are, or is one of its own.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

/// No source may be longer, so that places in it are small.
pub(super) const LONGEST: usize = 1 << 30;

/// A text that costs nothing to copy where it stands in another one.
#[derive(Clone)]
pub(in crate::screen) enum Text {
    Fixed(&'static str),
    /// From here to there in a source; both are at whole characters.
    Shared(Rc<str>, u32, u32),
    Own(String),
}

impl Text {
    /// What stands in a source from here to there; sources are shorter than [`LONGEST`].
    #[inline]
    pub(in crate::screen) fn slice(source: &Rc<str>, start: usize, end: usize) -> Self {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self::Shared(Rc::clone(source), place(start), place(end))
    }

    #[inline]
    pub(in crate::screen) fn as_str(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Shared(source, start, end) => source.get(*start as usize..*end as usize).unwrap_or_default(),
            Self::Own(text) => text,
        }
    }

    /// The same text, so that copies of it cost nothing.
    #[inline]
    pub(in crate::screen) fn shared(self) -> Self {
        match self {
            Self::Own(text) => Self::from(Rc::<str>::from(text)),
            shared => shared,
        }
    }

    /// Adds another text; what stands right behind this one in the same source costs nothing.
    pub(in crate::screen) fn append(&mut self, more: &Self) {
        if self.is_empty() {
            *self = more.clone();
            return;
        }
        if let (Self::Shared(own, _, end), Self::Shared(other, start, to)) = (&mut *self, more)
            && Rc::ptr_eq(own, other)
            && *end == *start
        {
            *end = *to;
            return;
        }
        self.push_str(more);
    }

    pub(in crate::screen) fn push_str(&mut self, more: &str) {
        if more.is_empty() {
            return;
        }
        if let Self::Own(own) = self {
            own.push_str(more);
        } else {
            // room for both at once
            let mut own = String::with_capacity(self.len() + more.len());
            own.push_str(self);
            own.push_str(more);
            *self = Self::Own(own);
        }
    }

    pub(in crate::screen) fn push(&mut self, more: char) {
        self.push_str(more.encode_utf8(&mut [0; 4]));
    }

    /// Cuts it to so many bytes, or to the whole characters before.
    pub(in crate::screen) fn truncate(&mut self, most: usize) {
        let mut keep = most.min(self.len());
        while !self.is_char_boundary(keep) {
            keep -= 1;
        }
        let mut own = std::mem::take(self).into_string();
        own.truncate(keep);
        *self = Self::Own(own);
    }

    pub(in crate::screen) fn into_string(self) -> String {
        match self {
            Self::Own(text) => text,
            other => other.as_str().to_owned(),
        }
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.into_string()
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::Fixed("")
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        if text.is_empty() {
            Self::default()
        } else {
            Self::Own(text.to_owned())
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Own(text)
    }
}

impl From<char> for Text {
    fn from(one: char) -> Self {
        Self::Own(one.to_string())
    }
}

impl From<Rc<str>> for Text {
    fn from(text: Rc<str>) -> Self {
        let end = text.len().min(LONGEST);
        Self::slice(&text, 0, end)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Text {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<Text> for String {
    fn eq(&self, other: &Text) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<Text> for str {
    fn eq(&self, other: &Text) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<Text> for &str {
    fn eq(&self, other: &Text) -> bool {
        *self == other.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_one_source_are_joined_without_a_copy() {
        let source: Rc<str> = Rc::from("abcdef");
        let mut text = Text::default();
        text.append(&Text::slice(&source, 1, 3));
        text.append(&Text::slice(&source, 3, 5));
        assert!(text == "bcde" && matches!(text, Text::Shared(_, 1, 5)));
        text.append(&Text::slice(&source, 0, 1));
        assert_eq!(text, "bcdea");
    }

    #[test]
    fn what_lies_outside_the_source_is_nothing() {
        let source: Rc<str> = Rc::from("aé");
        assert_eq!(Text::slice(&source, 2, 9), "");
        assert_eq!(Text::slice(&source, 2, 3), "");
        assert_eq!(Text::from("x").shared(), "x");
    }
}
