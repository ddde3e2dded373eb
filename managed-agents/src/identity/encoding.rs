//! Hexadecimal, base64 and PEM, each read in the one form that is written.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use std::fmt;

pub(super) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Lower-case hexadecimal digits of exactly `N` bytes.
pub(crate) fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

pub(super) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// PEM (RFC 7468), strict form: 64 characters a line.
pub(super) fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    // room for everything at once, so that no copy of a secret is left behind by growth
    let mut text = Zeroizing::new(String::with_capacity(
        body.len() + body.len() / 64 + 2 * label.len() + 64,
    ));
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// The DER of each block with this label; none when a block is broken or there is other text than white space.
pub(super) fn from_pem(label: &str, text: &str) -> Option<Vec<Zeroizing<Vec<u8>>>> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut blocks = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (body, after) = rest.strip_prefix(&begin)?.split_once(&end)?;
        let mut joined = Zeroizing::new(String::with_capacity(body.len()));
        joined.extend(body.chars().filter(|c| !matches!(c, '\n' | '\r')));
        blocks.push(Zeroizing::new(STANDARD.decode(joined.as_bytes()).ok()?));
        rest = after.trim_start();
    }
    Some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_other_forms_are_refused() {
        assert_eq!(hex::<2>("0aff"), Some([10, 255]));
        for text in ["0AFF", "0af", "0aff0", "0aff00", "zz00", "€a"] {
            assert_eq!(hex::<2>(text), None, "{text}");
        }
        assert_eq!(from_base64url("_-8").as_deref(), Some(&[0xff, 0xef][..]));
        // bits that no byte takes, padding, the other alphabet
        for text in ["_-9", "_-8=", "/+8", "_-8\n"] {
            assert_eq!(from_base64url(text), None, "{text}");
        }
        for length in [0, 1, 47, 48, 49, 200] {
            let der = vec![7; length];
            let twice = format!("{}\r\n{}", *pem("X", &der), *pem("X", &der));
            let blocks = from_pem("X", &twice).unwrap();
            assert!(
                blocks.len() == 2 && blocks.iter().all(|block| **block == der),
                "{length}"
            );
        }
        assert!(from_pem("X", "-----BEGIN X-----\nAA==\n").is_none());
        assert!(from_pem("X", "text").is_none());
        assert!(from_pem("X", "").unwrap().is_empty());
    }
}
