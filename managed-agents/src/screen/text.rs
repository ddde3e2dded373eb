//! Texts in other clothes: full-width letters, encodings, and what they stand for.

use std::borrow::Cow;

/// Folds what Unicode calls compatibility forms of ASCII (UAX #15: full-width, circled, superscript and mathematical
/// letters and digits) to ASCII, and leaves out what is invisible.
pub(in crate::screen) fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().flat_map(folded).flatten().collect())
}

fn folded(c: char) -> [Option<char>; 2] {
    let n = u32::from(c);
    let one = |base: u32, offset: u32| [char::from_u32(base + offset), None];
    match n {
        // invisible: zero width, joiners, marks of direction, variation selectors, soft hyphen
        0xAD | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2064 | 0xFE00..=0xFE0F | 0xFEFF => [None, None],
        // full width
        0xFF01..=0xFF5E => one(0x21, n - 0xFF01),
        0x3000 | 0xA0 | 0x2000..=0x200A | 0x202F | 0x205F => [Some(' '), None],
        // circled, in brackets, with a full stop
        0x2460..=0x2468 => one(0x31, n - 0x2460),
        0x2469..=0x2472 => [Some('1'), char::from_u32(0x30 + n - 0x2469)],
        0x2474..=0x247C => one(0x31, n - 0x2474),
        0x2488..=0x2490 => [char::from_u32(0x31 + n - 0x2488), Some('.')],
        0x24B6..=0x24CF => one(0x61, n - 0x24B6),
        0x24D0..=0x24E9 => one(0x61, n - 0x24D0),
        0x249C..=0x24B5 => one(0x61, n - 0x249C),
        0x24EA | 0x24FF => [Some('0'), None],
        0x24F5..=0x24FD => one(0x31, n - 0x24F5),
        0x2776..=0x277E => one(0x31, n - 0x2776),
        0x2780..=0x2788 => one(0x31, n - 0x2780),
        // superscripts and subscripts
        0xB9 => [Some('1'), None],
        0xB2 | 0xB3 => one(0x32, n - 0xB2),
        0x2070 | 0x2080 => [Some('0'), None],
        0x2074..=0x2079 => one(0x34, n - 0x2074),
        0x2081..=0x2089 => one(0x31, n - 0x2081),
        // mathematical alphanumerics: alphabets of 52 letters, then digits
        0x1D400..=0x1D6A3 => {
            let letter = (n - 0x1D400) % 52;
            if letter < 26 {
                one(0x41, letter)
            } else {
                one(0x61, letter - 26)
            }
        }
        0x1D7CE..=0x1D7FF => one(0x30, (n - 0x1D7CE) % 10),
        // what stands for a full stop or a slash
        0x3002 | 0xFF61 | 0x2024 | 0xFE52 => [Some('.'), None],
        0x2025 => [Some('.'), Some('.')],
        0x2215 | 0x2044 | 0x29F8 => [Some('/'), None],
        0x2216 | 0xFE68 | 0x29F5 => [Some('\\'), None],
        0xFE55 => [Some(':'), None],
        0x2010..=0x2015 | 0x2212 | 0xFE58 | 0xFE63 => [Some('-'), None],
        _ => [Some(c), None],
    }
}

/// A text in small letters (ASCII only), which most are.
pub(in crate::screen) fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether a short text holds another: for words of a command, where a search that prepares itself costs more than it saves.
pub(in crate::screen) fn holds(text: &str, inner: &str) -> bool {
    let Some((first, others)) = inner.as_bytes().split_first() else {
        return true;
    };
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        rest = rest.get(at + 1..).unwrap_or_default();
        if rest.starts_with(others) {
            return true;
        }
    }
    false
}

/// The same of an ASCII letter.
pub(in crate::screen) fn has_letter(text: &str, letter: char) -> bool {
    text.bytes().any(|own| char::from(own) == letter)
}

/// What stands behind the last of an ASCII sign, in a short text.
pub(in crate::screen) fn behind_last(text: &str, sign: u8) -> Option<&str> {
    let at = text.bytes().rposition(|byte| byte == sign)?;
    text.get(at + 1..)
}

/// What stands before, between and behind an ASCII sign in a short text.
pub(in crate::screen) fn parts(text: &str, sign: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let at = text.bytes().position(|byte| byte == sign);
        rest = at.and_then(|at| text.get(at + 1..));
        text.get(..at.unwrap_or(text.len()))
    })
}

/// A file's name, in a short path.
pub(in crate::screen) fn name(path: &str) -> &str {
    behind_last(path, b'/').unwrap_or(path)
}

/// Decodes base64 (RFC 4648, both alphabets), skipping white space; none, when it is something else.
pub(in crate::screen) fn base64(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            b'\n' | b'\r' | b' ' | b'\t' => continue,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(((bits >> held) & 0xff) as u8);
        }
    }
    readable(out)
}

/// Decodes base32 (RFC 4648).
pub(in crate::screen) fn base32(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text.bytes() {
        let value = match byte.to_ascii_uppercase() {
            upper @ b'A'..=b'Z' => upper - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            b'=' => break,
            b'\n' | b'\r' | b' ' | b'\t' => continue,
            _ => return None,
        };
        bits = (bits << 5) | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push(((bits >> held) & 0xff) as u8);
        }
    }
    readable(out)
}

/// Decodes hexadecimal digits, skipping white space, `0x` and `\x`.
pub(in crate::screen) fn hex(text: &str) -> Option<String> {
    let plain = text.replace("\\x", "").replace("0x", "");
    let digits: Option<Vec<u8>> = plain
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() >= 2)?;
    readable(
        digits
            .chunks(2)
            .filter_map(|pair| match pair {
                [high, low] => Some(high << 4 | low),
                _ => None,
            })
            .collect(),
    )
}

fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let fine = |c: char| !c.is_control() || c.is_whitespace();
    (!text.is_empty() && text.chars().all(fine)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_other_clothes_are_folded() {
        assert_eq!(fold("ｒｍ"), "rm");
        assert_eq!(fold("①⑥⑨。②⑤④"), "169.254");
        assert_eq!(fold("𝐫𝐦"), "rm");
        assert_eq!(fold("r\u{200b}m"), "rm");
    }

    #[test]
    fn encodings_are_read() {
        assert_eq!(base64("cm0gLXJmIH4=").as_deref(), Some("rm -rf ~"));
        assert_eq!(hex("726d202d7266207e").as_deref(), Some("rm -rf ~"));
        assert_eq!(base32("OJWSALLSMYQH4===").as_deref(), Some("rm -rf ~"));
        assert_eq!(base64("!!"), None);
    }
}
