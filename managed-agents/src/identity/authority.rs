//! The authority: who gives agents their identities.

use std::fmt;
use std::time::Duration;

use super::certificate::{SKEW, serial};
use super::passport::{PassportBody, holds};
use super::profile::{Holder, Profile};
use super::statement::Body as _;
use super::{
    AgentState, Certificate, IdentityError, IdentityErrorKind, Moment, Passport, PassportId, PrivateKey, PublicKey,
    Scope, StateStatement, Trust, TrustDomain, VerifiedPassport,
};
use crate::call::{AgentId, Digest};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long a passport holds, unless said otherwise: 24 hours.
///
/// What stops an agent at once is its state, which every decision checks, so the lifetime only bounds what a copied key is
/// worth to those who see certificates and never the log. A day is the longest that SPIFFE installations commonly use, and long
/// enough for a machine that sleeps at night to renew (which is done from the half of it on) before it is refused.
pub const LIFETIME: Duration = DAY;
/// No passport holds longer: 90 days.
pub const MAX_LIFETIME: Duration = Duration::from_secs(90 * 24 * 3600);
/// How long an authority's own certificate holds: ten years.
const AUTHORITY_LIFETIME: Duration = Duration::from_secs(3652 * 24 * 3600);

/// What an authority is asked to vouch for.
#[derive(Clone, Debug)]
pub struct Enrolment {
    agent: AgentId,
    owner: Option<String>,
    organization: Option<String>,
    archetype: Option<String>,
    zone: Option<String>,
    scope: Scope,
    rules: Option<Digest>,
    lifetime: Duration,
    delegable: u8,
}

impl Enrolment {
    /// An agent with every tool in its scope, for [`LIFETIME`], that may hand nothing on.
    #[must_use]
    pub fn new(agent: AgentId) -> Self {
        Self {
            agent,
            owner: None,
            organization: None,
            archetype: None,
            zone: None,
            scope: Scope::All,
            rules: None,
            lifetime: LIFETIME,
            delegable: 0,
        }
    }

    /// The agent.
    #[must_use]
    pub fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// Who answers for the agent.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// The organization that it works for.
    #[must_use]
    pub fn organization(mut self, organization: impl Into<String>) -> Self {
        self.organization = Some(organization.into());
        self
    }

    /// What kind of agent it is.
    #[must_use]
    pub fn archetype(mut self, archetype: impl Into<String>) -> Self {
        self.archetype = Some(archetype.into());
        self
    }

    /// Where it may act.
    #[must_use]
    pub fn zone(mut self, zone: impl Into<String>) -> Self {
        self.zone = Some(zone.into());
        self
    }

    /// Which tools it may use.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// The rules that hold when it is issued.
    #[must_use]
    pub fn rules(mut self, rules: Digest) -> Self {
        self.rules = Some(rules);
        self
    }

    /// How long the passport holds; [`MAX_LIFETIME`] at most.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// How many levels of sub-agents it may hand rights on to; 8 at most.
    #[must_use]
    pub fn delegable(mut self, levels: u8) -> Self {
        self.delegable = levels;
        self
    }
}

/// An agent's new identity.
#[derive(Debug)]
pub struct Issued {
    passport: Passport,
    certificate: Certificate,
    key: PrivateKey,
}

impl Issued {
    /// The passport.
    #[must_use]
    pub fn passport(&self) -> &Passport {
        &self.passport
    }

    /// The X.509 certificate for the same key.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The agent's private key.
    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }
}

/// A passport and the certificate beside it, for a key whose private half is elsewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Credential {
    pub(super) passport: Passport,
    pub(super) certificate: Certificate,
}

impl Credential {
    /// The passport.
    #[must_use]
    pub fn passport(&self) -> &Passport {
        &self.passport
    }

