//! How a remote governor is set up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::body::{RESERVED, Template};
use super::preset::PolicyPreset;
use super::wait::Resolved;
use super::{DEFAULT_ENDPOINT, Remote, Shared};
use crate::call::Verbs;
use crate::http::{Client, Endpoint, SOURCE, Secret};

/// A decision that takes longer is none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);

/// Sets up a [`Remote`]; see there for an example.
#[derive(Clone)]
#[must_use = "a builder does nothing until it builds"]
pub struct RemoteBuilder {
    endpoint: String,
    api_key: Option<Secret>,
    platform: String,
    organisation: Map<String, Value>,
    policy: Option<PolicyPreset>,
    verbs: Verbs,
    timeout: Duration,
    roots: Option<Vec<u8>>,
}

impl Default for RemoteBuilder {
    fn default() -> Self {
        Self {
            endpoint: DEFAULT_ENDPOINT.to_owned(),
            api_key: None,
            platform: "custom".to_owned(),
            organisation: Map::new(),
            policy: None,
            verbs: Verbs::default(),
            timeout: DEFAULT_TIMEOUT,
            roots: None,
        }
    }
}

impl RemoteBuilder {
    /// Where decisions are had, by default [`DEFAULT_ENDPOINT`]: `https`, or `http` on this machine's loopback.
    /// Evaluations are looked up beside it, below its parent path.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = url.into();
        self
    }

    /// The key to the service. Needed everywhere but on this machine's loopback.
    pub fn api_key(mut self, key: Secret) -> Self {
        self.api_key = Some(key);
        self
    }

    /// The framework that the agent runs in, for the service's records: `claude`, `langchain`, `openai`, …; by default
    /// `custom`.
    pub fn platform(mut self, platform: impl Into<String>) -> Self {
        self.platform = platform.into();
        self
    }

    /// Adds to the context of every call. The context of a single call stands before it.
    pub fn org_context(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.organisation.insert(key.into(), value.into());
        self
    }

    /// Asks the service to judge by a preset; without it, by the service's own policy.
    pub fn policy(mut self, policy: PolicyPreset) -> Self {
        self.policy = Some(policy);
        self
    }

    /// How tools that declare no `action` of their own are named to the service.
    pub fn verbs(mut self, verbs: Verbs) -> Self {
        self.verbs = verbs;
        self
    }

    /// How long a decision may take, from the connection to the last byte of the answer; by default 3 seconds.
    /// Should be shorter than the harness's own limit, which cannot tell a service that is away from an answer that was
    /// broken off, and so denies under `fail_open` too.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Trusts these certificate authorities (PEM), and no longer the platform's.
    pub fn root_certificates_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// The governor.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when the endpoint is none, a key is missing, the context holds a reserved key, or the trusted
    /// certificates cannot be loaded.
    pub fn build(self) -> Result<Remote, RemoteError> {
        let endpoint = Endpoint::parse(&self.endpoint)
            .map_err(|error| RemoteError::new(RemoteErrorKind::Endpoint, error.to_string()))?;
        if self.api_key.is_none() && endpoint.is_encrypted() {
            return Err(RemoteError::new(
                RemoteErrorKind::MissingKey,
                "no key to the service is given".to_owned(),
            ));
        }
        if let Some(key) = RESERVED.into_iter().find(|key| self.organisation.contains_key(*key)) {
            return Err(RemoteError::new(
                RemoteErrorKind::Context,
                format!("the context's key `{key}` is reserved"),
            ));
        }
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("x-source"), HeaderValue::from_static(SOURCE));
        if let Some(key) = self.api_key.and_then(|key| key.header("Bearer ")) {
            headers.insert(AUTHORIZATION, key);
        }
        let client = Client::new(&endpoint, self.roots.as_deref(), headers)
            .map_err(|error| RemoteError::new(RemoteErrorKind::Certificates, error.to_string()))?;
        let base = endpoint.path().rsplit_once('/').map_or("", |(base, _)| base).to_owned();
        Ok(Remote(Arc::new(Shared {
            client,
            base,
            template: Template::new(&self.platform, self.organisation, self.policy.as_ref()),
            verbs: self.verbs,
            timeout: self.timeout,
            resolved: Resolved::default(),
            endpoint,
        })))
    }
}

/// Shows neither the endpoint, which is unread yet and may hold a password, nor the context.
impl fmt::Debug for RemoteBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteBuilder")
            .field("platform", &self.platform)
            .field("policy", &self.policy)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A remote governor cannot be set up.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct RemoteError {
    kind: RemoteErrorKind,
    message: String,
}

impl RemoteError {
    fn new(kind: RemoteErrorKind, message: String) -> Self {
        Self { kind, message }
    }

    /// What is wrong, by kind.
    #[must_use]
    pub fn kind(&self) -> RemoteErrorKind {
        self.kind
    }
}

/// What keeps a remote governor from being set up.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RemoteErrorKind {
    /// The endpoint is no URL, or neither https nor loopback.
    Endpoint,
    /// The endpoint is not on this machine, and no key is given.
    MissingKey,
    /// The added context holds a key that is reserved.
    Context,
    /// The trusted certificates cannot be loaded.
    Certificates,
}
