//! Counters in memory, for records that are.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use super::judge::{Counted, Entry, Key};
use super::rests::{Rests, as_count};

/// The most counters; what nothing counts any more makes room.
const MOST: usize = 300_000;

/// What was counted, by a clock that never goes back. Whoever has it guards it.
#[derive(Debug)]
pub(crate) struct Counters {
    begun: Instant,
    windows: HashMap<Key, Window>,
    running: HashMap<Key, u64>,
    /// What the calls that run have counted, and when.
    calls: HashMap<u64, (Tally, u64)>,
}

/// The parts of a time in which anything was counted, by number.
#[derive(Debug, Default)]
struct Window {
    parts: VecDeque<(u64, u64)>,
    /// In microseconds.
    length: u64,
}

/// What a call counts of limits, and of the history.
type Tally = [Option<Arc<Counted>>; 2];

/// Why a call was not counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Over {
    /// It exceeds a limit, by its place.
    Limit(usize),
    /// There is no room for one more counter.
    Full,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            windows: HashMap::new(),
            running: HashMap::new(),
            calls: HashMap::new(),
        }
    }
}

impl Counters {
    /// Counts the call of a place, unless it exceeds a limit, which is named.
    pub(crate) fn count(
        &mut self,
        place: u64,
        limits: Option<&Arc<Counted>>,
        history: Option<&Arc<Counted>>,
    ) -> Result<(), Over> {
        self.count_at(place, [limits.cloned(), history.cloned()], self.now())
    }

    /// Whether a call that waits for people exceeds a limit already; it is not counted.
    pub(crate) fn check(&mut self, counted: &Counted) -> Result<(), Over> {
        self.check_at(counted, self.now())
    }

