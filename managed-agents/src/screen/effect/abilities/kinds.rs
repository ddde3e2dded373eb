//! What becomes of the texts that abilities lead to.

use super::super::{Write, found, read_file, write_file};
use super::Can;
use crate::screen::cmd::Cmd;
use crate::screen::finding::Span;
use crate::screen::place::Place;
use crate::screen::programs::Known;
use crate::screen::rule;
use crate::screen::shell::code::{self, is_shell};
use crate::screen::shell::data::{Data, Taint, UNKNOWN};
use crate::screen::shell::walk::Walk;

/// Marks behind which the consoles of programs take a command of the system.
const MARKS: [&str; 14] = [
    "!",
    "\\!",
    ".shell ",
    ".system ",
    "system ",
    "shell ",
    "host ",
    "HOST ",
    "platform shell ",
    "!!",
    ":!",
    "spawn ",
    ":sh ",
    "@exec ",
];

/// Calls by which rarer languages run a command, whose texts are commands then.
const CALLS: [&str; 30] = [
    "(system",
    "system(",
    "system ",
    "syscmd",
    "Sys.command",
    "os:cmd",
    "os_cmd",
    ".execute(",
    "sys.process",
    "shell(",
    "getRuntime",
    "ProcessBuilder",
    "open_port",
    "run-program",
    "run-shell-command",
    "process*",
    "popen",
    "exec",
    "spawn",
    "callCommand",
    "readProcess",
    "sh(",
    "`",
    "shell_exec",
    "Shell.",
    "Process.",
    "unix(",
    "shell/sh",
    "Command(",
    "host(",
];

/// The standard input, where a program takes what it is asked to do from it.
pub(super) fn input(walk: &mut Walk<'_>, cmd: &Cmd<'_>, can: Can) {
    let taint = cmd.stdin.taint;
    if matches!(can, Can::Console | Can::Within(_)) {
        // what is loaded there is no program
    } else if taint.has(Taint::NET) {
        found(walk, cmd, &rule::REMOTE_CODE);
    } else if taint.has(Taint::HIDDEN) {
        found(walk, cmd, &rule::HIDDEN_CODE);
    }
    let Some(text) = cmd.stdin.text.clone() else {
        return;
    };
    match can {
        Can::Code => run_code(walk, &text, cmd.span),
        Can::Loads => {
            run_code(walk, &text, cmd.span);
            settings(walk, &text, cmd.span);
        }
        Can::Console => console(walk, &text, cmd.span),
        Can::Runs => {
            walk.script(&text, cmd.span, &Data::none());
        }
        Can::Within(marks) => within(walk, &text, marks, cmd.span),
        _ => {}
    }
}

/// One value, which stands in this argument.
pub(super) fn value(walk: &mut Walk<'_>, cmd: &Cmd<'_>, can: Can, value: &str, at: usize) {
    let span = cmd.args.get(at).map_or(cmd.span, |field| field.span);
    match can {
        Can::Is(rule) => walk.report(rule, span),
        Can::Rest(skip) => rest(walk, cmd, at, skip),
        Can::Serves(skip) => serves(walk, cmd, at, skip),
        Can::Last => {
            if let Some(field) = cmd.args.iter().rev().find(|field| !field.text.starts_with('-')) {
                runs(walk, &field.text, field.span);
            }
        }
        Can::Sends => {
            if at == 0 {
                sends(walk, cmd);
            }
        }
        _ if value.is_empty() => {}
        Can::Runs => runs(walk, value, span),
        Can::Code => run_code(walk, value, span),
        Can::Loads => loads(walk, cmd, value, span),
        Can::Sets(keys) => sets(walk, value, keys, span),
        Can::Writes => {
            if value.starts_with(['/', '~']) {
                let fetched = cmd.known.has(Known::SOURCE);
                let taint = if fetched { Taint::NET } else { Taint::NONE };
                write_file(walk, value, Write::Append, &Data::unknown(taint), span);
            }
        }
        Can::Fetches => {
            let plain = value.split_once("http://").map(|(_, rest)| rest);
            if plain.is_some_and(|rest| !rest.starts_with("localhost") && !rest.starts_with("127.0.0.1")) {
                walk.report(&rule::REMOTE_CODE, span);
            }
        }
        Can::Console => console(walk, value, span),
        Can::Within(marks) => within(walk, value, marks, span),
        Can::Says => said(walk, cmd, value, span),
        Can::Pipe => {
            if let Some(command) = value.strip_prefix('|').or_else(|| value.strip_suffix('|')) {
                runs(walk, command, span);
            }
        }
    }
}

