//! What an agent is: who answers for it, what it may use, until when.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::statement::{Body, Statement};
use super::{IdentityError, IdentityErrorKind, KeyId, Moment, PrivateKey, PublicKey, Scope, TrustDomain, encoding};
use crate::call::{AgentId, Digest};

/// How deep agents may hand on what they may do, at most.
pub(super) const MAX_DEPTH: u8 = 8;

/// Names a passport: `nmc-` and the first 32 hexadecimal digits of the SHA-256 of what is signed.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PassportId([u8; 16]);

impl PassportId {
    /// Reads an id.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Malformed`] when the text is none.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        text.strip_prefix("nmc-")
            .and_then(encoding::hex)
            .map(Self)
            .ok_or_else(|| IdentityError::malformed("a passport id is not `nmc-` and 32 hexadecimal digits"))
    }
}

impl fmt::Display for PassportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nmc-")?;
        encoding::write_hex(f, &self.0)
    }
}

impl fmt::Debug for PassportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A signed statement of what an agent is (format `ma-passport/1`): it never changes, and is replaced by a new one.
///
/// Whoever has read one with [`parse`](Self::parse) knows only what it says; [`Trust::verify`](super::Trust::verify) says
/// whether to believe it. Beside each passport that an authority signs stands an X.509 certificate of the same key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Passport(Statement<PassportBody>);

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PassportBody {
    pub(super) agent: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) archetype: Option<String>,
    pub(super) begins: Moment,
    pub(super) delegable: u8,
    pub(super) depth: u8,
    pub(super) expires: Moment,
    pub(super) issued: Moment,
    pub(super) key: PublicKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lineage: Option<PassportId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) organization: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<PassportId>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "digest_text")]
    pub(super) rules: Option<Digest>,
    pub(super) scope: Scope,
    pub(super) trust_domain: TrustDomain,
    pub(super) v: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) zone: Option<String>,
}

mod digest_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::call::Digest;
    use crate::identity::encoding;

    pub(super) fn serialize<S: Serializer>(digest: &Option<Digest>, serializer: S) -> Result<S::Ok, S::Error> {
        match digest {
            Some(digest) => serializer.collect_str(digest),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let bytes = encoding::hex(&text).ok_or_else(|| D::Error::custom("a digest is not 64 hexadecimal digits"))?;
        Ok(Some(Digest::new(bytes)))
    }
}

impl Body for PassportBody {
    const FORMAT: &'static str = "ma-passport/1";

    fn format(&self) -> &str {
        &self.v
    }

    fn check(&self) -> Result<(), IdentityError> {
        AgentId::parse(&self.agent).map_err(|error| IdentityError::input(error.to_string()))?;
        for (what, text) in [
            ("archetype", &self.archetype),
            ("organization", &self.organization),
            ("owner", &self.owner),
            ("zone", &self.zone),
        ] {
            if let Some(text) = text {
                check_text(what, text)?;
            }
        }
        if let Scope::Tools(names) = &self.scope {
            names.iter().try_for_each(|name| check_text("tool in a scope", name))?;
        }
        if self.expires <= self.begins || self.begins < self.issued {
            return Err(IdentityError::input(
                "a passport ends before it begins, or begins before it is issued",
            ));
        }
        if self.depth.saturating_add(self.delegable) > MAX_DEPTH {
            return Err(IdentityError::input(format!(
                "agents may hand on their rights {MAX_DEPTH} deep at most"
            )));
        }
        if self.parent.is_some() != (self.depth > 0) {
            return Err(IdentityError::malformed(
                "a passport names a parent and is not deeper, or is deeper and names none",
            ));
        }
        Ok(())
    }
}

/// Text that people read beside an agent's name: none of the characters that would show something else than is there.
pub(super) fn check_text(what: &str, text: &str) -> Result<(), IdentityError> {
    let misleads = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if text.is_empty() || text.len() > 256 || text.chars().any(misleads) {
        let shown: String = text.chars().take(40).collect();
        return Err(IdentityError::input(format!(
            "the {what} `{}` is empty, over 256 bytes, or holds control characters",
            shown.escape_default()
        )));
    }
    Ok(())
}

impl Passport {
    pub(super) fn sign(body: PassportBody, key: &PrivateKey) -> Result<Self, IdentityError> {
        Statement::sign(body, key).map(Self)
    }

