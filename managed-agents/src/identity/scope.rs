//! Which tools an agent may use.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::passport::check_text;

/// Which tools a passport is for: all, or those of a list, by name.
///
/// # Examples
///
/// ```
/// use managed_agents::identity::Scope;
/// let reading = Scope::tools(["lookup", "search"]);
/// assert!(reading.is_within(&Scope::All) && !Scope::All.is_within(&reading));
/// assert!(reading.contains("search") && !reading.contains("refund"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a third kind would be a new format")]
pub enum Scope {
    /// Every tool. What else limits the agent, limits it.
    All,
    /// These tools and no other; an empty set is nothing.
    Tools(BTreeSet<String>),
}

impl Scope {
    /// The tools of these names.
    #[must_use]
    pub fn tools<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Self {
        Self::Tools(names.into_iter().map(Into::into).collect())
    }

    /// Whether the tool is in it.
    #[must_use]
    pub fn contains(&self, tool: &str) -> bool {
        match self {
            Self::All => true,
            Self::Tools(names) => names.contains(tool),
        }
    }

    /// Whether it allows nothing that `other` does not allow.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::All) => true,
            (Self::All, Self::Tools(_)) => false,
            (Self::Tools(names), Self::Tools(others)) => names.is_subset(others),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all tools"),
            Self::Tools(names) if names.is_empty() => f.write_str("no tool"),
            Self::Tools(names) => {
                for (at, name) in names.iter().enumerate() {
                    write!(f, "{}{name}", if at == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Tools(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Word(String),
            Names(BTreeSet<String>),
        }
        match Form::deserialize(deserializer)? {
            Form::Word(word) if word == "all" => Ok(Self::All),
            Form::Word(_) => Err(D::Error::custom("a scope is `all` or a list of tools")),
            Form::Names(names) => {
                for name in &names {
                    check_text("tool in a scope", name).map_err(D::Error::custom)?;
                }
                Ok(Self::Tools(names))
            }
        }
    }
}
