//! Options that mean the same in most programs: a file that is written, and a file whose code is loaded. Their names are those of
//! the GNU coding standards and of the manual pages of programs that take plug-ins.

use super::startup::written;
use super::{Write, write_file};
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::programs::Known;
use crate::screen::rule;
use crate::screen::shell::code::is_shell;
use crate::screen::shell::data::{Data, Field, Taint};
use crate::screen::shell::walk::Walk;

/// Long options that name a file to write.
const WRITES: [&str; 12] = [
    "output",
    "out",
    "outfile",
    "output-file",
    "output-document",
    "log-file",
    "logfile",
    "save",
    "export",
    "report",
    "dump-header",
    "trace",
];

/// Options that name code to load, behind one dash or two.
const LOADS: [&str; 30] = [
    "script",
    "scripts",
    "plugin",
    "plugins",
    "plugin-dir",
    "load",
    "load-extension",
    "load-module",
    "load-path",
    "module",
    "module-path",
    "modules-dir",
    "extension",
    "preload",
    "require",
    "import",
    "library-path",
    "engine",
    "init-file",
    "rcfile",
    "command-file",
    "postrotate-command",
    "custom-dir",
    "external-dir",
    "plugins-dir",
    "plugin-path",
    "modulepath",
    "classpath",
    "class-path",
    "cp",
];

/// Options that name a command to run: of pagers, archivers, mirrors, and programs that take hooks.
const RUNS: [&str; 27] = [
    "on-download-error",
    "on-download-complete",
    "on-bt-download-complete",
    "pager",
    "editor",
    "use-compress-program",
    "compress-program",
    "to-command",
    "rsh",
    "pre-hook",
    "post-hook",
    "deploy-hook",
    "renew-hook",
    "manual-auth-hook",
    "manual-cleanup-hook",
    "checkpoint-action",
    "info-script",
    "new-volume-script",
    "unzip-command",
    "diff-cmd",
    "open-files-in-pager",
    "rsync-path",
    "mda",
    "finish-command",
    "reloadcmd",
    "post-renderer",
    "script-shell",
];

/// Endings of long options that name a command to run: `--health-cmd`, `--password-command`, `--reload-hook`.
fn names_command(option: &str) -> bool {
    let Some((before, last)) = option.rsplit_once('-') else {
        return matches!(option, "exec" | "cmd" | "extcmd");
    };
    matches!(
        last,
        "command"
            | "cmd"
            | "hook"
            | "exec"
            | "helper"
            | "wrapper"
            | "program"
            | "viewer"
            | "pager"
            | "editor"
            | "browser"
            | "askpass"
            | "launcher"
            | "runner"
    ) && before != "no"
        && !before.starts_with("no-")
}

/// Judges any program by such options.
pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    // a pattern behind `-o` is no file
    if cmd.has_options()
        && !cmd.known.has(Known::LOOKS_ONLY)
        && !matches!(cmd.name, "grep" | "egrep" | "fgrep" | "rg" | "ag" | "zgrep")
    {
        among(walk, cmd.name, cmd.known, cmd.args);
    }
}

/// Judges such options among some arguments: those of a program that runs another end before that one's begin.
pub(super) fn among(walk: &mut Walk<'_>, program: &str, known: Known, args: &[Field<'_>]) {
    for (at, field) in args.iter().enumerate() {
        let text = field.text.as_str();
        let Some(option) = text
            .strip_prefix('-')
            .filter(|option| option.len() > 1 || matches!(*option, "o" | "w"))
        else {
            continue;
        };
        let long = option.strip_prefix('-');
        let (name, value) = match long.unwrap_or(option).split_once('=') {
            Some(pair) => pair,
            None => {
                let next = args.get(at + 1).map_or("", |field| field.text.as_str());
                (long.unwrap_or(option), next)
            }
        };
        let of_tunnel = program == "openvpn" && matches!(name, "up" | "down" | "route-up" | "ipchange" | "tls-verify");
        if long.is_some()
            && (RUNS.contains(&name) || of_tunnel || names_command(name))
            && !known.has(Known::NESTED)
            && !value.is_empty()
        {
            walk.script(value, field.span, &Data::none());
            if value.split_whitespace().next().is_some_and(is_shell) {
                walk.report(&rule::SHELL_ESCAPE, field.span);
            }
        }
        // only places that matter by their beginning
        if !value.starts_with(['/', '~']) {
            continue;
        }
        if LOADS.contains(&name) && walk.places.place(value, &walk.cwd) == Place::Scratch {
            walk.report(&rule::SCRATCH_CODE, field.span);
        }
        // what they are there to write
        let own = matches!(
            program,
            "grub-mkconfig" | "grub2-mkconfig" | "mkinitcpio" | "mkinitramfs" | "dracut"
        ) && value.starts_with("/boot/");
        if own {
            continue;
        }
        if long.is_some() && WRITES.contains(&name)
            || name == "out"
            || name == "o"
            || name == "w" && program != "auditctl"
        {
            let normal = walk.places.normal(value, &walk.cwd);
            if written(&normal).is_some()
                || matches!(walk.places.place_of(&normal), Place::InSystem)
                || matches!(name, "o" | "out" | "output") && walk.places.place_of(&normal) == Place::Device
            {
                write_file(walk, value, Write::Append, &Data::unknown(Taint::NONE), field.span);
            }
        }
    }
}