    /// Reads a passport; [`Trust::verify`](super::Trust::verify) says whether to believe it.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Malformed`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        Statement::parse(text).map(Self)
    }

    pub(super) fn verify(&self, key: PublicKey) -> Result<(), IdentityError> {
        self.0.verify(key)
    }

    pub(super) fn body(&self) -> &PassportBody {
        self.0.body()
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> PassportId {
        let digest: [u8; 32] = Sha256::digest(self.0.signed().as_bytes()).into();
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(digest) {
            *to = from;
        }
        PassportId(id)
    }

    /// The agent's id.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.body().agent
    }

    /// The agent's key.
    #[must_use]
    pub fn key(&self) -> PublicKey {
        self.body().key
    }

    /// The key that it says it is signed by: an authority's, or that of the agent that handed on its rights.
    #[must_use]
    pub fn signer(&self) -> KeyId {
        self.0.key()
    }

    /// Under which name the authority vouches for it.
    #[must_use]
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.body().trust_domain
    }

    /// Who answers for the agent.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.body().owner.as_deref()
    }

    /// The organization that it works for.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.body().organization.as_deref()
    }

    /// What kind of agent it is, in the operator's words.
    #[must_use]
    pub fn archetype(&self) -> Option<&str> {
        self.body().archetype.as_deref()
    }

    /// Where it may act, in the operator's words.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.body().zone.as_deref()
    }

    /// Which tools it may use.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.body().scope
    }

    /// The rules that held when it was issued.
    #[must_use]
    pub fn rules(&self) -> Option<Digest> {
        self.body().rules
    }

    /// When it was signed.
    #[must_use]
    pub fn issued(&self) -> Moment {
        self.body().issued
    }

    /// From when it holds: when it was signed, or later for a renewal signed in advance.
    #[must_use]
    pub fn begins(&self) -> Moment {
        self.body().begins
    }

    /// From when it no longer holds.
    #[must_use]
    pub fn expires(&self) -> Moment {
        self.body().expires
    }

    /// How long it holds in all.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.expires().since(self.begins())
    }

    /// The passport that it replaces.
    #[must_use]
    pub fn lineage(&self) -> Option<PassportId> {
        self.body().lineage
    }

    /// The passport of the agent that handed on its rights.
    #[must_use]
    pub fn parent(&self) -> Option<PassportId> {
        self.body().parent
    }

    /// How many agents stand between it and the authority.
    #[must_use]
    pub fn depth(&self) -> u8 {
        self.body().depth
    }

    /// How many levels of sub-agents it may hand rights on to.
    #[must_use]
    pub fn delegable(&self) -> u8 {
        self.body().delegable
    }

    /// The whole passport as JSON in RFC 8785 form: `{"body":…,"key":…,"signature":…}`.
    #[must_use]
    pub fn as_json(&self) -> &str {
        self.0.text()
    }

    /// Exactly the bytes that the signature covers, for other programs that check it.
    #[must_use]
    pub fn signed_bytes(&self) -> &[u8] {
        self.0.signed().as_bytes()
    }

    /// Checks that it may take the place of `previous`: the same agent, vouched for in the same way, naming the previous one
    /// as its lineage. A registry that knows an agent by one passport accepts no other than such.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Unrelated`] says what differs.
    pub fn succeeds(&self, previous: &Self) -> Result<(), IdentityError> {
        let differs = if self.agent() != previous.agent() {
            "agent"
        } else if self.trust_domain() != previous.trust_domain() {
            "trust domain"
        } else if self.lineage() != Some(previous.id()) {
            "lineage"
        } else if self.depth() != previous.depth() {
            "depth"
        } else if self.begins() < previous.begins() {
            "beginning"
        } else {
            return Ok(());
        };
        Err(IdentityError::new(
            IdentityErrorKind::Unrelated,
            format!(
                "passport {} does not follow {}: its {differs} does not",
                self.id(),
                previous.id()
            ),
        ))
    }
}

/// A passport whose signatures were checked, up to an authority that is trusted.
#[derive(Clone, Debug)]
pub struct VerifiedPassport {
    /// From the one that an authority signed down to the agent's own.
    chain: Vec<Passport>,
    own: Passport,
    agent: AgentId,
}

impl VerifiedPassport {
    pub(super) fn new(chain: Vec<Passport>) -> Result<Self, IdentityError> {
        let Some(own) = chain.last().cloned() else {
            return Err(IdentityError::malformed("there is no passport"));
        };
        let agent = AgentId::parse(own.agent()).map_err(|error| IdentityError::malformed(error.to_string()))?;
        Ok(Self { chain, own, agent })
    }

    /// The agent.
    #[must_use]
    pub fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// The id of the agent's own passport.
    #[must_use]
    pub fn id(&self) -> PassportId {
        self.own.id()
    }

    /// The agent's own passport.
    #[must_use]
    pub fn passport(&self) -> &Passport {
        &self.own
    }

    /// All passports, from the one that an authority signed down to the agent's own.
    #[must_use]
    pub fn chain(&self) -> &[Passport] {
        &self.chain
    }

    /// Checks that all passports of the chain hold at a time.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::NotYetValid`] or [`IdentityErrorKind::Expired`].
    pub fn valid_at(&self, now: Moment) -> Result<(), IdentityError> {
        self.chain.iter().try_for_each(|passport| {
            holds(now, passport.begins(), passport.expires(), || {
                format!("passport {}", passport.id())
            })
        })
    }
}

pub(super) fn holds(
    now: Moment,
    begins: Moment,
    expires: Moment,
    what: impl Fn() -> String,
) -> Result<(), IdentityError> {
    if now < begins {
        Err(IdentityError::new(
            IdentityErrorKind::NotYetValid,
            format!("{} holds from {begins}; it is {now}", what()),
        ))
    } else if now >= expires {
        Err(IdentityError::new(
            IdentityErrorKind::Expired,
            format!("{} expired at {expires}; it is {now}", what()),
        ))
    } else {
        Ok(())
    }
}
