//! Wall time for records and time limits, replaceable in tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

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
