//! Why an identity is refused or cannot be had.

/// An identity, a certificate or a key was refused. `Display` names what was refused, never a secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{detail}")]
pub struct IdentityError {
    kind: IdentityErrorKind,
    detail: String,
}

/// The kinds of [`IdentityError`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum IdentityErrorKind {
    /// The bytes are not of the form that they should be.
    Malformed,
    /// A signature does not fit what it stands under.
    Forged,
    /// Signed by a key that nothing trusted vouches for.
    Untrusted,
    /// Not valid yet.
    NotYetValid,
    /// No longer valid.
    Expired,
    /// The agent is revoked, for good.
    Revoked,
    /// More rights were claimed than there are to give.
    Widened,
    /// It does not follow what it should follow: another agent, another lineage, another number.
    Unrelated,
    /// A value that the caller gave cannot be used.
    Input,
    /// A key file cannot be read, written or trusted.
    KeyFile,
    /// The passphrase is wrong, or the locked key was altered.
    Passphrase,
    /// The operating system gave no random bytes.
    NoEntropy,
}

impl IdentityError {
    pub(crate) fn new(kind: IdentityErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(IdentityErrorKind::Malformed, detail)
    }

    pub(crate) fn input(detail: impl Into<String>) -> Self {
        Self::new(IdentityErrorKind::Input, detail)
    }

    pub(crate) fn no_entropy() -> Self {
        Self::new(
            IdentityErrorKind::NoEntropy,
            "the operating system gave no random bytes",
        )
    }

    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> IdentityErrorKind {
        self.kind
    }

    /// The stable code of the denials that it leads to.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            IdentityErrorKind::Expired => "certificate_expired",
            IdentityErrorKind::Revoked => "agent_revoked",
            IdentityErrorKind::Input
            | IdentityErrorKind::KeyFile
            | IdentityErrorKind::Passphrase
            | IdentityErrorKind::NoEntropy => "identity_unusable",
            _ => "certificate_invalid",
        }
    }
}
