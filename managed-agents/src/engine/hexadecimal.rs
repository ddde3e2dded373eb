//! Digests in JSON.

use serde::Serializer;
#[cfg(feature = "cedar")]
use serde::{Deserialize as _, Deserializer, de::Error as _};

use crate::call::Digest;

pub(super) fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}

#[cfg(feature = "cedar")]
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.as_bytes().as_chunks::<2>().0;
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(digits) {
        let digits = std::str::from_utf8(digits).ok();
        *byte = digits
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .ok_or_else(|| D::Error::custom("no digest"))?;
    }
    let digest = Digest::new(bytes);
    // neither shorter nor longer, and as it is written
    if digest.to_string() == text {
        Ok(digest)
    } else {
        Err(D::Error::custom("no digest"))
    }
}
