//! Copying and moving, and what is lost or disguised by it: dd(1), mv(1), cp(1), install(1), ln(1), rsync(1).

use super::destroy::{delete, empties, is_log};
use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::rule;
use crate::screen::shell::data::{ALL, Data, SOME, Taint, UNKNOWN};
use crate::screen::shell::walk::Walk;

pub(super) fn dd(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    for field in cmd.args {
        let Some(path) = field.text.strip_prefix("of=") else {
            continue;
        };
        super::write_file(walk, path, super::Write::Truncate, cmd.stdin, field.span);
        if from_nothing(cmd) && overwrites(cmd, path) {
            walk.report(&rule::DESTROY_DATA, field.span);
        }
        if walk.places.place(path, &walk.cwd) == Place::Home {
            walk.report(&rule::DESTROY_HOME, field.span);
        }
    }
    for field in cmd.args {
        if let Some(path) = field.text.strip_prefix("if=") {
            super::read_file(walk, path, field.span);
            if walk.places.place(path, &walk.cwd) == Place::Device && cmd.stdin.given {
                walk.report(&rule::COLLECT, field.span);
            }
        }
    }
    if cmd.name == "ddrescue"
        && let Some(field) = cmd.operands("", &[]).get(1)
    {
        super::write_file(walk, &field.text, super::Write::Truncate, &Data::none(), field.span);
    }
}

fn from_nothing(cmd: &Cmd<'_>) -> bool {
    cmd.args.iter().any(|field| {
        matches!(
            field.text.as_str(),
            "if=/dev/zero" | "if=/dev/urandom" | "if=/dev/random" | "if=/dev/null"
        )
    })
}

/// dd(1): as much as a file holds is written over it, or over one file after the other.
fn overwrites(cmd: &Cmd<'_>, path: &str) -> bool {
    path.contains([UNKNOWN, SOME, ALL])
        || cmd.args.iter().any(|field| {
            let text = field.text.as_str();
            text.starts_with("conv=") && text.contains("notrunc")
                || text.starts_with("iflag=") && text.contains("count_bytes")
                || text.starts_with("count=") && text.contains(UNKNOWN)
        })
}

pub(super) fn moves(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let mut operands = cmd.operands("St", &["suffix"]);
    let into = cmd.values('t', "target-directory");
    let target = match into.first() {
        Some(field) => Some(*field),
        None => operands.pop(),
    };
    let swallowed = target.is_some_and(|field| matches!(field.text.as_str(), "/dev/null" | "/dev/zero" | "/dev/full"));
    for field in operands {
        let normal = walk.places.normal(&field.text, &walk.cwd);
        match walk.places.place_of(&normal) {
            Place::Root | Place::System => walk.report(&rule::DESTROY_SYSTEM, field.span),
            Place::Home => walk.report(&rule::DESTROY_HOME, field.span),
            _ if crate::screen::tamper::path(walk.places, &normal) || walk.places.holds_protected(&normal) => {
                walk.report(&rule::TAMPER, field.span);
            }
            _ if swallowed => walk.report(&rule::DESTROY_DATA, field.span),
            Place::InSystem => walk.report(&rule::SYSTEM_WRITE, field.span),
            _ if is_log(&normal) => walk.report(&rule::WEAKEN_LOG, field.span),
            _ => {}
        }
    }
    if let Some(field) = target {
        if is_record(&field.text) {
            walk.report(&rule::WEAKEN_LOG, field.span);
        }
        super::write_file(walk, &field.text, super::Write::Touch, cmd.stdin, field.span);
    }
}

