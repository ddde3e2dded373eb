//! The circuit breaker: after several outages in a row a governor is not asked for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::governor::{GovernorError, GovernorErrorKind};

/// When a governor that fails is left alone, and for how long.
///
/// It counts outages in a row: an unreachable service, time-outs and 5xx. Open, calls are judged by the fail mode at
/// once; after the rest one probe is let through, and its end decides. A probe that is cancelled counts as none.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use managed_agents::harness::CircuitBreaker;
/// let breaker = CircuitBreaker::new(5, Duration::from_secs(60));
/// assert_eq!(breaker, CircuitBreaker::default());
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CircuitBreaker {
    failures: u32,
    rest: Duration,
}

impl CircuitBreaker {
    /// Opens after `failures` outages in a row (at least one), and stays open for `rest`.
    #[must_use]
    pub fn new(failures: u32, rest: Duration) -> Self {
        Self {
            failures: failures.max(1),
            rest,
        }
    }
}

impl Default for CircuitBreaker {
    /// 5 failures, 60 seconds.
    fn default() -> Self {
        Self::new(5, Duration::from_secs(60))
    }
}

#[derive(Debug)]
pub(super) struct Breaker {
    settings: CircuitBreaker,
    /// Guards the state; held for a comparison, never across an await.
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    Probing,
}

impl Breaker {
    pub(super) fn new(settings: CircuitBreaker) -> Self {
        Self {
            settings,
            state: Mutex::new(State::Closed { failures: 0 }),
        }
    }

    /// Lets a request through, or says that the breaker is open.
    pub(super) fn enter(self: &Arc<Self>) -> Result<Passage, GovernorError> {
        let mut state = self.state();
        let probe = match *state {
            State::Closed { .. } => false,
            State::Open { until } if Instant::now() >= until => {
                *state = State::Probing;
                true
            }
            State::Open { .. } | State::Probing => {
                return Err(GovernorError::new(
                    GovernorErrorKind::CircuitOpen,
                    "the governor failed several times in a row and is not asked for now",
                ));
            }
        };
        Ok(Passage {
            breaker: Arc::clone(self),
            probe,
            ended: false,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> State {
        State::Open {
            until: Instant::now() + self.settings.rest,
        }
    }
}

/// A request that was let through; must be told how it ended.
#[derive(Debug)]
pub(super) struct Passage {
    breaker: Arc<Breaker>,
    probe: bool,
    ended: bool,
}

impl Passage {
    /// Counts how the request ended: any answer but an outage closes the breaker.
    pub(super) fn end<T>(mut self, result: &Result<T, GovernorError>) {
        self.ended = true;
        let outage = matches!(result, Err(error) if error.kind().trips_breaker());
        let mut state = self.breaker.state();
        *state = match *state {
            _ if !outage && (self.probe || matches!(*state, State::Closed { .. })) => State::Closed { failures: 0 },
            State::Closed { failures } if outage => {
                let failures = failures.saturating_add(1);
                if failures >= self.breaker.settings.failures {
                    self.breaker.open()
                } else {
                    State::Closed { failures }
                }
            }
            State::Probing if self.probe => self.breaker.open(),
            // the end of a request that began before the breaker opened says nothing of the service now
            unchanged => unchanged,
        };
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        // a cancelled probe: the next call may probe at once
        if self.probe && !self.ended {
            *self.breaker.state() = State::Open { until: Instant::now() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outage() -> Result<(), GovernorError> {
        Err(GovernorError::new(GovernorErrorKind::ServerError, "503"))
    }

    fn rejection() -> Result<(), GovernorError> {
        Err(GovernorError::new(GovernorErrorKind::Rejected, "403"))
    }

    const REST: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn outages_in_a_row_open_it_and_a_good_probe_closes_it() {
        let breaker = Arc::new(Breaker::new(CircuitBreaker::new(2, REST)));
        breaker.enter().unwrap().end(&outage());
        breaker.enter().unwrap().end(&Ok(()));
        breaker.enter().unwrap().end(&outage());
        breaker.enter().unwrap().end(&outage());
        assert!(breaker.enter().is_err());
        tokio::time::advance(REST).await;
        let probe = breaker.enter().unwrap();
        assert!(breaker.enter().is_err(), "one probe at a time");
        probe.end(&Ok(()));
        breaker.enter().unwrap().end(&outage());
        assert!(breaker.enter().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_probe_opens_it_again() {
        let breaker = Arc::new(Breaker::new(CircuitBreaker::new(1, REST)));
        breaker.enter().unwrap().end(&outage());
        tokio::time::advance(REST).await;
        breaker.enter().unwrap().end(&outage());
        assert!(breaker.enter().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_probe_does_not_wedge_it() {
        let breaker = Arc::new(Breaker::new(CircuitBreaker::new(1, REST)));
        breaker.enter().unwrap().end(&outage());
        tokio::time::advance(REST).await;
        drop(breaker.enter().unwrap());
        breaker.enter().unwrap().end(&Ok(()));
        assert!(breaker.enter().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_by_the_service_is_no_outage() {
        let breaker = Arc::new(Breaker::new(CircuitBreaker::new(1, REST)));
        breaker.enter().unwrap().end(&rejection());
        assert!(breaker.enter().is_ok());
    }
}
