//! The lists of a pack, as their files have them. Their keys are stable.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::audit::entry::Entry;

/// So many entries a list has; the rest is counted.
const MOST: usize = 2_000;

/// Entries of one sort, all of which are in the pack.
#[derive(Default, Serialize)]
pub(super) struct Listing {
    entries: Vec<Named>,
    left_out: u64,
}

#[derive(Serialize)]
struct Named {
    seq: u64,
    #[serde(rename = "type")]
    kind: String,
    at: String,
}

impl Listing {
    pub(super) fn add(&mut self, entry: &Entry) {
        if self.entries.len() >= MOST {
            self.left_out += 1;
            return;
        }
        self.entries.push(Named {
            seq: entry.sequence(),
            kind: entry.kind().to_owned(),
            at: entry.at().to_owned(),
        });
    }

    pub(super) fn places(&self) -> impl Iterator<Item = u64> + '_ {
        self.entries.iter().map(|named| named.seq)
    }
}

/// Which rules decisions were made under; the first and the last of each are in the pack.
#[derive(Default)]
pub(super) struct OfRules {
    digests: BTreeMap<String, Times>,
    left_out: u64,
}

struct Times {
    calls: u64,
    first: u64,
    last: u64,
}

impl OfRules {
    pub(super) fn add(&mut self, entry: &Entry) {
        let Some(digest) = entry.untrusted("rules") else { return };
        let (digest, place) = (digest.reveal(), entry.sequence());
        if let Some(times) = self.digests.get_mut(digest) {
            times.calls += 1;
            times.last = place;
        } else if self.digests.len() < MOST {
            let times = Times {
                calls: 1,
                first: place,
                last: place,
            };
            self.digests.insert(digest.to_owned(), times);
        } else {
            self.left_out += 1;
        }
    }

    pub(super) fn places(&self) -> impl Iterator<Item = u64> + '_ {
        self.digests.values().flat_map(|times| [times.first, times.last])
    }
}

impl Serialize for OfRules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            rules: Vec<Row<'a>>,
            entries: Vec<Place>,
            left_out: u64,
        }
        #[derive(Serialize)]
        struct Row<'a> {
            digest: &'a str,
            calls: u64,
            first: u64,
            last: u64,
        }
        #[derive(Serialize)]
        struct Place {
            seq: u64,
            #[serde(rename = "type")]
            kind: &'static str,
        }
        let rows = self.digests.iter().map(|(digest, times)| Row {
            digest,
            calls: times.calls,
            first: times.first,
            last: times.last,
        });
        let places: std::collections::BTreeSet<u64> = self.places().collect();
        let entries = places.into_iter().map(|seq| Place { seq, kind: "decision" });
        Document {
            rules: rows.collect(),
            entries: entries.collect(),
            left_out: self.left_out,
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
pub(super) struct Sample<'a> {
    seed: &'a str,
    count: usize,
    places: &'a [u64],
}

pub(super) fn sample<'a>(seed: &'a str, count: usize, places: &'a [u64]) -> Sample<'a> {
    Sample { seed, count, places }
}
