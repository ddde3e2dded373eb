//! One request and its retries.

use std::fmt;
use std::time::{Duration, SystemTime};

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use tokio::time::Instant;

use super::error::{MessagesError, MessagesErrorKind};
use crate::http::{self, Client, Endpoint, FailureKind, Reply, Secret};

/// Posts to the Messages API.
#[derive(Clone)]
pub(super) struct Transport {
    client: Client,
    path: String,
    key: Key,
    timeout: Duration,
}

/// The key to the API, and how it is sent.
#[derive(Clone)]
pub(super) struct Key {
    secret: Secret,
    bearer: bool,
}

impl Key {
    pub(super) fn new(secret: Secret, bearer: bool) -> Self {
        Self { secret, bearer }
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        Some(if self.bearer {
            (AUTHORIZATION, self.secret.header("Bearer ")?)
        } else {
            (HeaderName::from_static("x-api-key"), self.secret.header("")?)
        })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.bearer { "Key(bearer)" } else { "Key(x-api-key)" })
    }
}

impl Transport {
    pub(super) fn new(
        base: &Endpoint,
        key: Key,
        headers: &[(String, String)],
        timeout: Duration,
    ) -> Result<Self, MessagesError> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let (Ok(parsed), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
                return Err(MessagesError::configuration(format!(
                    "the header `{name}` is not valid"
                )));
            };
            map.insert(parsed, value);
        }
        let Some((name, value)) = key.header() else {
            return Err(MessagesError::configuration("the API key cannot stand in a header"));
        };
        map.insert(name, value);
        let client = Client::new(base, None, map).map_err(|error| MessagesError::configuration(error.to_string()))?;
        Ok(Self {
            client,
            path: format!("{}/v1/messages", base.path().trim_end_matches('/')),
            key,
            timeout,
        })
    }

    /// Posts a body and gives the body of the answer; retries what may pass, twice at most.
    pub(super) async fn post(&self, body: &[u8]) -> Result<Vec<u8>, MessagesError> {
        let mut tried = 0;
        loop {
            let failure = match self.attempt(body).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let wait = failure.error.retry_after().unwrap_or_else(|| backoff(tried));
            if !failure.retry || tried == MAX_RETRIES || wait > MAX_WAIT {
                return Err(failure.error);
            }
            tried += 1;
            tracing::debug!(tried, error = %failure.error, "asking the model again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(&self, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let now = Instant::now();
        let deadline = now + self.timeout;
        self.client.reach(deadline.min(now + CONNECT)).await?;
        let reply = self.client.post(&self.path, body.to_vec(), deadline).await?;
        let status = reply.status();
        let request_id = reply.header("request-id").map(http::bounded);
        if status == 200 {
            return reply.json(MAX_BODY).await.map_err(|failure| {
                let failure = Failure::from(failure);
                Failure {
                    error: failure.error.with_request_id(request_id),
                    ..failure
                }
            });
        }
        let wait = retry_after(&reply);
        let retry = match reply.header("x-should-retry") {
            Some("true") => true,
            Some("false") => false,
            _ => matches!(status, 408 | 409 | 429 | 500..),
        };
        // a gateway's page is no JSON; the status says enough
        let body = reply.json(MAX_ERROR).await.unwrap_or_default();
        let error = self.refusal(status, &body);
        Err(Failure {
            error: error.with_request_id(request_id).with_retry_after(wait),
            retry,
        })
    }

    /// What the API said of an error, without the key, should it repeat it.
    fn refusal(&self, status: u16, body: &[u8]) -> MessagesError {
        let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
        let shown = |text: &str| http::bounded(&self.key.secret.scrub(text));
        let code = body.error.details.error_code.or(body.error.kind).as_deref().map(shown);
        let detail = match (&code, body.error.message.as_deref().map(shown)) {
            (Some(code), Some(said)) => format!("the API answered {status} (`{code}`): {said}"),
            (Some(code), None) => format!("the API answered {status} (`{code}`)"),
            _ => format!("the API answered {status}"),
        };
        MessagesError::new(MessagesErrorKind::Status, detail).with_status(status, code)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("path", &self.path)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// A failed attempt, and whether another may go better. Asking a model has no effect that a second time would repeat.
struct Failure {
    error: MessagesError,
    retry: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    error: ErrorPart,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorPart {
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
    details: ErrorDetails,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorDetails {
    error_code: Option<String>,
}

impl From<http::Failure> for Failure {
    fn from(failure: http::Failure) -> Self {
        use FailureKind::{BrokenOff, Connect, Lookup, Reset, TimedOut, TooLarge};
        let kind = match failure.kind() {
            TimedOut => MessagesErrorKind::TimedOut,
            TooLarge => MessagesErrorKind::TooLarge,
            FailureKind::NotHttp | FailureKind::Encoded | FailureKind::NotJson => MessagesErrorKind::Malformed,
            _ => MessagesErrorKind::Connection,
        };
        Self {
            retry: matches!(failure.kind(), Lookup | Connect | Reset | TimedOut | BrokenOff),
            error: MessagesError::new(kind, failure.into_detail()),
        }
    }
}

/// What the API asks to wait: milliseconds, seconds, or a date.
fn retry_after(reply: &Reply) -> Option<Duration> {
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
fn backoff(tried: u32) -> Duration {
    let mut random = [0; 1];
    // without entropy all clients wait the full time, which is no harm
    let _ = getrandom::fill(&mut random);
    let [random] = random;
    let whole = Duration::from_millis(500 << tried.min(4));
    whole - whole * u32::from(random) / 1020
}

const MAX_RETRIES: u32 = 2;

/// The longest wait that a run takes upon itself; a longer one is told to the caller.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(5);

/// The largest answer that is read.
const MAX_BODY: usize = 16 << 20;

/// The largest error that is read.
const MAX_ERROR: usize = 64 << 10;
