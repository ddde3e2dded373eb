//! Who may approve: keys that code names, and keys that an operator's key enrolled.

use std::collections::HashSet;

use super::statement::{OperatorStatement, StatementKind};
use super::{ApproverKeyError, ApproverPublicKey};
use crate::call::Digest;
use crate::identity::{KeyId, Moment, PublicKey};

/// What the root approver is called in its own enrolment.
pub(crate) const ROOT: &str = "root";

/// Whom a program believes, as its code says: never a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots {
    /// The fingerprint of the root approver's key.
    pub(crate) operator: Option<KeyId>,
    /// Keys that code names, with their holders' names.
    pub(crate) named: Vec<(String, PublicKey)>,
}

impl Roots {
    /// With a key that code names.
    pub(crate) fn name(&mut self, name: &str, key: ApproverPublicKey) -> Result<(), ApproverKeyError> {
        let key = PublicKey::from_bytes(&key.to_bytes()).map_err(|_| ApproverKeyError::unusable())?;
        self.named.push((name.to_owned(), key));
        Ok(())
    }
}

/// Somebody who may approve.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Approver {
    name: String,
    key: PublicKey,
    enrols: bool,
    by: Option<KeyId>,
    since: Option<Moment>,
}

impl Approver {
    /// The name under which the key was enrolled.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key.
    #[must_use]
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// Whether it may enrol and remove others.
    #[must_use]
    pub fn may_enrol(&self) -> bool {
        self.enrols
    }

    /// The key that enrolled it; none for one that code names.
    #[must_use]
    pub fn enrolled_by(&self) -> Option<KeyId> {
        self.by
    }

    /// Since when; none for one that code names.
    #[must_use]
    pub fn since(&self) -> Option<Moment> {
        self.since
    }
}

/// Who may approve, as the log's `approver` entries in their order leave it. An entry that does not chain to the roots by
/// signature changes nothing.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    operator: Option<KeyId>,
    origin: String,
    members: Vec<Approver>,
    /// What was taken: the same statement again, after a removal, enrols nobody.
    taken: HashSet<Digest>,
}

impl Roster {
    pub(crate) fn new(roots: &Roots, origin: &str) -> Self {
        let named = roots.named.iter().map(|(name, key)| Approver {
            name: name.clone(),
            key: *key,
            enrols: false,
            by: None,
            since: None,
        });
        Self {
            operator: roots.operator,
            origin: origin.to_owned(),
            members: named.collect(),
            taken: HashSet::new(),
        }
    }

    /// Whether whoever signed the next `approver` entry of the log may say who approves, and has not said this before.
    pub(crate) fn entitles(&self, stated: &OperatorStatement) -> bool {
        let Some(key) = about_key(stated) else {
            return false;
        };
        let signer = if self.is_own(stated, key) {
            Some(key)
        } else {
            self.find(stated.signer())
                .filter(|signer| signer.enrols)
                .map(Approver::key)
        };
        // a log that goes on after a copy was restored keeps the approvers that it had
        if line(stated.origin()) != line(&self.origin) || self.taken.contains(&stated.digest()) {
            return false;
        }
        signer.is_some_and(|signer| stated.verify_by(signer).is_ok())
    }

    /// The root's own enrolment is that of the key whose fingerprint code names.
    fn is_own(&self, stated: &OperatorStatement, key: PublicKey) -> bool {
        self.operator == Some(key.id()) && stated.kind() == StatementKind::Enrol && stated.signer() == key.id()
    }

    /// Takes the next `approver` entry of the log. False when it states nothing that is to be believed.
    pub(crate) fn apply(&mut self, stated: &OperatorStatement) -> bool {
        let Some(key) = about_key(stated).filter(|_| self.entitles(stated)) else {
            return false;
        };
        let (is_root, own) = (self.operator == Some(key.id()), self.is_own(stated, key));
        self.taken.insert(stated.digest());
        match stated.kind() {
            StatementKind::Enrol => {
                let Some(name) = stated.about("approver").filter(|name| !name.is_empty()) else {
                    return false;
                };
                if self.find(key.id()).is_some() {
                    return false;
                }
                self.members.push(Approver {
                    name: name.to_owned(),
                    key,
                    enrols: own || stated.about("may_enrol") == Some("yes"),
                    by: Some(stated.signer()),
                    since: Some(stated.at()),
                });
                true
            }
            // the root stays: whoever could remove it could lock the operator out
            StatementKind::Remove if !is_root => {
                let before = self.members.len();
                self.members.retain(|member| member.key != key || member.by.is_none());
                self.members.len() < before
            }
            _ => false,
        }
    }

    /// Somebody who may approve, by the name of the key.
    #[must_use]
    pub fn find(&self, key: KeyId) -> Option<&Approver> {
        self.members.iter().find(|member| member.key.id() == key)
    }

    /// Everybody who may approve, in the order of enrolment.
    #[must_use]
    pub fn members(&self) -> &[Approver] {
        &self.members
    }

