//! Which program a command runs, and what judges it.

use std::borrow::Cow;

use super::data::{Data, Field, Taint, UNKNOWN};
use super::walk::Walk;
use super::{interpreters, nested, wrappers};
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::programs::Known;
use crate::screen::signs::Signs;
use crate::screen::{effect, glob, rule};

/// Programs that a name with wildcards is tried against.
const GUESSES: [&str; 40] = [
    "rm", "dd", "mv", "sh", "bash", "nc", "cat", "cp", "ncat", "curl", "wget", "chmod", "chown", "shred", "mkfs",
    "python", "python3", "perl", "ruby", "node", "php", "find", "sudo", "su", "tee", "truncate", "unlink", "kill",
    "crontab", "iptables", "passwd", "useradd", "base64", "xargs", "env", "eval", "socat", "ssh", "scp", "git",
];

/// Judges a command that is neither a function nor an alias of the line.
pub(super) fn program(walk: &mut Walk<'_>, argv: &[Field<'_>], stdin: &Data) -> Data {
    let Some((first, args)) = argv.split_first() else {
        return Data::known("");
    };
    let span = first.span;
    if first.taint.has(Taint::NET) {
        walk.report(&rule::REMOTE_CODE, span);
    } else if first.taint.has(Taint::HIDDEN) {
        walk.report(&rule::HIDDEN_CODE, span);
    }
    let name = first.text.as_str();
    if name.is_empty() || first.text.signs().has(SPELLED) {
        spelled(walk, first, args, stdin)
    } else if name == "shift" {
        walk.shift(args.first().map_or("1", |by| by.text.as_str()));
        Data::known("")
    } else {
        named(walk, &Cmd::new(name, args, stdin, span))
    }
}

/// Signs without which a word is a program's own name, as most are.
const SPELLED: Signs = Signs::SLASH
    .and(Signs::DOT)
    .and(Signs::GLOB)
    .and(Signs::EQUALS)
    .and(Signs::DASH)
    .and(Signs::UPPER)
    .and(Signs::DIGIT)
    .and(Signs::BANG)
    .and(Signs::UNDERSCORE)
    .and(Signs::WIDE);

/// Finds the program's own name in one that is spelled otherwise: with its directory, in capitals, with wildcards, or with a
/// version.
fn spelled(walk: &mut Walk<'_>, first: &Field<'_>, args: &[Field<'_>], stdin: &Data) -> Data {
    let span = first.span;
    let folded = crate::screen::text::fold(&first.text);
    let (directory, base) = folded
        .rsplit_once('/')
        .map_or(("", &*folded), |(directory, base)| (directory, base));
    if base.contains(UNKNOWN) {
        walk.open = true;
        // a text of which nothing is known: any program could run
        if folded.starts_with(UNKNOWN) && folded.chars().count() == 1 && !first.taint.has(Taint::ITEM) {
            walk.report(&rule::UNRESOLVED_CODE, span);
        }
        return Data::unknown(Taint::NONE);
    }
    if base.is_empty() || base == "." && args.is_empty() {
        return Data::known("");
    }
    if base == "shift" {
        walk.shift(args.first().map_or("1", |by| by.text.as_str()));
        return Data::known("");
    }
    // no assignment, though it looks like one: what stands behind it may still be meant to run
    if !args.is_empty() && base.contains('=') {
        return walk.invoke(args, stdin);
    }
    if first.text.starts_with('!') && super::code::is_shell(base.trim_start_matches('!')) {
        walk.report(&rule::SHELL_ESCAPE, span);
    }
    let mut name = if base.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(base.to_ascii_lowercase())
    } else {
        Cow::Borrowed(base)
    };
    if glob::is_pattern(&name) && name != "[" && name != "[[" {
        match GUESSES.iter().find(|guess| glob::fits(&name, guess)) {
            Some(guess) => name = Cow::Borrowed(guess),
            None => {
                walk.open = true;
                return Data::unknown(Taint::NONE);
            }
        }
    }
    let length = stem(&name);
    let name = name.get(..length).unwrap_or_default();
    if directory.ends_with("/init.d") || directory.ends_with("/rc.d") {
        effect::service(walk, base, args, span, stdin);
    }
    if (!directory.is_empty() || folded.starts_with('/'))
        && let Some(data) = own_file(walk, &folded, span, stdin)
    {
        return data;
    }
    named(walk, &Cmd::new(name, args, stdin, span))
}

/// Judges a command by its program's own name.
fn named(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    effect::tamper(walk, cmd);
    let data = if cmd.known.has(RUNS) { runs(walk, cmd) } else { None };
    let Some(data) = data else {
        return effect::judge(walk, cmd);
    };
    // what it can do beside what it runs
    if cmd.known.has(Known::ABLE) {
        effect::abilities(walk, cmd);
    }
    data
}

/// What runs something else.
const RUNS: Known = Known::WRAPPER.and(Known::NESTED).and(Known::INTERPRETER);

/// Runs what a command runs; none, when its own effect must still be judged.
fn runs(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> {
    if cmd.known.has(Known::WRAPPER)
        && let Some(data) = wrappers::run(walk, cmd)
    {
        return Some(data);
    }
    if cmd.known.has(Known::NESTED)
        && let Some(data) = nested::run(walk, cmd)
    {
        return Some(data);
    }
    if cmd.known.has(Known::INTERPRETER) {
        return interpreters::run(walk, cmd);
    }
    None
}

/// A file that is run by its path: one that the line wrote, or one in a scratch place.
pub(super) fn own_file(
    walk: &mut Walk<'_>,
    path: &str,
    span: crate::screen::finding::Span,
    stdin: &Data,
) -> Option<Data> {
    if let Some(data) = walk.written(path).cloned() {
        if data.taint.has(Taint::NET) {
            walk.report(&rule::REMOTE_CODE, span);
        } else if data.taint.has(Taint::HIDDEN) {
            walk.report(&rule::HIDDEN_CODE, span);
        } else if data.full_text().is_none() {
            walk.open = true;
        }
        if walk.places.place(path, &walk.cwd) == Place::Scratch {
            walk.report(&rule::SCRATCH_CODE, span);
        }
        if let Some(text) = &data.text {
            super::code::scan(walk, text, span);
            walk.script(text, span, stdin);
        }
        return Some(Data::unknown(data.taint));
    }
    if walk.places.place(path, &walk.cwd) == Place::Scratch {
        walk.report(&rule::SCRATCH_CODE, span);
        walk.open = true;
        return Some(Data::unknown(Taint::NONE));
    }
    None
}

/// How long the program's own name is in one like `python3.12`, `mkfs.ext4` or `nc.exe`.
fn stem(name: &str) -> usize {
    let name = name.strip_suffix(".exe").unwrap_or(name);
    if name.starts_with("mkfs.") {
        return 4;
    }
    if name.starts_with("newfs_") {
        return 5;
    }
    if !name.ends_with(|c: char| c.is_ascii_digit() || c == '.' || c == '-') {
        return name.len();
    }
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    let known = matches!(
        stem,
        "python"
            | "pypy"
            | "perl"
            | "ruby"
            | "php"
            | "lua"
            | "luajit"
            | "node"
            | "nodejs"
            | "pip"
            | "bash"
            | "zsh"
            | "ksh"
            | "tclsh"
            | "gcc"
            | "clang"
            | "java"
            | "guile"
            | "irb"
            | "ipython"
            | "deno"
            | "bun"
            | "wish"
            | "expect"
    );
    if known { stem.len() } else { name.len() }
}
