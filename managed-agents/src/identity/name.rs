//! Names of agents across installations (SPIFFE ID, version 1).

use std::fmt;
use std::sync::Arc;

use super::{IdentityError, PublicKey};
use crate::call::AgentId;

/// Under which name an authority vouches for its agents: 1 to 255 characters of `a-z 0-9 . - _` (SPIFFE ID, section 2.1).
///
/// # Examples
///
/// ```
/// use managed_agents::AgentId;
/// use managed_agents::identity::TrustDomain;
/// let domain = TrustDomain::parse("agents.example.com")?;
/// let agent = AgentId::parse("support-bot")?;
/// assert_eq!(domain.spiffe_id(&agent), "spiffe://agents.example.com/agent/support-bot");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TrustDomain(Arc<str>);

impl TrustDomain {
    /// Reads a trust domain.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] names the text that is none.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
        if (1..=255).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text.into()))
        } else {
            let shown: String = text.chars().take(80).collect();
            Err(IdentityError::input(format!(
                "trust domain `{}` is not 1 to 255 characters of a-z, 0-9, `.`, `-`, `_`",
                shown.escape_debug()
            )))
        }
    }

    /// The trust domain of an installation that was given none: named by the authority's key, so that no two are alike,
    /// below `internal`, which no public name server answers for.
    #[must_use]
    pub fn of_key(key: PublicKey) -> Self {
        let mut id = key.id().to_string();
        id.truncate(16);
        Self(format!("{id}.managed-agents.internal").into())
    }

    /// The domain as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The agent's name everywhere: `spiffe://<trust domain>/agent/<id>`.
    #[must_use]
    pub fn spiffe_id(&self, agent: &AgentId) -> String {
        format!("spiffe://{self}/agent/{agent}")
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}
