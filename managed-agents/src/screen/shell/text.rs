//! A text that is shared with what it was read from, as most words are, or is one of its own.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

/// A text that costs nothing to copy where it stands in another one.
#[derive(Clone)]
pub(in crate::screen) enum Text<'s> {
    /// A part of a text that stays.
    Slice(&'s str),
    /// One of its own that others have, too.
    Shared(Rc<str>),
    Own(String),
}

impl Text<'_> {
    #[inline]
    pub(in crate::screen) fn as_str(&self) -> &str {
        match self {
            Self::Slice(text) => text,
            Self::Shared(text) => text,
            Self::Own(text) => text,
        }
    }

    /// The same text, so that copies of it cost nothing.
    #[inline]
    pub(in crate::screen) fn shared(self) -> Self {
        match self {
            Self::Own(text) => Self::Shared(text.into()),
            shared => shared,
        }
    }

    /// The same text, for longer than what it was read from may stay.
    pub(in crate::screen) fn lasting(&self) -> Text<'static> {
        Text::Shared(match self {
            Self::Shared(text) => Rc::clone(text),
            other => Rc::from(other.as_str()),
        })
    }

    /// Adds another text.
    pub(in crate::screen) fn append(&mut self, more: &Self) {
        if self.is_empty() {
            *self = more.clone();
        } else {
            self.push_str(more);
        }
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

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl From<Text<'_>> for String {
    fn from(text: Text<'_>) -> Self {
        text.into_string()
    }
}

impl Default for Text<'_> {
    fn default() -> Self {
        Self::Slice("")
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl<'s> From<&'s str> for Text<'s> {
    fn from(text: &'s str) -> Self {
        Self::Slice(text)
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self::Own(text)
    }
}

impl From<char> for Text<'_> {
    fn from(one: char) -> Self {
        Self::Own(one.to_string())
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Text<'_> {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<Text<'_>> for String {
    fn eq(&self, other: &Text<'_>) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<Text<'_>> for str {
    fn eq(&self, other: &Text<'_>) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<Text<'_>> for &str {
    fn eq(&self, other: &Text<'_>) -> bool {
        *self == other.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_however_it_is_held() {
        let mut text = Text::default();
        text.append(&Text::from("ab"));
        assert!(matches!(text, Text::Slice("ab")));
        text.append(&Text::from("c"));
        assert!(text == "abc" && matches!(text, Text::Own(_)));
        let lasting = text.lasting();
        assert!(lasting == text && lasting.lasting() == text.shared());
    }
}
