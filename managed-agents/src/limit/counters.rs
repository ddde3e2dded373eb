//! Counters in memory, for records that are.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use super::judge::{Counted, Key};

/// What was counted, by a clock that never goes back. Whoever has it guards it.
#[derive(Debug)]
pub(crate) struct Counters {
    begun: Instant,
    windows: HashMap<Key, VecDeque<(u64, u64)>>,
    running: HashMap<Key, u64>,
    /// What the calls that run have counted, and when.
    calls: HashMap<u64, (Arc<Counted>, u64)>,
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
    pub(crate) fn count(&mut self, place: u64, counted: &Arc<Counted>) -> Result<(), usize> {
        self.count_at(place, counted, self.now())
    }

    /// Whether a call that waits for people exceeds a limit already; it is not counted.
    pub(crate) fn check(&mut self, counted: &Counted) -> Result<(), usize> {
        self.check_at(counted, self.now())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn check_at(&mut self, counted: &Counted, now: u64) -> Result<(), usize> {
        for (at, entry) in counted.entries.iter().enumerate() {
            let so_far = match entry.parts(now) {
                None => self.running.get(&entry.key).copied().unwrap_or(0),
                Some((_, first)) => self.windows.get_mut(&entry.key).map_or(0, |parts| {
                    while parts.front().is_some_and(|(part, _)| *part < first) {
                        parts.pop_front();
                    }
                    parts.iter().fold(0_u64, |sum, (_, amount)| sum.saturating_add(*amount))
                }),
            };
            if entry.exceeds(so_far) {
                return Err(at);
            }
        }
        Ok(())
    }

    fn count_at(&mut self, place: u64, counted: &Arc<Counted>, now: u64) -> Result<(), usize> {
        self.check_at(counted, now)?;
        for entry in &counted.entries {
            let Some((part, _)) = entry.parts(now) else {
                *self.running.entry(Arc::clone(&entry.key)).or_default() += 1;
                continue;
            };
            let parts = self.windows.entry(Arc::clone(&entry.key)).or_default();
            match parts.back_mut() {
                Some((last, amount)) if *last == part => *amount = amount.saturating_add(entry.amount),
                _ => parts.push_back((part, entry.amount)),
            }
        }
        self.calls.insert(place, (Arc::clone(counted), now));
        Ok(())
    }

    /// The call of a place has ended; one that never began is given back.
    pub(crate) fn ended(&mut self, place: u64, began: bool) {
        // most programs limit nothing, and a look-up hashes even where there is nothing
        if self.calls.is_empty() {
            return;
        }
        let Some((counted, then)) = self.calls.remove(&place) else {
            return;
        };
        for entry in &counted.entries {
            match entry.parts(then) {
                None => {
                    if let Some(running) = self.running.get_mut(&entry.key) {
                        *running = running.saturating_sub(1);
                    }
                }
                Some((part, _)) if !began => {
                    let parts = self.windows.get_mut(&entry.key);
                    let counted = parts.and_then(|parts| parts.iter_mut().rev().find(|(of, _)| *of == part));
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Limit;
    use super::super::judge::Entry;
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

    #[test]
    fn no_window_of_the_time_ever_holds_more_than_the_limit() {
        let limit = || counted(Limit::calls(5, Duration::from_secs(60)), 1);
        let mut counters = Counters::default();
        let mut began: Vec<u64> = Vec::new();
        let mut now = 0;
        for step in 0..4_000_u64 {
            now += 1_000 * (step * 7_919 % 13_000);
            if counters.count_at(step, &limit(), now).is_ok() {
                began.push(now);
                counters.ended(step, true);
            }
        }
        assert!(began.len() > 1_000, "{}", began.len());
        for window in began.windows(6) {
            assert!(window[5] - window[0] > 60_000_000, "{window:?}");
        }
        assert!(counters.windows.values().all(|parts| parts.len() <= 62));
        assert!(counters.calls.is_empty());
    }

    #[test]
    fn what_never_began_is_given_back_and_what_is_waived_counts() {
        let mut counters = Counters::default();
        let sum = |amount| counted(Limit::sum("cents", 100, Duration::from_secs(60)), amount);
        assert_eq!(counters.count_at(1, &sum(70), 0), Ok(()));
        assert_eq!(counters.count_at(2, &sum(40), 1), Err(0));
        counters.ended(1, false);
        assert_eq!(counters.count_at(3, &sum(40), 2), Ok(()));
        assert_eq!(counters.count_at(4, &Arc::new(sum(70).waiving(0)), 3), Ok(()));
        assert_eq!(counters.count_at(5, &sum(1), 4), Err(0));
        assert_eq!(counters.count_at(6, &sum(u64::MAX), 5), Err(0));
    }

    #[test]
    fn calls_that_run_at_once_are_counted_until_they_end() {
        let mut counters = Counters::default();
        let limit = || counted(Limit::running(2), 1);
        assert_eq!(counters.count_at(1, &limit(), 0), Ok(()));
        assert_eq!(counters.count_at(2, &limit(), 0), Ok(()));
        assert_eq!(counters.count_at(3, &limit(), 0), Err(0));
        counters.ended(1, true);
        counters.ended(1, true);
        assert_eq!(counters.count_at(3, &limit(), 0), Ok(()));
        assert_eq!(counters.count_at(4, &limit(), 0), Err(0));
    }
}
