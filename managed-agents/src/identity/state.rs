//! Whether an agent may act: a statement apart from the identity, which never changes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::passport::{Passport, VerifiedPassport};
use super::statement::{Body, Statement};
use super::{IdentityError, IdentityErrorKind, KeyId, Moment, PassportId, PrivateKey, PublicKey, Trust};
use crate::call::AgentId;

/// Whether an agent may act. The order is that of strictness.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(
    clippy::exhaustive_enums,
    reason = "a fourth state would change the meaning of the three"
)]
pub enum AgentState {
    /// It may act.
    Active,
    /// It may not act until it is reactivated.
    Suspended,
    /// It may never act again, and its identity cannot be renewed.
    Revoked,
}

impl AgentState {
    /// The state as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Revoked]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

impl fmt::Display for AgentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A signed change of an agent's state (format `ma-state/1`). The numbers of an agent's statements rise by one, from 1; an
/// agent without one is active.
///
/// The authority may state anything. The agent itself, and an agent that it acts for, may only stop it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StateStatement(Statement<StateBody>);

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateBody {
    agent: String,
    at: Moment,
    number: u64,
    passport: PassportId,
    reason: String,
    state: AgentState,
    v: String,
}

impl Body for StateBody {
    const FORMAT: &'static str = "ma-state/1";

    fn format(&self) -> &str {
        &self.v
    }

    fn check(&self) -> Result<(), IdentityError> {
        AgentId::parse(&self.agent).map_err(|error| IdentityError::malformed(error.to_string()))?;
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !(1..=64).contains(&self.reason.len()) || !self.reason.bytes().all(fits) {
            return Err(IdentityError::input(
                "the reason of a state is not 1 to 64 characters of a-z, 0-9, `_`",
            ));
        }
        // numbers above 2^53 have no exact form in RFC 8785
        if self.number == 0 || self.number > (1 << 53) {
            return Err(IdentityError::malformed("the number of a statement is 0 or over 2^53"));
        }
        Ok(())
    }
}

impl StateStatement {
    /// Signs that the agent of a passport is in a state, with the key of the authority or, to stop it, of the agent or of
    /// one that it acts for. `previous` is the agent's last statement, `reason` a code of your own in snake case.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Revoked`] when it is revoked already, [`IdentityErrorKind::Input`] for a reason that is no code.
    pub fn sign(
        key: &PrivateKey,
        passport: &VerifiedPassport,
        state: AgentState,
        reason: &str,
        previous: Option<&Self>,
        now: Moment,
    ) -> Result<Self, IdentityError> {
        let next = Self(Statement::sign(
            StateBody {
                agent: passport.agent().to_string(),
                at: previous.map_or(now, |previous| previous.at().max(now)),
                number: previous.map_or(1, |previous| previous.number().saturating_add(1)),
                passport: passport.id(),
                reason: reason.to_owned(),
                state,
                v: StateBody::FORMAT.to_owned(),
            },
            key,
        )?);
        next.follows(previous)?;
        Ok(next)
    }

    /// Reads a statement; [`verify`](Self::verify) says whether to believe it.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Malformed`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        Statement::parse(text).map(Self)
    }

    /// Checks who signed it: the authority, or for a stop, the agent or one that it acts for.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Unrelated`] when it is about another agent, [`IdentityErrorKind::Untrusted`] when the signer may
    /// not state this, [`IdentityErrorKind::Forged`] when the signature does not fit.
    pub fn verify(&self, trust: &Trust, passport: &VerifiedPassport) -> Result<(), IdentityError> {
        if self.agent() != passport.agent().as_str() || self.passport() != passport.id() {
            return Err(unrelated("it is about another agent or passport"));
        }
        self.verify_signer(trust, passport.chain().iter().map(Passport::key))
    }

    /// Checks who signed it, where the keys of the agent and of those that it acts for are known.
    pub(crate) fn verify_signer(
        &self,
        trust: &Trust,
        own: impl IntoIterator<Item = PublicKey>,
    ) -> Result<(), IdentityError> {
        if let Some(key) = trust.key(self.signer()) {
            return self.0.verify(key);
        }
        match own.into_iter().find(|key| key.id() == self.signer()) {
            Some(key) if self.state() != AgentState::Active => self.0.verify(key),
            _ => Err(IdentityError::new(
                IdentityErrorKind::Untrusted,
                format!(
                    "key {} may not state that agent `{}` is {}",
                    self.signer(),
                    self.agent(),
                    self.state()
                ),
            )),
        }
    }

    /// Checks that it may come after `previous`, the agent's last statement, if any.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Revoked`] after a revocation, [`IdentityErrorKind::Unrelated`] when agent, number or time do not
    /// follow.
    pub fn follows(&self, previous: Option<&Self>) -> Result<(), IdentityError> {
        let Some(previous) = previous else {
            return if self.number() == 1 {
                Ok(())
            } else {
                Err(unrelated("it is not the first"))
            };
        };
        if previous.agent() != self.agent() {
            return Err(unrelated("the one before is of another agent"));
        }
        if previous.state() == AgentState::Revoked {
            return Err(IdentityError::new(
                IdentityErrorKind::Revoked,
                format!("agent `{}` is revoked, for good", self.agent()),
            ));
        }
        if previous.number().checked_add(1) != Some(self.number()) || self.at() < previous.at() {
            return Err(unrelated("its number or time does not follow the one before"));
        }
        Ok(())
    }

    /// The agent.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.0.body().agent
    }

    /// The passport that the agent had when it was stated.
    #[must_use]
    pub fn passport(&self) -> PassportId {
        self.0.body().passport
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> AgentState {
        self.0.body().state
    }

    /// Why, as a code of the operator's own.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.body().reason
    }

    /// Its place among the agent's statements, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.body().number
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

fn unrelated(why: &str) -> IdentityError {
    IdentityError::new(
        IdentityErrorKind::Unrelated,
        format!("the statement does not fit: {why}"),
    )
}
