//! The id of an agent.

use std::fmt;
use std::sync::Arc;

/// The id of an agent: 1 to 63 characters of `a-z 0-9 . _ -`, the first a letter or digit.
///
/// # Examples
///
/// ```
/// use managed_agents::AgentId;
/// assert_eq!(AgentId::parse("support-bot")?.as_str(), "support-bot");
/// assert!(AgentId::parse("Support Bot").is_err());
/// # Ok::<_, managed_agents::AgentIdError>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AgentId(Arc<str>);

impl AgentId {
    /// Reads an agent id.
    ///
    /// # Errors
    ///
    /// [`AgentIdError`] names the text that is none.
    pub fn parse(text: &str) -> Result<Self, AgentIdError> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let ok =
            text.len() <= 63 && text.starts_with(fits) && text.chars().all(|c| fits(c) || matches!(c, '.' | '_' | '-'));
        if ok {
            Ok(Self(text.into()))
        } else {
            Err(AgentIdError(text.chars().take(80).collect()))
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The names of those that an agent can act for, nearest first: what stands before each dot of its own.
pub(crate) fn above(agent: &str) -> impl Iterator<Item = &str> {
    agent
        .char_indices()
        .rev()
        .filter(|(_, letter)| *letter == '.')
        .filter_map(|(at, _)| agent.get(..at))
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// A text is no agent id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgentIdError(String);

impl fmt::Display for AgentIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "agent id `{}` is not 1 to 63 characters of a-z, 0-9, `.`, `_`, `-`, beginning with a letter or digit",
            self.0.escape_debug()
        )
    }
}

impl std::error::Error for AgentIdError {}
