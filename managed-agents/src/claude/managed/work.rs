//! Work of a self-hosted environment.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::resource::resource;
use crate::http::Secret;

resource! {
    /// A piece of work: a session whose tools are to be run.
    pub struct Work {
        id: String,
        environment_id: String,
        #[serde(default)]
        state: Option<String>,
        data: Data,
        #[serde(default)]
        secret: Option<String>,
    }
}

#[derive(Clone, Deserialize)]
struct Data {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    id: Option<String>,
}

/// How a piece of work stands.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum WorkState {
    /// Nobody has it.
    Queued,
    /// A worker has it and has not begun.
    Starting,
    /// A worker does it.
    Active,
    /// It is to end.
    Stopping,
    /// It has ended.
    Stopped,
    /// A state that this version does not know.
    Unknown(String),
}

impl WorkState {
    pub(in crate::claude) fn of(word: &str) -> Self {
        match word {
            "queued" => Self::Queued,
            "starting" => Self::Starting,
            "active" => Self::Active,
            "stopping" => Self::Stopping,
            "stopped" => Self::Stopped,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

impl Work {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.fields.id
    }

    /// The environment that it is for.
    #[must_use]
    pub fn environment(&self) -> &str {
        &self.fields.environment_id
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> WorkState {
        WorkState::of(self.fields.state.as_deref().unwrap_or_default())
    }

    /// The session, where it is one.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        (self.fields.data.kind == "session").then_some(())?;
        self.fields.data.id.as_deref()
    }

    /// The token for this piece of work alone.
    pub(in crate::claude) fn token(&self) -> Option<Secret> {
        #[derive(Deserialize)]
        struct Tokens {
            sessions_token: String,
        }
        let secret = self.fields.secret.as_deref()?.trim();
        let bytes = URL_SAFE
            .decode(secret)
            .or_else(|_| URL_SAFE_NO_PAD.decode(secret))
            .ok()?;
        let tokens: Tokens = serde_json::from_slice(&bytes).ok()?;
        Secret::parse(&tokens.sessions_token).ok()
    }
}
