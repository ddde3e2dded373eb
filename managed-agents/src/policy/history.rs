//! Counts and sums over windows of time, kept in this process: what policies see as `context.history`.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::facts::WINDOWS;

/// The most agents, tools and sessions that are counted; beyond it, calls that ask for history are denied.
const MOST_KEYS: usize = 100_000;
/// How many parts a window is cut into: what left the window lasts a part longer at most.
const PARTS: u64 = 60;

/// What is counted.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Key {
    Agent(Arc<str>),
    Tool(Arc<str>, Arc<str>),
    Session(Arc<str>, Arc<str>),
}

/// Counts of one key: for each window, the parts in which anything happened.
#[derive(Debug, Default)]
struct Counts {
    windows: [VecDeque<Part>; WINDOWS.len()],
    /// All calls ever, and when the last one was: for sessions.
    total: i64,
    last: u64,
}

#[derive(Debug)]
struct Part {
    number: u64,
    calls: i64,
    sums: BTreeMap<Arc<str>, i64>,
}

/// The counters. Time is monotonic: seconds since they were made.
#[derive(Debug)]
pub(super) struct History {
    begun: Instant,
    /// Guards the counters; held for a reading, never across an await.
    counts: Mutex<HashMap<Key, Counts>>,
}

/// There is no room to count one more session or tool.
#[derive(Debug)]
pub(super) struct Full;

/// One call that is counted, until it is given back: dropped without being kept, it never ran.
#[derive(Debug)]
pub(crate) struct Reservation {
    history: Arc<History>,
    at: u64,
    keys: Vec<Key>,
    sums: Vec<(Arc<str>, i64)>,
    kept: std::sync::atomic::AtomicBool,
}

impl Reservation {
    /// The call begins: it counts for good.
    pub(crate) fn keep(&self) {
        self.kept.store(true, std::sync::atomic::Ordering::Release);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.kept.load(std::sync::atomic::Ordering::Acquire) {
            return;
        }
        let mut counts = self.history.lock();
        for key in &self.keys {
            if let Some(counts) = counts.get_mut(key) {
                counts.add(self.at, -1, &self.sums);
            }
        }
    }
}

/// What is asked of the history for one call.
pub(super) struct Asked<'a> {
    pub(super) agent: &'a str,
    pub(super) tool: &'a str,
    pub(super) session: Option<&'a str>,
    /// Whole-number arguments.
    pub(super) sums: Vec<(Arc<str>, i64)>,
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            counts: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Counts>> {
        // nothing that is done under the lock can leave the counters half changed
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happened before this call, with those under way, and this call counted from now on.
    pub(super) fn reserve(
        self: &Arc<Self>,
        asked: Asked<'_>,
    ) -> Result<(BTreeMap<String, i64>, Arc<Reservation>), Full> {
        self.reserve_at(asked, self.begun.elapsed().as_secs())
    }

    fn reserve_at(
        self: &Arc<Self>,
        asked: Asked<'_>,
        now: u64,
    ) -> Result<(BTreeMap<String, i64>, Arc<Reservation>), Full> {
        let agent: Arc<str> = asked.agent.into();
        let mut keys = vec![
            Key::Agent(Arc::clone(&agent)),
            Key::Tool(Arc::clone(&agent), asked.tool.into()),
        ];
        keys.extend(asked.session.map(|session| Key::Session(agent, session.into())));
        let mut counts = self.lock();
        if counts.len() + keys.len() > MOST_KEYS {
            // what nothing counts any more makes room
            counts.retain(|_, counts| counts.last + WINDOWS.iter().map(|(_, length)| *length).max().unwrap_or(0) > now);
            if counts.len() + keys.len() > MOST_KEYS {
                return Err(Full);
            }
        }
        let mut seen = BTreeMap::new();
        for key in &keys {
            let counts = counts.entry(key.clone()).or_default();
            counts.forget(now);
            match key {
                Key::Agent(_) => counts.read(&mut seen, "agent_calls", &[]),
                Key::Tool(..) => counts.read(&mut seen, "calls", &asked.sums),
                Key::Session(..) => drop(seen.insert("session_calls".to_owned(), counts.total)),
            }
            counts.add(now, 1, &asked.sums);
        }
        seen.entry("session_calls".to_owned()).or_insert(0);
        drop(counts);
        let reservation = Reservation {
            history: Arc::clone(self),
            at: now,
            keys,
            sums: asked.sums,
            kept: false.into(),
        };
        Ok((seen, Arc::new(reservation)))
    }
}

