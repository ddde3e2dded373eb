//! Environments: where built-in tools run.

use serde::Deserialize;

use super::resource::resource;

resource! {
    /// An environment.
    pub struct Environment {
        id: String,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        config: Config,
    }
}

#[derive(Clone, Default, Deserialize)]
struct Config {
    #[serde(rename = "type", default)]
    kind: String,
}

/// Where built-in tools run.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EnvironmentKind {
    /// At Anthropic.
    Cloud,
    /// At a worker of one's own.
    SelfHosted,
    /// A kind that this version does not know.
    Unknown(String),
}

impl Environment {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.fields.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.fields.name.as_deref().unwrap_or_default()
    }

    /// Where built-in tools run.
    #[must_use]
    pub fn kind(&self) -> EnvironmentKind {
        match self.fields.config.kind.as_str() {
            "cloud" => EnvironmentKind::Cloud,
            "self_hosted" => EnvironmentKind::SelfHosted,
            other => EnvironmentKind::Unknown(other.to_owned()),
        }
    }
}