/// A command: judged as one, and a shell for its own sake is an escape.
pub(super) fn runs(walk: &mut Walk<'_>, command: &str, span: Span) {
    let command = command.trim_start_matches(['!', '|', ' ']);
    let by_other = std::mem::replace(&mut walk.by_other, true);
    walk.script(command, span, &Data::none());
    walk.by_other = by_other;
    let program = command.split([' ', ',']).next().unwrap_or_default();
    if is_shell(program) {
        walk.report(&rule::SHELL_ESCAPE, span);
    }
}

/// The words of a command, from so many behind this one; options of the program itself may stand before them.
fn rest(walk: &mut Walk<'_>, cmd: &Cmd<'_>, at: usize, skip: usize) {
    let mut from = at + skip;
    while cmd.arg(from).starts_with('-') {
        from += 1;
    }
    let inner = cmd.args.get(from..).unwrap_or_default();
    let by_other = std::mem::replace(&mut walk.by_other, true);
    if let [script] = inner
        && script.text.contains(' ')
    {
        walk.script(&script.text, script.span, &Data::none());
    } else if !inner.is_empty() {
        walk.invoke(inner, cmd.stdin);
    }
    walk.by_other = by_other;
}

/// A command for whoever connects: one that is a shell lets them in.
fn serves(walk: &mut Walk<'_>, cmd: &Cmd<'_>, at: usize, skip: usize) {
    let inner = cmd.args.get(at + skip..).unwrap_or_default();
    if inner.iter().any(|field| is_shell(&field.text)) {
        found(walk, cmd, &rule::REVERSE_SHELL);
    }
    rest(walk, cmd, at, skip);
}

/// A copy that is kept elsewhere, of the system's own settings or of everything (restic(1), borg(1), duplicity(1)).
fn sends(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let remote =
        |text: &str| text.contains("://") && !text.contains("file://") || text.contains('@') && text.contains(':');
    if !cmd.args.iter().any(|field| remote(&field.text)) {
        return;
    }
    for field in cmd.args.iter().filter(|field| field.text.starts_with('/')) {
        if matches!(walk.places.place(&field.text, &walk.cwd), Place::Root | Place::System)
            || field.text.starts_with("/root")
        {
            walk.report(&rule::EXFIL_FILE, field.span);
        }
    }
}

/// Code of another language, of which only the calls that run commands and their texts are known.
pub(super) fn run_code(walk: &mut Walk<'_>, text: &str, span: Span) {
    let text = text.get(..32 * 1024).unwrap_or(text);
    code::scan(walk, text, span);
    let calls = CALLS.iter().any(|call| text.contains(call));
    // an atom needs no quotes (Prolog)
    let mut bare = text.match_indices("shell(").chain(text.match_indices("system("));
    if bare.any(|(at, mark)| {
        let inner = text.get(at + mark.len()..).unwrap_or_default();
        is_shell(inner.split([')', ',']).next().unwrap_or_default())
    }) {
        walk.report(&rule::SHELL_ESCAPE, span);
    }
    for literal in code::literals(text).iter().take(64) {
        let command = literal.strip_prefix(['<', '|']).or_else(|| literal.strip_suffix('|'));
        if calls || command.is_some() {
            let command = command.unwrap_or(literal);
            walk.script(command, span, &Data::none());
            if is_shell(command) {
                walk.report(&rule::SHELL_ESCAPE, span);
            }
        }
        // `file("..")` and the like: a path that stands alone is read
        if literal.starts_with(['/', '~']) && !literal.contains(' ') && !is_shell(literal) {
            read_file(walk, literal, span);
        }
    }
}