impl Counts {
    fn forget(&mut self, now: u64) {
        for (parts, (_, length)) in self.windows.iter_mut().zip(WINDOWS) {
            let first = now.saturating_sub(length) / (length / PARTS);
            while parts.front().is_some_and(|part| part.number < first) {
                parts.pop_front();
            }
        }
    }

    fn add(&mut self, at: u64, sign: i64, sums: &[(Arc<str>, i64)]) {
        self.total += sign;
        self.last = self.last.max(at);
        for (parts, (_, length)) in self.windows.iter_mut().zip(WINDOWS) {
            let number = at / (length / PARTS);
            let part = match parts.iter_mut().rev().find(|part| part.number == number) {
                Some(part) => part,
                // what is given back so late is forgotten already
                None if sign < 0 => continue,
                None => {
                    parts.push_back(Part {
                        number,
                        calls: 0,
                        sums: BTreeMap::new(),
                    });
                    match parts.back_mut() {
                        Some(part) => part,
                        None => continue,
                    }
                }
            };
            part.calls += sign;
            for (name, value) in sums {
                let sum = part.sums.entry(Arc::clone(name)).or_insert(0);
                // a sum that cannot be held stays at its end: large amounts never wrap to small ones
                *sum = sum.saturating_add(value.saturating_mul(sign));
            }
        }
    }

    fn read(&self, seen: &mut BTreeMap<String, i64>, calls: &str, sums: &[(Arc<str>, i64)]) {
        for (parts, (window, _)) in self.windows.iter().zip(WINDOWS) {
            seen.insert(format!("{calls}_{window}"), parts.iter().map(|part| part.calls).sum());
            for (name, _) in sums {
                let of_name = parts.iter().filter_map(|part| part.sums.get(name));
                let sum = of_name.fold(0_i64, |sum, value| sum.saturating_add(*value));
                seen.insert(format!("{name}_{window}"), sum);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(amount: i64) -> Asked<'static> {
        Asked {
            agent: "a",
            tool: "pay",
            session: Some("s"),
            sums: vec![("amount".into(), amount)],
        }
    }

    #[test]
    fn what_is_under_way_counts_and_what_never_ran_does_not() -> Result<(), Full> {
        let history = Arc::new(History::new());
        let (seen, first) = history.reserve_at(asked(70), 0)?;
        assert_eq!((seen.get("calls_1m"), seen.get("amount_1h")), (Some(&0), Some(&0)));
        let (seen, second) = history.reserve_at(asked(40), 1)?;
        assert_eq!((seen.get("calls_1m"), seen.get("amount_1h")), (Some(&1), Some(&70)));
        drop(second);
        first.keep();
        drop(first);
        let (seen, _third) = history.reserve_at(asked(1), 2)?;
        assert_eq!((seen.get("calls_1m"), seen.get("amount_1h")), (Some(&1), Some(&70)));
        assert_eq!(seen.get("session_calls"), Some(&1));
        Ok(())
    }

    #[test]
    fn a_call_leaves_a_window_at_its_end_and_no_sooner() -> Result<(), Full> {
        let history = Arc::new(History::new());
        history.reserve_at(asked(5), 100)?.1.keep();
        let calls = |now| -> Result<_, Full> {
            let (seen, _released) = history.reserve_at(asked(0), now)?;
            Ok((seen.get("calls_1m").copied(), seen.get("calls_1h").copied()))
        };
        assert_eq!(calls(160)?, (Some(1), Some(1)));
        assert_eq!(calls(161)?, (Some(0), Some(1)));
        assert_eq!(calls(100 + 3_600)?, (Some(0), Some(1)));
        assert_eq!(calls(100 + 3_660)?, (Some(0), Some(0)));
        Ok(())
    }

    #[test]
    fn memory_is_bounded_by_parts_and_not_by_calls() -> Result<(), Full> {
        let history = Arc::new(History::new());
        for second in 0..200_000 {
            history.reserve_at(asked(1), second)?.1.keep();
        }
        let counts = history.lock();
        assert!(
            counts
                .values()
                .all(|counts| counts.windows.iter().all(|parts| parts.len() <= 62))
        );
        Ok(())
    }
}
