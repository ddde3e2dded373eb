//! The variables that say where and who; never how strictly.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use super::FILE_NAME;
use super::error::ConfigError;

pub(crate) const ENDPOINT: &str = "MANAGED_AGENTS_ENDPOINT";
pub(crate) const API_KEY: &str = "MANAGED_AGENTS_API_KEY";
const AGENT_ID: &str = "MANAGED_AGENTS_AGENT_ID";
const PLATFORM: &str = "MANAGED_AGENTS_PLATFORM";
const HOME: &str = "MANAGED_AGENTS_HOME";

/// What the environment says. `Debug` does not show the key.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    pub(crate) endpoint: Option<String>,
    pub(crate) api_key: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) platform: Option<String>,
    home: Option<PathBuf>,
}

impl Environment {
    /// Reads this process's variables.
    pub(crate) fn read() -> Result<Self, ConfigError> {
        Self::from(|name| std::env::var_os(name))
    }

    /// Reads the key to the service, and nothing else.
    pub(crate) fn only_the_key() -> Result<Self, ConfigError> {
        Self::from(|name| if name == API_KEY { std::env::var_os(name) } else { None })
    }

    fn from(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let filled = |name: &'static str| match variable(name) {
            // a service that is named by nothing would leave the engine to decide in its place: never taken as not set
            Some(value) if is_blank(&value) => Err(ConfigError::environment(name, "is set and empty")),
            value => Ok(value),
        };
        let text = |name: &'static str| match filled(name)? {
            Some(value) => value
                .into_string()
                .map(Some)
                .map_err(|_| ConfigError::environment(name, "is not UTF-8")),
            None => Ok(None),
        };
        Ok(Self {
            endpoint: text(ENDPOINT)?,
            api_key: text(API_KEY)?,
            agent: text(AGENT_ID)?,
            platform: text(PLATFORM)?,
            home: filled(HOME)?.map(PathBuf::from),
        })
    }

    /// The directory that `MANAGED_AGENTS_HOME` names.
    #[cfg(feature = "screen")]
    pub(crate) fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// The configuration file that applies, where there is one.
    pub(crate) fn config_file(&self) -> Result<Option<PathBuf>, ConfigError> {
        let places = [Some(Path::new("").to_owned()), self.home.clone()];
        for directory in places.into_iter().flatten() {
            let file = directory.join(FILE_NAME);
            match file.try_exists() {
                Ok(true) => return Ok(Some(file)),
                Ok(false) => {}
                Err(error) => return Err(ConfigError::unreadable(&file, error)),
            }
        }
        Ok(None)
    }
}

/// Nothing, or nothing but white space.
fn is_blank(value: &OsStr) -> bool {
    value.to_str().is_some_and(|text| text.trim().is_empty())
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("endpoint", &self.endpoint.as_ref().map(|_| ".."))
            .field("api_key", &self.api_key.as_ref().map(|_| ".."))
            .field("agent", &self.agent)
            .field("platform", &self.platform)
            .field("home", &self.home)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Result<Environment, ConfigError> {
        Environment::from(|name| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn only_where_and_who_are_read() {
        let read = environment(&[
            (AGENT_ID, "a"),
            (ENDPOINT, "https://x"),
            (API_KEY, "k"),
            (PLATFORM, "claude"),
            ("MANAGED_AGENTS_FAIL_OPEN", "true"),
        ])
        .unwrap();
        assert_eq!(read.agent.as_deref(), Some("a"));
        assert_eq!(read.endpoint.as_deref(), Some("https://x"));
        assert_eq!(read.api_key.as_deref(), Some("k"));
        assert_eq!(read.platform.as_deref(), Some("claude"));
    }

    #[test]
    fn a_variable_that_is_set_and_empty_is_an_error_and_not_a_default() {
        for name in [ENDPOINT, API_KEY, AGENT_ID, PLATFORM, HOME] {
            for blank in ["", " ", "\t\n"] {
                let error = environment(&[(name, blank)]).unwrap_err();
                assert_eq!(error.to_string(), format!("environment: `{name}` is set and empty"));
            }
        }
    }

    #[test]
    fn the_key_is_never_printed() {
        let read = environment(&[(API_KEY, "canary-4f9c"), (ENDPOINT, "https://user:canary@x")]);
        assert!(!format!("{read:?}").contains("canary"));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_is_not_text_is_refused_without_being_repeated() {
        use std::os::unix::ffi::OsStringExt as _;
        let error = Environment::from(|name| (name == API_KEY).then(|| OsString::from_vec(b"canary\xff".to_vec())))
            .unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
