//! A private key under a passphrase: Argon2id (RFC 9106) and XChaCha20-Poly1305.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{IdentityError, IdentityErrorKind, PrivateKey, PublicKey, encoding};

/// What guessing a passphrase costs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Cost {
    /// Memory, in KiB.
    pub(super) memory: u32,
    /// Passes over it.
    pub(super) passes: u32,
}

/// RFC 9106, section 4, second recommended option: 64 MiB, three passes, four lanes.
pub(super) const COST: Cost = Cost {
    memory: 64 * 1024,
    passes: 3,
};
const LANES: u32 = 4;
const FORMAT: &str = "ma-locked-key/1";
/// A file that asks for more is refused, so that a file of someone else's cannot take all memory.
const MOST: Cost = Cost {
    memory: 1024 * 1024,
    passes: 16,
};
/// A passphrase has at least so many bytes.
const SHORTEST: usize = 8;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    kdf: String,
    key: PublicKey,
    lanes: u32,
    memory_kib: u32,
    nonce: String,
    passes: u32,
    salt: String,
    sealed: String,
    v: String,
}

/// Encrypts a key under a passphrase, as one line of JSON (format `ma-locked-key/1`).
pub(super) fn lock(key: &PrivateKey, passphrase: &str, cost: Cost) -> Result<String, IdentityError> {
    if passphrase.len() < SHORTEST {
        return Err(IdentityError::input(format!(
            "a passphrase has at least {SHORTEST} bytes"
        )));
    }
    let mut random = [0; 56];
    getrandom::fill(&mut random).map_err(|_| IdentityError::no_entropy())?;
    let (salt, nonce) = random.split_at(32);
    let mut wire = Wire {
        kdf: "argon2id".to_owned(),
        key: key.public(),
        lanes: LANES,
        memory_kib: cost.memory,
        nonce: encoding::base64url(nonce),
        passes: cost.passes,
        salt: encoding::base64url(salt),
        sealed: String::new(),
        v: FORMAT.to_owned(),
    };
    let header = text(&wire)?;
    let cipher = cipher(passphrase, salt, cost, LANES)?;
    let seed = Zeroizing::new(key.reveal());
    let nonce = XNonce::try_from(nonce).map_err(|_| broken("the nonce has another length"))?;
    let payload = Payload {
        msg: &*seed,
        aad: header.as_bytes(),
    };
    let sealed = cipher
        .encrypt(&nonce, payload)
        .map_err(|_| broken("the key cannot be encrypted"))?;
    wire.sealed = encoding::base64url(&sealed);
    text(&wire)
}

/// Decrypts what [`lock`] wrote.
pub(super) fn unlock(locked: &str, passphrase: &str) -> Result<PrivateKey, IdentityError> {
    let mut wire: Wire = serde_json::from_str(locked.trim_end())
        .map_err(|error| broken(&format!("the file is no locked key: {error}")))?;
    let cost = Cost {
        memory: wire.memory_kib,
        passes: wire.passes,
    };
    if wire.v != FORMAT || wire.kdf != "argon2id" {
        return Err(broken("the file is a locked key of another format"));
    }
    if cost.memory > MOST.memory || cost.passes > MOST.passes || wire.lanes > 64 {
        return Err(broken("the locked key asks for more memory or time than is ever used"));
    }
    let bytes = |text: &str| encoding::from_base64url(text).ok_or_else(|| broken("the locked key is not in base64url"));
    let (salt, nonce, sealed) = (bytes(&wire.salt)?, bytes(&wire.nonce)?, bytes(&wire.sealed)?);
    wire.sealed.clear();
    let header = text(&wire)?;
    let cipher = cipher(passphrase, &salt, cost, wire.lanes)?;
    let nonce = XNonce::try_from(nonce.as_slice()).map_err(|_| broken("the nonce has another length"))?;
    let payload = Payload {
        msg: &sealed,
        aad: header.as_bytes(),
    };
    let wrong = || {
        IdentityError::new(
            IdentityErrorKind::Passphrase,
            "the passphrase is wrong, or the locked key was altered",
        )
    };
    let seed = Zeroizing::new(cipher.decrypt(&nonce, payload).map_err(|_| wrong())?);
    let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| wrong())?;
    let key = PrivateKey::from_bytes(seed);
    if key.public() == wire.key {
        Ok(key)
    } else {
        Err(wrong())
    }
}

fn cipher(passphrase: &str, salt: &[u8], cost: Cost, lanes: u32) -> Result<XChaCha20Poly1305, IdentityError> {
    let params = Params::new(cost.memory, cost.passes, lanes, Some(32))
        .map_err(|error| broken(&format!("the locked key's costs cannot be used: {error}")))?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
        .map_err(|error| broken(&format!("the locked key's costs cannot be used: {error}")))?;
    Ok(XChaCha20Poly1305::new((&*key).into()))
}

fn text(wire: &Wire) -> Result<String, IdentityError> {
    serde_json::to_string(wire).map_err(|error| broken(&error.to_string()))
}

fn broken(why: &str) -> IdentityError {
    IdentityError::new(IdentityErrorKind::KeyFile, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory: 64, passes: 1 };

    #[test]
    fn a_locked_key_opens_with_its_passphrase_and_no_other() {
        let key = PrivateKey::generate().unwrap();
        let locked = lock(&key, "correct horse", CHEAP).unwrap();
        assert_eq!(unlock(&locked, "correct horse").unwrap().public(), key.public());
        assert_eq!(
            unlock(&locked, "correct horsf").unwrap_err().kind(),
            IdentityErrorKind::Passphrase
        );
        assert_eq!(lock(&key, "short", CHEAP).unwrap_err().kind(), IdentityErrorKind::Input);
        assert_ne!(
            lock(&key, "correct horse", CHEAP).unwrap(),
            locked,
            "a fresh salt each time"
        );
    }

    #[test]
    fn every_altered_byte_of_a_locked_key_is_found() {
        let key = PrivateKey::generate().unwrap();
        let locked = lock(&key, "correct horse", CHEAP).unwrap();
        for at in 0..locked.len() {
            let mut bytes = locked.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            assert!(unlock(&text, "correct horse").is_err(), "byte {at}: {text}");
        }
    }

    #[test]
    fn a_file_that_asks_for_all_memory_is_refused() {
        let locked = lock(&PrivateKey::generate().unwrap(), "correct horse", CHEAP).unwrap();
        let greedy = locked.replace("\"memory_kib\":64", "\"memory_kib\":4000000000");
        assert_ne!(greedy, locked);
        assert_eq!(
            unlock(&greedy, "correct horse").unwrap_err().kind(),
            IdentityErrorKind::KeyFile
        );
    }
}
