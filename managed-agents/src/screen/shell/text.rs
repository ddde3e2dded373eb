//! A text that is shared with what it was read from, as most words are, or is one of its own.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use crate::screen::signs::Signs;

/// A text that costs nothing to copy where it stands in another one, and the signs in it.
#[derive(Clone, Default)]
pub(in crate::screen) struct Text<'s> {
    held: Held<'s>,
    signs: Signs,
}

/// How a text is held.
#[derive(Clone)]
enum Held<'s> {
    /// A part of a text that stays.
    Slice(&'s str),
    /// One of its own that others have, too.
    Shared(Rc<str>),
    Own(String),
}

impl<'s> Text<'s> {
    /// A part of a text that stays, and the signs in it.
    #[inline]
    pub(super) fn slice(text: &'s str, signs: Signs) -> Self {
        Self {
            held: Held::Slice(text),
            signs,
        }
    }

    #[inline]
    pub(in crate::screen) fn as_str(&self) -> &str {
        match &self.held {
            Held::Slice(text) => text,
            Held::Shared(text) => text,
            Held::Own(text) => text,
        }
    }

    /// The signs in it; of one that was cut, those that it had: they say where to look, not what is there.
    #[inline]
    pub(in crate::screen) fn signs(&self) -> Signs {
        self.signs
    }

    /// The same text, so that copies of it cost nothing.
    #[inline]
    pub(in crate::screen) fn shared(self) -> Self {
        let held = match self.held {
            Held::Own(text) => Held::Shared(text.into()),
            shared => shared,
        };
        Self { held, ..self }
    }

    /// The same text, for longer than what it was read from may stay.
    pub(in crate::screen) fn lasting(&self) -> Text<'static> {
        let held = Held::Shared(match &self.held {
            Held::Shared(text) => Rc::clone(text),
            _ => Rc::from(self.as_str()),
        });
        Text {
            held,
            signs: self.signs,
        }
    }

    /// Adds another text.
    pub(in crate::screen) fn append(&mut self, more: &Self) {
        if self.is_empty() {
            *self = more.clone();
        } else {
            self.add(more, more.signs);
        }
    }

    pub(in crate::screen) fn push_str(&mut self, more: &str) {
        self.add(more, Signs::of(more));
    }

    fn add(&mut self, more: &str, signs: Signs) {
        if more.is_empty() {
            return;
        }
        self.signs = self.signs.and(signs);
        if let Held::Own(own) = &mut self.held {
            own.push_str(more);
        } else {
            // room for both at once
            let mut own = String::with_capacity(self.len() + more.len());
            own.push_str(self);
            own.push_str(more);
            self.held = Held::Own(own);
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
        let signs = self.signs;
        let mut own = std::mem::take(self).into_string();
        own.truncate(keep);
        *self = Self {
            held: Held::Own(own),
            signs,
        };
    }

    pub(in crate::screen) fn into_string(self) -> String {
        match self.held {
            Held::Own(text) => text,
            _ => self.as_str().to_owned(),
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

impl Default for Held<'_> {
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
        Self::slice(text, Signs::of(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self {
            signs: Signs::of(&text),
            held: Held::Own(text),
        }
    }
}

impl From<char> for Text<'_> {
    fn from(one: char) -> Self {
        Self::from(one.to_string())
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
        assert!(matches!(text.held, Held::Slice("ab")));
        text.append(&Text::from("c"));
        assert!(text == "abc" && matches!(text.held, Held::Own(_)));
        let lasting = text.lasting();
        assert!(lasting == text && lasting.lasting() == text.shared());
    }

    #[test]
    fn the_signs_of_a_text_are_those_of_its_letters() {
        let mut text = Text::from("a/b");
        for more in ["", "c", "-d", "=é"] {
            text.push_str(more);
            assert_eq!(text.signs(), Signs::of(&text), "{text}");
        }
        let mut joined = Text::from("x");
        joined.append(&text);
        assert_eq!(joined.lasting().shared().signs(), Signs::of(&joined));
        joined.truncate(2);
        assert!(joined == "xa" && joined.signs().has(Signs::SLASH));
    }
}
