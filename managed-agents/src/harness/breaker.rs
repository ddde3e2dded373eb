//! The circuit breaker: after several outages in a row a governor is not asked for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::governor::{GovernorError, GovernorErrorKind};

/// When a governor that fails is left alone, and for how long.
///
/// It counts failures in a row: an unreachable service, time-outs and 5xx. Open, calls are judged by the fail mode at
/// once; after the rest one probe is let through, and its end decides. A probe that is cancelled counts as none.
///
/// A governor that took longer than the harness's own limit is counted too. That is no outage, since an answer may have
/// begun, and so `fail_open` does not cover a breaker which it helped to open.
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

/// What is known of the governor. `outage` says that all that failed since it last answered was an outage: else nobody who
/// is refused meanwhile may pass because the service is away (law 4).
#[derive(Clone, Copy, Debug)]
enum State {
    Closed { failures: u32, outage: bool },
    Open { until: Instant, outage: bool },
    Probing { outage: bool },
}

impl State {
    /// Nothing failed: what comes next alone says whether it is an outage.
    const WELL: Self = Self::Closed {
        failures: 0,
        outage: true,
    };
}

impl Breaker {
    pub(super) fn new(settings: CircuitBreaker) -> Self {
        Self {
            settings,
            state: Mutex::new(State::WELL),
        }
    }

    /// Lets a request through, or says that the breaker is open.
    pub(super) fn enter(self: &Arc<Self>) -> Result<Passage, GovernorError> {
        let mut state = self.state();
        let probe = match *state {
            State::Closed { .. } => false,
            State::Open { until, outage } if Instant::now() >= until => {
                *state = State::Probing { outage };
                true
            }
            State::Open { outage, .. } | State::Probing { outage } => return Err(open(outage)),
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

    fn open(&self, outage: bool) -> State {
        State::Open {
            until: Instant::now() + self.settings.rest,
            outage,
        }
    }
}

fn open(outage: bool) -> GovernorError {
    let detail = "the governor failed several times in a row and is not asked for now";
    let open = GovernorErrorKind::CircuitOpen;
    if outage {
        return GovernorError::new(open, detail);
    }
    GovernorError::new(GovernorErrorKind::Overdue, detail).with_code(open.code())
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
        let failed = result.as_ref().err().map(GovernorError::kind);
        let failed = failed.filter(|kind| kind.trips_breaker());
        let mut state = self.breaker.state();
        *state = match (*state, failed) {
            (State::Closed { .. }, None) => State::WELL,
            (_, None) if self.probe => State::WELL,
            (State::Closed { failures, outage }, Some(kind)) => {
                let failures = failures.saturating_add(1);
                let outage = outage && kind.is_outage();
                if failures >= self.breaker.settings.failures {
                    self.breaker.open(outage)
                } else {
                    State::Closed { failures, outage }
                }
            }
            (State::Probing { outage }, Some(kind)) if self.probe => self.breaker.open(outage && kind.is_outage()),
            // the end of a request that began before the breaker opened says nothing of the service now
            (unchanged, _) => unchanged,
        };
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        if !self.probe || self.ended {
            return;
        }
        let mut state = self.breaker.state();
        // a cancelled probe: the next call may probe at once
        if let State::Probing { outage } = *state {
            let until = Instant::now();
            *state = State::Open { until, outage };
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

    // fails where one outage among the failures (`||` for `&&`) makes all of them one
    #[tokio::test(start_paused = true)]
    async fn only_outages_alone_make_an_open_breaker_an_outage() {
        let overdue = || Err::<(), _>(GovernorError::new(GovernorErrorKind::Overdue, "slow"));
        let breaker = Arc::new(Breaker::new(CircuitBreaker::new(2, REST)));
        let kind = || breaker.enter().unwrap_err().kind();
        breaker.enter().unwrap().end(&overdue());
        breaker.enter().unwrap().end(&outage());
        assert_eq!(kind(), GovernorErrorKind::Overdue);
        assert_eq!(breaker.enter().unwrap_err().code(), "circuit_open");
        // neither a probe that is cancelled nor one that fails makes it one
        tokio::time::advance(REST).await;
        let probe = breaker.enter().unwrap();
        assert!(!kind().is_outage());
        drop(probe);
        breaker.enter().unwrap().end(&outage());
        assert!(!kind().is_outage());
        // an answer does
        tokio::time::advance(REST).await;
        breaker.enter().unwrap().end(&Ok(()));
        breaker.enter().unwrap().end(&outage());
        breaker.enter().unwrap().end(&outage());
        assert_eq!(kind(), GovernorErrorKind::CircuitOpen);
        tokio::time::advance(REST).await;
        breaker.enter().unwrap().end(&overdue());
        assert!(!kind().is_outage());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_by_the_service_is_no_outage() {
        let breaker = Arc::new(Breaker::new(CircuitBreaker::new(1, REST)));
        breaker.enter().unwrap().end(&rejection());
        assert!(breaker.enter().is_ok());
    }
}
