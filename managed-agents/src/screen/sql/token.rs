//! Tokens of SQL.

use std::borrow::Cow;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A keyword or name, quoted names without their quotes are [`Kind::Name`].
    Word,
    Name,
    Number,
    /// The text of a string.
    Text,
    Semicolon,
    /// An operator or bracket.
    Sign,
}

#[derive(Clone, Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: Cow<'t, str>,
}

/// The tokens of a text, comments left out; and whether a string or comment is not closed.
pub(super) fn tokens(text: &str) -> (Vec<Token<'_>>, bool) {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    let mut broken = false;
    let slice = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    while let Some(byte) = bytes.get(at).copied() {
        let next = bytes.get(at + 1).copied();
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0 => at += 1,
            b'-' if next == Some(b'-') => at = line_end(bytes, at),
            b'#' => at = line_end(bytes, at),
            b'/' if next == Some(b'*') => {
                // MySQL runs what stands in `/*! .. */`
                if bytes.get(at + 2) == Some(&b'!') {
                    at += 3;
                    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                        at += 1;
                    }
                    continue;
                }
                let end = text.get(at + 2..).and_then(|rest| rest.find("*/"));
                broken |= end.is_none();
                at = end.map_or(bytes.len(), |end| at + 2 + end + 2);
            }
            b'*' if next == Some(b'/') => at += 2,
            b'\'' | b'"' | b'`' | b'[' => {
                let close = if byte == b'[' { b']' } else { byte };
                if byte == b'[' && !bytes.get(at + 1).is_some_and(|next| next.is_ascii_alphabetic()) {
                    at += 1;
                    continue;
                }
                let mut end = at + 1;
                loop {
                    match bytes.get(end) {
                        None => {
                            broken = true;
                            break;
                        }
                        Some(b'\\') if byte == b'\'' && bytes.get(end + 1).is_some() => end += 2,
                        Some(own) if *own == close => {
                            if bytes.get(end + 1) == Some(&close) && byte != b'[' {
                                end += 2;
                                continue;
                            }
                            break;
                        }
                        Some(_) => end += 1,
                    }
                }
                let end = end.min(bytes.len());
                out.push(Token {
                    kind: if byte == b'\'' { Kind::Text } else { Kind::Name },
                    text: Cow::Borrowed(slice(at + 1, end)),
                });
                at = end + 1;
            }
            b'$' if next == Some(b'$') => {
                // what stands in dollar quotes is code more often than text
                out.push(Token {
                    kind: Kind::Sign,
                    text: Cow::Borrowed("$$"),
                });
                at += 2;
            }
            b';' => {
                out.push(Token {
                    kind: Kind::Semicolon,
                    text: Cow::Borrowed(";"),
                });
                at += 1;
            }
            _ if byte.is_ascii_digit() => {
                let from = at;
                while bytes
                    .get(at)
                    .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.')
                {
                    at += 1;
                }
                out.push(Token {
                    kind: Kind::Number,
                    text: Cow::Borrowed(slice(from, at)),
                });
            }
            _ if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'@') || byte >= 0x80 => {
                let from = at;
                while bytes.get(at).is_some_and(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | b'$' | b'.') || *byte >= 0x80
                }) {
                    at += 1;
                }
                out.push(Token {
                    kind: Kind::Word,
                    text: super::super::text::fold(slice(from, at)),
                });
            }
            _ => {
                let two = matches!(
                    (byte, next),
                    (b'<' | b'>' | b'!', Some(b'=')) | (b'<', Some(b'>')) | (b'|', Some(b'|')) | (b'&', Some(b'&'))
                );
                let length = if two { 2 } else { 1 };
                out.push(Token {
                    kind: Kind::Sign,
                    text: Cow::Borrowed(slice(at, at + length)),
                });
                at += length;
            }
        }
    }
    (out, broken)
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes
        .iter()
        .skip(at)
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |length| at + length)
}
