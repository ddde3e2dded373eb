//! What commands write to their standard output, where that can be told from their arguments (coreutils manual pages).

use super::data::{Data, Taint};
use super::printed::{decoded, echo, printf, tr};
use super::walk::Walk;
use crate::screen::cmd::Cmd;
use crate::screen::effect;
use crate::screen::programs::Known;
use crate::screen::signs::Signs;

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
                listing = operands.iter().map(|field| field.text.to_string()).collect();
            }
            if listing.is_empty() {
                listing.push(format!("./{}", super::data::ALL));
            }
            Data {
                listing,
                ..Data::unknown(Taint::NONE)
            }
        },
        "cat" | "tac" | "zcat" | "gzcat" | "bat" if cmd.reads_input() => {
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
pub(super) fn files(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    let mut data = cmd.stdin.filtered();
    let mut known = None;
    let operands = cmd.operands("nceFfvASBCmd", &["lines", "bytes", "max-count"]);
    // the only one is taken for a file
    let takes_text = operands.len() > 1
        && matches!(
            cmd.name,
            "grep" | "egrep" | "fgrep" | "rg" | "awk" | "gawk" | "sed" | "gsed" | "tr" | "cut" | "jq" | "yq"
        )
        && !cmd.short('e')
        && !cmd.short('f');
    for field in operands.iter().skip(usize::from(takes_text)) {
        if let Some(written) = walk.written(&field.text).cloned() {
            data.taint = data.taint.and(written.taint).and(Taint::FILE);
            known = written.text;
        } else {
            data.taint = data.taint.and(effect::taint_of(walk, &field.text));
        }
    }
    if known.is_some() && matches!(cmd.name, "cat" | "tac" | "head" | "tail" | "bat") {
        data.text = known;
    }
    if cmd.signs.has(Signs::SLASH) && cmd.name == "cat" && cmd.has_any(&["/dev/zero", "/dev/urandom", "/dev/random"]) {
        data.taint = data.taint.and(Taint::ENDLESS);
    }
    data
}
