//! Values that can be erased: encrypted beside the log, which only commits to them.
//!
//! All values of one entry are in one box: XChaCha20-Poly1305 under the data subject's key, with a random nonce of 24 bytes.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};

use super::error::StoreError;
use super::keys::SubjectKey;
use crate::audit::entry::{PendingEntry, Sealed, SealedRef};
use crate::call::Salt;

const FORMAT: &[u8] = b"ma-sealed/1";

/// What an entry commits to, encrypted.
#[derive(Clone)]
pub(super) struct SealedBox {
    pub(super) subject: u32,
    pub(super) nonce: [u8; 24],
    pub(super) bytes: Vec<u8>,
}

/// The values of an entry that is to be written: encrypted by the caller, or by the writer where the subject has no key yet.
pub(super) enum Values {
    None,
    Sealed(SealedBox),
    Open { subject: String, bytes: Vec<u8> },
}

impl Values {
    /// Takes the values out of an entry.
    pub(super) fn of(
        entry: &mut PendingEntry,
        key: impl FnOnce(&str) -> Option<SubjectKey>,
    ) -> Result<Self, StoreError> {
        let sealed = std::mem::take(&mut entry.sealed);
        if sealed.is_empty() {
            return Ok(Self::None);
        }
        let bytes = print(&sealed);
        match key(&entry.subject) {
            Some(key) => seal(key, &bytes).map(Self::Sealed),
            None => Ok(Self::Open {
                subject: std::mem::take(&mut entry.subject),
                bytes,
            }),
        }
    }
}

/// Encrypts values.
pub(super) fn seal(key: SubjectKey, bytes: &[u8]) -> Result<SealedBox, StoreError> {
    let salt = Salt::fresh()?;
    let nonce = *salt.reveal().first_chunk::<24>().unwrap_or(&[0; 24]);
    let payload = Payload {
        msg: bytes,
        aad: FORMAT,
    };
    let bytes = cipher(key)
        .encrypt(&XNonce::from(nonce), payload)
        // only for values of over 256 GiB
        .map_err(|_| StoreError::corrupt("values are too large to be encrypted"))?;
    Ok(SealedBox {
        subject: key.number,
        nonce,
        bytes,
    })
}

/// Decrypts values; none when they are not what was encrypted under this key.
pub(super) fn open(key: SubjectKey, nonce: &[u8], bytes: &[u8]) -> Option<Vec<Sealed>> {
    parse(&open_bytes(key, nonce, bytes)?)
}

/// Decrypts what [`seal`] encrypted.
pub(super) fn open_bytes(key: SubjectKey, nonce: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let nonce: [u8; 24] = nonce.try_into().ok()?;
    let payload = Payload {
        msg: bytes,
        aad: FORMAT,
    };
    cipher(key).decrypt(&XNonce::from(nonce), payload).ok()
}

fn cipher(key: SubjectKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(key.key))
}

/// Ties a row's columns to each other and to its entry, so that a changed subject does not pass for an erased one.
pub(super) fn check(sequence: u64, subject: u32, nonce: &[u8], bytes: &[u8]) -> [u8; 8] {
    let hash = Sha256::new()
        .chain_update(sequence.to_be_bytes())
        .chain_update(subject.to_be_bytes())
        .chain_update(nonce)
        .chain_update(bytes)
        .finalize();
    *hash.first_chunk().unwrap_or(&[0; 8])
}

fn print(sealed: &[Sealed]) -> Vec<u8> {
    let room = sealed.iter().map(|one| one.path.len() + one.value.len() + 41).sum();
    let mut bytes = Vec::with_capacity(room);
    for one in sealed {
        let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        bytes.push(u8::from(one.redacted));
        bytes.extend_from_slice(&one.salt);
        bytes.extend_from_slice(&length(one.path.len()));
        bytes.extend_from_slice(one.path.as_bytes());
        bytes.extend_from_slice(&length(one.value.len()));
        bytes.extend_from_slice(&one.value);
    }
    bytes
}

fn parse(bytes: &[u8]) -> Option<Vec<Sealed>> {
    let values = parts(bytes).map(|part| {
        part.map(|(redacted, value)| Sealed {
            path: value.path.to_owned(),
            salt: *value.salt,
            value: value.value.to_vec(),
            redacted,
        })
    });
    values.collect()
}

/// The values that were encrypted together, each with whether it is redacted; none where the bytes are not what [`print`] made.
pub(super) fn parts(mut bytes: &[u8]) -> impl Iterator<Item = Option<(bool, SealedRef<'_>)>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let part = part(bytes);
        bytes = part.map_or(&[], |(_, rest)| rest);
        Some(part.map(|(part, _)| part))
    })
}

fn part(bytes: &[u8]) -> Option<((bool, SealedRef<'_>), &[u8])> {
    let (redacted, rest) = bytes.split_first()?;
    let (salt, rest) = rest.split_first_chunk::<32>()?;
    let (path, rest) = prefixed(rest)?;
    let (value, rest) = prefixed(rest)?;
    let path = std::str::from_utf8(path).ok()?;
    Some(((*redacted != 0, SealedRef { path, salt, value }), rest))
}

fn prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(path: &str, value: &[u8], redacted: bool) -> Sealed {
        Sealed {
            path: path.to_owned(),
            salt: [5; 32],
            value: value.to_vec(),
            redacted,
        }
    }

    #[test]
    fn values_open_under_their_key_alone() {
        let values = [value("/arguments/to", br#""x""#, true), value("/salt", b"", false)];
        let key = SubjectKey {
            number: 3,
            key: [1; 32],
        };
        let sealed = seal(key, &print(&values)).unwrap();
        assert_eq!(open(key, &sealed.nonce, &sealed.bytes).unwrap(), values);
        let other = SubjectKey {
            number: 3,
            key: [2; 32],
        };
        assert!(open(other, &sealed.nonce, &sealed.bytes).is_none());
        let mut changed = sealed.bytes.clone();
        changed[9] ^= 1;
        assert!(open(key, &sealed.nonce, &changed).is_none());
    }
}
