//! What commands write to their standard output, where that can be told from their arguments (coreutils manual pages).

use super::data::{Data, Taint};
use super::escapes;
use super::walk::Walk;
use crate::screen::cmd::Cmd;
use crate::screen::programs::Known;
use crate::screen::{effect, text};

/// Programs that print files they are given, whole, in part or changed.
pub(in crate::screen) const PRINTERS: &[&str] = &[
    "grep",
    "egrep",
    "fgrep",
    "rg",
    "zgrep",
    "head",
    "tail",
    "sort",
    "uniq",
    "cut",
    "awk",
    "gawk",
    "mawk",
    "sed",
    "gsed",
    "wc",
    "nl",
    "fold",
    "column",
    "paste",
    "join",
    "comm",
    "strings",
    "od",
    "hexdump",
    "xxd",
    "less",
    "more",
    "most",
    "bat",
    "batcat",
    "split",
    "csplit",
    "shuf",
    "pr",
    "fmt",
    "expand",
    "unexpand",
    "tac",
    "rev",
    "jq",
    "yq",
    "iconv",
    "pv",
    "dos2unix",
    "unix2dos",
    "look",
    "ul",
    "cat",
    "zcat",
    "xzcat",
    "bzcat",
    "tr",
    "tee",
    "ag",
    "ack",
    "colrm",
    "basenc",
    "base64",
    "base32",
    "gzip",
    "bzip2",
    "xz",
    "zstd",
    "openssl",
    "gpg",
    "diff",
    "cmp",
    "sdiff",
    "file",
    "view",
    "ccat",
    "mdcat",
    "glow",
    "vi",
    "vim",
    "nano",
    "ed",
    "ee",
    "pico",
    "emacs",
    "lynx",
    "w3m",
    "ln",
    "link",
    "install",
    "tar",
    "zip",
    "rsync",
    "cpio",
    "7z",
    "7za",
    "7zr",
    "rar",
    "ar",
    "ditto",
    "uuencode",
    "mail",
    "mailx",
    "mutt",
    "sendmail",
    "xclip",
    "pbcopy",
    "xsel",
    "wl-copy",
    "sqlite3",
    "readarray",
    "mapfile",
    "dd",
    "cp",
    "mv",
    "scp",
    "sftp",
    "pastebinit",
    "gist",
    "b64encode",
    "ccencrypt",
    "age",
    "date",
    "arp",
    "espeak",
    "nroff",
    "troff",
    "soelim",
    "restic",
    "xmodmap",
    "john",
    "unshadow",
    "genisoimage",
    "cupsfilter",
    "dialog",
    "whiptail",
    "msgcat",
    "wget",
    "curl",
];

/// What a command prints.
pub(in crate::screen) fn output(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    if cmd.known.has(Known::OUTPUT) {
        return told(walk, cmd);
    }
    otherwise(walk, cmd)
}

fn otherwise(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    if cmd.known.has(Known::PRINTER) {
        files(walk, cmd)
    } else if cmd.has_any(&[
        "completion",
        "completions",
        "shell-completion",
        "--completion",
        "--generate-completion",
        "--completions",
    ]) {
        Data::unknown(Taint::COMPLETION)
    } else if cmd.stdin.given {
        cmd.stdin.filtered()
    } else {
        Data::unknown(Taint::NONE)
    }
}

