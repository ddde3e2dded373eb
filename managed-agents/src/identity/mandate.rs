//! The right to renew an identity while the authority's key is locked away.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::authority::MAX_LIFETIME;
use super::statement::{Body, Statement};
use super::{
    AgentState, Authority, Certificate, Credential, IdentityError, IdentityErrorKind, Moment, Passport, PassportId,
    Trust, VerifiedPassport,
};
use crate::call::AgentId;

/// The most renewals that one mandate holds.
const MAX_RENEWALS: usize = 400;
const FILE: &str = "ma-mandate-file/1";

/// An agent's right to renew its own identity: its next passports and certificates, signed in advance, each valid for a
/// short time of its own (format `ma-mandate/1`).
///
/// The agent's process renews by taking the next one ([`due`](Self::due)) and having it recorded, which a revocation
/// prevents. No key but the authority's can sign an identity, so whoever copies mandate and agent key has what a
/// certificate of the mandate's length would give, for this one agent, and nothing more. (A delegated intermediate authority
/// would have given more: constraints on URI names reach the trust domain and not the path, RFC 5280 section 4.2.1.10, so
/// that programs which know only X.509 would have believed it for every agent.) Certificates issued in advance and short are
/// those of RFC 8739, there fetched one by one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mandate {
    statement: Statement<MandateBody>,
    renewals: Vec<Credential>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MandateBody {
    agent: String,
    expires: Moment,
    first: PassportId,
    issued: Moment,
    renewals: Vec<PassportId>,
    v: String,
}

impl Body for MandateBody {
    const FORMAT: &'static str = "ma-mandate/1";

    fn format(&self) -> &str {
        &self.v
    }

    fn check(&self) -> Result<(), IdentityError> {
        AgentId::parse(&self.agent).map_err(|error| IdentityError::malformed(error.to_string()))?;
        if self.renewals.is_empty() || self.renewals.len() > MAX_RENEWALS {
            return Err(IdentityError::input(format!(
                "a mandate holds 1 to {MAX_RENEWALS} renewals"
            )));
        }
        Ok(())
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    certificates: Vec<String>,
    passports: Vec<String>,
    statement: String,
    v: String,
}

impl Authority {
    /// Gives an agent the right to renew its identity by itself for a time, [`MAX_LIFETIME`] at most, beyond the end of its
    /// passport. Each renewal holds as long as the passport did, and begins when half of the one before is over.
    ///
    /// # Errors
    ///
    /// As [`renew`](Self::renew); [`IdentityErrorKind::Input`] when the time is too long, or so long that more than 400
    /// renewals would be needed.
    pub fn mandate(
        &self,
        passport: &VerifiedPassport,
        state: AgentState,
        time: Duration,
        now: Moment,
    ) -> Result<Mandate, IdentityError> {
        self.may_renew(passport, state)?;
        if time > MAX_LIFETIME {
            return Err(IdentityError::input("a mandate holds 90 days at most"));
        }
        let first = passport.passport();
        let step = first.lifetime() / 2;
        let until = first.expires().after(time).min(self.certificate.ends());
        let mut renewals: Vec<Credential> = Vec::new();
        loop {
            let previous = renewals.last().map_or(first, Credential::passport);
            if previous.expires() >= until {
                break;
            }
            if renewals.len() == MAX_RENEWALS || step.is_zero() {
                return Err(IdentityError::input(format!(
                    "a mandate of this length would need more than {MAX_RENEWALS} renewals"
                )));
            }
            let begins = previous.begins().after(step).max(now);
            let next = self.next(previous, begins, begins.after(first.lifetime()).min(until), now)?;
            renewals.push(next);
        }
        let statement = Statement::sign(
            MandateBody {
                agent: first.agent().to_owned(),
                expires: until,
                first: first.id(),
                issued: now,
                renewals: renewals.iter().map(|renewal| renewal.passport.id()).collect(),
                v: MandateBody::FORMAT.to_owned(),
            },
            &self.key,
        )?;
        Ok(Mandate { statement, renewals })
    }
}

impl Mandate {
    /// Reads what [`to_json`](Self::to_json) wrote, and checks all of it against the trusted authorities.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Malformed`] when it is no mandate, [`IdentityErrorKind::Untrusted`] or
    /// [`IdentityErrorKind::Forged`] when a part is not signed as it should be, [`IdentityErrorKind::Unrelated`] when the
    /// parts do not belong together.
    pub fn parse(text: &str, trust: &Trust) -> Result<Self, IdentityError> {
        let file: File =
            serde_json::from_str(text).map_err(|error| IdentityError::malformed(format!("no mandate: {error}")))?;
        let statement: Statement<MandateBody> = Statement::parse(&file.statement)?;
        statement.verify(trust.issuer(statement.key())?)?;
        let body = statement.body();
        let unrelated = |why: &str| {
            IdentityError::new(
                IdentityErrorKind::Unrelated,
                format!("the mandate of `{}`: {why}", body.agent),
            )
        };
        let counts = [file.passports.len(), file.certificates.len()];
        if file.v != FILE || counts != [body.renewals.len(); 2] {
            return Err(unrelated("it is of another form, or parts are missing"));
        }
        let mut renewals = Vec::with_capacity(body.renewals.len());
        let mut previous = body.first;
        for ((passport, certificate), id) in file.passports.iter().zip(&file.certificates).zip(&body.renewals) {
            let passport = Passport::parse(passport)?;
            trust.verify(std::slice::from_ref(&passport))?;
            let certificates = Certificate::from_pem(certificate)?;
            let [certificate] = certificates.as_slice() else {
                return Err(unrelated("a certificate is missing"));
            };
            trust.verify_certificate(certificate, passport.begins())?;
            if passport.id() != *id || passport.lineage() != Some(previous) || passport.agent() != body.agent {
                return Err(unrelated("a passport is not the one that should be there"));
            }
            if certificate.passport() != Some(*id) || certificate.key() != passport.key() {
                return Err(unrelated("a certificate is not that of its passport"));
            }
            previous = *id;
            renewals.push(Credential {
                passport,
                certificate: certificate.clone(),
            });
        }
        Ok(Self { statement, renewals })
    }

