//! The end of a stop, which only the operator states.

use serde::{Deserialize, Serialize};

use super::statement::{Body, Statement};
use super::{Authority, IdentityError, IdentityErrorKind, KeyId, Moment, Trust};
use crate::interrupt::{Target, is_reason};

/// The most stops that one statement ends.
const MOST_ENDS: usize = 1_000;

/// An authority's statement that stops of a target are over (format `ma-resume/1`). It names them by their places in one log,
/// so that it ends no later stop, and none of another log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResumeStatement(Statement<ResumeBody>);

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResumeBody {
    at: Moment,
    ends: Vec<u64>,
    origin: String,
    reason: String,
    resume: String,
    v: String,
}

impl Body for ResumeBody {
    const FORMAT: &'static str = "ma-resume/1";

    fn format(&self) -> &str {
        &self.v
    }

    fn check(&self) -> Result<(), IdentityError> {
        self.resume
            .parse::<Target>()
            .map_err(|error| IdentityError::malformed(error.to_string()))?;
        if !is_reason(&self.reason) {
            return Err(IdentityError::input(
                "the reason of a resumption is not 1 to 64 characters of a-z, 0-9, `_`",
            ));
        }
        // numbers above 2^53 have no exact form in RFC 8785
        if self.ends.is_empty() || self.ends.len() > MOST_ENDS || self.ends.iter().any(|place| *place > (1 << 53)) {
            return Err(IdentityError::malformed("it ends no stop, or too many"));
        }
        Ok(())
    }
}

impl Authority {
    /// States that the stops of a target at these places of the log of this origin are over.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Input`] for a reason that is no code.
    pub fn resume(
        &self,
        target: &Target,
        ends: Vec<u64>,
        origin: &str,
        reason: &str,
        now: Moment,
    ) -> Result<ResumeStatement, IdentityError> {
        let body = ResumeBody {
            at: now,
            ends,
            origin: origin.to_owned(),
            reason: reason.to_owned(),
            resume: target.to_string(),
            v: ResumeBody::FORMAT.to_owned(),
        };
        Statement::sign(body, &self.key).map(ResumeStatement)
    }
}

impl ResumeStatement {
    /// Reads a statement; [`verify`](Self::verify) says whether to believe it.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Malformed`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        Statement::parse(text).map(Self)
    }

    /// Checks that a trusted authority stated it of the log of this origin.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Unrelated`] for another log, [`IdentityErrorKind::Untrusted`], [`IdentityErrorKind::Forged`].
    pub fn verify(&self, trust: &Trust, origin: &str) -> Result<(), IdentityError> {
        self.0.verify(trust.issuer(self.0.key())?)?;
        if self.0.body().origin != origin {
            return Err(IdentityError::new(
                IdentityErrorKind::Unrelated,
                "the resumption is of another log",
            ));
        }
        Ok(())
    }

    /// What may go on, as a target's text.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.0.body().resume
    }

    /// The places of the stops that are over.
    #[must_use]
    pub fn ends(&self) -> &[u64] {
        &self.0.body().ends
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.body().reason
    }

    /// When it was stated.
    #[must_use]
    pub fn at(&self) -> Moment {
        self.0.body().at
    }

    /// The key that it says it is signed by.
    #[must_use]
    pub fn signer(&self) -> KeyId {
        self.0.key()
    }

    /// The whole statement as JSON in RFC 8785 form: `{"body":…,"key":…,"signature":…}`.
    #[must_use]
    pub fn as_json(&self) -> &str {
        self.0.text()
    }
}
