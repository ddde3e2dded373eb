//! Shells that programs start which are not meant for it: an argument that is a shell, or code that starts one.

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::programs::Known;
use crate::screen::rule;
use crate::screen::shell::code;
use crate::screen::shell::data::{Data, Taint};
use crate::screen::shell::walk::Walk;

/// Programs in whose arguments a shell is only a name: they print, compare or look it up, or set it as somebody's.
pub(in crate::screen) const ONLY_NAMES: &[&str] = &[
    "echo",
    "printf",
    "which",
    "type",
    "whereis",
    "command",
    "ls",
    "file",
    "stat",
    "grep",
    "egrep",
    "fgrep",
    "rg",
    "test",
    "[",
    "chsh",
    "useradd",
    "usermod",
    "adduser",
    "cat",
    "cp",
    "mv",
    "ln",
    "rm",
    "chmod",
    "chown",
    "head",
    "tail",
    "sed",
    "git",
    "docker",
    "podman",
    "nerdctl",
    "kubectl",
    "oc",
    "find",
    "man",
    "apt",
    "apt-get",
    "brew",
    "dnf",
    "yum",
    "ps",
    "pgrep",
    "pkill",
    "killall",
    "ldd",
    "nm",
    "strings",
    "objdump",
    "readelf",
    "sha256sum",
    "md5sum",
    "dpkg",
    "rpm",
    "export",
    "set",
    "tldr",
    "apropos",
    "whatis",
    "info",
    "dscl",
    "pw",
    "sysadminctl",
    "lxc",
    "incus",
    "apptainer",
    "singularity",
    "toolbox",
    "distrobox",
    "vagrant",
    "awk",
    "hash",
    "getent",
    "tee",
    "shellcheck",
    "crictl",
    "docker-compose",
    "gh",
    "npm",
    "declare",
    "local",
    "readonly",
    "unalias",
    "realpath",
    "readlink",
    "basename",
    "dirname",
    "du",
    "diff",
    "cmp",
    "systemctl",
    "time",
    "tmux",
    "screen",
    "ssh",
    "curl",
    "wget",
    "nc",
    "ncat",
    "socat",
    "ansible",
    "su",
    "runuser",
    "script",
    "expr",
    "cut",
    "tr",
    "sort",
    "uniq",
    "wc",
];

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if !walk.files.is_empty() {
        uses_written(walk, cmd);
    }
    let operands_too = !cmd.known.has(Known::ONLY_NAMES);
    if !operands_too && !cmd.known.has(Known::HELPED) {
        return;
    }
    for (at, field) in cmd.args.iter().enumerate() {
        let text = field.text.as_str();
        if text.len() < 3 {
            continue;
        }
        let of_option =
            text.starts_with('-') || at > 0 && cmd.arg(at - 1).starts_with('-') && cmd.arg(at - 1).len() > 1;
        if (operands_too || of_option) && holds_script(text) {
            walk.script(text, field.span, &Data::none());
        }
        if (operands_too || of_option) && starts_shell(text) {
            found(walk, cmd, &rule::SHELL_ESCAPE);
            return;
        }
    }
}

/// Whether an argument reads as a line for a shell: one is told to run it, or something is piped into one.
fn holds_script(text: &str) -> bool {
    let piped = |text: &str| {
        ["sh", "bash", "zsh"]
            .iter()
            .filter_map(|shell| text.strip_suffix(shell))
            .any(|rest| rest.trim_end_matches(' ').ends_with('|'))
    };
    text.ends_with('h') && piped(text)
        || ["sh -c ", "bash -c ", "/bin/sh -c ", "/bin/bash -c "]
            .iter()
            .any(|own| text.starts_with(own))
}

/// Programs of [`ONLY_NAMES`] with options that name a program to run.
pub(in crate::screen) const TAKES_HELPERS: &[&str] = &[
    "apt", "apt-get", "dnf", "yum", "dpkg", "rpm", "sort", "tmux", "split", "man",
];