pub(super) fn copies(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let mut operands = cmd.operands("Stmog", &["suffix", "mode", "owner", "group"]);
    let into = cmd.values('t', "target-directory");
    let target = match into.first() {
        Some(field) => Some(*field),
        None if operands.len() > 1 => operands.pop(),
        None => None,
    };
    let Some(target) = target else { return };
    let from_nothing = operands.iter().any(|field| {
        matches!(
            field.text.as_str(),
            "/dev/null" | "/dev/zero" | "/dev/urandom" | "/dev/random"
        )
    });
    if from_nothing {
        empties(walk, &target.text, target.span);
    }
    if cmd.name == "install" {
        for field in cmd.values('m', "mode") {
            super::system::mode(
                walk,
                cmd,
                field.text.trim_start_matches("--mode=").trim_start_matches("-m"),
            );
        }
    }
    // a program of the system under another name, or where anybody may change it
    let to = walk.places.place(&target.text, &walk.cwd);
    if to == Place::Scratch && operands.iter().any(|field| is_renamed(&field.text, &target.text)) {
        walk.report(&rule::SCRATCH_CODE, target.span);
    } else if matches!(to, Place::InHome | Place::Outside) && operands.iter().any(|field| is_shell(&field.text)) {
        walk.report(&rule::DISGUISE, target.span);
    }
    if is_record(&target.text) {
        walk.report(&rule::WEAKEN_LOG, target.span);
    }
    // what stands in the place of the system's own program of that name
    if matches!(to, Place::InSystem | Place::Outside)
        && is_asked_for(&target.text)
        && operands
            .iter()
            .any(|field| walk.places.place(&field.text, &walk.cwd) == Place::Scratch)
    {
        walk.report(&rule::INTERCEPT, target.span);
    }
    // what stands before the system's own program of that name in the search path of a shell
    if matches!(to, Place::InHome)
        && is_asked_for(&target.text)
        && operands
            .iter()
            .any(|field| walk.places.place(&field.text, &walk.cwd) == Place::Scratch)
    {
        walk.report(&rule::INTERCEPT, target.span);
    }
    let taint = operands
        .iter()
        .fold(Taint::NONE, |all, field| all.and(super::taint_of(walk, &field.text)));
    let normal = walk.places.normal(&target.text, &walk.cwd);
    if cmd.name == "ln" && cmd.short('s') && is_packages_own(&normal) {
        return;
    }
    let held = operands.first().and_then(|field| walk.written(&field.text).cloned());
    super::write_file(
        walk,
        &target.text,
        super::Write::Touch,
        &held.unwrap_or_else(|| Data::unknown(taint)),
        target.span,
    );
}

pub(super) fn mirrors(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let deletes = cmd.args.iter().any(|field| {
        field.text.starts_with("--delete") || field.text == "--del" || field.text == "/MIR" || field.text == "/PURGE"
    }) || (cmd.name == "rclone" && matches!(cmd.arg(0), "purge" | "delete" | "sync" | "rmdirs" | "move"));
    if let Some(field) = cmd
        .operands("efT", &["exclude", "include", "rsh", "rsync-path", "files-from"])
        .last()
        && cmd.name == "rsync"
        && !field.text.contains(':')
    {
        if deletes {
            delete(walk, std::slice::from_ref(&field.text), true, true, field.span);
        } else {
            super::write_file(walk, &field.text, super::Write::Touch, &Data::none(), field.span);
        }
    } else if deletes && cmd.name == "rclone" && matches!(cmd.arg(0), "purge" | "delete") {
        found(walk, cmd, &rule::INFRA_DELETE);
    }
}

/// Where packages keep their own trees, of which a link chooses one (update-alternatives(1)).
fn is_packages_own(normal: &str) -> bool {
    let inside = normal
        .strip_prefix("/usr/lib/")
        .or_else(|| normal.strip_prefix("/usr/share/"));
    inside
        .and_then(|inside| inside.split_once('/'))
        .is_some_and(|(package, _)| {
            !matches!(
                package,
                "systemd" | "udev" | "security" | "cron" | "sudo" | "polkit-1" | "modules" | "ssh" | "openssh"
            ) && !package.contains("linux-gnu")
        })
}

/// A shell of the system.
fn is_shell(program: &str) -> bool {
    is_program(program)
        && matches!(
            program.rsplit('/').next(),
            Some("sh" | "bash" | "zsh" | "dash" | "ksh" | "busybox" | "csh" | "tcsh")
        )
}

/// A program of the system that gets another name, or a shell that gets another place.
fn is_renamed(program: &str, to: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or_default();
    let shell = matches!(name, "sh" | "bash" | "zsh" | "dash" | "ksh" | "busybox");
    let place = to.ends_with('/') || matches!(to, "/tmp" | "/var/tmp" | "/dev/shm" | "/private/tmp");
    is_program(program) && (shell || !place && to.rsplit('/').next() != Some(name))
}

/// The records of who logged in (utmp(5)), which nothing but the system writes.
fn is_record(path: &str) -> bool {
    matches!(
        path,
        "/var/log/wtmp" | "/var/log/btmp" | "/var/log/lastlog" | "/var/run/utmp" | "/run/utmp"
    )
}

/// A path in a directory of programs, under a name by which people start what the system has.
fn is_asked_for(path: &str) -> bool {
    let Some((directory, name)) = path.rsplit_once('/') else {
        return false;
    };
    directory.ends_with("/bin")
        && matches!(
            name,
            "sudo"
                | "su"
                | "doas"
                | "ssh"
                | "passwd"
                | "login"
                | "ls"
                | "ps"
                | "cat"
                | "git"
                | "gpg"
                | "curl"
                | "bash"
                | "sh"
        )
}

/// Whether a path is a program of the system.
fn is_program(path: &str) -> bool {
    ["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/"]
        .iter()
        .any(|directory| {
            path.strip_prefix(directory)
                .is_some_and(|name| !name.is_empty() && !name.contains(['/', '*']))
        })
}