    /// The X.509 certificate for the same key.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

/// An Ed25519 certificate authority for the agents of one trust domain. `Debug` shows no private key.
///
/// Where a method takes `now`, give the later of the clock and the time of the log's last entry: a clock that was set back
/// then neither stops the authority nor lets it sign into the past.
///
/// # Examples
///
/// ```
/// use managed_agents::AgentId;
/// use managed_agents::identity::{AgentState, Authority, Enrolment, Moment, TrustDomain};
/// let now = Moment::now();
/// let authority = Authority::generate(Some(TrustDomain::parse("agents.example.com")?), now)?;
/// let issued = authority.issue(&Enrolment::new(AgentId::parse("support-bot")?).owner("ann@example.com"), now)?;
/// assert_eq!(issued.certificate().spiffe_id(), "spiffe://agents.example.com/agent/support-bot");
///
/// let verified = authority.trust().verify(&[issued.passport().clone()])?;
/// let revoked = authority.state(&verified, AgentState::Revoked, "left_the_company", None, now)?;
/// revoked.verify(authority.trust(), &verified)?;
/// assert!(authority.renew(&verified, revoked.state(), now).is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Authority {
    pub(super) key: PrivateKey,
    pub(super) certificate: Certificate,
    pub(super) trust: Trust,
}