/// Whether an argument starts a shell: it is one's path, or holds code or a command that runs one.
fn starts_shell(text: &str) -> bool {
    if text.strip_prefix('!').is_some_and(code::is_shell) {
        return true;
    }
    // every other way to start one names it
    if !crate::screen::text::holds(text, "sh") || text.starts_with("SHELL=") {
        return false;
    }
    let starts = text.contains("/bin/sh")
        || text.contains("/bin/bash")
        || text.contains("exec sh")
        || text.contains("exec bash")
        || text.contains("'sh'")
        || text.contains("\"sh\"");
    let runs = [
        "system", "exec", "spawn", "popen", "!", "shell", "term", "cmd", "sh -c", "run(", "command",
    ]
    .iter()
    .any(|word| text.contains(word));
    starts && runs || at_command_position(text)
}

/// Whether the path of a shell stands in a text where a command would begin.
fn at_command_position(text: &str) -> bool {
    text.match_indices("/bin/").any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let before = before
            .strip_suffix("/usr")
            .or_else(|| before.strip_suffix("/usr/local"))
            .unwrap_or(before);
        let begins = before.is_empty()
            || before.ends_with(['=', '"', '\'', '(', '{', ',', ':', '`', ';', '|', '&', '!', '%'])
            || before
                .strip_suffix(' ')
                .is_some_and(|before| before.ends_with([';', '|', '&', '!', '%']));
        let rest = text.get(at + 5..).unwrap_or_default();
        let name = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let ends = rest.get(name..).unwrap_or_default();
        begins
            && matches!(
                rest.get(..name),
                Some("sh" | "bash" | "zsh" | "dash" | "ksh" | "ash" | "csh" | "tcsh" | "fish")
            )
            && (ends.is_empty() || ends.starts_with([' ', '"', '\'', ')', '}', ',', ';', '`', '&', '|']))
    })
}

/// A file that the line wrote, given to a program that would run what stands in it: a hook, plug-in, script or configuration.
fn uses_written(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if cmd.known.has(Known::ONLY_NAMES) && !cmd.known.has(Known::HELPED)
        || cmd.known.has(Known::LOOKS_ONLY)
        || cmd.known.has(Known::PRINTER)
        || !walk.files.iter().any(may_run)
    {
        return;
    }
    let runs = cmd.args.iter().enumerate().any(|(at, field)| {
        let option = at > 0 && cmd.arg(at - 1).starts_with('-');
        values(&field.text).any(|value| given(walk, value, option || value.len() < field.text.len()))
    });
    let here = !walk.cwd.is_empty() && given(walk, &walk.cwd, false);
    if runs || here {
        found(walk, cmd, &rule::SHELL_ESCAPE);
    }
}

/// Whether anything is known of a file that [`given`] asks for.
fn may_run((_, data): &(String, Data)) -> bool {
    data.text.is_some() || data.taint.has(Taint::PROGRAM)
}

/// An argument, and what stands in it behind `=` or `:`.
fn values(text: &str) -> impl Iterator<Item = &str> {
    let sign = text.bytes().rposition(|byte| matches!(byte, b'=' | b':'));
    let behind = sign.and_then(|sign| text.get(sign + 1..));
    std::iter::once(text.trim_start_matches('@')).chain(behind)
}

/// Whether a path is a file of the line's own, or a directory with one in it, that starts a shell or was made a program.
pub(super) fn given(walk: &Walk<'_>, path: &str, option: bool) -> bool {
    let path = path.trim_end_matches('/');
    !path.is_empty()
        && walk.files.iter().any(|(own, data)| {
            let Some(rest) = own.strip_prefix(path) else {
                return false;
            };
            let shell = || {
                data.text
                    .as_deref()
                    .is_some_and(|text| text.lines().any(line_starts_shell))
            };
            if rest.is_empty() {
                option && data.taint.has(Taint::PROGRAM) && walk.places.place(own, "") == Place::Scratch || shell()
            } else {
                rest.starts_with('/') && shell()
            }
        })
}

fn line_starts_shell(line: &str) -> bool {
    !line.starts_with("#!")
        && (starts_shell(line)
            || code::is_shell(
                line.split(['<', '>'])
                    .next()
                    .unwrap_or_default()
                    .trim_end_matches([' ', '0', '1', '2']),
            ) && line.contains("/"))
}
