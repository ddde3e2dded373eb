//! Programs with a way to run commands that is not their purpose: editors and pagers, awk(1), sed(1), make(1), git(1)
//! settings, helper programs of archivers, and consoles with a shell command of their own.

use super::code::is_shell;
use super::data::{Data, Taint};
use super::walk::{Walk, quote};
use crate::screen::cmd::{Cmd, takes_value};
use crate::screen::signs::Signs;
use crate::screen::{effect, rule};

/// Text after each `!` that stands where an editor takes a shell command.
pub(super) fn editor(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> {
    for field in cmd.args {
        let text = field
            .text
            .trim_start_matches("-c")
            .trim_start_matches("--cmd")
            .trim_start_matches('+')
            .trim_start_matches([' ', ':', '=']);
        if let Some((before, command)) = text.split_once('!')
            && matches!(
                before.trim(),
                "" | "r" | "w" | "%" | "silent" | "read" | "write" | "te" | "term" | "sil" | "exe" | "1,$"
            )
        {
            walk.script(command, field.span, &Data::none());
            if is_shell(command) {
                walk.report(&rule::SHELL_ESCAPE, field.span);
            }
        }
        for verb in ["w ", "w! ", "wq ", "w>> ", "w >> ", "saveas ", "write "] {
            if let Some(path) = text
                .strip_prefix(verb)
                .filter(|path| !path.starts_with(['!', '/', '~']) || path.len() > 1)
            {
                effect::write_file(
                    walk,
                    path.trim(),
                    effect::Write::Append,
                    &Data::unknown(Taint::NONE),
                    field.span,
                );
            }
        }
        if text.starts_with("py")
            || text.starts_with("lua")
            || text.starts_with("ruby")
            || text.starts_with("call system(")
            || text.starts_with("call term")
        {
            super::code::scan(walk, text, field.span);
            if super::code::names_shell(text) {
                walk.report(&rule::SHELL_ESCAPE, field.span);
            }
        }
    }
    if cmd.stdin.given
        && let Some(text) = cmd.stdin.full_text()
    {
        bang_lines(walk, cmd, text);
    }
    None
}

fn bang_lines(walk: &mut Walk<'_>, cmd: &Cmd<'_>, text: &str) {
    for line in text.lines().take(64) {
        let line = line.trim_start_matches([':', ' ']);
        let Some(command) = line.strip_prefix('!').or_else(|| line.strip_prefix("\\!")) else {
            continue;
        };
        walk.script(command, cmd.span, &Data::none());
        if is_shell(command)
            || command
                .trim_start()
                .strip_prefix("exec")
                .is_some_and(super::code::names_shell)
        {
            walk.report(&rule::SHELL_ESCAPE, cmd.span);
        }
    }
}

pub(super) fn pager(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> {
    // man(1): `-P pager`, `-H browser`
    if cmd.name == "man" {
        for field in cmd.values('P', "pager").into_iter().chain(cmd.values('H', "html")) {
            let command = field.text.trim_start_matches("--pager=").trim_start_matches("-P");
            walk.script(command, field.span, &Data::none());
            if names_shell_first(command) {
                walk.report(&rule::SHELL_ESCAPE, field.span);
            }
        }
    }
    if let Some(text) = cmd.stdin.full_text() {
        bang_lines(walk, cmd, text);
        for line in text.lines().take(64) {
            // ed(1): `e file`, `r file`
            if cmd.name == "ed"
                && let Some((verb, path)) = line.split_once(' ')
                && matches!(verb, "e" | "r" | "E")
            {
                effect::read_file(walk, path, cmd.span);
            }
        }
    }
    if cmd.name.starts_with("emacs") {
        for field in cmd.args {
            if super::code::names_shell(&field.text) {
                walk.report(&rule::SHELL_ESCAPE, field.span);
            }
            super::code::scan(walk, &field.text, field.span);
        }
    }
    None
}

/// awk(1): `system("..")`, `"command" | getline`, `print | "command"`.
pub(super) fn awk(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> {
    let operands = cmd.operands("Ffvei", &["field-separator", "file", "assign", "source"]);
    let program = operands.first()?;
    let text = program.text.as_str();
    // `print > "file"`, also where the file is named by a variable
    if text.contains('>') && text.contains("print") {
        let set = cmd.values('v', "assign");
        let set = set
            .iter()
            .filter_map(|field| field.text.split_once('=').map(|(_, value)| value.to_owned()));
        for path in super::code::literals(text).into_iter().chain(set) {
            if path.starts_with(['/', '~']) {
                effect::write_file(
                    walk,
                    &path,
                    effect::Write::Append,
                    &Data::unknown(Taint::NONE),
                    program.span,
                );
            }
        }
    }
    if text.contains("system") || text.contains('|') || text.contains("/inet/") {
        for literal in super::code::literals(text) {
            if literal.starts_with("/inet/") {
                walk.report(&rule::REVERSE_SHELL, program.span);
            }
        }
        if text.contains("system(")
            || text.contains("getline")
            || text.contains("| \"")
            || text.contains("|\"")
            || text.contains("system (")
        {
            for literal in super::code::literals(text) {
                walk.script(&literal, program.span, &Data::none());
                if is_shell(&literal) {
                    walk.report(&rule::SHELL_ESCAPE, program.span);
                }
            }
        }
    }
    None
}

/// sed(1): the command `e`, and the flag `e` of `s`.
pub(super) fn sed(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> {
    let mut scripts = cmd.values('e', "expression");
    let operands = cmd.operands("efl", &["expression", "file", "line-length"]);
    if scripts.is_empty() {
        scripts.extend(operands.first().copied());
    }
    for field in scripts {
        for part in field.text.split([';', '\n']).take(64) {
            let command =
                part.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '$' | ',' | ' ' | '!' | '{'));
            if command == "e" {
                walk.report(&rule::SHELL_ESCAPE, field.span);
            }
            if let Some(text) = command.strip_prefix("e ") {
                walk.report(&rule::SHELL_ESCAPE, field.span);
                walk.script(text, field.span, &Data::none());
            }
            // s<d>pattern<d>replacement<d>flags
            if let Some(rest) = command.strip_prefix('s')
                && let Some(delimiter) = rest.chars().next().filter(|c| c.is_ascii_punctuation())
            {
                let mut parts = rest.split(delimiter).skip(1);
                let (_, replacement, flags) = (parts.next(), parts.next(), parts.next());
                if let (Some(text), Some(flags)) = (replacement, flags)
                    && flags.contains('e')
                    && flags.len() <= 4
                {
                    walk.report(&rule::SHELL_ESCAPE, field.span);
                    walk.script(text, field.span, &Data::none());
                }
            }
        }
    }
    None
}

/// make(1): recipes of a makefile that comes from the line, `--eval`, and settings like `SHELL=`.
pub(super) fn make(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> {
    let mut texts: Vec<String> = cmd
        .values('\u{0}', "eval")
        .iter()
        .map(|field| field.text.to_string())
        .collect();
    for field in cmd.values('f', "file") {
        if walk.written(&field.text).is_some_and(|data| data.taint.has(Taint::NET)) {
            walk.report(&rule::REMOTE_CODE, field.span);
        }
        if matches!(field.text.as_str(), "-" | "/dev/stdin" | "-f-") {
            texts.extend(cmd.stdin.text.clone());
        }
    }
    for text in texts {
        for line in text.lines().take(256) {
            let recipe = line.rsplit_once(":\t").map_or(line, |(_, recipe)| recipe);
            let recipe = recipe.rsplit_once(": ;").map_or(recipe, |(_, recipe)| recipe);
            let recipe = recipe.trim_start_matches(['\t', '@', '-', '+']);
            if line.starts_with('\t') || recipe.len() < line.len() {
                walk.script(recipe, cmd.span, &Data::none());
                if is_shell(recipe) {
                    walk.report(&rule::SHELL_ESCAPE, cmd.span);
                }
            }
            if let Some((_, rest)) = line.split_once("$(shell ") {
                walk.script(rest.trim_end_matches(')'), cmd.span, &Data::none());
            }
        }
    }
    None
}

/// git(1) `-c key=value`, and git-config(1): some keys name commands.
pub(super) fn git_settings(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> {
    let may_set = cmd.has_options() || cmd.signs.has(Signs::DOT);
    for (at, field) in cmd.args.iter().enumerate().filter(|_| may_set) {
        let (key, value) = match field.text.as_str() {
            "-c" => match cmd.arg(at + 1).split_once('=') {
                Some(pair) => pair,
                None => continue,
            },
            key if key.starts_with("alias.") || key.starts_with("core.") => (key, cmd.arg(at + 1)),
            _ => continue,
        };
        let key = key.to_ascii_lowercase();
        let last = key.rsplit('.').next().unwrap_or_default();
        let command = match last {
            "pager" | "editor" | "sshcommand" | "fsmonitor" | "askpass" | "command" | "textconv" | "cmd" | "helper"
            | "external" | "smudge" | "clean" | "program" | "proxycommand" | "hookspath" => {
                value.trim_start_matches('!')
            }
            _ if key.starts_with("alias.") && value.starts_with('!') => value.trim_start_matches('!'),
            _ if key.starts_with("alias.") => {
                walk.script(&format!("git {value}"), field.span, &Data::none());
                continue;
            }
            _ => continue,
        };
        walk.script(command, field.span, &Data::none());
        if !key.starts_with("alias.") && names_shell_first(command) {
            walk.report(&rule::SHELL_ESCAPE, field.span);
        }
    }
    if cmd.has("rebase")
        && let Some(at) = cmd
            .args
            .iter()
            .position(|field| matches!(field.text.as_str(), "--exec" | "-x"))
    {
        walk.script(cmd.arg(at + 1), cmd.span, &Data::none());
        if is_shell(cmd.arg(at + 1)) {
            walk.report(&rule::SHELL_ESCAPE, cmd.span);
        }
    }
    // no other option of one letter names a program
    let may_name = |option: &str| option.len() > 2 || matches!(option, "-x" | "-u");
    if cmd.has_options() && cmd.options().any(may_name) {
        git_helpers(walk, cmd);
    }
    if cmd.has("bisect") && cmd.has("run") || cmd.has("submodule") && cmd.has("foreach") {
        let at = cmd
            .args
            .iter()
            .position(|field| matches!(field.text.as_str(), "run" | "foreach"));
        let rest: Vec<String> = cmd
            .args
            .iter()
            .skip(at.unwrap_or(0) + 1)
            .filter(|field| !field.text.starts_with("--"))
            .map(|field| field.text.to_string())
            .collect();
        let text = if let [one] = rest.as_slice() {
            one.clone()
        } else {
            rest.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
        };
        walk.script(&text, cmd.span, &Data::none());
        if is_shell(&text) {
            walk.report(&rule::SHELL_ESCAPE, cmd.span);
        }
    }
    if let Some(at) = cmd.args.iter().position(|field| {
        matches!(
            field.text.as_str(),
            "--tree-filter" | "--index-filter" | "--msg-filter" | "--env-filter"
        )
    }) {
        walk.script(cmd.arg(at + 1), cmd.span, &Data::none());
    }
    None
}

/// git(1): options that name a program of one's own, and where a command stands behind the verb.
#[inline(never)]
fn git_helpers(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let mut words = cmd.args.iter().map(|field| field.text.as_str());
    let verb = words.find(|text| !text.starts_with('-'));
    for (at, field) in cmd.args.iter().enumerate() {
        let text = field.text.as_str();
        if !text.starts_with('-') {
            continue;
        }
        let (option, value) = text.split_once('=').unwrap_or((text, cmd.arg(at + 1)));
        let command = match option {
            "--upload-pack" | "--receive-pack" | "--extcmd" | "--sendmail-cmd" | "--to-cmd" | "--cc-cmd"
            | "--header-cmd" => value,
            "--exec" if matches!(verb, Some("archive" | "push" | "fetch-pack" | "send-pack")) => value,
            // git-difftool(1), git-clone(1)
            "-x" if verb == Some("difftool") => value,
            "-u" if verb == Some("clone") => value,
            // git-grep(1): without a value it is the pager of the settings
            "--open-files-in-pager" if text.contains('=') => value,
            _ => match text.strip_prefix("-O").filter(|_| verb == Some("grep")) {
                Some(pager) => pager,
                None => continue,
            },
        };
        walk.script(command, field.span, &Data::none());
        if names_shell_first(command) {
            walk.report(&rule::SHELL_ESCAPE, field.span);
        }
    }
}

/// Whether a command's program is a shell, whatever it is given to do.
fn names_shell_first(command: &str) -> bool {
    let program = command.split_whitespace().next().unwrap_or_default();
    is_shell(program)
}

pub(super) fn terminal(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> {
    // a command for a terminal multiplexer is one word that looks like a script, or the words behind `--`
    for field in cmd.args {
        if field.text.contains(' ') {
            walk.script(&field.text, field.span, &Data::none());
        }
    }
    // screen(1): where it writes down what is shown
    if cmd.name == "screen" {
        for field in cmd.values('L', "").into_iter().chain(cmd.values('\u{0}', "Logfile")) {
            if field.text.starts_with(['/', '~']) {
                effect::write_file(
                    walk,
                    &field.text,
                    effect::Write::Append,
                    &Data::unknown(Taint::NONE),
                    field.span,
                );
            }
        }
    }
    let verbs = [
        "new-session",
        "new",
        "new-window",
        "neww",
        "split-window",
        "splitw",
        "respawn-pane",
        "-dm",
        "-dmS",
        "-m",
        "run-shell",
    ];
    if let Some(at) = cmd.args.iter().position(|field| verbs.contains(&field.text.as_str())) {
        let mut from = at + 1 + usize::from(cmd.arg(at) == "-dmS");
        while cmd.arg(from).starts_with('-') {
            from += 1 + takes_value(cmd.arg(from), "sntcxyF", &[]);
        }
        walk.invoke(cmd.args.get(from..).unwrap_or_default(), &Data::none());
    }
    None
}

/// Options that name a helper program: tar(1), zip(1), rsync(1), scp(1).
pub(super) fn helper_programs(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> {
    let keys = [
        "--checkpoint-action",
        "--to-command",
        "--use-compress-program",
        "--info-script",
        "--new-volume-script",
        "--rsh",
        "-TT",
        "--unzip-command",
        "--rsh-command",
        "--compress-program",
        "--filter",
    ];
    for (at, field) in cmd.args.iter().enumerate() {
        let (key, value) = field.text.split_once('=').unwrap_or((&field.text, cmd.arg(at + 1)));
        let own = keys.contains(&key)
            || (cmd.name == "tar" && (key == "-I" || key == "-F"))
            || (cmd.name == "rsync" && key == "-e")
            || (matches!(cmd.name, "scp" | "sftp") && key == "-S")
            || (cmd.name == "tcpdump" && key == "-z");
        if own {
            let command = value.strip_prefix("exec=").unwrap_or(value);
            walk.script(command, field.span, &Data::none());
            if is_shell(command) || key == "--checkpoint-action" {
                walk.report(&rule::SHELL_ESCAPE, field.span);
            }
        }
    }
    None
}

/// Programs with a command of their own that starts a shell.
pub(super) fn breakout(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> {
    if let Some(at) = cmd
        .args
        .iter()
        .position(|field| field.text == "--args")
        .filter(|_| cmd.name == "gdb")
    {
        walk.invoke(cmd.args.get(at + 1..).unwrap_or_default(), cmd.stdin);
        return Some(Data::known(""));
    }
    if cmd.has("\\!") {
        walk.report(&rule::SHELL_ESCAPE, cmd.span);
    }
    let mut texts: Vec<String> = cmd
        .args
        .iter()
        .map(|field| field.text.to_string())
        .filter(|text| text.len() > 2)
        .collect();
    texts.extend(cmd.stdin.full_text().map(str::to_owned));
    for text in texts {
        for line in text.lines().take(64) {
            let line = line.trim();
            for mark in [
                "!", "\\!", ".shell ", ".system ", "system ", "shell ", "spawn ", "\\! ", "! ",
            ] {
                if let Some(command) = line.strip_prefix(mark) {
                    walk.script(command, cmd.span, &Data::none());
                    if is_shell(command) || command.trim_start().starts_with("exec ") {
                        walk.report(&rule::SHELL_ESCAPE, cmd.span);
                    }
                }
            }
            if let Some(python) = line.strip_prefix("python ").filter(|_| cmd.name == "gdb") {
                super::code::scan(walk, python, cmd.span);
            }
            if cmd.name == "nmap" && line.contains("os.execute") {
                super::code::scan(walk, line, cmd.span);
                walk.report(&rule::SHELL_ESCAPE, cmd.span);
            }
        }
    }
    None
}
