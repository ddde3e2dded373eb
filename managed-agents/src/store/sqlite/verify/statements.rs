//! Statements, in the order of the log: whether each follows those before it, and was signed by whom it must be.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::agents::{self, AgentRow, Said};
use super::super::keys::SubjectKeys;
use super::super::log::EPOCHAL;
use super::super::trusted::above;
use super::checkpoints::Checkpoints;
use super::report::Report;
use crate::audit::entry::Entry;
use crate::identity::{IdentityError, LogKeyCertificate, Moment, Passport, PublicKey, ResumeStatement, Trust};

pub(super) struct Statements<'a> {
    keys: &'a SubjectKeys,
    trust: Option<&'a Trust>,
    pub(super) epoch: u64,
    pub(super) origin: String,
    pub(super) agents: BTreeMap<String, AgentRow>,
    identities: BTreeMap<String, Identity>,
}

/// What an agent's statements were signed with.
struct Identity {
    passport: Passport,
    /// Every key that it had.
    keys: Vec<PublicKey>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    authority: Option<String>,
    before: Option<IgnoredAny>,
    key: String,
    origin: String,
    revoked: Vec<String>,
    subject: Option<u32>,
}

impl<'a> Statements<'a> {
    pub(super) fn new(keys: &'a SubjectKeys, trust: Option<&'a Trust>) -> Self {
        Self {
            keys,
            trust,
            epoch: 0,
            origin: String::new(),
            agents: BTreeMap::new(),
            identities: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, place: u64, entry: &Entry, report: &mut Report, checkpoints: &mut Checkpoints<'_>) {
        let body = || {
            let body = entry.raw("body").unwrap_or_default();
            serde_json::from_str::<Body>(body).unwrap_or_default()
        };
        self.epoch += u64::from(EPOCHAL.contains(&entry.kind()));
        match entry.kind() {
            "origin" => self.begin(place, body(), report, checkpoints),
            "log_key" => checkpoints.add_key(&body().key),
            "log_certificate" => self.certify(place, entry, report, checkpoints),
            "erasure" if !body().subject.is_some_and(|number| self.keys.is_erased(number)) => {
                let what = "it says that a subject was erased whose key is there";
                report.add("value_differs", Some(place), what);
            }
            "agent" => self.agent(place, entry, report),
            "interrupt" => self.resume(place, entry, report),
            _ => {}
        }
    }

    fn begin(&mut self, place: u64, body: Body, report: &mut Report, checkpoints: &mut Checkpoints<'_>) {
        let known = |trust: &Trust, key: &str| trust.authorities().iter().any(|one| one.key().to_string() == key);
        if let (Some(trust), Some(key)) = (self.trust, &body.authority)
            && !known(trust, key)
        {
            let what = "it names an authority that is not the one that is trusted";
            report.add("statement_forged", Some(place), what);
        }
        if body.before.is_some() {
            agents::stopped(&mut self.agents, body.revoked.iter().map(String::as_str));
        }
        if self.origin != body.origin {
            checkpoints.uncertify();
        }
        self.origin = body.origin;
    }

    /// The authority says which key signs the log.
    fn certify(&self, place: u64, entry: &Entry, report: &mut Report, checkpoints: &mut Checkpoints<'_>) {
        let Some(trust) = self.trust else {
            report.unchecked += 1;
            return;
        };
        let at = Moment::from_micros(entry.at_micros());
        let certified = LogKeyCertificate::parse(entry.raw("body").unwrap_or_default())
            .and_then(|certificate| certificate.verify(trust, &self.origin, at));
        match certified {
            Ok(key) => checkpoints.certify(key.to_bytes()),
            Err(error) => report.add("statement_forged", Some(place), error.to_string()),
        }
    }

    /// A stop needs no signature, and its end does.
    fn resume(&self, place: u64, entry: &Entry, report: &mut Report) {
        let Ok(resume) = ResumeStatement::parse(entry.raw("body").unwrap_or_default()) else {
            return;
        };
        match self.trust.map(|trust| resume.verify(trust, &self.origin)) {
            None => report.unchecked += 1,
            Some(Ok(())) => {}
            Some(Err(error)) => report.add("statement_forged", Some(place), error.to_string()),
        }
    }

    fn agent(&mut self, place: u64, entry: &Entry, report: &mut Report) {
        let said = agents::body_of(entry).map(Said::read);
        let Some(Ok(said)) = said else {
            report.add("state_differs", Some(place), "it holds no passport and no state");
            return;
        };
        let agent = said.agent();
        if entry.agent().is_none_or(|named| named.reveal() != agent) {
            report.add(
                "state_differs",
                Some(place),
                "it names another agent than its statement",
            );
        }
        match said.apply(place, self.agents.get(agent)) {
            Ok(row) => {
                self.agents.insert(agent.to_owned(), row);
            }
            Err(_) => {
                report.add(
                    "state_differs",
                    Some(place),
                    "it does not follow what was stated before",
                );
                return;
            }
        }
        if self.trust.is_none() {
            report.unchecked += 1;
        }
        if let Err(error) = self.signed(&said) {
            report.add("statement_forged", Some(place), error.to_string());
        }
        if let Said::Passport(passport) = said {
            self.remember(passport);
        }
    }

    fn signed(&self, said: &Said) -> Result<(), IdentityError> {
        match said {
            Said::Passport(passport) => {
                if let Some(previous) = self.identities.get(passport.agent()) {
                    passport.succeeds(&previous.passport)?;
                }
                let Some(trust) = self.trust else { return Ok(()) };
                let parent = above(passport.agent()).find_map(|agent| self.identities.get(agent));
                match (passport.parent(), parent) {
                    (Some(_), Some(parent)) => trust.verify_under(&parent.passport, passport),
                    // what names a parent that is not recorded is not of an authority, which this says
                    _ => trust.verify(std::slice::from_ref(passport)).map(|_| ()),
                }
            }
            Said::State(state) => {
                let Some(trust) = self.trust else { return Ok(()) };
                let keys = std::iter::once(state.agent())
                    .chain(above(state.agent()))
                    .filter_map(|agent| self.identities.get(agent))
                    .flat_map(|identity| identity.keys.iter().copied());
                state.verify_signer(trust, keys)
            }
        }
    }

    fn remember(&mut self, passport: Passport) {
        let key = passport.key();
        match self.identities.get_mut(passport.agent()) {
            Some(identity) => {
                if !identity.keys.contains(&key) {
                    identity.keys.push(key);
                }
                identity.passport = passport;
            }
            None => {
                let agent = passport.agent().to_owned();
                let keys = vec![key];
                self.identities.insert(agent, Identity { passport, keys });
            }
        }
    }
}
