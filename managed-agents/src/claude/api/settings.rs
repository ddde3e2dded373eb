//! Where the API is, and how it is asked.

use std::env;
use std::time::Duration;

use super::{Api, ApiError, Key};
use crate::http::{Endpoint, Secret};

/// The methods by which a builder with a field `settings` sets its connection up, so that all of them are named and behave alike.
/// What differs is how long one answer may take.
macro_rules! connection_settings {
    ($timeout:literal) => {
        /// The key, sent as `x-api-key`; `ANTHROPIC_API_KEY` when not said, where it is set and not empty. Neither `Debug` nor
        /// an error shows it.
        pub fn api_key(mut self, key: crate::http::Secret) -> Self {
            self.settings.key = Some(crate::claude::api::Key::new(key, false));
            self
        }

        /// A key or token that is sent as `Authorization: Bearer` instead, as an environment's key must be.
        pub fn bearer(mut self, token: crate::http::Secret) -> Self {
            self.settings.key = Some(crate::claude::api::Key::new(token, true));
            self
        }

        /// Where the API is, without `/v1`; `ANTHROPIC_BASE_URL`, where it is set and not empty, else
        /// `https://api.anthropic.com`, when not said.
        pub fn base_url(mut self, base: crate::http::Endpoint) -> Self {
            self.settings.endpoint = Some(base);
            self
        }

        /// The version of the API, sent as `anthropic-version`; `2026-10-21` when not said.
        pub fn api_version(mut self, version: impl Into<String>) -> Self {
            self.settings.version = version.into();
            self
        }

        /// A further header, such as `anthropic-beta` or `anthropic-workspace-id`.
        pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.settings.headers.push((name.into(), value.into()));
            self
        }

        #[doc = $timeout]
        pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
            self.settings.timeout = timeout;
            self
        }
    };
}

pub(in crate::claude) use connection_settings;

/// The settings that every connection to the API has.
#[derive(Debug)]
pub(in crate::claude) struct Settings {
    pub(in crate::claude) key: Option<Key>,
    pub(in crate::claude) endpoint: Option<Endpoint>,
    pub(in crate::claude) version: String,
    pub(in crate::claude) headers: Vec<(String, String)>,
    pub(in crate::claude) timeout: Duration,
}

impl Settings {
    /// Checks the settings; what is not given comes from the environment.
    pub(in crate::claude) fn connect(mut self) -> Result<Api, ApiError> {
        let key = match (self.key, set("ANTHROPIC_API_KEY")) {
            (Some(key), _) => key,
            (None, Some(key)) => Secret::parse(&key)
                .map(|key| Key::new(key, false))
                .map_err(|error| ApiError::configuration(format!("`ANTHROPIC_API_KEY`: {error}")))?,
            (None, None) => {
                return Err(ApiError::configuration(
                    "no API key: set `ANTHROPIC_API_KEY` or call `.api_key(…)`",
                ));
            }
        };
        let endpoint = match (self.endpoint, set("ANTHROPIC_BASE_URL")) {
            (Some(endpoint), _) => endpoint,
            (None, base) => Endpoint::parse(base.as_deref().unwrap_or(DEFAULT_BASE_URL))
                .map_err(|error| ApiError::configuration(format!("`ANTHROPIC_BASE_URL`: {error}")))?,
        };
        self.headers.push(("anthropic-version".to_owned(), self.version));
        Api::new(&endpoint, key, &self.headers, self.timeout)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            key: None,
            endpoint: None,
            version: DEFAULT_VERSION.to_owned(),
            headers: Vec::new(),
            timeout: Duration::from_secs(600),
        }
    }
}

fn set(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

const DEFAULT_BASE_URL: &str = "https://api.anthropic.com";

const DEFAULT_VERSION: &str = "2026-10-21";
