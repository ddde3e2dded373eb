//! Backslash escapes as `$'..'`, `echo -e` and `printf` read them (bash(1), QUOTING).

/// Replaces the escapes of `$'..'`.
pub(in crate::screen) fn ansi_c(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let Some(code) = bytes.get(at) else {
            out.push(b'\\');
            break;
        };
        at += 1;
        match code {
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'e' | b'E' => out.push(27),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'\\' | b'\'' | b'"' | b'?' => out.push(*code),
            b'0'..=b'7' => {
                // `echo -e` writes \0nnn, `$'..'` and printf \nnn
                let first = if *code == b'0' { at } else { at - 1 };
                let (value, used) = number(bytes, first, 3, 8);
                at = first + used;
                out.push(u8::try_from(value & 0xff).unwrap_or(0));
            }
            b'x' => {
                let (value, used) = number(bytes, at, 2, 16);
                at += used;
                out.push(u8::try_from(value).unwrap_or(0));
            }
            b'u' | b'U' => {
                let (value, used) = number(bytes, at, if *code == b'u' { 4 } else { 8 }, 16);
                at += used;
                let mut buffer = [0; 4];
                let c = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            }
            b'c' => {
                out.extend(bytes.get(at).map(|byte| byte & 0x1f));
                at += 1;
            }
            _ => {
                out.push(b'\\');
                out.push(*code);
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn number(bytes: &[u8], from: usize, most: usize, radix: u32) -> (u32, usize) {
    let mut value = 0_u32;
    let mut used = 0;
    while used < most
        && let Some(digit) = bytes
            .get(from + used)
            .and_then(|byte| char::from(*byte).to_digit(radix))
    {
        value = value.wrapping_mul(radix).wrapping_add(digit);
        used += 1;
    }
    (value, used)
}

#[cfg(test)]
mod tests {
    use super::ansi_c;

    #[test]
    fn hexadecimal_octal_and_unicode_escapes_are_read() {
        assert_eq!(ansi_c(r"\x72\155 \u002drf\n"), "rm -rf\n");
        assert_eq!(ansi_c(r"\0162m"), "rm");
        assert_eq!(ansi_c(r"\q\"), r"\q\");
    }
}
