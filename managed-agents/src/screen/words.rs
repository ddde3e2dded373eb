//! Many words, looked for in one pass.

use std::sync::OnceLock;

use regex::Regex;

/// Words that a text may hold. Looking for each by itself is most of what an ordinary argument would cost.
pub(in crate::screen) struct Words {
    words: &'static [&'static str],
    one_pass: OnceLock<Option<Regex>>,
}

impl Words {
    pub(in crate::screen) const fn new(words: &'static [&'static str]) -> Self {
        Self {
            words,
            one_pass: OnceLock::new(),
        }
    }

    /// Whether a text holds any of them, wherever.
    pub(in crate::screen) fn are_in(&self, text: &str) -> bool {
        let one_pass = self.one_pass.get_or_init(|| {
            let words: Vec<_> = self.words.iter().map(|word| regex::escape(word)).collect();
            Regex::new(&words.join("|")).ok()
        });
        match one_pass {
            Some(words) => words.is_match(text),
            None => self.words.iter().any(|word| text.contains(word)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    static WORDS: Words = Words::new(&["pg_user", "v$version", "/*!", "exec(", "master..", "a|b"]);

    proptest! {
        #[test]
        fn they_are_found_where_each_by_itself_is(
            text in "[a-z _$.*!(/|]{0,12}",
            word in prop::sample::select(WORDS.words),
            at in any::<prop::sample::Index>(),
            is_in in any::<bool>(),
        ) {
            let mut text = text;
            if is_in {
                text.insert_str(at.index(text.len() + 1), word);
            }
            prop_assert_eq!(WORDS.are_in(&text), WORDS.words.iter().any(|word| text.contains(word)));
        }
    }
}
