//! The secret of a webhook, and signing with it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::error::{WebhookError, WebhookErrorKind};

/// What sender and receiver of a webhook know, in the form of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64. `Debug` shows
/// nothing of it.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// Reads a secret.
    ///
    /// # Errors
    ///
    /// [`WebhookErrorKind::Secret`] when it does not have the form; the text is not repeated.
    pub fn parse(text: &str) -> Result<Self, WebhookError> {
        let wrong = || {
            WebhookError::new(
                WebhookErrorKind::Secret,
                "a secret is not `whsec_` and 24 to 64 bytes in base64",
            )
        };
        let encoded = text.trim().strip_prefix("whsec_").ok_or_else(wrong)?;
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| wrong())?);
        if !(24..=64).contains(&bytes.len()) {
            return Err(wrong());
        }
        Ok(Self(bytes))
    }

    /// `webhook-signature` of a message: `v1,` and HMAC-SHA-256 over id, time and body with points between.
    pub(super) fn sign(&self, id: &str, seconds: u64, body: &str) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(format!("{id}.{seconds}.{body}").as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_the_specification_s_example_is() {
        // the example of the specification's text
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(
            signed.as_deref(),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_repeated() {
        for text in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_c2hvcnQ=",
            "whsec_!!!!canary",
        ] {
            let error = WebhookSecret::parse(text).unwrap_err();
            assert!(!error.to_string().contains("canary"), "{error}");
        }
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
    }
}