    /// The fingerprint of the root approver's key, where one is known.
    #[must_use]
    pub fn operator(&self) -> Option<KeyId> {
        self.operator
    }

    /// Who signed a statement, if it was somebody who may approve now, for this log.
    pub(crate) fn signer(&self, stated: &OperatorStatement) -> Result<&Approver, NotBelieved> {
        if stated.origin() != self.origin {
            return Err(NotBelieved::OtherLog);
        }
        let signer = self.find(stated.signer()).ok_or(NotBelieved::NotEnrolled)?;
        match stated.verify_by(signer.key) {
            Ok(()) => Ok(signer),
            Err(_) => Err(NotBelieved::Forged),
        }
    }
}

/// The key that an `approver` entry is about.
fn about_key(stated: &OperatorStatement) -> Option<PublicKey> {
    stated.about("key").and_then(|key| PublicKey::parse(key).ok())
}

/// What the name of a log begins with, before and after it was restored.
fn line(origin: &str) -> &str {
    origin.split("/restored-").next().unwrap_or(origin)
}

/// Why a statement is not believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NotBelieved {
    /// It is for another log: also the one from before a copy was restored.
    OtherLog,
    /// Its key is no approver's, or not any more.
    NotEnrolled,
    /// The signature does not fit.
    Forged,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approval::ApproverKey;

    const LOG: &str = "log.example";

    fn public(key: &ApproverKey) -> PublicKey {
        PublicKey::from_bytes(&key.public().to_bytes()).unwrap()
    }

    fn stated(kind: StatementKind, name: &str, key: &ApproverKey, by: &ApproverKey, enrols: bool) -> OperatorStatement {
        let mut about = vec![("approver", name.to_owned()), ("key", public(key).to_string())];
        if enrols {
            about.push(("may_enrol", "yes".to_owned()));
        }
        OperatorStatement::sign(kind, about, LOG, Moment::now(), by).unwrap()
    }

    #[test]
    fn every_enrolment_chains_to_the_root_by_signature() {
        let [root, ann, bob, eve] = [1, 2, 3, 4].map(|seed| ApproverKey::from_bytes(&[seed; 32]));
        let roots = Roots {
            operator: Some(public(&root).id()),
            named: Vec::new(),
        };
        let mut roster = Roster::new(&roots, LOG);
        let enrol = |name, key, by, enrols| stated(StatementKind::Enrol, name, key, by, enrols);
        assert!(!roster.apply(&enrol("eve", &eve, &eve, true)), "she is no root");
        assert!(
            !roster.apply(&enrol("ann", &ann, &root, false)),
            "the root is not known yet"
        );
        assert!(roster.apply(&enrol("root", &root, &root, false)));
        let anns = enrol("ann", &ann, &root, true);
        assert!(roster.apply(&anns));
        assert!(roster.apply(&enrol("bob", &bob, &ann, false)));
        assert!(!roster.apply(&enrol("eve", &eve, &bob, false)), "bob may enrol nobody");
        assert!(!roster.apply(&enrol("ann", &ann, &root, true)), "twice");
        let names: Vec<_> = roster.members().iter().map(Approver::name).collect();
        assert_eq!(names, ["root", "ann", "bob"]);
        let remove = |key, by| stated(StatementKind::Remove, "x", key, by, false);
        assert!(!roster.apply(&remove(&root, &ann)), "the root stays");
        assert!(!roster.apply(&remove(&ann, &bob)));
        assert!(roster.apply(&remove(&ann, &root)));
        assert!(!roster.apply(&enrol("eve", &eve, &ann, false)), "she was removed");
        assert_eq!(roster.members().len(), 2);
        assert!(!roster.apply(&anns), "the old enrolment again");
        assert!(roster.apply(&enrol("ann", &ann, &root, false)), "a new one");
    }

    #[test]
    fn a_statement_is_believed_of_an_approver_for_this_log_only() {
        let [ann, eve] = [2, 4].map(|seed| ApproverKey::from_bytes(&[seed; 32]));
        let mut roots = Roots::default();
        roots.name("ann", ann.public()).unwrap();
        let roster = Roster::new(&roots, LOG);
        let sign = |log: &str, key: &ApproverKey| {
            OperatorStatement::sign(StatementKind::Resume, [("a", "b")], log, Moment::now(), key).unwrap()
        };
        assert_eq!(roster.signer(&sign(LOG, &ann)).unwrap().name(), "ann");
        assert_eq!(roster.signer(&sign("other", &ann)), Err(NotBelieved::OtherLog));
        assert_eq!(roster.signer(&sign(LOG, &eve)), Err(NotBelieved::NotEnrolled));
        let forged = sign(LOG, &eve)
            .as_json()
            .replace(&public(&eve).id().to_string(), &public(&ann).id().to_string());
        let forged = OperatorStatement::parse(&forged).unwrap();
        assert_eq!(roster.signer(&forged), Err(NotBelieved::Forged));
    }
}
