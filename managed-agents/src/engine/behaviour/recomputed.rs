//! What entries state of behaviour, compared with what the entries before them give.

use std::collections::{HashMap, VecDeque};

use serde::Deserialize;

use super::profile::{KEPT, Kept, Profile};
use crate::audit::entry::Entry;
use crate::audit::{What, hear};
use crate::call::Effect;
use crate::store::{Query, Reader, StoreError};
use crate::trust::Evidence;

/// The code of an entry that states or remembers another trust or behaviour than the entries before it give.
pub(crate) const BEHAVIOUR_DIFFERS: &str = "behaviour_differs";

/// How many changes are remembered: more than calls of one agent wait to be written at once.
const REMEMBERED: usize = 1_024;

/// What counted for and against an agent after each of its last entries that changed it.
#[derive(Debug)]
pub(crate) struct Past(VecDeque<(u64, Evidence)>);

impl Default for Past {
    fn default() -> Self {
        Self(VecDeque::from([(0, Evidence::default())]))
    }
}

impl Past {
    /// Notes what counts after an entry.
    pub(crate) fn note(&mut self, profile: &Profile) {
        let evidence = profile.ledger().evidence();
        if self.0.back().is_some_and(|(_, last)| *last == evidence) {
            return;
        }
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((profile.as_of(), evidence));
    }

    fn at(&self, as_of: u64) -> Option<Evidence> {
        let found = self.0.iter().rev().find(|(from, _)| *from <= as_of);
        found.map(|(_, evidence)| *evidence)
    }

    /// Whether what a decision states of trust is what the entries before it give, of whom it says that it knew them; none where it states
    /// nothing, or rests on what is longer ago than is remembered.
    pub(crate) fn agrees(&self, entry: &Entry, profile: &Profile) -> Option<bool> {
        #[derive(Deserialize)]
        struct Stated {
            after: u32,
            as_of: u64,
            before: u32,
        }
        let stated: Stated = serde_json::from_str(entry.raw("trust")?).ok()?;
        if stated.as_of > profile.as_of() {
            return Some(false);
        }
        let evidence = self.at(stated.as_of)?;
        let (mut effect, mut fault) = (Effect::Change, false);
        hear(entry, |event| {
            if let What::Decided { traits, .. } = event.what {
                (effect, fault) = (traits.effect, traits.fault);
            }
        });
        let at = entry.at_micros();
        let before = evidence.score(effect, at).millionths();
        let after = if fault {
            evidence.score_if_denied(effect, at).millionths()
        } else {
            before
        };
        Some((stated.before, stated.after) == (before, after))
    }
}

#[derive(Default)]
struct Agent {
    profile: Profile,
    past: Past,
}

/// Goes through the whole record once; tells of each entry that states another trust than the entries before it give, or that holds
/// something else than they let be remembered. Says how many were compared.
pub(crate) fn recompute(reader: &Reader, mut differs: impl FnMut(u64, &'static str)) -> Result<u64, StoreError> {
    let mut kept = kept(reader)?;
    let mut agents: HashMap<String, Agent> = HashMap::new();
    let mut compared = 0;
    each(reader, Query::new(), |entry| {
        let Some(name) = entry.agent() else { return };
        let agent = agents.entry(name.reveal().to_owned()).or_default();
        match agent.past.agrees(entry, &agent.profile) {
            Some(true) => compared += 1,
            Some(false) => differs(
                entry.sequence(),
                "it states another trust than the entries before it give",
            ),
            None => {}
        }
        hear(entry, |event| {
            agent.profile.hear(event);
        });
        agent.past.note(&agent.profile);
        for (place, state) in kept
            .remove(&(name.reveal().to_owned(), agent.profile.as_of()))
            .unwrap_or_default()
        {
            compared += 1;
            if state != agent.profile.state_text() {
                differs(place, "it remembers another behaviour than the entries before it give");
            }
        }
    })?;
    for (place, _) in kept.into_values().flatten() {
        differs(place, "it remembers behaviour as of no entry of its agent");
    }
    Ok(compared)
}

type KeptStates = HashMap<(String, u64), Vec<(u64, String)>>;

/// What is written down, by agent and place.
fn kept(reader: &Reader) -> Result<KeptStates, StoreError> {
    let mut found = KeptStates::new();
    each(reader, Query::new().kind(KEPT), |entry| {
        let body = entry.raw("body").and_then(Kept::parse);
        if let (Some(agent), Some(kept)) = (entry.agent(), body) {
            let key = (agent.reveal().to_owned(), kept.as_of);
            found.entry(key).or_default().push((entry.sequence(), kept.state));
        }
    })?;
    Ok(found)
}

fn each(reader: &Reader, query: Query, mut take: impl FnMut(&Entry)) -> Result<(), StoreError> {
    let mut query = query.most(1_000);
    loop {
        let page = reader.query(&query)?;
        page.entries().iter().for_each(&mut take);
        match page.next() {
            Some(cursor) => query = query.after(cursor),
            None => return Ok(()),
        }
    }
}
