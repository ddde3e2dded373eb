//! When a request is tried again.

use std::future::Future;
use std::time::{Duration, SystemTime};

use super::error::{ApiError, ApiErrorKind};
use crate::http::{self, FailureKind, Reply};

/// A failed attempt, and whether another may go better.
#[derive(Debug)]
pub(in crate::claude) struct Fault {
    pub(in crate::claude) error: ApiError,
    pub(in crate::claude) retry: bool,
    /// The request surely was not taken: it did not leave, or was turned away at the door.
    not_taken: bool,
}

impl Fault {
    pub(in crate::claude) fn new(error: ApiError, retry: bool) -> Self {
        let not_taken = matches!(error.status(), Some(429 | 503 | 529));
        Self {
            error,
            retry,
            not_taken,
        }
    }

    /// The same, to be tried again only where the first attempt surely had no effect.
    pub(in crate::claude) fn only_if_not_taken(self) -> Self {
        Self {
            retry: self.retry && self.not_taken,
            ..self
        }
    }

    pub(super) fn with_request_id(self, id: Option<String>) -> Self {
        Self {
            error: self.error.with_request_id(id),
            ..self
        }
    }
}

/// What cannot be read now cannot be read the next time either.
impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        Self::new(error, false)
    }
}

impl From<http::Failure> for Fault {
    fn from(failure: http::Failure) -> Self {
        use FailureKind::{BrokenOff, Connect, Lookup, Reset, TimedOut, TooLarge};
        let kind = match failure.kind() {
            TimedOut => ApiErrorKind::TimedOut,
            TooLarge => ApiErrorKind::TooLarge,
            FailureKind::NotHttp | FailureKind::Encoded | FailureKind::NotJson => ApiErrorKind::Malformed,
            _ => ApiErrorKind::Connection,
        };
        Self {
            retry: matches!(failure.kind(), Lookup | Connect | Reset | TimedOut | BrokenOff),
            not_taken: matches!(failure.kind(), Lookup | Connect),
            error: ApiError::new(kind, failure.into_detail()),
        }
    }
}

/// Tries what may pass again, twice at most, when the API asked for it or a little later each time.
pub(in crate::claude) async fn retrying<T, F>(mut attempt: impl FnMut(u32) -> F) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, Fault>>,
{
    let mut tried = 0;
    loop {
        let fault = match attempt(tried).await {
            Ok(answer) => return Ok(answer),
            Err(fault) => fault,
        };
        let wait = fault.error.retry_after().unwrap_or_else(|| backoff(tried));
        if !fault.retry || tried == MAX_RETRIES || wait > MAX_WAIT {
            return Err(fault.error);
        }
        tried += 1;
        tracing::debug!(tried, error = %fault.error, "asking the API again");
        tokio::time::sleep(wait).await;
    }
}

/// What the API asks to wait: milliseconds, seconds, or a date.
pub(in crate::claude) fn retry_after(reply: &Reply) -> Option<Duration> {
    let seconds = |text: &str| Duration::try_from_secs_f64(text.trim().parse().ok()?).ok();
    let milliseconds = reply.header("retry-after-ms").and_then(seconds);
    milliseconds.map(|wait| wait / 1000).or_else(|| {
        let after = reply.header("retry-after")?;
        seconds(after).or_else(|| {
            let date = httpdate::parse_http_date(after).ok()?;
            Some(date.duration_since(SystemTime::now()).unwrap_or_default())
        })
    })
}

/// Half a second, doubled each time up to eight, less up to a quarter so that clients do not return together.
pub(in crate::claude) fn backoff(tried: u32) -> Duration {
    let mut random = [0; 1];
    // without entropy all clients wait the full time, which is no harm
    let _ = getrandom::fill(&mut random);
    let [random] = random;
    let whole = Duration::from_millis(500 << tried.min(4));
    whole - whole * u32::from(random) / 1020
}

const MAX_RETRIES: u32 = 2;

/// The longest wait that a request takes upon itself; a longer one is told to the caller.
const MAX_WAIT: Duration = Duration::from_secs(60);