    /// What the counters hold that a verdict rests on.
    pub(crate) fn read(&mut self, rests: &dyn Rests) -> Vec<i64> {
        let now = self.now();
        rests.read().map(|entry| as_count(self.sum(entry, now))).collect()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn sum(&mut self, entry: &Entry, now: u64) -> u64 {
        match entry.parts(now) {
            None => self.running.get(&entry.key).copied().unwrap_or(0),
            Some((_, first)) => self.windows.get_mut(&entry.key).map_or(0, |window| {
                while window.parts.front().is_some_and(|(part, _)| *part < first) {
                    window.parts.pop_front();
                }
                let amounts = window.parts.iter().map(|(_, amount)| *amount);
                amounts.fold(0_u64, u64::saturating_add)
            }),
        }
    }

    fn check_at(&mut self, counted: &Counted, now: u64) -> Result<(), Over> {
        for (at, entry) in counted.entries.iter().enumerate() {
            // what exceeds nothing need not be summed
            if !entry.waived && entry.exceeds(self.sum(entry, now)) {
                return Err(Over::Limit(at));
            }
        }
        Ok(())
    }

    fn count_at(&mut self, place: u64, tally: Tally, now: u64) -> Result<(), Over> {
        if let [Some(limits), _] = &tally {
            self.check_at(limits, now)?;
        }
        let entries = || tally.iter().flatten().flat_map(|counted| counted.once());
        if self.windows.len() + entries().count() > MOST {
            self.windows.retain(|_, window| window.is_alive(now));
            if self.windows.len() + entries().count() > MOST {
                return Err(Over::Full);
            }
        }
        for entry in entries() {
            let Some((part, _)) = entry.parts(now) else {
                *self.running.entry(Arc::clone(&entry.key)).or_default() += 1;
                continue;
            };
            let window = self.windows.entry(Arc::clone(&entry.key)).or_default();
            window.length = entry.window().unwrap_or_default();
            match window.parts.back_mut() {
                Some((last, amount)) if *last == part => *amount = amount.saturating_add(entry.amount),
                _ => window.parts.push_back((part, entry.amount)),
            }
        }
        self.calls.insert(place, (tally, now));
        Ok(())
    }

    /// The call of a place has ended; one that never began is given back.
    pub(crate) fn ended(&mut self, place: u64, began: bool) {
        // most programs limit nothing, and a look-up hashes even where there is nothing
        if self.calls.is_empty() {
            return;
        }
        let Some((tally, then)) = self.calls.remove(&place) else {
            return;
        };
        for entry in tally.iter().flatten().flat_map(|counted| counted.once()) {
            match entry.parts(then) {
                None => {
                    if let Some(running) = self.running.get_mut(&entry.key) {
                        *running = running.saturating_sub(1);
                    }
                }
                Some((part, _)) if !began => {
                    let window = self.windows.get_mut(&entry.key);
                    let counted = window.and_then(|window| window.parts.iter_mut().rev().find(|(of, _)| *of == part));
                    // a sum that could not be held stays at its end
                    if let Some((_, amount)) = counted.filter(|(_, amount)| *amount < u64::MAX) {
                        *amount = amount.saturating_sub(entry.amount);
                    }
                }
                Some(_) => {}
            }
        }
    }
}

impl Window {
    /// Whether anything that still counts may be in it.
    fn is_alive(&self, now: u64) -> bool {
        let part = (self.length / super::PARTS).max(1);
        self.parts
            .back()
            .is_some_and(|(last, _)| *last >= now.saturating_sub(self.length) / part)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Limit;
    use super::*;

    fn counted(limit: Limit, amount: u64) -> Arc<Counted> {
        let key = limit.identity().as_slice().into();
        let entry = Entry {
            limit: Arc::new(limit),
            key,
            amount,
            waived: false,
        };
        Arc::new(Counted { entries: vec![entry] })
    }

    fn tally(counted: Arc<Counted>) -> Tally {
        [Some(counted), None]
    }

    #[test]
    fn no_window_of_the_time_ever_holds_more_than_the_limit() {
        let limit = || counted(Limit::calls(5, Duration::from_secs(60)), 1);
        let mut counters = Counters::default();
        let mut began: Vec<u64> = Vec::new();
        let mut now = 0;
        for step in 0..4_000_u64 {
            now += 1_000 * (step * 7_919 % 13_000);
            if counters.count_at(step, tally(limit()), now).is_ok() {
                began.push(now);
                counters.ended(step, true);
            }
        }
        assert!(began.len() > 1_000, "{}", began.len());
        for window in began.windows(6) {
            assert!(window[5] - window[0] > 60_000_000, "{window:?}");
        }
        assert!(counters.windows.values().all(|window| window.parts.len() <= 62));
        assert!(counters.calls.is_empty());
    }

    #[test]
    fn what_never_began_is_given_back_and_what_is_waived_counts() {
        let mut counters = Counters::default();
        let sum = |amount| counted(Limit::sum("cents", 100, Duration::from_secs(60)), amount);
        assert_eq!(counters.count_at(1, tally(sum(70)), 0), Ok(()));
        assert_eq!(counters.count_at(2, tally(sum(40)), 1), Err(Over::Limit(0)));
        counters.ended(1, false);
        assert_eq!(counters.count_at(3, tally(sum(40)), 2), Ok(()));
        assert_eq!(counters.count_at(4, tally(Arc::new(sum(70).waiving(0))), 3), Ok(()));
        assert_eq!(counters.count_at(5, tally(sum(1)), 4), Err(Over::Limit(0)));
        assert_eq!(counters.count_at(6, tally(sum(u64::MAX)), 5), Err(Over::Limit(0)));
    }

    #[test]
    fn what_counts_no_more_makes_room_and_what_still_counts_does_not() {
        let mut counters = Counters::default();
        let session = |number: u64| {
            let key: Key = number.to_be_bytes().as_slice().into();
            let limit = Arc::new(Limit::calls(u64::MAX, Duration::from_secs(60)));
            let entries = vec![Entry {
                limit,
                key,
                amount: 1,
                waived: true,
            }];
            [None, Some(Arc::new(Counted { entries }))]
        };
        for number in 0..MOST as u64 {
            assert_eq!(counters.count_at(0, session(number), 0), Ok(()));
        }
        assert_eq!(counters.count_at(0, session(u64::MAX), 60_000_000), Err(Over::Full));
        assert_eq!(counters.count_at(0, session(u64::MAX), 62_000_000), Ok(()));
        assert_eq!(counters.windows.len(), 1);
    }

    #[test]
    fn calls_that_run_at_once_are_counted_until_they_end() {
        let mut counters = Counters::default();
        let limit = || counted(Limit::running(2), 1);
        assert_eq!(counters.count_at(1, tally(limit()), 0), Ok(()));
        assert_eq!(counters.count_at(2, tally(limit()), 0), Ok(()));
        assert_eq!(counters.count_at(3, tally(limit()), 0), Err(Over::Limit(0)));
        counters.ended(1, true);
        counters.ended(1, true);
        assert_eq!(counters.count_at(3, tally(limit()), 0), Ok(()));
        assert_eq!(counters.count_at(4, tally(limit()), 0), Err(Over::Limit(0)));
    }
}
