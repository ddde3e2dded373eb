//! Paths in arguments: decoded, normal, and then judged by where they lead (CWE-22, RFC 3986 §2.1).

use std::borrow::Cow;

use super::effect::{self, Credential};
use super::place::{Place, Places};
use super::rule::{self, Rule};
use super::text;

/// Decodes `%XX` once.
pub(in crate::screen) fn percent(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digit = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        match (byte, digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high << 4 | low).unwrap_or(0));
                at += 3;
            }
            (b'%', ..) if matches!(bytes.get(at + 1), Some(b'u' | b'U')) => {
                match (digit(2), digit(3), digit(4), digit(5)) {
                    (Some(a), Some(b), Some(c), Some(d)) => {
                        let c = char::from_u32(a << 12 | b << 8 | c << 4 | d).unwrap_or('\u{FFFD}');
                        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                        at += 6;
                    }
                    _ => {
                        out.push(*byte);
                        at += 1;
                    }
                }
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    Cow::Owned(overlong(&out))
}

/// Bytes as text, where sequences that are longer than they need be stand for the ASCII they mean (RFC 3629 §10).
fn overlong(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let next = |offset: usize| bytes.get(at + offset).copied();
        let (c, used) = match (byte, next(1), next(2)) {
            // careless decoders only look at the low bits of what follows
            (0xC0 | 0xC1, Some(low), _) => (Some((byte & 1) << 6 | (low & 0x3f)), 2),
            (0xE0, Some(high), Some(low)) if high & 0x3e == 0 => (Some((high & 1) << 6 | (low & 0x3f)), 3),
            (0xF0, Some(_), Some(high)) if high & 0x3e == 0 && next(1).is_some_and(|one| one & 0x3f == 0) => {
                (next(3).map(|low| (high & 1) << 6 | (low & 0x3f)), 4)
            }
            (0xF8 | 0xFC, ..) => {
                let length = if byte == 0xF8 { 5 } else { 6 };
                (
                    next(length - 1).map(|low| (next(length - 2).unwrap_or(0) & 1) << 6 | (low & 0x3f)),
                    length,
                )
            }
            _ => (None, 1),
        };
        match c {
            // an overlong sequence may leave out the high bit of its second byte: `%c0%2f`
            Some(c) if c.is_ascii_graphic() => out.push(c),
            _ if used > 1 && next(used - 1).is_some_and(|low| low.is_ascii_graphic()) => out.extend(next(used - 1)),
            _ if byte.is_ascii() => out.push(byte),
            _ => out.extend_from_slice("\u{FFFD}".as_bytes()),
        }
        at += used;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A path in the clothes it was given and in those that decoders take off.
struct Undressed {
    text: String,
    layers: u32,
}

fn undress(path: &str) -> Undressed {
    let mut text = path.to_owned();
    let mut layers = 0;
    for _ in 0..5 {
        let mut next = text::fold(&percent(&text)).into_owned();
        // `%%32%66` leaves `%2f`; `0x2e` and `\x2e` are written out; bare `2e2e2f` follows dots
        for (from, to) in [
            ("0x2e", "."),
            ("0x2f", "/"),
            ("0x5c", "\\"),
            ("\\x2e", "."),
            ("\\x2f", "/"),
            ("..2f", "../"),
            ("..5c", "..\\"),
            ("%2e", "."),
            ("%2f", "/"),
            ("%5c", "\\"),
        ] {
            if next.contains(from) {
                next = next.replace(from, to);
            }
        }
        if next == text {
            break;
        }
        layers += 1;
        text = next;
    }
    Undressed { text, layers }
}

/// The worst that a path leads to, for a tool that reads (`writes` false) or changes it.
pub(in crate::screen) fn judge(path: &str, places: &Places, writes: bool) -> Option<&'static Rule> {
    if path.len() > 4096 {
        return Some(&rule::LIMIT);
    }
    let mut worst = judge_plain(path, places, writes);
    let undressed = undress(path);
    let cut: String = undressed.text.split('\0').next().unwrap_or_default().to_owned();
    let cut = if cut.is_empty() {
        undressed.text.replace('\0', "")
    } else {
        cut
    };
    let slashed = cut.replace('\\', "/");
    if undressed.layers > 0 || slashed != path {
        let inner = judge_plain(&slashed, places, writes);
        // what hides that it climbs, climbs on purpose
        if undressed.layers > 0 && (climbs(&slashed) || inner.is_some()) {
            return Some(&rule::PATH_TRAVERSAL);
        }
        worst = worst.or(inner);
        if slashed.contains("../") && slashed != path && path.contains('\\') {
            return Some(&rule::PATH_TRAVERSAL);
        }
    }
    // characters that no name has, and that some readers take for dots and slashes
    let odd = |c: char| matches!(c, '\u{FFFD}' | '\u{E000}'..='\u{F8FF}');
    if undressed.layers > 0 && undressed.text.contains(odd) && undressed.text.contains("..") {
        return Some(&rule::PATH_TRAVERSAL);
    }
    if path.contains('\\') && slashed.trim_start_matches(['.', '/']).starts_with("etc/") {
        return Some(&rule::PATH_TRAVERSAL);
    }
    // an encoding that nobody decodes stands beside dots only to slip past who tries
    if path.contains("..") && path.contains('%') && undressed.text.contains('%') {
        return Some(&rule::PATH_TRAVERSAL);
    }
    if path.contains('\0') || undressed.text.contains('\0') {
        return Some(&rule::PATH_TRAVERSAL);
    }
    if undressed.layers > 1 && worst.is_none() {
        return Some(&rule::PATH_TRAVERSAL);
    }
    if worst.is_none()
        && path.len() >= 16
        && !path.contains(['/', '.', '\\'])
        && let Some(plain) = text::base64(path)
        && (climbs(&plain) || judge_plain(&plain, places, writes).is_some())
    {
        return Some(&rule::PATH_TRAVERSAL);
    }
    worst
}

