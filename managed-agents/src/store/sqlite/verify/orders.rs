//! Whether what needs an approver's order has one: where a root approver is enrolled, who resumes, reactivates, erases, releases or
//! enrols without an order that chains to that root by signature is named, also if he holds the log's key.
//!
//! An order is used up by the first entry that carries it out, so that none is carried out twice.

use std::collections::HashSet;

use serde::Deserialize;

use super::super::agents::{self, Said};
use super::in_force::Rules;
use super::report::Report;
use crate::approval::{
    APPROVAL_ENTRY, APPROVER_ENTRY, OPERATOR_ENTRY, OperatorStatement, ROOT, RULES_ENTRY, Roots, Roster, StatementKind,
};
use crate::audit::entry::Entry;
use crate::call::Digest;
use crate::identity::{AgentState, KeyId, PublicKey, ResumeStatement};

#[derive(Default)]
pub(super) struct Orders {
    root: Option<KeyId>,
    origin: String,
    roster: Roster,
    /// Everything that was said of who may approve: read again for a log that goes on under another origin.
    enrolments: Vec<OperatorStatement>,
    /// Orders that were signed, and not carried out yet.
    signed: Vec<OperatorStatement>,
    /// Every order that there was: the same once more is no other.
    seen: HashSet<Digest>,
    rules: Rules,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    hold: Option<u64>,
    origin: String,
    subject: Option<u32>,
}

impl Orders {
    /// Takes the next statement of the log; says what is wrong with it, if something is.
    pub(super) fn add(&mut self, place: u64, entry: &Entry) -> Option<&'static str> {
        let text = entry.raw("body").unwrap_or_default();
        let body = || serde_json::from_str::<Body>(text).unwrap_or_default();
        match entry.kind() {
            "origin" => {
                self.begin(body().origin);
                None
            }
            APPROVER_ENTRY => self.enrol(text),
            // without a root, nobody could have signed
            _ if self.root.is_none() => None,
            OPERATOR_ENTRY => self.order(place, text),
            APPROVAL_ENTRY => self.approval(text),
            RULES_ENTRY => {
                let roster = &self.roster;
                self.rules.stated(text, |stated| roster.signer(stated).is_ok());
                None
            }
            "interrupt" => {
                let resumed = ResumeStatement::parse(text).ok()?;
                let about = [("target", resumed.target()), ("reason", resumed.reason())];
                self.carried_out(
                    StatementKind::Resume,
                    &about,
                    "it resumes what was stopped, and no approver ordered that",
                )
            }
            "agent" => {
                let Some(Ok(Said::State(state))) = agents::body_of(entry).map(Said::read) else {
                    return None;
                };
                if state.state() != AgentState::Active {
                    return None;
                }
                let about = [("agent", state.agent()), ("reason", state.reason())];
                self.carried_out(
                    StatementKind::Reactivate,
                    &about,
                    "it lets an agent act again, and no approver ordered that",
                )
            }
            "erasure" => {
                let subject = body().subject?.to_string();
                let about = [("subject", subject.as_str())];
                self.carried_out(
                    StatementKind::Erase,
                    &about,
                    "it erases a data subject, and no approver ordered that",
                )
            }
            "release" => {
                let hold = body().hold?.to_string();
                let about = [("hold", hold.as_str())];
                self.carried_out(
                    StatementKind::Release,
                    &about,
                    "it releases a hold, and no approver ordered that",
                )
            }
            _ => None,
        }
    }

    /// Takes the next decision, and the rules that it names.
    pub(super) fn decision(&mut self, place: u64, rules: Digest) {
        if self.root.is_some() {
            self.rules.decided(place, rules);
        }
    }

    pub(super) fn finish(self, report: &mut Report) {
        self.rules.finish(report);
    }

    fn begin(&mut self, origin: String) {
        self.origin = origin;
        self.roster = self.made();
        let enrolments = std::mem::take(&mut self.enrolments);
        for stated in &enrolments {
            self.roster.apply(stated);
        }
        self.enrolments = enrolments;
        // an order is for one log
        self.signed.clear();
        self.rules.begin();
    }

    fn made(&self) -> Roster {
        let roots = Roots {
            operator: self.root,
            named: Vec::new(),
        };
        Roster::new(&roots, &self.origin)
    }

    fn enrol(&mut self, text: &str) -> Option<&'static str> {
        let Ok(stated) = OperatorStatement::parse(text) else {
            return Some("it is no statement of an approver's");
        };
        if self.root.is_none() {
            self.root = root_of(&stated);
            self.roster = self.made();
        }
        let entitled = self.roster.entitles(&stated);
        self.roster.apply(&stated);
        self.enrolments.push(stated);
        (!entitled).then_some("it says who may approve, and nobody signed it who may")
    }

    fn order(&mut self, place: u64, text: &str) -> Option<&'static str> {
        let stated = OperatorStatement::parse(text).ok();
        match stated.filter(|stated| self.roster.signer(stated).is_ok()) {
            Some(stated) if self.seen.insert(stated.digest()) => {
                match stated.kind() {
                    StatementKind::Rules => self.rules.ordered(place, stated),
                    _ => self.signed.push(stated),
                }
                None
            }
            _ => Some("it is an order that no approver signed"),
        }
    }

    /// Whom code names may approve as well, and nobody knows here who that is; but nobody approves in another's name.
    fn approval(&self, text: &str) -> Option<&'static str> {
        let stated = OperatorStatement::parse(text).ok();
        let forged = stated
            .is_none_or(|stated| self.roster.find(stated.signer()).is_some() && self.roster.signer(&stated).is_err());
        forged.then_some("it decides on a ticket in the name of an approver who did not sign it")
    }

    /// Uses up the order that says this.
    fn carried_out(
        &mut self,
        kind: StatementKind,
        about: &[(&str, &str)],
        otherwise: &'static str,
    ) -> Option<&'static str> {
        let fits = |stated: &OperatorStatement| {
            stated.kind() == kind && about.iter().all(|(name, value)| stated.about(name) == Some(*value))
        };
        match self.signed.iter().position(fits) {
            Some(at) => {
                self.signed.swap_remove(at);
                None
            }
            None => Some(otherwise),
        }
    }
}

/// The key of a root approver that enrols itself; the first of a log is its root.
fn root_of(stated: &OperatorStatement) -> Option<KeyId> {
    let own = stated.kind() == StatementKind::Enrol && stated.about("approver") == Some(ROOT);
    let key = stated.about("key").and_then(|key| PublicKey::parse(key).ok())?;
    (own && stated.verify_by(key).is_ok()).then(|| key.id())
}
