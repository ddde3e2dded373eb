//! Where an exchange failed.

use std::borrow::Cow;
use std::io;

use tokio_rustls::rustls;

use crate::governor::{GovernorError, GovernorErrorKind};

/// The most characters of a text that came from outside.
const BOUND: usize = 300;

/// An exchange that gave no usable answer. Its detail holds nothing that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    kind: FailureKind,
    detail: Cow<'static, str>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FailureKind {
    /// The host's name has no (admissible) address.
    Lookup,
    /// No address took the connection.
    Connect,
    /// The connection ended before the first byte of an answer.
    Reset,
    /// The time was over before the first byte of an answer.
    TimedOut,
    /// The TLS handshake or record layer failed.
    Tls,
    /// The answer began and did not end: closed, reset or out of time.
    BrokenOff,
    /// The answer is not HTTP.
    NotHttp,
    /// The answer is larger than it may be.
    TooLarge,
    /// The answer is compressed, which was not asked for.
    Encoded,
    /// The answer's content type is not the one that was asked for.
    #[cfg_attr(
        not(any(feature = "claude", feature = "remote")),
        expect(dead_code, reason = "nobody asks for JSON")
    )]
    NotJson,
    /// The request could not be made at all.
    Setup,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    pub(super) fn no_runtime() -> Self {
        Self::new(FailureKind::Setup, "not called inside a tokio runtime")
    }

    #[cfg(feature = "claude")]
    pub(crate) fn kind(&self) -> FailureKind {
        self.kind
    }

    #[cfg(any(feature = "claude", feature = "cli", feature = "webhooks"))]
    pub(crate) fn into_detail(self) -> Cow<'static, str> {
        self.detail
    }

    pub(super) fn tls(error: &io::Error) -> Self {
        let detail = match rustls_error(error) {
            Some(error) => error.to_string(),
            None => error.to_string(),
        };
        Self::new(FailureKind::Tls, bounded(&detail))
    }
}

impl From<Failure> for GovernorError {
    fn from(failure: Failure) -> Self {
        let (kind, code) = match failure.kind {
            FailureKind::Lookup | FailureKind::Connect | FailureKind::Reset => (GovernorErrorKind::Unreachable, None),
            FailureKind::TimedOut => (GovernorErrorKind::TimedOut, None),
            FailureKind::Tls => (GovernorErrorKind::Tls, None),
            FailureKind::BrokenOff => (GovernorErrorKind::Malformed, Some("answer_broken_off")),
            FailureKind::NotHttp => (GovernorErrorKind::Malformed, Some("answer_not_http")),
            FailureKind::TooLarge => (GovernorErrorKind::Malformed, Some("answer_too_large")),
            FailureKind::Encoded => (GovernorErrorKind::Malformed, Some("answer_encoded")),
            FailureKind::NotJson => (GovernorErrorKind::Malformed, Some("answer_not_json")),
            FailureKind::Setup => (GovernorErrorKind::Internal, None),
        };
        let error = Self::new(kind, failure.detail);
        match code {
            Some(code) => error.with_code(code),
            None => error,
        }
    }
}

/// The TLS error inside an I/O error, if it is one.
pub(super) fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// A text from outside, fit for a log: at most 300 characters, control characters escaped.
pub(crate) fn bounded(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(BOUND) {
        if c.is_control() || is_invisible(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    if text.chars().nth(BOUND).is_some() {
        out.push('…');
    }
    out
}

/// Characters that reorder or hide what a reader sees.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_failed_before_an_answer_began_and_outside_tls_is_an_outage() {
        for (kind, outage) in [
            (FailureKind::Lookup, true),
            (FailureKind::Connect, true),
            (FailureKind::Reset, true),
            (FailureKind::TimedOut, true),
            (FailureKind::Tls, false),
            (FailureKind::BrokenOff, false),
            (FailureKind::NotHttp, false),
            (FailureKind::TooLarge, false),
            (FailureKind::Encoded, false),
            (FailureKind::NotJson, false),
            (FailureKind::Setup, false),
        ] {
            let error = GovernorError::from(Failure::new(kind, "-"));
            assert_eq!(error.kind().is_outage(), outage, "{kind:?}");
        }
    }

    #[test]
    fn a_text_from_outside_is_bounded_and_its_control_characters_are_escaped() {
        assert_eq!(bounded("a\nb\u{1b}[31m\u{202e}c"), "a\\u{a}b\\u{1b}[31m\\u{202e}c");
        assert_eq!(bounded(&"é".repeat(400)).chars().count(), 301);
    }
}
