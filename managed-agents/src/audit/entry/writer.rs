//! Writing an entry's bytes: keys are written in their order, so nothing is sorted and nothing is parsed.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use crate::call::write_string;

/// Text in an entry takes at most this many bytes, escaped.
pub(super) const MOST_TEXT: usize = 256;

/// Names in lists and of arguments take at most this many bytes, escaped.
pub(super) const MOST_NAME: usize = 128;

/// Writes one JSON object. Whoever uses it names keys in the order of RFC 8785; a test holds them to it.
pub(super) struct Writer {
    pub(super) out: Vec<u8>,
}

impl Writer {
    /// An object that is open.
    pub(super) fn new() -> Self {
        let mut out = Vec::with_capacity(1_152);
        out.push(b'{');
        Self { out }
    }

    /// `"key":`, where `key` needs no escapes.
    pub(super) fn key(&mut self, key: &str) {
        self.comma();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// The comma before a further member or element.
    pub(super) fn comma(&mut self) {
        if !matches!(self.out.last(), Some(b'{' | b'[')) {
            self.out.push(b',');
        }
    }

    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        write_string(&mut self.out, text);
    }

    pub(super) fn integer(&mut self, key: &str, number: u64) {
        self.key(key);
        push_integer(&mut self.out, number);
    }

    pub(super) fn truth(&mut self, key: &str, truth: bool) {
        self.key(key);
        self.out.extend_from_slice(if truth { b"true" } else { b"false" });
    }

    /// 32 bytes as lower-case hexadecimal digits.
    pub(super) fn hex(&mut self, key: &str, bytes: &[u8; 32]) {
        self.key(key);
        self.out.push(b'"');
        push_hex(&mut self.out, bytes);
        self.out.push(b'"');
    }

    /// A time; as [`rfc3339`](crate::calendar::rfc3339) prints it.
    pub(super) fn time(&mut self, key: &str, micros: i64) {
        self.key(key);
        self.out.push(b'"');
        self.out.extend_from_slice(&crate::calendar::rfc3339(micros));
        self.out.push(b'"');
    }

    /// `{"c":…,"len":…}`, with `"code"` where there is one, and `"redacted":true` where it is so.
    pub(super) fn commitment(&mut self, committed: &[u8; 32], code: Option<&str>, len: usize, redacted: bool) {
        self.out.extend_from_slice(b"{\"c\":\"");
        push_base64url(&mut self.out, committed);
        self.out.push(b'"');
        if let Some(code) = code {
            self.text("code", code);
        }
        self.out.extend_from_slice(b",\"len\":");
        push_integer(&mut self.out, len as u64);
        if redacted {
            self.out.extend_from_slice(b",\"redacted\":true");
        }
        self.out.push(b'}');
    }

    /// A list of names, each clipped, none where there is nothing to list; gives the number of those left out.
    pub(super) fn names<'n>(&mut self, key: &str, most: usize, names: impl Iterator<Item = &'n str>) -> u64 {
        let mut names = names.peekable();
        if names.peek().is_none() {
            return 0;
        }
        self.key(key);
        self.out.push(b'[');
        for name in names.by_ref().take(most) {
            self.comma();
            write_string(&mut self.out, &clipped(name, MOST_NAME));
        }
        self.out.push(b']');
        names.count() as u64
    }

    /// The object's bytes, closed.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out.push(b'}');
        self.out
    }
}

pub(super) fn push_integer(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// 32 bytes as lower-case hexadecimal digits.
fn push_hex(out: &mut Vec<u8>, bytes: &[u8; 32]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    // filled in one array and copied once: a push for each digit is most of what an entry would cost
    let mut digits = [0; 64];
    for ([high, low], byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *high = HEX.get(usize::from(byte >> 4)).copied().unwrap_or(b'0');
        *low = HEX.get(usize::from(byte & 15)).copied().unwrap_or(b'0');
    }
    out.extend_from_slice(&digits);
}

/// Base64 for URLs, without padding (RFC 4648, section 5): 43 characters.
pub(super) fn push_base64url(out: &mut Vec<u8>, bytes: &[u8; 32]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digit = |bits: u32| DIGITS.get((bits & 63) as usize).copied().unwrap_or(b'A');
    let mut padded = [0; 33];
    if let Some(filled) = padded.first_chunk_mut() {
        *filled = *bytes;
    }
    let mut digits = [0; 44];
    for (four, three) in digits.as_chunks_mut::<4>().0.iter_mut().zip(padded.as_chunks::<3>().0) {
        let [a, b, c] = three.map(u32::from);
        let bits = a << 16 | b << 8 | c;
        *four = [digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), digit(bits)];
    }
    // the last digit is of the byte that is not there
    out.extend_from_slice(digits.split_last().map_or(&[][..], |(_, digits)| digits));
}

/// Text as an entry and its index have it: whole up to 256 bytes (as escaped JSON), else its beginning, `…sha256:`, and 64
/// hexadecimal digits of the SHA-256 of all of it.
///
/// Whoever looks for an entry by a name clips the name first.
///
/// # Examples
///
/// ```
/// use managed_agents::audit::entry::clip;
/// assert_eq!(clip("send_mail"), "send_mail");
/// assert!(clip(&"x".repeat(1_000)).len() <= 256);
/// ```
#[must_use]
pub fn clip(text: &str) -> Cow<'_, str> {
    clipped(text, MOST_TEXT)
}

/// [`clip`], at another length.
pub(super) fn clipped(text: &str, most: usize) -> Cow<'_, str> {
    const MARK: &str = "…sha256:";
    // no character takes more than six bytes for one
    if text.len() * 6 <= most || text.chars().map(escaped).sum::<usize>() <= most {
        return Cow::Borrowed(text);
    }
    let room = most.saturating_sub(MARK.len() + 64);
    let mut taken = 0;
    let mut short: String = text
        .chars()
        .take_while(|&c| {
            taken += escaped(c);
            taken <= room
        })
        .collect();
    short.push_str(MARK);
    let mut digits = Vec::with_capacity(64);
    push_hex(&mut digits, &Sha256::digest(text.as_bytes()).into());
    short.extend(digits.into_iter().map(char::from));
    Cow::Owned(short)
}

/// How many bytes a character takes in a JSON string of RFC 8785.
fn escaped(c: char) -> usize {
    match c {
        '"' | '\\' | '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => 2,
        '\0'..' ' => 6,
        _ => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let mut bytes = [0; 32];
        let mut out = Vec::new();
        push_base64url(&mut out, &bytes);
        assert_eq!(out, [b'A'; 43]);
        bytes.fill(0xfb);
        out.clear();
        push_base64url(&mut out, &bytes);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s"
        );
    }

    #[test]
    fn two_long_names_are_never_clipped_to_one() {
        let (one, other) = ("x".repeat(300), "x".repeat(301));
        assert_ne!(clip(&one), clip(&other));
        assert_eq!(clip(&"x".repeat(256)).len(), 256);
    }

    proptest! {
        #[test]
        fn clipped_text_fits_as_json(text in "\\PC{0,400}|[\\x00-\\x1f\"é]{0,200}") {
            let mut out = Vec::new();
            write_string(&mut out, &clip(&text));
            prop_assert!(out.len() <= MOST_TEXT + 2);
        }
    }
}
