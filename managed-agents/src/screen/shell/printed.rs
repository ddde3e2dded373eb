//! What programs print of what they are given, as far as it can be told: echo(1), printf(1), tr(1), base64(1) and the like.

use super::data::{Data, Taint};
use super::escapes;
use super::flow::files;
use super::walk::Walk;
use crate::screen::cmd::Cmd;
use crate::screen::text;

pub(super) fn echo(cmd: &Cmd<'_>) -> Data {
    let mut at = 0;
    let (mut escapes, mut newline) = (false, true);
    while let Some(option) = cmd.args.get(at).map(|field| field.text.as_str()) {
        if option.len() < 2 || !option.starts_with('-') || !option.chars().skip(1).all(|c| matches!(c, 'n' | 'e' | 'E'))
        {
            break;
        }
        escapes |= option.contains('e');
        newline &= !option.contains('n');
        at += 1;
    }
    let rest = cmd.args.get(at..).unwrap_or_default();
    let words: Vec<&str> = rest.iter().map(|field| field.text.as_str()).collect();
    let mut text = words.join(" ");
    // sh's own echo reads escapes without being asked
    if escapes || text.contains("\\x") || text.contains("\\0") || text.contains("\\n") {
        text = escapes::ansi_c(&text);
    }
    if newline {
        text.push('\n');
    }
    let taint = rest.iter().fold(Taint::NONE, |all, field| all.and(field.taint));
    Data::known(text).tainted(taint.and(spelled(&words)))
}

/// Letters and digits that are written as escapes hide what they say.
pub(super) fn spelled(words: &[&str]) -> Taint {
    let hides = |text: &str| {
        text.split('\\').skip(1).any(|escape| {
            let (digits, base) = match escape.strip_prefix('x') {
                Some(hex) => (hex.get(..2), 16),
                None => (escape.trim_start_matches('0').get(..3).or_else(|| escape.get(..3)), 8),
            };
            digits
                .and_then(|digits| u8::from_str_radix(digits, base).ok())
                .is_some_and(|byte| byte.is_ascii_alphanumeric())
        })
    };
    if words.iter().any(|word| hides(word)) {
        Taint::HIDDEN
    } else {
        Taint::NONE
    }
}

/// printf(1): `%s`, `%b`, `%d`, `%c`, `%x` and escapes; the format is used again while arguments are left.
pub(super) fn printf(cmd: &Cmd<'_>) -> Data {
    let rest = if cmd.arg(0) == "--" {
        cmd.args.get(1..)
    } else {
        cmd.args.get(..)
    }
    .unwrap_or_default();
    let Some((format, values)) = rest.split_first() else {
        return Data::known("");
    };
    let format = escapes::ansi_c(&format.text);
    let mut values = values.iter();
    let mut out = String::new();
    let taint = rest.iter().fold(Taint::NONE, |all, field| all.and(field.taint));
    for _ in 0..64 {
        let mut used = false;
        let mut chars = format.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            while chars
                .peek()
                .is_some_and(|c| c.is_ascii_digit() || matches!(c, '-' | '.' | ' ' | '+' | '#' | '*'))
            {
                chars.next();
            }
            match chars.next() {
                Some('%') => out.push('%'),
                Some(kind) => {
                    used = true;
                    if let Some(field) = values.next() {
                        match kind {
                            'b' => out.push_str(&escapes::ansi_c(&field.text)),
                            'c' => out.extend(field.text.chars().next()),
                            _ => out.push_str(&field.text),
                        }
                    }
                }
                None => {}
            }
        }
        if !used || values.len() == 0 || out.len() > super::walk::VALUE {
            break;
        }
    }
    let words: Vec<&str> = rest.iter().map(|field| field.text.as_str()).collect();
    Data::known(out).tainted(taint.and(spelled(&words)))
}

pub(super) fn decoded(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    let decodes = match cmd.name {
        "base64" | "gbase64" | "base32" | "basenc" => cmd.short('d') || cmd.short('D') || cmd.long("decode"),
        "openssl" => cmd.has("-d") || cmd.has("-decrypt"),
        "gpg" | "gpg2" | "age" => cmd.short('d') || cmd.long("decrypt"),
        "xxd" | "hexdump" => cmd
            .args
            .iter()
            .any(|field| field.text.starts_with('-') && field.text.contains('r')),
        "gzip" | "xz" | "bzip2" | "zstd" => cmd.short('d') || cmd.long("decompress"),
        "strings" => false,
        _ => true,
    };
    if !decodes {
        let mut data = files(walk, cmd);
        if cmd.name == "strings" {
            data.taint = data.taint.and(Taint::HIDDEN);
        }
        // what was encoded is decoded further on: keep what it was
        if cmd.stdin.taint == Taint::NONE {
            data.text.clone_from(&cmd.stdin.text);
        }
        return data;
    }
    let taint = cmd.stdin.taint.and(Taint::HIDDEN);
    let plain = cmd.stdin.full_text().and_then(|input| {
        let input = input.trim();
        match cmd.name {
            "base64" | "gbase64" | "b64decode" | "openssl" => text::base64(input).or_else(|| Some(input.to_owned())),
            "base32" => text::base32(input),
            "basenc" => text::base64(input)
                .or_else(|| text::base32(input))
                .or_else(|| text::hex(input)),
            "xxd" => text::hex(input),
            _ => None,
        }
    });
    match plain {
        Some(plain) => Data::known(plain).tainted(taint),
        None => files(walk, cmd).tainted(taint),
    }
}

/// tr(1) with two plain sets.
pub(super) fn tr(cmd: &Cmd<'_>) -> Data {
    let operands = cmd.operands("", &[]);
    let (Some(input), [from, to]) = (cmd.stdin.full_text(), operands.as_slice()) else {
        let deletes = cmd.short('d');
        return match (cmd.stdin.full_text(), operands.first()) {
            (Some(input), Some(set)) if deletes => {
                let set = set_of(&set.text);
                let text: String = input.chars().filter(|c| !set.contains(c)).collect();
                Data::known(text).tainted(cmd.stdin.taint.and(Taint::HIDDEN))
            }
            _ => cmd.stdin.filtered(),
        };
    };
    let (from, to) = (set_of(&from.text), set_of(&to.text));
    let text: String = input
        .chars()
        .map(|c| match from.iter().position(|own| *own == c) {
            Some(at) => to.get(at).or(to.last()).copied().unwrap_or(c),
            None => c,
        })
        .collect();
    let taint = if text == input { Taint::NONE } else { Taint::HIDDEN };
    Data::known(text).tainted(cmd.stdin.taint.and(taint))
}

pub(super) fn set_of(text: &str) -> Vec<char> {
    let text = match text {
        "[:upper:]" => "A-Z",
        "[:lower:]" => "a-z",
        "[:digit:]" => "0-9",
        "[:space:]" => " \t\n",
        _ => text,
    };
    let chars: Vec<char> = escapes::ansi_c(text).chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(low) = chars.get(at).copied() {
        match (chars.get(at + 1), chars.get(at + 2)) {
            (Some('-'), Some(high)) if low <= *high && (*high as u32) - (low as u32) < 128 => {
                out.extend(low..=*high);
                at += 3;
            }
            _ => {
                out.push(low);
                at += 1;
            }
        }
    }
    out
}
