//! An agent hands some of its rights on to a sub-agent: never more than it has.

use std::time::Duration;

use super::passport::{Passport, PassportBody, VerifiedPassport};
use super::statement::Body as _;
use super::{IdentityError, IdentityErrorKind, Moment, PassportId, PrivateKey, PublicKey, Scope};

/// What an agent hands on to a sub-agent.
///
/// The sub-agent's name begins with the agent's own and a dot, so that no agent can make one that passes for another's.
/// Owner, organization, zone and rules are the agent's.
///
/// # Examples
///
/// ```
/// use managed_agents::AgentId;
/// use managed_agents::identity::{Authority, Delegation, Enrolment, Moment, PrivateKey, Scope};
/// let now = Moment::now();
/// let authority = Authority::generate(None, now)?;
/// let enrolment = Enrolment::new(AgentId::parse("support-bot")?).scope(Scope::tools(["lookup", "refund"])).delegable(1);
/// let issued = authority.issue(&enrolment, now)?;
///
/// let verified = authority.trust().verify(&[issued.passport().clone()])?;
/// let sub_key = PrivateKey::generate()?;
/// let delegation = Delegation::new("reader", sub_key.public()).scope(Scope::tools(["lookup"]));
/// let passport = verified.delegate(issued.key(), &delegation, now)?;
/// assert_eq!(passport.agent(), "support-bot.reader");
/// let verified = authority.trust().verify(&[issued.passport().clone(), passport])?;
/// assert!(!verified.passport().scope().contains("refund"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Delegation {
    name: String,
    key: PublicKey,
    archetype: Option<String>,
    scope: Option<Scope>,
    lifetime: Option<Duration>,
    delegable: u8,
    lineage: Option<PassportId>,
}

impl Delegation {
    /// Hands everything on for as long as the agent's own passport holds, to the holder of a key, who may hand nothing on.
    /// `name` is what follows the agent's own name and a dot.
    #[must_use]
    pub fn new(name: impl Into<String>, key: PublicKey) -> Self {
        Self {
            name: name.into(),
            key,
            archetype: None,
            scope: None,
            lifetime: None,
            delegable: 0,
            lineage: None,
        }
    }

    /// Only these tools.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Only for so long.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// What kind of agent it is.
    #[must_use]
    pub fn archetype(mut self, archetype: impl Into<String>) -> Self {
        self.archetype = Some(archetype.into());
        self
    }

    /// How many levels of sub-agents it may hand rights on to.
    #[must_use]
    pub fn delegable(mut self, levels: u8) -> Self {
        self.delegable = levels;
        self
    }

    /// The sub-agent's passport before this one.
    #[must_use]
    pub fn succeeding(mut self, previous: &Passport) -> Self {
        self.lineage = Some(previous.id());
        self
    }
}

impl VerifiedPassport {
    /// Hands rights on to a sub-agent, signed with this agent's own key.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Widened`] when it is more than the agent has, [`IdentityErrorKind::Expired`] when the agent's own
    /// passport does not hold now, [`IdentityErrorKind::Input`] for a name or text that cannot be used, and when the key is
    /// not the agent's.
    pub fn delegate(&self, key: &PrivateKey, delegation: &Delegation, now: Moment) -> Result<Passport, IdentityError> {
        let own = self.passport();
        if key.public() != own.key() {
            return Err(IdentityError::input(format!(
                "the key is not that of agent `{}`",
                own.agent()
            )));
        }
        self.valid_at(now)?;
        let parent = own.body();
        let body = PassportBody {
            agent: format!("{}.{}", parent.agent, delegation.name),
            archetype: delegation.archetype.clone(),
            begins: now,
            delegable: delegation.delegable,
            depth: parent.depth.saturating_add(1),
            expires: delegation
                .lifetime
                .map_or(parent.expires, |lifetime| now.after(lifetime).min(parent.expires)),
            issued: now,
            key: delegation.key,
            lineage: delegation.lineage,
            parent: Some(own.id()),
            scope: delegation.scope.clone().unwrap_or_else(|| parent.scope.clone()),
            trust_domain: parent.trust_domain.clone(),
            v: PassportBody::FORMAT.to_owned(),
            owner: parent.owner.clone(),
            organization: parent.organization.clone(),
            rules: parent.rules,
            zone: parent.zone.clone(),
        };
        check(parent, own.id(), &body)?;
        Passport::sign(body, key)
    }
}

/// Whether a sub-agent's passport gives nothing that the agent's own does not.
pub(super) fn check(parent: &PassportBody, parent_id: PassportId, child: &PassportBody) -> Result<(), IdentityError> {
    let named = child
        .agent
        .strip_prefix(&parent.agent)
        .is_some_and(|rest| rest.starts_with('.'));
    let wider = if child.parent != Some(parent_id) {
        "it names another passport as the one that it rests on"
    } else if !named {
        "its name does not begin with the agent's own and a dot"
    } else if parent.delegable == 0
        || child.delegable >= parent.delegable
        || child.depth != parent.depth.saturating_add(1)
    {
        "it is deeper than the agent may hand rights on"
    } else if !child.scope.is_within(&parent.scope) {
        "it has tools that the agent does not have"
    } else if child.begins < parent.begins || child.expires > parent.expires {
        "it holds when the agent's own does not"
    } else if child.key == parent.key {
        "it has the agent's own key"
    } else if child.trust_domain != parent.trust_domain {
        "it has another trust domain"
    } else if (&child.owner, &child.organization, &child.zone, child.rules)
        != (&parent.owner, &parent.organization, &parent.zone, parent.rules)
    {
        "it has another owner, organization, zone or rules"
    } else {
        return Ok(());
    };
    Err(IdentityError::new(
        IdentityErrorKind::Widened,
        format!(
            "agent `{}` cannot hand its rights on to `{}`: {wider}",
            parent.agent, child.agent
        ),
    ))
}
