//! Lines with which people set up their own shell: variables that name a place, aliases of their own, and what the manuals of
//! version managers and prompts ask for (bash(1), FILES and ALIASES).

use crate::screen::finding::Span;
use crate::screen::programs::{self, Known};
use crate::screen::shell::data::Data;
use crate::screen::shell::walk::Walk;

/// The start-up files of a person's own shell.
const FILES: [&str; 8] = [
    ".bashrc",
    ".bash_profile",
    ".bash_aliases",
    ".profile",
    ".zshrc",
    ".zprofile",
    ".zshenv",
    ".kshrc",
];

/// Whether all that is added to a start-up file is of that kind.
pub(super) fn sets_up(walk: &mut Walk<'_>, normal: &str, added: &str, span: Span) -> bool {
    FILES.contains(&normal.rsplit('/').next().unwrap_or_default())
        && added.len() < 1024
        && added.lines().all(|line| sets(walk, line.trim(), span))
}

fn sets(walk: &mut Walk<'_>, line: &str, span: Span) -> bool {
    if let Some(alias) = line.strip_prefix("alias ") {
        return names(walk, alias, span);
    }
    if let Some(command) = line.strip_prefix("eval \"$(").and_then(|rest| rest.strip_suffix(")\"")) {
        return initialises(command);
    }
    let pair = line.strip_prefix("export ").unwrap_or(line).split_once('=');
    pair.is_some_and(|(name, value)| variable(name, unquoted(value)))
}

/// An alias under a name that no program has, for a command that could run as it stands.
fn names(walk: &mut Walk<'_>, alias: &str, span: Span) -> bool {
    let Some((name, command)) = alias.split_once('=') else {
        return false;
    };
    let command = unquoted(command);
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'_' | b'=' | b'/' | b'.' | b':');
    // kubectl's own quick reference calls it `k`
    let free = (name == "k" || programs::known(name) == Known::default())
        && !matches!(
            name,
            "ls" | "cd"
                | "cat"
                | "ps"
                | "id"
                | "w"
                | "who"
                | "df"
                | "du"
                | "vi"
                | "man"
                | "ip"
                | "top"
                | "less"
                | "more"
                | "echo"
                | "pwd"
                | "exit"
                | "which"
                | "type"
                | "command"
                | "builtin"
                | "printf"
                | "test"
                | "read"
        );
    if !free || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) || !command.bytes().all(plain) {
        return false;
    }
    walk.script(command, span, &Data::none());
    true
}

/// The lines that direnv(1), the managers of versions and the makers of prompts ask for.
fn initialises(command: &str) -> bool {
    let mut words = command.split(' ');
    let tool = words.next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let known = matches!(
        tool,
        "starship"
            | "direnv"
            | "zoxide"
            | "pyenv"
            | "rbenv"
            | "nodenv"
            | "mise"
            | "fnm"
            | "brew"
            | "atuin"
            | "mcfly"
            | "thefuck"
    );
    known && words.all(|word| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
}

/// Where something is, or which language is spoken: nothing that is loaded or run, and no place that everybody may write to.
fn variable(name: &str, value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~:${}@+".contains(&byte);
    if !value.bytes().all(plain) || ["/tmp", "/dev/shm", ".."].iter().any(|place| value.contains(place)) {
        return false;
    }
    if name == "PATH" {
        let goes_on = |part: &str| matches!(part, "$PATH" | "${PATH}");
        let own = |part: &str| {
            ["$HOME/", "${HOME}/", "~/", "/usr/", "/opt/"]
                .iter()
                .any(|own| part.starts_with(own))
        };
        return value.split(':').any(goes_on) && value.split(':').all(|part| goes_on(part) || own(part));
    }
    name.starts_with("LC_")
        || matches!(
            name,
            "LANG"
                | "TZ"
                | "GOPATH"
                | "GOROOT"
                | "JAVA_HOME"
                | "ANDROID_HOME"
                | "ANDROID_SDK_ROOT"
                | "NVM_DIR"
                | "PYENV_ROOT"
                | "RBENV_ROOT"
                | "CARGO_HOME"
                | "RUSTUP_HOME"
                | "PNPM_HOME"
                | "BUN_INSTALL"
                | "AWS_PROFILE"
                | "AWS_REGION"
        )
}

fn unquoted(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('\'').or_else(|| inner('"')).unwrap_or(text)
}
