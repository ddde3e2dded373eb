//! A key that never prints.

use std::fmt;

#[cfg(any(feature = "claude", feature = "remote"))]
use hyper::header::HeaderValue;

/// A key to a service. `Debug` shows that there is one, and nothing of it.
///
/// # Examples
///
/// ```
/// use managed_agents::Secret;
/// let key = Secret::parse("nm_test_4f9c")?;
/// assert_eq!(format!("{key:?}"), "Secret(..)");
/// # Ok::<_, managed_agents::SecretError>(())
/// ```
#[derive(Clone)]
pub struct Secret(
    #[cfg_attr(
        not(any(feature = "claude", feature = "remote")),
        expect(dead_code, reason = "no service is asked")
    )]
    String,
);

impl Secret {
    /// Reads a key; white space around it (a file's last line end) does not count.
    ///
    /// # Errors
    ///
    /// [`SecretError`] when it is empty or holds anything but visible ASCII characters.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SecretError("the key is empty"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SecretError("the key holds characters that are not visible ASCII"));
        }
        Ok(Self(text.to_owned()))
    }

    /// A text from outside without the key, should it repeat it.
    #[cfg(feature = "claude")]
    pub(crate) fn scrub(&self, text: &str) -> String {
        text.replace(&self.0, "[redacted]")
    }

    /// The key as a header's value, marked as not to be shown.
    #[cfg(any(feature = "claude", feature = "remote"))]
    pub(crate) fn header(&self, prefix: &str) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("{prefix}{}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A text is no key; it is not repeated.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct SecretError(&'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_could_not_stand_in_a_header_is_refused_without_being_repeated() {
        for text in ["", "  ", "a b", "a\r\nX-Other: 1", "schlüssel"] {
            let error = Secret::parse(text).unwrap_err();
            assert!(!error.to_string().contains("X-Other"));
        }
    }

    #[test]
    fn neither_the_key_nor_its_header_prints() {
        let key = Secret::parse("nm_live_canary\n").unwrap();
        let header = key.header("Bearer ").unwrap();
        assert_eq!(header.to_str().unwrap(), "Bearer nm_live_canary");
        assert!(!format!("{key:?} {header:?}").contains("canary"));
    }
}