/// A file of code: from the network, from a scratch place, or out of the line itself.
fn loads(walk: &mut Walk<'_>, cmd: &Cmd<'_>, value: &str, span: Span) {
    if matches!(value, "-" | "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0") {
        input(walk, cmd, Can::Loads);
        return;
    }
    if value.starts_with("http://") || value.starts_with("https://") || value.starts_with("ftp://") {
        walk.report(&rule::REMOTE_CODE, span);
        return;
    }
    let path = value.rsplit_once(['=', ':']).map_or(value, |(_, path)| path);
    if let Some(data) = walk.written(path).cloned() {
        if data.taint.has(Taint::NET) {
            walk.report(&rule::REMOTE_CODE, span);
        }
        if let Some(text) = &data.text {
            run_code(walk, text, span);
            settings(walk, text, span);
        }
    }
    if path.starts_with('/') && walk.places.place(path, &walk.cwd) == Place::Scratch {
        walk.report(&rule::SCRATCH_CODE, span);
    }
}

/// A line of settings: `LoadModule name path`, `Include path`.
fn said(walk: &mut Walk<'_>, cmd: &Cmd<'_>, text: &str, span: Span) {
    for word in text
        .split([' ', ';', '"', '\''])
        .filter(|word| word.starts_with('/'))
        .take(16)
    {
        read_file(walk, word, span);
        loads(walk, cmd, word, span);
    }
}

/// `key=value` where some keys name a command, or a file of code.
fn sets(walk: &mut Walk<'_>, text: &str, keys: &[&str], span: Span) {
    let Some((key, value)) = text.split_once(['=', ' ']) else {
        return;
    };
    let key = key.trim_end_matches([':', ' ', '+']).to_ascii_lowercase();
    if keys
        .iter()
        .any(|own| key.ends_with(own) || own.ends_with(['.', ':']) && key.contains(own))
    {
        runs(walk, value.trim_matches(['"', '\'', ' ', '=']), span);
    }
}

/// Settings of a line each, in whatever format: those whose name says that they hold a command.
fn settings(walk: &mut Walk<'_>, text: &str, span: Span) {
    for line in text.lines().flat_map(|line| line.split(['{', '[', ';', ','])).take(256) {
        let Some((key, value)) = line.split_once(['=', ':']) else {
            continue;
        };
        let name = key
            .trim_matches(|c: char| !c.is_ascii_alphanumeric())
            .to_ascii_lowercase();
        let commands = [
            "command",
            "cmd",
            "exec",
            "execstart",
            "run",
            "shell",
            "script",
            "hook",
            "program",
            "editor",
            "pager",
            "raw",
        ];
        if commands.iter().any(|own| name.ends_with(own)) {
            let value = value.trim_matches(|c: char| matches!(c, ' ' | '"' | '\'' | ']' | '}' | '>' | ','));
            runs(walk, value, span);
        }
    }
}

/// Lines for a program's own console.
fn console(walk: &mut Walk<'_>, text: &str, span: Span) {
    for line in text.split(['\n', ';']).take(64) {
        let line = line.trim_start_matches(['+', ' ', ':', '\t']);
        for mark in MARKS {
            if let Some(command) = line.strip_prefix(mark) {
                walk.script(command, span, &Data::none());
                if is_shell(command) || command.trim_start().starts_with("exec ") {
                    walk.report(&rule::SHELL_ESCAPE, span);
                }
            }
        }
    }
}

/// Commands in brackets behind a mark: `execute(..)`, `%sh{..}`, `\write18{..}`.
fn within(walk: &mut Walk<'_>, text: &str, marks: &[&str], span: Span) {
    for mark in marks {
        for (at, _) in text.match_indices(mark).take(16) {
            let inner = text.get(at + mark.len()..).unwrap_or_default();
            let inner = inner.trim_start_matches(['{', '(', '[', ' ', '"', '<']);
            let quoted = mark.chars().next_back().filter(|last| matches!(last, '\'' | '"'));
            let end = inner
                .find(|c| quoted.map_or(matches!(c, '}' | ')' | ']'), |quote| c == quote))
                .unwrap_or(inner.len());
            let command = inner.get(..end).unwrap_or_default().trim_end_matches('"');
            if !command.contains(UNKNOWN) {
                runs(walk, command, span);
            }
        }
    }
}
