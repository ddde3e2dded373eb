//! What of a period's entries goes into a pack.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::files::Files;
use super::lists::{Listing, OfRules};
use crate::audit::entry::Entry;
use crate::report::error::ReportError;
use crate::store::Reader;

/// What was found in one pass.
#[derive(Default)]
pub(super) struct Gathered {
    types: BTreeMap<String, u64>,
    agents: Listing,
    approvals: Listing,
    erasures: Listing,
    exceptions: Listing,
    keys: Listing,
    drills: Listing,
    rules: OfRules,
}

/// Which entries the period has.
#[derive(Serialize)]
pub(super) struct Population<'a> {
    first: u64,
    end: u64,
    types: &'a BTreeMap<String, u64>,
}

impl Gathered {
    pub(super) fn of(
        reader: &Reader,
        places: Range<u64>,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Self, ReportError> {
        let mut gathered = Self::default();
        let total = places.end - places.start;
        let mut next = places.start;
        while next < places.end {
            let most = usize::try_from(places.end - next).unwrap_or(usize::MAX);
            let entries = reader.entries(next, most.min(crate::report::BATCH))?;
            let Some(last) = entries.last() else { break };
            next = last.sequence() + 1;
            entries.iter().for_each(|entry| gathered.add(entry));
            progress(next - places.start, total);
        }
        Ok(gathered)
    }

    fn add(&mut self, entry: &Entry) {
        *self.types.entry(entry.kind().to_owned()).or_default() += 1;
        match entry.kind() {
            "decision" => {
                let disposition = entry.disposition();
                match disposition.as_ref().map_or("", |word| word.reveal()) {
                    "approved" => self.approvals.add(entry),
                    "fail_open" | "observed" | "proceeded_unapproved" => self.exceptions.add(entry),
                    _ => {}
                }
                self.rules.add(entry);
            }
            "agent" => self.agents.add(entry),
            "interrupt" => {
                self.agents.add(entry);
                if crate::report::read::interrupts(entry) == Some(true) {
                    self.drills.add(entry);
                }
            }
            "outside" => self.exceptions.add(entry),
            "erasure" | "retention" | "hold" | "release" => self.erasures.add(entry),
            "origin" | "log_key" | "log_certificate" => self.keys.add(entry),
            // what people signed
            "approval" | "approver" | "operator" => self.approvals.add(entry),
            _ => {}
        }
    }

    /// Of the entries that are in every pack.
    pub(super) fn places(&self) -> BTreeSet<u64> {
        let listings = [
            &self.agents,
            &self.approvals,
            &self.erasures,
            &self.exceptions,
            &self.keys,
            &self.drills,
        ];
        let places = listings.into_iter().flat_map(Listing::places);
        places.chain(self.rules.places()).collect()
    }

    pub(super) fn population(&self, first: u64, end: u64) -> Population<'_> {
        Population {
            first,
            end,
            types: &self.types,
        }
    }

    pub(super) fn write_lists(&self, files: &mut Files) -> Result<(), ReportError> {
        files.json("agents.json", &self.agents)?;
        files.json("approvals.json", &self.approvals)?;
        files.json("erasures.json", &self.erasures)?;
        files.json("exceptions.json", &self.exceptions)?;
        files.json("keys.json", &self.keys)?;
        files.json("rules.json", &self.rules)?;
        files.json("drills.json", &self.drills)
    }
}

/// The places that a seed draws from the first to before the end, in order.
pub(super) fn sample(seed: &str, first: u64, end: u64, count: u64) -> Vec<u64> {
    let population = end.saturating_sub(first);
    if count >= population {
        return (first..end).collect();
    }
    let mut places = BTreeSet::new();
    for number in 0_u64.. {
        if places.len() as u64 >= count {
            break;
        }
        let drawn = Sha256::new()
            .chain_update(b"ma-sample/1\0")
            .chain_update(seed)
            .chain_update([0])
            .chain_update(number.to_string())
            .finalize();
        let drawn = drawn.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
        let offset = drawn % u128::from(population.max(1));
        places.insert(first + u64::try_from(offset).unwrap_or(0));
    }
    places.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_sample_is_of_the_population_without_repetition_and_the_same_for_one_seed(
            seed in "[a-z]{0,8}", first in 0_u64..1_000, population in 0_u64..500, count in 0_u64..600,
        ) {
            let end = first + population;
            let drawn = sample(&seed, first, end, count);
            prop_assert_eq!(drawn.len() as u64, count.min(population));
            prop_assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(drawn.iter().all(|place| (first..end).contains(place)));
            prop_assert_eq!(sample(&seed, first, end, count), drawn);
        }
    }
}
