//! Ed25519 keys (RFC 8032), and PKCS #8 (RFC 8410) for their files.

use std::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{IdentityError, IdentityErrorKind, encoding};

/// A private key of an authority, an agent or a log. Wiped from memory when dropped; `Debug` shows the public half only.
///
/// # Examples
///
/// ```
/// use managed_agents::identity::PrivateKey;
/// let key = PrivateKey::generate()?;
/// let same = PrivateKey::from_bytes(&key.reveal());
/// assert_eq!(key.public(), same.public());
/// # Ok::<_, managed_agents::identity::IdentityError>(())
/// ```
#[derive(Clone)]
pub struct PrivateKey(SigningKey);

/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, section 7).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const LABEL: &str = "PRIVATE KEY";

impl PrivateKey {
    /// A fresh key from the operating system's random bytes.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::NoEntropy`] when there are none.
    pub fn generate() -> Result<Self, IdentityError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).map_err(|_| IdentityError::no_entropy())?;
        Ok(Self::from_bytes(&seed))
    }

    /// The key of a 32-byte seed.
    #[must_use]
    pub fn from_bytes(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The 32-byte seed, which is the secret itself: wipe it after use.
    #[must_use]
    pub fn reveal(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// As PKCS #8 in PEM, which `openssl pkey` reads.
    pub(super) fn to_pem(&self) -> Zeroizing<String> {
        let mut der = Zeroizing::new([0; 48]);
        let seed = Zeroizing::new(self.reveal());
        for (to, from) in der.iter_mut().zip(PKCS8.iter().chain(seed.iter())) {
            *to = *from;
        }
        encoding::pem(LABEL, &*der)
    }

    pub(super) fn from_pem(text: &str) -> Option<Self> {
        let blocks = encoding::from_pem(LABEL, text)?;
        let [der] = blocks.as_slice() else { return None };
        let seed: &[u8; 32] = der.strip_prefix(&PKCS8)?.try_into().ok()?;
        Some(Self::from_bytes(seed))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public())
    }
}

/// The public half of a key; printed as 64 hexadecimal digits.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads the 32 bytes of a public key.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Malformed`] when they are no point of the curve, or one of the few that anyone can sign for.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, IdentityError> {
        match VerifyingKey::from_bytes(bytes) {
            Ok(key) if !key.is_weak() => Ok(Self(key)),
            _ => Err(IdentityError::malformed("the bytes are no usable Ed25519 public key")),
        }
    }

    /// Reads 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes).
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let bytes = encoding::hex(text)
            .ok_or_else(|| IdentityError::malformed("a public key is not 64 lower-case hexadecimal digits"))?;
        Self::from_bytes(&bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Names the key.
    #[must_use]
    pub fn id(self) -> KeyId {
        let digest: [u8; 32] = Sha256::digest(self.to_bytes()).into();
        let mut id = [0; 20];
        for (to, from) in id.iter_mut().zip(digest) {
            *to = from;
        }
        KeyId(id)
    }

    /// Checks a signature over bytes, strictly: no two signatures of one key over one message pass unless the key's holder
    /// made both.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Forged`] when it does not fit.
    pub fn verify(self, message: &[u8], signature: &[u8; 64]) -> Result<(), IdentityError> {
        self.0
            .verify_strict(message, &Signature::from_bytes(signature))
            .map_err(|_| {
                IdentityError::new(
                    IdentityErrorKind::Forged,
                    format!("the signature does not fit key {}", self.id()),
                )
            })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        encoding::write_hex(f, &self.to_bytes())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Names a public key: the leftmost 160 bits of its SHA-256, as in the key identifiers of certificates (RFC 7093, method 1).
/// Printed as 40 hexadecimal digits.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId([u8; 20]);

impl KeyId {
    /// Reads 40 lower-case hexadecimal digits.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Malformed`] when the text is something else.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        encoding::hex(text)
            .map(Self)
            .ok_or_else(|| IdentityError::malformed("a key id is not 40 lower-case hexadecimal digits"))
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        encoding::write_hex(f, &self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_is_not_printed() {
        let key = PrivateKey::from_bytes(&[7; 32]);
        let shown = format!("{key:?}");
        assert!(shown.contains(&key.public().to_string()), "{shown}");
        assert!(!shown.contains("0707"), "{shown}");
    }

    #[test]
    fn a_key_reads_back_from_pem_and_other_keys_are_refused() {
        let key = PrivateKey::generate().unwrap();
        let pem = key.to_pem();
        assert_eq!(PrivateKey::from_pem(&pem).unwrap().public(), key.public());
        assert!(PrivateKey::from_pem(&pem.replace("MC4", "MC5")).is_none());
        assert!(PrivateKey::from_pem(&format!("{}{}", *pem, *pem)).is_none());
        assert!(PrivateKey::from_pem("").is_none());
    }

    #[test]
    fn a_key_that_anyone_can_sign_for_is_refused() {
        // the neutral element, whose signatures need no secret
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert!(PublicKey::from_bytes(&neutral).is_err());
        assert!(PublicKey::from_bytes(&[0; 32]).is_err());
    }
}
