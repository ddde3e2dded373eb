//! The key that signs a log's checkpoints, and nothing else.

use serde::{Deserialize, Serialize};

use super::passport::{check_text, holds};
use super::statement::{Body, Statement};
use super::{Authority, IdentityError, IdentityErrorKind, Moment, PublicKey, Trust, TrustDomain};

/// An authority's statement that a key signs the checkpoints of a log (format `ma-log-key/1`).
///
/// The key lies with the process that writes the log. It vouches for no agent and changes no state: verifiers take it for
/// nothing but the log of this origin.
///
/// # Examples
///
/// ```
/// use managed_agents::identity::{Authority, Moment, PrivateKey};
/// let now = Moment::now();
/// let authority = Authority::generate(None, now)?;
/// let log_key = PrivateKey::generate()?;
/// let certified = authority.certify_log_key(log_key.public(), "example.com/log", now)?;
/// certified.verify(authority.trust(), "example.com/log", now)?;
/// # Ok::<_, managed_agents::identity::IdentityError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogKeyCertificate(Statement<LogKeyBody>);

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogKeyBody {
    begins: Moment,
    expires: Moment,
    key: PublicKey,
    origin: String,
    trust_domain: TrustDomain,
    v: String,
}

impl Body for LogKeyBody {
    const FORMAT: &'static str = "ma-log-key/1";

    fn format(&self) -> &str {
        &self.v
    }

    fn check(&self) -> Result<(), IdentityError> {
        check_text("origin of the log", &self.origin)
    }
}

impl Authority {
    /// States that a key signs the checkpoints of the log of this origin, for as long as the authority itself holds.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Input`] for an origin that cannot be one, and for a key that is the authority's own.
    pub fn certify_log_key(
        &self,
        key: PublicKey,
        origin: &str,
        now: Moment,
    ) -> Result<LogKeyCertificate, IdentityError> {
        if self.trust.key(key.id()).is_some() {
            return Err(IdentityError::input("an authority's key cannot be a log's key as well"));
        }
        Statement::sign(
            LogKeyBody {
                begins: now,
                expires: self.certificate.ends(),
                key,
                origin: origin.to_owned(),
                trust_domain: self.trust_domain().clone(),
                v: LogKeyBody::FORMAT.to_owned(),
            },
            &self.key,
        )
        .map(LogKeyCertificate)
    }
}

impl LogKeyCertificate {
    /// Reads a statement; [`verify`](Self::verify) says whether to believe it.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Malformed`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        Statement::parse(text).map(Self)
    }

    /// Checks that a trusted authority certified the key for the log of this origin, at a time. To check a checkpoint of the
    /// past, give its time.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Unrelated`] for another log, [`IdentityErrorKind::Untrusted`], [`IdentityErrorKind::Forged`],
    /// [`IdentityErrorKind::NotYetValid`] or [`IdentityErrorKind::Expired`].
    pub fn verify(&self, trust: &Trust, origin: &str, at: Moment) -> Result<PublicKey, IdentityError> {
        let body = self.0.body();
        self.0.verify(trust.issuer(self.0.key())?)?;
        if body.origin != origin || body.trust_domain != *trust.trust_domain() {
            return Err(IdentityError::new(
                IdentityErrorKind::Unrelated,
                format!(
                    "the key is certified for the log `{}`, not for `{}`",
                    body.origin,
                    origin.escape_debug()
                ),
            ));
        }
        holds(at, body.begins, body.expires, || format!("the key of log `{origin}`"))?;
        Ok(body.key)
    }

    /// The log's key.
    #[must_use]
    pub fn key(&self) -> PublicKey {
        self.0.body().key
    }

    /// The log's origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.0.body().origin
    }

    /// The whole statement as JSON in RFC 8785 form: `{"body":…,"key":…,"signature":…}`.
    #[must_use]
    pub fn as_json(&self) -> &str {
        self.0.text()
    }
}
