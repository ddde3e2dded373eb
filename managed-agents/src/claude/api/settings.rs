//! Where the API is, and how it is asked.

use std::env;
use std::time::Duration;

use super::{Api, ApiError, Key};
use crate::http::{Endpoint, Secret};

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
