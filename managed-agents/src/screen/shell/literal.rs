//! Texts of what was read: most of them stand in the source as they are, the others are spelled out beside it.

use crate::screen::signs::Signs;

/// No source may be longer, so that places in it are small.
pub(super) const LONGEST: usize = 1 << 30;

/// From here to there in the source, or in what is spelled out beside it; both are at whole characters.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::screen) struct Literal {
    from: u32,
    to: u32,
    spelled: bool,
    /// The signs in it.
    pub(super) signs: Signs,
}

impl Literal {
    /// What stands in the source from here to there, and the signs in it; sources are shorter than [`LONGEST`].
    #[inline]
    pub(super) fn at(from: usize, to: usize, signs: Signs) -> Self {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            from: place(from),
            to: place(to),
            spelled: false,
            signs,
        }
    }

    /// A text that does not stand in the source.
    pub(super) fn spelled(text: &str, spelled: &mut String) -> Self {
        let from = spelled.len();
        spelled.push_str(text);
        Self {
            spelled: true,
            ..Self::at(from, spelled.len(), Signs::of(text))
        }
    }

    /// The text.
    #[inline]
    pub(super) fn of<'t>(self, source: &'t str, spelled: &'t str) -> &'t str {
        let text = if self.spelled { spelled } else { source };
        text.get(self.from as usize..self.to as usize).unwrap_or_default()
    }

    pub(super) fn is_empty(self) -> bool {
        self.from >= self.to
    }

    /// Adds another text; what stands right behind this one costs nothing.
    pub(super) fn append(&mut self, more: Self, source: &str, spelled: &mut String) {
        let signs = self.signs.and(more.signs);
        if self.is_empty() {
            *self = more;
        } else if more.is_empty() {
        } else if self.spelled == more.spelled && self.to == more.from {
            self.to = more.to;
        } else {
            if !self.spelled || self.to as usize != spelled.len() {
                let own = self.of(source, spelled).to_owned();
                *self = Self::spelled(&own, spelled);
            }
            let more = more.of(source, spelled).to_owned();
            self.to = Self::spelled(&more, spelled).to;
        }
        self.signs = signs;
    }

    /// What stands before so many bytes of it, and what behind one more.
    pub(super) fn around(self, at: usize, text: &str) -> (Self, Self) {
        let signs = |text: Option<&str>| text.map_or(Signs::NONE, Signs::of);
        let place = self
            .from
            .saturating_add(u32::try_from(at).unwrap_or(u32::MAX))
            .min(self.to);
        let before = Self {
            to: place,
            signs: signs(text.get(..at)),
            ..self
        };
        let behind = Self {
            from: place.saturating_add(1).min(self.to),
            signs: signs(text.get(at + 1..)),
            ..self
        };
        (before, behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_joined_without_a_copy() {
        let (source, mut spelled) = ("abcdef", String::new());
        let mut text = Literal::default();
        for (from, to) in [(1, 3), (3, 5), (5, 5)] {
            text.append(Literal::at(from, to, Signs::NONE), source, &mut spelled);
        }
        assert_eq!((text.of(source, &spelled), spelled.as_str()), ("bcde", ""));
        text.append(Literal::at(0, 1, Signs::DOT), source, &mut spelled);
        assert_eq!(text.of(source, &spelled), "bcdea");
        text.append(Literal::at(5, 6, Signs::NONE), source, &mut spelled);
        assert_eq!((text.of(source, &spelled), spelled.as_str()), ("bcdeaf", "bcdeaf"));
        assert_eq!(text.signs, Signs::DOT);
    }

    #[test]
    fn what_lies_outside_the_source_is_nothing() {
        for (from, to) in [(2, 9), (2, 3), (3, 2)] {
            assert_eq!(Literal::at(from, to, Signs::NONE).of("aé", ""), "");
        }
        let (before, behind) = Literal::at(0, 4, Signs::SLASH.and(Signs::DOT)).around(1, "a/b.");
        assert_eq!((before.of("a/b.", ""), behind.of("a/b.", "")), ("a", "b."));
        assert_eq!((before.signs, behind.signs), (Signs::NONE, Signs::DOT));
    }
}
