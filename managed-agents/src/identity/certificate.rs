//! X.509 certificates of authorities and agents.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::profile::{Holder, Profile};
use super::{
    IdentityError, IdentityErrorKind, KeyId, Moment, PassportId, PrivateKey, PublicKey, TrustDomain, encoding,
};
use crate::call::{AgentId, Digest};

const LABEL: &str = "CERTIFICATE";
/// How much earlier than its passport a certificate begins, for hosts whose clocks are behind.
pub(super) const SKEW: Duration = Duration::from_secs(60);

/// An X.509 certificate (RFC 5280) of an authority, or of an agent in the form of a SPIFFE X.509-SVID: Ed25519, exactly one
/// URI name, `spiffe://<trust domain>/agent/<id>`, for signing only.
///
/// Read strictly: a certificate is accepted when it is, byte for byte, what would be written for what it says.
#[derive(Clone, Eq, PartialEq)]
pub struct Certificate(Arc<Inner>);

#[derive(Eq, PartialEq)]
struct Inner {
    profile: Profile,
    signature: [u8; 64],
    der: Vec<u8>,
}

impl Certificate {
    pub(super) fn sign(mut profile: Profile, key: &PrivateKey) -> Self {
        // certificates know whole seconds
        profile.begins = Moment::from_seconds(profile.begins.seconds());
        profile.ends = Moment::from_seconds(profile.ends.seconds());
        let signature = key.sign(&profile.to_be_signed());
        let der = profile.certificate(&signature);
        Self(Arc::new(Inner {
            profile,
            signature,
            der,
        }))
    }

    /// Reads the DER of a certificate; [`Trust`](super::Trust) says whether to believe it.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Malformed`] when it is none, or not of the form that this library writes.
    pub fn from_der(bytes: &[u8]) -> Result<Self, IdentityError> {
        let (profile, signature) = Profile::read(bytes)
            .ok_or_else(|| IdentityError::malformed("it is no certificate of the form that this library issues"))?;
        Ok(Self(Arc::new(Inner {
            profile,
            signature,
            der: bytes.to_vec(),
        })))
    }

    /// Reads all certificates of a PEM text, which may hold nothing else.
    ///
    /// # Errors
    ///
    /// As [`from_der`](Self::from_der).
    pub fn from_pem(text: &str) -> Result<Vec<Self>, IdentityError> {
        let blocks = encoding::from_pem(LABEL, text)
            .ok_or_else(|| IdentityError::malformed("the text is no PEM of certificates"))?;
        blocks.iter().map(|der| Self::from_der(der)).collect()
    }

    /// As PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        encoding::pem(LABEL, &self.0.der).to_string()
    }

    /// As DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    pub(super) fn verify(&self, issuer: PublicKey) -> Result<(), IdentityError> {
        if issuer.id() != self.issuer() {
            return Err(IdentityError::new(
                IdentityErrorKind::Untrusted,
                format!(
                    "the certificate is signed by key {}, not by {}",
                    self.issuer(),
                    issuer.id()
                ),
            ));
        }
        issuer.verify(&self.0.profile.to_be_signed(), &self.0.signature)
    }

    /// SHA-256 of the DER: names the certificate in records.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::new(Sha256::digest(&self.0.der).into())
    }

    /// The key that it is for.
    #[must_use]
    pub fn key(&self) -> PublicKey {
        self.0.profile.key
    }

    /// The key that it says it is signed by.
    #[must_use]
    pub fn issuer(&self) -> KeyId {
        self.0.profile.issuer
    }

    /// Under which name the authority vouches.
    #[must_use]
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.0.profile.trust_domain
    }

    /// Its URI name: `spiffe://<trust domain>/agent/<id>`, or for an authority `spiffe://<trust domain>`.
    #[must_use]
    pub fn spiffe_id(&self) -> String {
        match self.agent() {
            Some(agent) => self.trust_domain().spiffe_id(agent),
            None => format!("spiffe://{}", self.trust_domain()),
        }
    }

    /// The agent; none in the certificate of an authority.
    #[must_use]
    pub fn agent(&self) -> Option<&AgentId> {
        match &self.0.profile.holder {
            Holder::Authority => None,
            Holder::Agent(agent, _) => Some(agent),
        }
    }

    /// The agent's passport, which stands as serial number in the certificate's subject.
    #[must_use]
    pub fn passport(&self) -> Option<PassportId> {
        match &self.0.profile.holder {
            Holder::Authority => None,
            Holder::Agent(_, passport) => Some(*passport),
        }
    }

    /// Whether it is an authority's.
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.agent().is_none()
    }

    /// Whether it is an authority's, and says that it is signed by the key that it is for.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.is_authority() && self.key().id() == self.issuer()
    }

    /// From when it holds.
    #[must_use]
    pub fn begins(&self) -> Moment {
        self.0.profile.begins
    }

    /// The last second in which it holds.
    #[must_use]
    pub fn ends(&self) -> Moment {
        self.0.profile.ends
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("spiffe_id", &self.spiffe_id())
            .field("begins", &self.begins())
            .field("ends", &self.ends())
            .field("issuer", &self.issuer())
            .finish()
    }
}

/// 126 random bits: positive, and 16 bytes long in its shortest form.
pub(super) fn serial() -> Result<[u8; 16], IdentityError> {
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(|_| IdentityError::no_entropy())?;
    // a sign bit of 0, and a first byte that is not 0
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    Ok(serial)
}
