//! Salted commitments to what an entry does not say.

use sha2::{Digest as _, Sha256};

/// The commitment to the bytes at a place of a call: SHA-256 over `ma-commit/1`, a zero byte, the salt, the place as a JSON
/// pointer (RFC 6901), a zero byte, and the bytes.
///
/// The bytes are JSON in the form `ma-call/1`, which holds no zero byte, so no two pairs of place and bytes run together.
///
/// # Examples
///
/// ```
/// use managed_agents::audit::entry::commitment;
/// let salt = [7; 32];
/// let committed = commitment(&salt, "/arguments/to", br#""ann@example.com""#);
/// assert_ne!(committed, commitment(&salt, "/arguments/cc", br#""ann@example.com""#));
/// ```
#[must_use]
pub fn commitment(salt: &[u8; 32], path: &str, value: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"ma-commit/1\0");
    hash.update(salt);
    hash.update(path.as_bytes());
    hash.update([0]);
    hash.update(value);
    hash.finalize().into()
}