    /// The whole mandate in one line of JSON, for a file that only the agent can read.
    #[must_use]
    pub fn to_json(&self) -> String {
        let file = File {
            certificates: self
                .renewals
                .iter()
                .map(|renewal| renewal.certificate.to_pem())
                .collect(),
            passports: self
                .renewals
                .iter()
                .map(|renewal| renewal.passport.as_json().to_owned())
                .collect(),
            statement: self.statement.text().to_owned(),
            v: FILE.to_owned(),
        };
        // strings and lists of strings always have a form
        serde_json::to_string(&file).unwrap_or_default()
    }

    /// What the authority signed: agent, ids of the renewals, when issued and until when; for the record.
    #[must_use]
    pub fn statement_json(&self) -> &str {
        self.statement.text()
    }

    /// The agent.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.statement.body().agent
    }

    /// When the last renewal ends.
    #[must_use]
    pub fn expires(&self) -> Moment {
        self.statement.body().expires
    }

    /// All renewals, in order.
    #[must_use]
    pub fn renewals(&self) -> &[Credential] {
        &self.renewals
    }

    /// Whether `next` may take the place of `current`: both are of this mandate, and in this order. Renewals in between,
    /// which nobody used, are left out.
    #[must_use]
    pub fn leads(&self, current: PassportId, next: PassportId) -> bool {
        let place = |id| {
            let ids = std::iter::once(self.statement.body().first);
            ids.chain(self.statement.body().renewals.iter().copied())
                .position(|one| one == id)
        };
        matches!((place(current), place(next)), (Some(current), Some(next)) if current < next)
    }

    /// The renewal that should take the place of the agent's current passport now: the latest that has begun, if it is not
    /// the current one already. `state` is the agent's state, `now` the later of the clock and the log's last entry.
    ///
    /// # Errors
    ///
    /// [`IdentityErrorKind::Revoked`] when the agent is revoked, [`IdentityErrorKind::Expired`] when no renewal holds any more,
    /// [`IdentityErrorKind::Unrelated`] when the current passport is not of this mandate.
    pub fn due(
        &self,
        current: PassportId,
        state: AgentState,
        now: Moment,
    ) -> Result<Option<&Credential>, IdentityError> {
        let body = self.statement.body();
        if state == AgentState::Revoked {
            return Err(IdentityError::new(
                IdentityErrorKind::Revoked,
                format!("agent `{}` is revoked, for good", body.agent),
            ));
        }
        if current != body.first && !body.renewals.contains(&current) {
            return Err(IdentityError::new(
                IdentityErrorKind::Unrelated,
                format!("passport {current} is not of the mandate of `{}`", body.agent),
            ));
        }
        if now >= body.expires {
            return Err(IdentityError::new(
                IdentityErrorKind::Expired,
                format!("the mandate of `{}` ended at {}; it is {now}", body.agent, body.expires),
            ));
        }
        let begun = self
            .renewals
            .iter()
            .rev()
            .find(|renewal| renewal.passport.begins() <= now);
        Ok(begun.filter(|renewal| self.leads(current, renewal.passport.id())))
    }
}