by_name! {
    NAMES: fn told(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data where cmd.name is {
        "echo" => echo(cmd),
        "printf" => printf(cmd),
        "true" | ":" | "false" | "mkdir" | "touch" | "rm" | "mv" | "cp" | "chmod" | "chown" | "ln" | "sleep"
        | "wait" | "shift" | "unset" | "return" | "exit" | "break" | "continue" | "test" | "[" | "let" | "popd"
        | "umask" | "shopt" | "unalias" | "hash" | "rmdir" | "kill" | "mkfifo" => Data::known(""),
        "which" | "type" | "whence" => match cmd.operands("", &[]).first() {
            Some(name) if name.text.contains('/') || cmd.name == "type" => Data::known(name.text.clone()),
            Some(name) => Data::known(format!("/usr/bin/{}", name.text)),
            None => Data::known(""),
        },
        "pwd" => Data::known(if walk.cwd.is_empty() {
            ".".to_owned()
        } else {
            walk.cwd.clone()
        }),
        "basename" => match cmd.args.first() {
            Some(path) => Data::known(path.text.rsplit('/').next().unwrap_or_default().to_owned()),
            None => Data::known(""),
        },
        "dirname" => match cmd.args.first() {
            Some(path) => Data::known(path.text.trim_end_matches('/').rsplit_once('/').map_or(".", |(parent, _)| parent).to_owned()),
            None => Data::known(""),
        },
        "readlink" | "realpath" | "greadlink" => match cmd.operands("", &[]).first() {
            Some(path) => Data::known(walk.places.normal(&path.text, &walk.cwd)),
            None => Data::unknown(Taint::NONE),
        },
        "mktemp" => Data::known("/tmp/tmp.mktemp"),
        "pgrep" | "pidof" => match cmd.operands("uUgGPst", &[]).first() {
            Some(name) => Data::known(format!("{}{}", super::data::UNKNOWN, name.text)),
            None => Data::unknown(Taint::NONE),
        },
        "seq" | "whoami" | "id" | "date" | "hostname" | "uname" | "nproc" | "tput" | "stat" | "ps" | "jobs" | "getent" | "ssh-agent" => Data::unknown(Taint::NONE),
        "ls" | "dir" | "gls" | "lsd" | "exa" | "eza" | "tree" => {
            let operands = cmd.operands("IwT", &[]);
            let mut listing: Vec<String> = operands
                .iter()
                .map(|field| format!("{}/{}", field.text.trim_end_matches('/'), super::data::ALL))
                .collect();
            if operands
                .iter()
                .any(|field| crate::screen::glob::is_pattern(&field.text))
            {
                listing = operands.iter().map(|field| field.text.clone()).collect();
            }
            if listing.is_empty() {
                listing.push(format!("./{}", super::data::ALL));
            }
            Data {
                listing,
                ..Data::unknown(Taint::NONE)
            }
        },
        "cat" | "tac" | "zcat" | "gzcat" | "bat" if cmd.operands("", &[]).iter().all(|field| field.text == "-") => {
            let hidden = if cmd.name.ends_with("zcat") {
                Taint::HIDDEN
            } else {
                Taint::NONE
            };
            cmd.stdin.clone().tainted(hidden)
        },
        "base64" | "gbase64" | "b64decode" | "base32" | "basenc" | "openssl" | "uudecode" | "gpg" | "gpg2" | "age"
        | "gunzip" | "zcat" | "gzip" | "xz" | "unxz" | "bunzip2" | "bzip2" | "zstd" | "xxd" | "hexdump"
        | "ccdecrypt" | "mcrypt" | "steghide" | "strings" => decoded(walk, cmd),
        "rev" => match cmd.stdin.full_text().filter(|_| cmd.args.is_empty()) {
            Some(text) => {
                let lines: Vec<String> = text.lines().map(|line| line.chars().rev().collect()).collect();
                Data::known(lines.join("\n")).tainted(cmd.stdin.taint.and(Taint::HIDDEN))
            }
            None => files(walk, cmd).tainted(Taint::HIDDEN),
        },
        "tr" => tr(cmd),
        "tee" | "pv" => cmd.stdin.clone(),
        "head" | "tail" | "sort" | "uniq" | "nl" | "fold" | "shuf" => {
            let mut data = files(walk, cmd);
            // the listing is still of all kinds of files
            if cmd.stdin.given && cmd.name == "sort" {
                data.listing.clone_from(&cmd.stdin.listing);
                data.text.clone_from(&cmd.stdin.text);
            }
            data
        },
    } else { otherwise(walk, cmd) }
}

/// What a program prints that reads the files among its arguments, or else its standard input.
fn files(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    let mut data = cmd.stdin.filtered();
    let mut known = None;
    let operands = cmd.operands("nceFfvASBCmd", &["lines", "bytes", "max-count"]);
    let skip = usize::from(
        matches!(
            cmd.name,
            "grep" | "egrep" | "fgrep" | "rg" | "awk" | "gawk" | "sed" | "gsed" | "tr" | "cut" | "jq" | "yq"
        ) && !cmd.short('e')
            && !cmd.short('f'),
    );
    for field in operands.iter().skip(skip.min(operands.len().saturating_sub(1))) {
        if let Some(written) = walk.written(&field.text).cloned() {
            data.taint = data.taint.and(written.taint).and(Taint::FILE);
            known = written.text;
        } else {
            data.taint = data.taint.and(effect::taint_of(walk, &field.text));
        }
    }
    if matches!(cmd.name, "cat" | "tac" | "head" | "tail" | "bat") {
        data.text = known;
    }
    if cmd.name == "cat" && cmd.has_any(&["/dev/zero", "/dev/urandom", "/dev/random"]) {
        data.taint = data.taint.and(Taint::ENDLESS);
    }
    data
}

fn echo(cmd: &Cmd<'_>) -> Data {
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
fn spelled(words: &[&str]) -> Taint {
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
fn printf(cmd: &Cmd<'_>) -> Data {
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

fn decoded(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
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
fn tr(cmd: &Cmd<'_>) -> Data {
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

fn set_of(text: &str) -> Vec<char> {
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
