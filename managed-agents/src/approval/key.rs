//! The keys of people who approve.

use std::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// An approver's private key (Ed25519, RFC 8032). `Debug` shows the public half only.
///
/// An agent that can read it can approve itself: keep it out of the agent's process wherever approvals are meant to stop
/// the agent, and see `SECURITY.md`.
///
/// # Examples
///
/// ```
/// use managed_agents::approval::ApproverKey;
/// let key = ApproverKey::generate()?;
/// let same = ApproverKey::from_bytes(&key.reveal());
/// assert_eq!(key.public(), same.public());
/// # Ok::<_, managed_agents::approval::ApproverKeyError>(())
/// ```
#[derive(Clone)]
pub struct ApproverKey(SigningKey);

impl ApproverKey {
    /// A fresh key.
    ///
    /// # Errors
    ///
    /// [`ApproverKeyError`] when the operating system gives no random bytes.
    pub fn generate() -> Result<Self, ApproverKeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| ApproverKeyError("the operating system gave no random bytes"))?;
        Ok(Self::from_bytes(&seed))
    }

    /// The key of a 32-byte seed.
    #[must_use]
    pub fn from_bytes(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The 32-byte seed: the secret itself.
    #[must_use]
    pub fn reveal(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half, which is enrolled.
    #[must_use]
    pub fn public(&self) -> ApproverPublicKey {
        ApproverPublicKey(self.0.verifying_key())
    }

    pub(super) fn sign(&self, statement: &[u8]) -> Signature {
        self.0.sign(statement)
    }
}

impl fmt::Debug for ApproverKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApproverKey({})", self.public())
    }
}

/// The public half of an approver's key; printed as 64 hexadecimal digits.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct ApproverPublicKey(VerifyingKey);

impl ApproverPublicKey {
    /// Reads the 32 bytes of a public key.
    ///
    /// # Errors
    ///
    /// [`ApproverKeyError`] when they are no point of the curve.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, ApproverKeyError> {
        VerifyingKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| ApproverKeyError("the bytes are no Ed25519 public key"))
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    pub(super) fn verifies(&self, statement: &[u8], signature: &Signature) -> bool {
        self.0.verify_strict(statement, signature).is_ok()
    }
}

impl fmt::Display for ApproverPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ApproverPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApproverPublicKey({self})")
    }
}

/// A key cannot be made or read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ApproverKeyError(&'static str);

impl ApproverKeyError {
    #[cfg(feature = "sqlite")]
    pub(super) fn unusable() -> Self {
        Self("the key is one for which anyone can sign")
    }
}
