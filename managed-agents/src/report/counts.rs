//! Counting by names that come from outside: exact, and bounded.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::audit::export::Untrusted;

/// So many names are told apart in one count; what has another name is counted together. Somebody who invents a name for each
/// call does not make a report grow without end.
const MOST_NAMES: usize = 4_096;

/// How often each name was seen.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counts {
    names: BTreeMap<String, u64>,
    /// Under names that are not told apart.
    more: u64,
}

impl Counts {
    pub(super) fn add(&mut self, name: &str) {
        if let Some(count) = self.names.get_mut(name) {
            *count += 1;
        } else if self.names.len() < MOST_NAMES {
            self.names.insert(name.to_owned(), 1);
        } else {
            self.more += 1;
        }
    }

    /// How often a name was seen.
    #[must_use]
    pub fn of(&self, name: &str) -> u64 {
        self.names.get(name).copied().unwrap_or(0)
    }

    /// Every name in order, and how often it was seen.
    pub fn iter(&self) -> impl Iterator<Item = (Untrusted<'_>, u64)> + '_ {
        self.names
            .iter()
            .map(|(name, count)| (Untrusted::new(name.as_str()), *count))
    }

    /// How often names were seen that are not told apart, because there are too many.
    #[must_use]
    pub fn more(&self) -> u64 {
        self.more
    }

    /// How often any name was seen.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.names.values().sum::<u64>() + self.more
    }

    /// The most frequent first, at most so many, and how much is left.
    pub(super) fn most(&self, at_most: usize) -> (Vec<(&str, u64)>, u64) {
        let mut names: Vec<_> = self.names.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        names.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let left = names.iter().skip(at_most).map(|(_, count)| count).sum::<u64>() + self.more;
        names.truncate(at_most);
        (names, left)
    }
}

/// A figure for each name; beyond as many names as a count has, one for all others.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(super) struct Named<T> {
    pub(super) names: BTreeMap<String, T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) others: Option<T>,
}

impl<T: Default> Named<T> {
    pub(super) fn of(&mut self, name: &str) -> &mut T {
        if self.names.len() < MOST_NAMES || self.names.contains_key(name) {
            self.names.entry(name.to_owned()).or_default()
        } else {
            self.others.get_or_insert_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_end_are_counted_and_not_kept() {
        let mut counts = Counts::default();
        let mut named = Named::<u64>::default();
        for number in 0..MOST_NAMES as u64 + 10 {
            counts.add(&number.to_string());
            *named.of(&number.to_string()) += 1;
        }
        counts.add("7");
        assert_eq!((counts.of("7"), counts.more()), (2, 10));
        assert_eq!(counts.total(), MOST_NAMES as u64 + 11);
        assert_eq!((named.names.len(), named.others), (MOST_NAMES, Some(10)));
        let (most, left) = counts.most(1);
        assert_eq!((most, left), (vec![("7", 2)], MOST_NAMES as u64 + 9));
    }
}
