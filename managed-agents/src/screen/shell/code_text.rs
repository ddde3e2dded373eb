//! A piece of code in which many names are looked for: each is only looked for where its letters stand beside each other.

/// Pairs of bytes that are told apart: all of ASCII.
const PAIRS: usize = 1 << 14;

/// A piece of code, and which pairs of neighbouring bytes are in it.
pub(super) struct Code<'c> {
    pub(super) text: &'c str,
    pairs: [u64; PAIRS / 64],
}

impl<'c> Code<'c> {
    pub(super) fn new(text: &'c str) -> Self {
        let mut pairs = [0; PAIRS / 64];
        for pair in text.as_bytes().array_windows() {
            let (word, bit) = place(*pair);
            if let Some(word) = pairs.get_mut(word) {
                *word |= bit;
            }
        }
        Self { text, pairs }
    }

    /// Whether one of the names stands in it, wherever.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.may_hold(name) && self.text.contains(name))
    }

    /// Whether all pairs of the name's bytes are there: most names that are looked for lack one.
    #[inline]
    fn may_hold(&self, name: &str) -> bool {
        name.as_bytes().array_windows().all(|pair| {
            let (word, bit) = place(*pair);
            self.pairs.get(word).is_some_and(|word| word & bit != 0)
        })
    }
}

/// Where a pair is noted; other bytes than ASCII are noted as if they were.
#[inline]
fn place([first, second]: [u8; 2]) -> (usize, u64) {
    let pair = usize::from(first & 0x7f) << 7 | usize::from(second & 0x7f);
    (pair / 64, 1 << (pair % 64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 6] = ["os.system", "`", "é(", "exec", "ab", ""];

    proptest! {
        #[test]
        fn a_name_is_found_exactly_where_the_text_holds_it(
            text in "[a-eé(`. xos]{0,40}",
            name in prop::sample::select(&NAMES[..]),
            at in any::<prop::sample::Index>(),
            is_in in any::<bool>(),
        ) {
            let mut text = text;
            let places: Vec<usize> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
            if is_in {
                text.insert_str(*at.get(&places), name);
            }
            for name in NAMES {
                prop_assert_eq!(Code::new(&text).has(&[name]), text.contains(name), "{} in {}", name, text);
            }
        }
    }
}
