//! Wall time for records and time limits, replaceable in tests.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// How long wall time is derived from the monotonic clock before it is read again.
const ANCHORED: Duration = Duration::from_millis(100);

/// Where the time comes from.
#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    #[default]
    System,
    Virtual(VirtualClock),
}

impl Clock {
    pub(crate) fn now(&self) -> SystemTime {
        match self {
            Self::System => SystemTime::now(),
            Self::Virtual(clock) => clock.now(),
        }
    }

    /// The wall time of a reading of the monotonic clock, at most 100 ms out when the wall clock is set. Reading one clock
    /// instead of two is a tenth of what a call costs.
    pub(crate) fn at(&self, instant: Instant) -> SystemTime {
        thread_local! {
            static ANCHOR: Cell<Option<(Instant, SystemTime)>> = const { Cell::new(None) };
        }
        if let Self::Virtual(clock) = self {
            return clock.now();
        }
        if let Some((anchor, wall)) = ANCHOR.get() {
            let since = instant.saturating_duration_since(anchor);
            if since < ANCHORED {
                return wall + since;
            }
        }
        let wall = SystemTime::now();
        ANCHOR.set(Some((instant, wall)));
        wall
    }

    /// The wall time of a reading of the monotonic clock, so much after another one whose wall time is known.
    #[inline]
    pub(crate) fn after(&self, then: SystemTime, since: Duration, instant: Instant) -> SystemTime {
        match self {
            Self::System if since < ANCHORED => then + since,
            _ => self.at(instant),
        }
    }
}

/// A clock that stands still until it is told to go on. Clones share their time, which begins at 2026-01-01 00:00 UTC.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use managed_agents::testing::VirtualClock;
/// let clock = VirtualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().duration_since(before)?, Duration::from_secs(60));
/// # Ok::<_, std::time::SystemTimeError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct VirtualClock {
    nanoseconds: Arc<AtomicU64>,
}

impl VirtualClock {
    const BEGIN: Duration = Duration::from_secs(1_767_225_600);

    /// A clock at its beginning.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        let elapsed = Duration::from_nanos(self.nanoseconds.load(Ordering::Acquire));
        SystemTime::UNIX_EPOCH + Self::BEGIN + elapsed
    }

    /// Goes on by `time` (at most 584 years in all).
    pub fn advance(&self, time: Duration) {
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(time, Ordering::AcqRel);
    }
}
