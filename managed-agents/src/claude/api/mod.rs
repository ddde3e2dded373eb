//! What the parts of the connection to Claude share: a request with its headers, its errors, and when it is tried again.

mod error;
mod retry;
mod settings;
mod sse;

use std::fmt;
use std::time::Duration;

use hyper::Method;
use hyper::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use tokio::time::Instant;

use crate::http::{self, Client, Endpoint, Reply, Secret};

pub use error::{ApiError, ApiErrorKind};
use retry::retry_after;
pub(super) use retry::{Fault, retrying};
pub(super) use settings::{Settings, connection_settings};
pub(super) use sse::EventStream;

/// Talks to the API: one origin, one key, one version.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    endpoint: Endpoint,
    headers: Vec<(String, String)>,
    /// What stands before `/v1`.
    base: String,
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

/// A request: everything but the messages' content is small, so it is kept to be sent again.
#[derive(Clone, Debug)]
pub(super) struct Call<'a> {
    method: Method,
    path: &'a str,
    body: Option<&'a [u8]>,
    headers: HeaderMap,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, path: &'a str) -> Self {
        Self {
            method,
            path,
            body: None,
            headers: HeaderMap::new(),
        }
    }

    pub(super) fn post(path: &'a str, body: &'a [u8]) -> Self {
        Self {
            body: Some(body),
            ..Self::new(Method::POST, path)
        }
    }

    pub(super) fn get(path: &'a str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(super) fn header(mut self, name: &'static str, value: HeaderValue) -> Self {
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }
}

impl Api {
    fn new(base: &Endpoint, key: Key, headers: &[(String, String)], timeout: Duration) -> Result<Self, ApiError> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let (Ok(parsed), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
                return Err(ApiError::configuration(format!("the header `{name}` is not valid")));
            };
            map.insert(parsed, value);
        }
        let Some((name, value)) = key.header() else {
            return Err(ApiError::configuration("the API key cannot stand in a header"));
        };
        map.insert(name, value);
        let client = Client::new(base, None, map).map_err(|error| ApiError::configuration(error.to_string()))?;
        Ok(Self {
            client,
            endpoint: base.clone(),
            headers: headers.to_vec(),
            base: base.path().trim_end_matches('/').to_owned(),
            key,
            timeout,
        })
    }

    /// The same with another key.
    pub(super) fn with_key(&self, key: Key) -> Result<Self, ApiError> {
        Self::new(&self.endpoint, key, &self.headers, self.timeout)
    }

    /// When a request that begins now must have ended.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Sends a request once and reads a JSON body.
    pub(super) async fn json(&self, call: Call<'_>) -> Result<Vec<u8>, Fault> {
        let reply = self.send(call).await?;
        let request_id = request_id(&reply);
        let body = reply.json(MAX_BODY).await;
        body.map_err(|failure| Fault::from(failure).with_request_id(request_id))
    }

    /// Sends a request once and reads its answer as a stream of events.
    pub(super) async fn events(&self, call: Call<'_>) -> Result<EventStream, Fault> {
        let reply = self
            .send(call.header(ACCEPT.as_str(), HeaderValue::from_static("text/event-stream")))
            .await?;
        let request_id = request_id(&reply);
        match reply.events() {
            Ok(chunks) => Ok(EventStream::new(chunks, request_id)),
            Err(failure) => Err(Fault::from(failure).with_request_id(request_id)),
        }
    }

    /// Sends a request once, and has an answer whose status says that it went well.
    async fn send(&self, call: Call<'_>) -> Result<Reply, Fault> {
        let now = Instant::now();
        let deadline = self.deadline();
        self.client.reach(deadline.min(now + CONNECT)).await?;
        let path = format!("{}{}", self.base, call.path);
        let body = call.body.map(<[u8]>::to_vec);
        let reply = self
            .client
            .exchange(call.method, &path, call.headers, body, deadline)
            .await?;
        let status = reply.status();
        if (200..300).contains(&status) {
            return Ok(reply);
        }
        let wait = retry_after(&reply);
        let request_id = request_id(&reply);
        let retry = match reply.header("x-should-retry") {
            Some("true") => true,
            Some("false") => false,
            _ => matches!(status, 408 | 409 | 429 | 500..),
        };
        // a gateway's page is no JSON; the status says enough
        let body = reply.json(MAX_ERROR).await.unwrap_or_default();
        let error = self.refusal(status, &body).with_retry_after(wait);
        Err(Fault::new(error, retry).with_request_id(request_id))
    }

    /// What the API said of an error, without the key, should it repeat it.
    fn refusal(&self, status: u16, body: &[u8]) -> ApiError {
        let said = Said::read(body, &self.key);
        let detail = match (&said.code, said.message) {
            (Some(code), Some(message)) => format!("the API answered {status} (`{code}`): {message}"),
            (Some(code), None) => format!("the API answered {status} (`{code}`)"),
            _ => format!("the API answered {status}"),
        };
        ApiError::new(ApiErrorKind::Status, detail).with_status(status, said.code)
    }

    /// What an `error` event in a stream says. The service would have answered so, had it known in time.
    pub(super) fn event_refusal(&self, data: &str) -> Fault {
        let said = Said::read(data.as_bytes(), &self.key);
        let detail = match (&said.code, said.message) {
            (Some(code), Some(message)) => format!("the API broke the stream off (`{code}`): {message}"),
            (Some(code), None) => format!("the API broke the stream off (`{code}`)"),
            _ => "the API broke the stream off".to_owned(),
        };
        let passing = ["overloaded_error", "api_error", "timeout_error", "rate_limit_error"];
        let retry = said.code.as_deref().is_some_and(|code| passing.contains(&code));
        Fault::new(ApiError::new(ApiErrorKind::Status, detail).with_code(said.code), retry)
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("base", &self.base)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

fn request_id(reply: &Reply) -> Option<String> {
    reply.header("request-id").map(http::bounded)
}

/// What an error's body says, fit to be shown.
struct Said {
    code: Option<String>,
    message: Option<String>,
}

impl Said {
    fn read(body: &[u8], key: &Key) -> Self {
        let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
        let shown = |text: &str| http::bounded(&key.secret.scrub(text));
        Self {
            code: body.error.details.error_code.or(body.error.kind).as_deref().map(shown),
            message: body.error.message.as_deref().map(shown),
        }
    }
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

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(5);

/// The largest answer that is read, and the largest event of a stream.
pub(super) const MAX_BODY: usize = 16 << 20;

/// The largest error that is read.
const MAX_ERROR: usize = 64 << 10;