impl Authority {
    /// A new authority with a key of its own, for a trust domain, or for [one named by the key](TrustDomain::of_key).
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::NoEntropy`] when the operating system gives no random bytes.
    pub fn generate(trust_domain: Option<TrustDomain>, now: Moment) -> Result<Self, IdentityError> {
        Self::with_key(PrivateKey::generate()?, trust_domain, now)
    }

    /// A new authority with a key that there is already.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::NoEntropy`] when the operating system gives no random bytes.
    pub fn with_key(key: PrivateKey, trust_domain: Option<TrustDomain>, now: Moment) -> Result<Self, IdentityError> {
        let trust_domain = trust_domain.unwrap_or_else(|| TrustDomain::of_key(key.public()));
        let certificate = sign_authority(&key, key.public(), &trust_domain, now, now.after(AUTHORITY_LIFETIME))?;
        Self::from_parts(key, &[certificate])
    }

    /// An authority from its key and the certificates that were kept with it: its own, and those of the authorities before
    /// and after it, in any order.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Untrusted`] when none of the certificates is its own.
    pub fn from_parts(key: PrivateKey, certificates: &[Certificate]) -> Result<Self, IdentityError> {
        let own = certificates
            .iter()
            .find(|one| one.is_root() && one.key() == key.public());
        let Some(certificate) = own else {
            return Err(IdentityError::new(
                IdentityErrorKind::Untrusted,
                format!(
                    "none of the certificates is that of the authority with key {}",
                    key.public().id()
                ),
            ));
        };
        let trust = Trust::of_line(certificate, certificates)?;
        Ok(Self {
            key,
            certificate: certificate.clone(),
            trust,
        })
    }

    /// Its own certificate, signed by itself: what others need to believe it.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The authorities of its line: itself, and those before it that it vouches for.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Its trust domain.
    #[must_use]
    pub fn trust_domain(&self) -> &TrustDomain {
        self.certificate.trust_domain()
    }

    /// Its private key.
    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// A new identity with a fresh key.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Input`] names what cannot be in a passport, [`IdentityErrorKind::Expired`] says that the authority
    /// itself no longer holds.
    pub fn issue(&self, enrolment: &Enrolment, now: Moment) -> Result<Issued, IdentityError> {
        let key = PrivateKey::generate()?;
        let Credential { passport, certificate } = self.issue_for(enrolment, key.public(), now)?;
        Ok(Issued {
            passport,
            certificate,
            key,
        })
    }

    /// A new identity for a key whose private half never left the agent's process.
    ///
    /// # Errors
    ///
    /// As [`issue`](Self::issue).
    pub fn issue_for(&self, enrolment: &Enrolment, key: PublicKey, now: Moment) -> Result<Credential, IdentityError> {
        self.enrol(enrolment, key, None, now)
    }

    /// A new passport in place of `previous`, with everything that is enrolled now: how an agent gets other rights.
    ///
    /// # Errors
    ///
    /// As [`renew`](Self::renew) and [`issue`](Self::issue); [`IdentityErrorKind::Unrelated`] when it is another agent's.
    pub fn reissue(
        &self,
        previous: &VerifiedPassport,
        state: AgentState,
        enrolment: &Enrolment,
        key: PublicKey,
        now: Moment,
    ) -> Result<Credential, IdentityError> {
        self.may_renew(previous, state)?;
        if *previous.agent() != enrolment.agent {
            return Err(IdentityError::new(
                IdentityErrorKind::Unrelated,
                format!(
                    "a passport of `{}` cannot follow one of `{}`",
                    enrolment.agent,
                    previous.agent()
                ),
            ));
        }
        self.enrol(enrolment, key, Some(previous.id()), now)
    }

    /// A new passport in place of one that ends, for the same key and with the same rights, as long as that one held. `state`
    /// is the agent's state now; one that is suspended stays so.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Revoked`] when it is revoked, [`IdentityErrorKind::Untrusted`] when another authority or an agent
    /// gave it.
    pub fn renew(
        &self,
        previous: &VerifiedPassport,
        state: AgentState,
        now: Moment,
    ) -> Result<Credential, IdentityError> {
        self.may_renew(previous, state)?;
        let begins = now.max(previous.passport().begins());
        self.next(
            previous.passport(),
            begins,
            begins.after(previous.passport().lifetime()),
            begins,
        )
    }

    pub(super) fn may_renew(&self, previous: &VerifiedPassport, state: AgentState) -> Result<(), IdentityError> {
        if state == AgentState::Revoked {
            return Err(IdentityError::new(
                IdentityErrorKind::Revoked,
                format!("agent `{}` is revoked, for good", previous.agent()),
            ));
        }
        // who made it verified may have believed others
        self.trust.verify(previous.chain())?;
        if previous.passport().depth() != 0 {
            return Err(IdentityError::new(
                IdentityErrorKind::Untrusted,
                format!(
                    "the passport of `{}` is for the agent to renew that gave it",
                    previous.agent()
                ),
            ));
        }
        Ok(())
    }

    /// The passport after one of the same rights.
    pub(super) fn next(
        &self,
        previous: &Passport,
        begins: Moment,
        expires: Moment,
        now: Moment,
    ) -> Result<Credential, IdentityError> {
        let mut body = previous.body().clone();
        (body.begins, body.expires, body.issued) = (begins, expires, now);
        body.lineage = Some(previous.id());
        self.sign(body)
    }

    fn enrol(
        &self,
        enrolment: &Enrolment,
        key: PublicKey,
        lineage: Option<PassportId>,
        now: Moment,
    ) -> Result<Credential, IdentityError> {
        if enrolment.lifetime > MAX_LIFETIME {
            return Err(IdentityError::input("a passport holds 90 days at most"));
        }
        self.sign(PassportBody {
            agent: enrolment.agent.to_string(),
            archetype: enrolment.archetype.clone(),
            begins: now,
            delegable: enrolment.delegable,
            depth: 0,
            expires: now.after(enrolment.lifetime),
            issued: now,
            key,
            lineage,
            organization: enrolment.organization.clone(),
            owner: enrolment.owner.clone(),
            parent: None,
            rules: enrolment.rules,
            scope: enrolment.scope.clone(),
            trust_domain: self.trust_domain().clone(),
            v: PassportBody::FORMAT.to_owned(),
            zone: enrolment.zone.clone(),
        })
    }

    fn sign(&self, mut body: PassportBody) -> Result<Credential, IdentityError> {
        let own = &self.certificate;
        holds(body.issued, own.begins(), own.ends(), || {
            "the authority's certificate".to_owned()
        })?;
        body.expires = body.expires.min(own.ends());
        let passport = Passport::sign(body, &self.key)?;
        let certificate = self.certify(&passport)?;
        Ok(Credential { passport, certificate })
    }

    /// The X.509 certificate that stands beside a passport.
    fn certify(&self, passport: &Passport) -> Result<Certificate, IdentityError> {
        let agent = AgentId::parse(passport.agent()).map_err(|error| IdentityError::input(error.to_string()))?;
        // the last second that it names is counted in
        let ends = Moment::from_seconds((passport.expires().seconds() - 1).max(passport.begins().seconds()));
        let profile = Profile {
            serial: serial()?,
            issuer: self.key.public().id(),
            begins: passport.begins().before(SKEW),
            ends,
            key: passport.key(),
            trust_domain: self.trust_domain().clone(),
            holder: Holder::Agent(agent, passport.id()),
        };
        Ok(Certificate::sign(profile, &self.key))
    }

    /// The X.509 certificate of a sub-agent, whose passport another agent signed. Programs that know only X.509 see nothing of
    /// the chain.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Untrusted`] when the chain does not begin here, and as [`VerifiedPassport::valid_at`].
    pub fn certify_sub_agent(&self, verified: &VerifiedPassport, now: Moment) -> Result<Certificate, IdentityError> {
        let again = self.trust.verify(verified.chain())?;
        again.valid_at(now)?;
        self.certify(again.passport())
    }

    /// States that an agent is in a state; `previous` is its last statement, `reason` a code of your own in snake case.
    ///
    /// # Errors
    ///
    /// As [`StateStatement::sign`].
    pub fn state(
        &self,
        passport: &VerifiedPassport,
        state: AgentState,
        reason: &str,
        previous: Option<&StateStatement>,
        now: Moment,
    ) -> Result<StateStatement, IdentityError> {
        StateStatement::sign(&self.key, passport, state, reason, previous, now)
    }

    /// Replaces the authority's key. The old authority vouches for the new one, for those who know the old; the new one
    /// vouches for the old for as long as what that signed can hold. If the old key may be in other hands, see
    /// [`Rotation::distrusting_old`].
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::NoEntropy`] when the operating system gives no random bytes.
    pub fn rotate(&self, now: Moment) -> Result<Rotation, IdentityError> {
        let mut next = Self::generate(Some(self.trust_domain().clone()), now)?;
        let (old, new) = (&self.certificate, next.certificate.clone());
        let ends = new.ends().min(old.ends());
        let forward = sign_authority(&self.key, new.key(), self.trust_domain(), now, ends)?;
        // a passport of the last day of a mandate ends twice that time from now
        let until = old.ends().min(now.after(2 * MAX_LIFETIME));
        let back = sign_authority_from(&next.key, old.key(), self.trust_domain(), old.begins(), until)?;
        // what was vouched for before stays so
        let mut all = vec![new, back.clone(), forward.clone()];
        all.extend(self.trust.authorities.iter().cloned());
        next = Self::from_parts(next.key, &all)?;
        Ok(Rotation {
            authority: next,
            forward,
            back: Some(back),
        })
    }
}

fn sign_authority(
    signer: &PrivateKey,
    key: PublicKey,
    trust_domain: &TrustDomain,
    now: Moment,
    ends: Moment,
) -> Result<Certificate, IdentityError> {
    sign_authority_from(signer, key, trust_domain, now.before(SKEW), ends)
}

fn sign_authority_from(
    signer: &PrivateKey,
    key: PublicKey,
    trust_domain: &TrustDomain,
    begins: Moment,
    ends: Moment,
) -> Result<Certificate, IdentityError> {
    let profile = Profile {
        serial: serial()?,
        issuer: signer.public().id(),
        begins,
        ends,
        key,
        trust_domain: trust_domain.clone(),
        holder: Holder::Authority,
    };
    Ok(Certificate::sign(profile, signer))
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

/// An authority's key was replaced.
#[derive(Clone, Debug)]
pub struct Rotation {
    authority: Authority,
    forward: Certificate,
    back: Option<Certificate>,
}

impl Rotation {
    /// Believes nothing any more that the old key signs or signed, since others may have it: every agent needs a new passport.
    /// Nor should those who knew the old authority be given [`forward`](Self::forward), but the new authority's own
    /// certificate, on another way.
    ///
    /// # Errors
    ///
    /// As [`Trust::root`].
    pub fn distrusting_old(mut self) -> Result<Self, IdentityError> {
        self.authority.trust = Trust::root(&self.authority.certificate)?;
        self.back = None;
        Ok(self)
    }

    /// The new authority, which also believes what the old one signed.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The new key's certificate, signed by the old: for those who know the old authority.
    #[must_use]
    pub fn forward(&self) -> &Certificate {
        &self.forward
    }

    /// The old key's certificate, signed by the new: for those who know the new authority only.
    #[must_use]
    pub fn back(&self) -> Option<&Certificate> {
        self.back.as_ref()
    }
}
