//! What approvers sign.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ApproverKey;
use crate::call::{Digest, Salt};
use crate::identity::statement::{Body, Statement};
use crate::identity::{IdentityError, KeyId, Moment, PrivateKey, PublicKey};

/// What a statement is about. Each kind is believed for its own purpose only.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StatementKind {
    /// A key may approve from now on.
    Enrol,
    /// A key may not approve any more.
    Remove,
    /// A waiting call may run.
    Approve,
    /// A waiting call may run with other arguments.
    Edit,
    /// A waiting call may not run.
    Reject,
    /// A waiting call is not decided on: its ticket is closed.
    Cancel,
    /// What was stopped may go on.
    Resume,
    /// A suspended agent may act again.
    Reactivate,
    /// A data subject is erased.
    Erase,
    /// A hold is released.
    Release,
    /// Policies and configuration are as the operator wants them, at the start of a program and when it reads them again.
    Rules,
}

impl StatementKind {
    const ALL: [Self; 11] = [
        Self::Enrol,
        Self::Remove,
        Self::Approve,
        Self::Edit,
        Self::Reject,
        Self::Cancel,
        Self::Resume,
        Self::Reactivate,
        Self::Erase,
        Self::Release,
        Self::Rules,
    ];

    /// The kind as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enrol => "enrol",
            Self::Remove => "remove",
            Self::Approve => "approve",
            Self::Edit => "edit",
            Self::Reject => "reject",
            Self::Cancel => "cancel",
            Self::Resume => "resume",
            Self::Reactivate => "reactivate",
            Self::Erase => "erase",
            Self::Release => "release",
            Self::Rules => "rules",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The type of the log entry that holds such a statement.
    pub(crate) fn entry(self) -> &'static str {
        match self {
            Self::Enrol | Self::Remove => APPROVER_ENTRY,
            Self::Approve | Self::Edit | Self::Reject | Self::Cancel => APPROVAL_ENTRY,
            _ => OPERATOR_ENTRY,
        }
    }
}

/// Entries that say who may approve.
pub(crate) const APPROVER_ENTRY: &str = "approver";
/// Entries that decide on a ticket.
pub(crate) const APPROVAL_ENTRY: &str = "approval";
/// Entries that hold another order of an operator's.
pub(crate) const OPERATOR_ENTRY: &str = "operator";

/// A statement that an approver signed (format `ma-operator/1`): what it orders, for which log, and when. It is read in the one
/// form in which it is written, and says nothing until its signature is checked against the key of somebody who may state it.
///
/// # Examples
///
/// ```
/// use managed_agents::approval::{ApproverKey, OperatorStatement, StatementKind};
/// use managed_agents::identity::Moment;
/// let ann = ApproverKey::generate()?;
/// let stated = OperatorStatement::sign(StatementKind::Resume, [("interrupt", "int_7")], "example.com/log", Moment::now(), &ann)?;
/// let read = OperatorStatement::parse(stated.as_json())?;
/// read.verify(ann.public())?;
/// assert_eq!(read.about("interrupt"), Some("int_7"));
/// assert!(read.verify(ApproverKey::generate()?.public()).is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OperatorStatement(Statement<OperatorBody>);

/// Fields stand in the order of their names: see [`Body`].
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperatorBody {
    about: BTreeMap<String, String>,
    at: Moment,
    kind: StatementKind,
    nonce: String,
    origin: String,
    v: String,
}

impl Body for OperatorBody {
    const FORMAT: &'static str = "ma-operator/1";

    fn format(&self) -> &str {
        &self.v
    }

    fn check(&self) -> Result<(), IdentityError> {
        let word = |name: &String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if !self.about.keys().all(word) {
            return Err(IdentityError::input(
                "what a statement is about is not named by words of `a-z_`",
            ));
        }
        let digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if self.nonce.len() != 32 || !self.nonce.bytes().all(digit) {
            return Err(IdentityError::malformed(
                "the nonce of a statement is not 32 hexadecimal digits",
            ));
        }
        Ok(())
    }
}

impl OperatorStatement {
    /// Signs an order for the log of this name. The names of what it is about are words of `a-z_`.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] when a name is no word, the whole is over 32 KiB, or there are no random bytes.
    pub fn sign<N: Into<String>, V: Into<String>>(
        kind: StatementKind,
        about: impl IntoIterator<Item = (N, V)>,
        origin: &str,
        at: Moment,
        key: &ApproverKey,
    ) -> Result<Self, IdentityError> {
        let salt = Salt::fresh().map_err(|_| IdentityError::no_entropy())?;
        let body = OperatorBody {
            about: about
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            at,
            kind,
            nonce: salt
                .reveal()
                .iter()
                .take(16)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            origin: origin.to_owned(),
            v: OperatorBody::FORMAT.to_owned(),
        };
        Statement::sign(body, &PrivateKey::from_bytes(&key.reveal())).map(Self)
    }

    /// Reads a statement; [`verify`](Self::verify) says whether a key signed it.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        Statement::parse(text).map(Self)
    }

    /// Checks that the holder of this key signed it.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] when it is signed by another key, or not at all.
    pub fn verify(&self, key: super::ApproverPublicKey) -> Result<(), IdentityError> {
        self.0.verify(PublicKey::from_bytes(&key.to_bytes())?)
    }

    pub(crate) fn verify_by(&self, key: PublicKey) -> Result<(), IdentityError> {
        self.0.verify(key)
    }

    /// What it orders.
    #[must_use]
    pub fn kind(&self) -> StatementKind {
        self.0.body().kind
    }

    /// What it is about, by name.
    #[must_use]
    pub fn about(&self, name: &str) -> Option<&str> {
        self.0.body().about.get(name).map(String::as_str)
    }

    /// Everything that it is about.
    pub fn all_about(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        self.0
            .body()
            .about
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The log that it is for.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.0.body().origin
    }

    /// When it was signed, by the signer's clock.
    #[must_use]
    pub fn at(&self) -> Moment {
        self.0.body().at
    }

    /// The key that it says it is signed by.
    #[must_use]
    pub fn signer(&self) -> KeyId {
        self.0.key()
    }

    /// Names what is signed, whoever signed it: SHA-256 of the signed bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::new(Sha256::digest(self.0.signed()).into())
    }

    /// The whole statement as JSON in RFC 8785 form: `{"body":…,"key":…,"signature":…}`.
    #[must_use]
    pub fn as_json(&self) -> &str {
        self.0.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(key: &ApproverKey) -> OperatorStatement {
        OperatorStatement::sign(
            StatementKind::Approve,
            [("ticket", "tkt_1"), ("agent", "bot")],
            "log.example",
            Moment::from_micros(1_767_225_600_000_001),
            key,
        )
        .unwrap()
    }

    #[test]
    fn no_changed_byte_of_a_statement_passes() {
        let key = ApproverKey::from_bytes(&[7; 32]);
        let text = stated(&key).as_json().to_owned();
        OperatorStatement::parse(&text).unwrap().verify(key.public()).unwrap();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            let passes = OperatorStatement::parse(&changed).is_ok_and(|read| read.verify(key.public()).is_ok());
            assert!(!passes, "byte {at}");
        }
    }

    #[test]
    fn every_word_of_a_kind_reads_back_as_serde_writes_it() {
        for kind in StatementKind::ALL {
            assert_eq!(StatementKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.as_str()));
        }
    }

    #[test]
    fn what_is_signed_is_rfc_8785() {
        let text = stated(&ApproverKey::from_bytes(&[7; 32])).as_json().to_owned();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json_canonicalizer::to_string(&value).unwrap(), text);
    }
}