/// Whether a path goes up, in any of the ways that filters have been known to make one from.
fn climbs(path: &str) -> bool {
    path.split(['/', '\\'])
        .any(|part| part.len() >= 2 && part.chars().all(|c| c == '.'))
        || path.contains("../")
        || path.contains("..\\")
}

fn judge_plain(path: &str, places: &Places, writes: bool) -> Option<&'static Rule> {
    let normal = places.normal(path, "");
    if writes {
        if let Some(rule) = super::tamper::written(places, &normal).or(effect::written(&normal)) {
            return Some(rule);
        }
    } else if super::tamper::secret_path(places, &normal) {
        return Some(&rule::TAMPER);
    }
    match effect::credential(&normal) {
        Some(Credential::Secret) if !(writes && places.place_of(&normal) == Place::InWorkspace) => {
            return Some(&rule::CREDENTIAL_READ);
        }
        Some(Credential::Process) => return Some(&rule::CREDENTIAL_DUMP),
        Some(Credential::Accounts) => return Some(&rule::PATH_SYSTEM),
        _ => {}
    }
    // `....//` becomes `../` for a filter that removes `../` once; `.../` and `..;/` fool others
    let tricky = path
        .split(['/', '\\'])
        .any(|part| part.len() > 2 && part.starts_with("..") && part.chars().all(|c| matches!(c, '.' | ';')));
    let ups = path.split(['/', '\\']).filter(|part| *part == "..").count();
    if tricky && path.contains('/') || path.contains("..//") || path.contains("..\\/") || path.contains("../\\") {
        return Some(&rule::PATH_TRAVERSAL);
    }
    let escapes = normal == ".." || normal.starts_with("../");
    if escapes {
        return Some(if ups > 1 || leads_to_system(&normal) {
            &rule::PATH_TRAVERSAL
        } else {
            &rule::PATH_OUTSIDE
        });
    }
    if ups > 0
        && path.starts_with('/')
        && matches!(places.place_of(&normal), Place::InSystem | Place::System | Place::Root)
    {
        return Some(&rule::PATH_TRAVERSAL);
    }
    if ups > 2 && path.starts_with('/') {
        return Some(&rule::PATH_TRAVERSAL);
    }
    // what the kernel tells of processes, and a web application's own settings
    if normal.starts_with("/proc/") || normal.split('/').any(|part| matches!(part, "WEB-INF" | "META-INF")) {
        return Some(&rule::PATH_SYSTEM);
    }
    if ["zip://", "phar://", "expect://", "compress.zlib://"]
        .iter()
        .any(|wrapper| path.starts_with(wrapper))
    {
        return Some(&rule::PATH_TRAVERSAL);
    }
    let windows = normal.to_ascii_lowercase();
    if ["windows/win.ini", "boot.ini", "windows/system32", "winnt/"]
        .iter()
        .any(|own| windows.contains(own))
    {
        return Some(&rule::PATH_SYSTEM);
    }
    if writes {
        return match places.place_of(&normal) {
            Place::Device => Some(&rule::DESTROY_DEVICE),
            Place::Root | Place::System | Place::InSystem => Some(&rule::SYSTEM_WRITE),
            _ => None,
        };
    }
    matches!(places.place_of(&normal), Place::Device).then_some(&rule::PATH_SYSTEM)
}

fn leads_to_system(normal: &str) -> bool {
    let inner = normal.trim_start_matches("../");
    let top = inner.split('/').next().unwrap_or_default();
    matches!(
        top,
        "etc" | "proc" | "sys" | "root" | "var" | "usr" | "boot" | "dev" | "windows" | "winnt" | "home"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(path: &str) -> &'static str {
        judge(path, &Places::default(), false).map_or("-", Rule::code)
    }

    #[test]
    fn encoded_climbing_is_found() {
        for path in [
            "%2e%2e/%2e%2e/etc/x",
            "..%252f..%252fx",
            "..%c0%af..%c0%afetc/x",
            "....//....//etc/x",
            "..\\..\\x",
            "%uff0e%uff0e%u2216x",
            "..%%32%66..%%32%66x",
            "a%00.txt",
            "..2f..2fetc",
        ] {
            assert_eq!(code(path), "path_traversal", "{path}");
        }
    }

    #[test]
    fn ordinary_paths_pass() {
        for path in [
            "src/lib.rs",
            "/workspace/src/../README.md",
            "v1..v2.diff",
            ".env.example",
            "/var/log/x",
            "100%",
            "a%20b.txt",
            "...",
            "docs/a...b",
        ] {
            assert_eq!(code(path), "-", "{path}");
        }
    }
}
