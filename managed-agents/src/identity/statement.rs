//! Signed statements: a JSON body in RFC 8785 form, and an Ed25519 signature over exactly those bytes.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{IdentityError, IdentityErrorKind, KeyId, PrivateKey, PublicKey, encoding};

/// No statement is longer, so that each fits into a log entry.
const MAX_BYTES: usize = 32 * 1024;

/// What is stated. Fields are declared in the order of their names, so that what serde writes is RFC 8785: there are no
/// floats, and `serde_json` escapes strings as that RFC does.
pub(crate) trait Body: Serialize + DeserializeOwned {
    /// The name of the format, which the field `v` holds: a signature over one kind of statement is none over another.
    const FORMAT: &'static str;

    /// What the field `v` holds.
    fn format(&self) -> &str;

    /// Whether the fields can stand together.
    fn check(&self) -> Result<(), IdentityError>;
}

/// A body and its signature; cloning is cheap.
#[derive(Debug)]
pub(crate) struct Statement<B>(Arc<Inner<B>>);

#[derive(Debug)]
struct Inner<B> {
    body: B,
    signed: String,
    key: KeyId,
    signature: [u8; 64],
    text: String,
}

impl<B> Clone for Statement<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B> PartialEq for Statement<B> {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl<B> Eq for Statement<B> {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    #[serde(borrow)]
    body: &'a RawValue,
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    signature: Cow<'a, str>,
}

impl<B: Body> Statement<B> {
    pub(crate) fn sign(body: B, key: &PrivateKey) -> Result<Self, IdentityError> {
        body.check()?;
        let signed = canonical(&body)?;
        let signature = key.sign(signed.as_bytes());
        Self::assemble(body, signed, key.public().id(), signature)
    }

    /// Reads a statement; its signature is not checked yet.
    pub(crate) fn parse(text: &str) -> Result<Self, IdentityError> {
        let malformed = |why: &dyn std::fmt::Display| IdentityError::malformed(format!("no {}: {why}", B::FORMAT));
        if text.len() > MAX_BYTES {
            return Err(malformed(&"it is over 32 KiB"));
        }
        let wire: Wire<'_> = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        let key = KeyId::parse(&wire.key)?;
        let signature = encoding::from_base64url(&wire.signature)
            .and_then(|bytes| <[u8; 64]>::try_from(bytes).ok())
            .ok_or_else(|| malformed(&"the signature is not 64 bytes in base64url"))?;
        let body: B = serde_json::from_str(wire.body.get()).map_err(|error| malformed(&error))?;
        if body.format() != B::FORMAT {
            return Err(malformed(&"its `v` is another format"));
        }
        body.check().map_err(|error| malformed(&error))?;
        let signed = canonical(&body)?;
        let statement = Self::assemble(body, signed, key, signature)?;
        // one statement has one text: white space, other escapes and other orders are refused
        if statement.0.text != text {
            return Err(malformed(&"it is not in RFC 8785 form"));
        }
        Ok(statement)
    }

    fn assemble(body: B, signed: String, key: KeyId, signature: [u8; 64]) -> Result<Self, IdentityError> {
        let text = format!(
            r#"{{"body":{signed},"key":"{key}","signature":"{}"}}"#,
            encoding::base64url(&signature)
        );
        if text.len() > MAX_BYTES {
            return Err(IdentityError::input(format!("a {} would be over 32 KiB", B::FORMAT)));
        }
        Ok(Self(Arc::new(Inner {
            body,
            signed,
            key,
            signature,
            text,
        })))
    }

    /// Checks the signature against a key that the caller trusts.
    pub(crate) fn verify(&self, key: PublicKey) -> Result<(), IdentityError> {
        if key.id() != self.0.key {
            return Err(IdentityError::new(
                IdentityErrorKind::Untrusted,
                format!("the {} is signed by key {}, not by {}", B::FORMAT, self.0.key, key.id()),
            ));
        }
        key.verify(self.0.signed.as_bytes(), &self.0.signature)
    }

    pub(crate) fn body(&self) -> &B {
        &self.0.body
    }

    /// The bytes that are signed.
    pub(crate) fn signed(&self) -> &str {
        &self.0.signed
    }

    /// The key that it says it is signed by.
    pub(crate) fn key(&self) -> KeyId {
        self.0.key
    }

    /// Body, key and signature as one text.
    pub(crate) fn text(&self) -> &str {
        &self.0.text
    }
}

fn canonical<B: Body>(body: &B) -> Result<String, IdentityError> {
    serde_json::to_string(body).map_err(|error| IdentityError::input(format!("no {}: {error}", B::FORMAT)))
}
