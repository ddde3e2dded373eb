//! Which authorities are believed, and what they vouch for.

use super::delegation;
use super::passport::holds;
use super::{
    Certificate, IdentityError, IdentityErrorKind, KeyId, Moment, Passport, PublicKey, TrustDomain, VerifiedPassport,
};

/// The authorities of one trust domain that are believed: one root, and those that are vouched for by one of them.
///
/// # Examples
///
/// ```
/// use managed_agents::AgentId;
/// use managed_agents::identity::{Authority, Enrolment, Moment, Passport, Trust};
/// let now = Moment::now();
/// let authority = Authority::generate(None, now)?;
/// let issued = authority.issue(&Enrolment::new(AgentId::parse("support-bot")?), now)?;
///
/// // elsewhere, with nothing but the root and what the agent presents
/// let trust = Trust::root(authority.certificate())?;
/// let passport = Passport::parse(issued.passport().as_json())?;
/// let verified = trust.verify(&[passport])?;
/// verified.valid_at(now)?;
/// assert_eq!(verified.agent().as_str(), "support-bot");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Trust {
    trust_domain: TrustDomain,
    /// Each signed by one before it, or by itself if it is the first.
    pub(super) authorities: Vec<Certificate>,
}

impl Trust {
    /// Believes one authority, by its own certificate.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Untrusted`] when it is not the certificate of an authority signed by itself,
    /// [`IdentityErrorKind::Forged`] when the signature does not fit.
    pub fn root(certificate: &Certificate) -> Result<Self, IdentityError> {
        if !certificate.is_root() {
            return Err(untrusted(
                "the certificate is not that of an authority, signed by itself",
            ));
        }
        certificate.verify(certificate.key())?;
        Ok(Self {
            trust_domain: certificate.trust_domain().clone(),
            authorities: vec![certificate.clone()],
        })
    }

    /// Believes an authority, and all of the certificates that it vouches for, directly or not. Others are left out.
    pub(super) fn of_line(root: &Certificate, certificates: &[Certificate]) -> Result<Self, IdentityError> {
        let mut trust = Self::root(root)?;
        // each round can make the issuers of others trusted
        for _ in certificates {
            let before = trust.authorities.len();
            for other in certificates
                .iter()
                .filter(|one| !trust.authorities.contains(one))
                .collect::<Vec<_>>()
            {
                // refused where nothing vouches for it, which is what is wanted
                let _ = trust.add(other);
            }
            if trust.authorities.len() == before {
                break;
            }
        }
        Ok(trust)
    }

    /// Believes a further authority, which one of the believed vouches for: how an authority's key is replaced.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Untrusted`] when none vouches for it, [`IdentityErrorKind::Forged`] when the signature does not
    /// fit.
    pub fn add(&mut self, certificate: &Certificate) -> Result<(), IdentityError> {
        if !certificate.is_authority() || *certificate.trust_domain() != self.trust_domain {
            return Err(untrusted(
                "the certificate is not that of an authority of this trust domain",
            ));
        }
        certificate.verify(self.issuer(certificate.issuer())?)?;
        if !self.authorities.contains(certificate) {
            self.authorities.push(certificate.clone());
        }
        Ok(())
    }

    /// The certificates of the believed authorities, the root first.
    #[must_use]
    pub fn authorities(&self) -> &[Certificate] {
        &self.authorities
    }

    /// The trust domain.
    #[must_use]
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// The key of a believed authority.
    #[must_use]
    pub fn key(&self, id: KeyId) -> Option<PublicKey> {
        let mut keys = self.authorities.iter().map(Certificate::key);
        keys.find(|key| key.id() == id)
    }

    pub(super) fn issuer(&self, id: KeyId) -> Result<PublicKey, IdentityError> {
        self.key(id)
            .ok_or_else(|| untrusted(&format!("key {id} is not that of a trusted authority")))
    }

    /// Whether a believed authority with this key was valid during the whole of a time.
    pub(super) fn covers(&self, id: KeyId, begins: Moment, expires: Moment) -> bool {
        let mut authorities = self.authorities.iter().filter(|authority| authority.key().id() == id);
        authorities.any(|authority| authority.begins() <= begins && expires.seconds() <= authority.ends().seconds())
    }

    /// Checks an agent's certificate at a time.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Untrusted`], [`IdentityErrorKind::Forged`], [`IdentityErrorKind::NotYetValid`],
    /// [`IdentityErrorKind::Expired`].
    pub fn verify_certificate(&self, certificate: &Certificate, now: Moment) -> Result<(), IdentityError> {
        if certificate.is_authority() || *certificate.trust_domain() != self.trust_domain {
            return Err(untrusted(
                "the certificate is not that of an agent of this trust domain",
            ));
        }
        certificate.verify(self.issuer(certificate.issuer())?)?;
        // X.509 counts the last second in
        let past = Moment::from_seconds(certificate.ends().seconds() + 1);
        holds(now, certificate.begins(), past, || {
            format!("the certificate of {}", certificate.spiffe_id())
        })?;
        if !self.covers(certificate.issuer(), now, now) {
            return Err(untrusted("the authority's own certificate does not hold now"));
        }
        Ok(())
    }

    /// Checks the signatures of a passport and of those that it rests on: first the one that an authority signed, last the
    /// agent's own, which may be the same. Records of the past are checked so too: whether it holds at a given time,
    /// [`VerifiedPassport::valid_at`] says.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Untrusted`], [`IdentityErrorKind::Forged`], and [`IdentityErrorKind::Widened`] where an agent
    /// handed on more than it had.
    pub fn verify(&self, chain: &[Passport]) -> Result<VerifiedPassport, IdentityError> {
        let Some((first, rest)) = chain.split_first() else {
            return Err(IdentityError::malformed("there is no passport"));
        };
        if first.depth() != 0 || *first.trust_domain() != self.trust_domain {
            return Err(untrusted(
                "the first passport is not of an authority of this trust domain",
            ));
        }
        first.verify(self.issuer(first.signer())?)?;
        if !self.covers(first.signer(), first.begins(), first.expires()) {
            return Err(untrusted("the passport does not lie within the time of its authority"));
        }
        let mut parent = first;
        for child in rest {
            delegation::check(parent.body(), parent.id(), child.body())?;
            child.verify(parent.key())?;
            parent = child;
        }
        VerifiedPassport::new(chain.to_vec())
    }
}

impl Trust {
    /// Checks a passport that another agent signed, given that agent's own, which was checked before.
    pub(crate) fn verify_under(&self, parent: &Passport, child: &Passport) -> Result<(), IdentityError> {
        delegation::check(parent.body(), parent.id(), child.body())?;
        child.verify(parent.key())
    }
}

fn untrusted(why: &str) -> IdentityError {
    IdentityError::new(IdentityErrorKind::Untrusted, why)
}
