//! What wrappers do of themselves, setuid modes, and the bus: sudo(8), nsenter(1), chmod(1), busctl(1).

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::walk::Walk;

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if let Some(rule) = verdict(cmd) {
        found(walk, cmd, rule);
    }
}

by_name! {
    NAMES: fn verdict(cmd: &Cmd<'_>) -> Option<&'static Rule> where cmd.name is {
        "busctl" | "dbus-send" | "gdbus" => (cmd
            .args
            .iter()
            .any(|field| field.text.contains("systemd1.Manager") || field.text.contains("Accounts")))
        .then_some(&rule::PERSIST),
    } else { None }
}

/// What a wrapper itself does, whatever it runs.
pub(in crate::screen) fn wrapper(walk: &mut Walk<'_>, cmd: &Cmd<'_>, at: usize) {
    let options = cmd.args.get(..at.min(cmd.args.len())).unwrap_or_default();
    super::options::among(walk, cmd.name, cmd.known, options);
    let has = |names: &[&str]| options.iter().any(|field| names.contains(&field.text.as_str()));
    match cmd.name {
        // sudo(8): user -1 was taken for root
        "sudo" if options.iter().any(|field| matches!(field.text.trim_start_matches("-u"), "#-1" | "#4294967295")) => {
            found(walk, cmd, &rule::PRIVILEGE);
        }
        "sudo" if walk.in_loop && cmd.short('S') && super::lateral::guessed(cmd.stdin) => found(walk, cmd, &rule::LATERAL),
        "sudo" | "doas" if has(&["-l", "-ll", "--list", "-nl", "-ln"]) => found(walk, cmd, &rule::PRIVILEGE_RECON),
        "nsenter" if options.iter().any(|field| field.text.contains("/proc/1/ns")) => found(walk, cmd, &rule::CONTAINER_ESCAPE),
        "nsenter" if has(&["-t1", "--target=1"]) || options.windows(2).any(|pair| matches!(pair, [option, value] if (option.text == "-t" || option.text == "--target") && value.text == "1")) => {
            found(walk, cmd, &rule::CONTAINER_ESCAPE);
        }
        "chroot" if options.iter().any(|field| field.text == "/host" || field.text == "/proc/1/root") => found(walk, cmd, &rule::CONTAINER_ESCAPE),
        // ltrace(1): the calls of a process that runs, and the strings that it gives to them
        "ltrace" if cmd.short('p') && has(&["-p", "--pid"]) && has(&["-s", "-e"]) => found(walk, cmd, &rule::CREDENTIAL_DUMP),
        // what a program that asks for passwords is told
        "strace" | "ltrace" if options.iter().any(|field| {
            field.text.trim_start_matches("-p").strip_prefix('\u{E000}').is_some_and(|name| {
                matches!(name, "sshd" | "ssh" | "ssh-agent" | "gpg-agent" | "sudo" | "su" | "passwd" | "login" | "gnome-keyring-daemon")
            })
        }) => {
            found(walk, cmd, &rule::CREDENTIAL_DUMP);
        }
        // a timer,
        "systemd-run" if options.iter().any(|field| field.text.starts_with("--on-") || field.text.starts_with("--timer"))
            // or a shell that nobody's session holds any more
            || !has(&["--scope", "--pty", "-t", "--shell", "-S"]) && cmd.args.get(at).is_some_and(|field| crate::screen::shell::code::is_shell(&field.text)) => {
            found(walk, cmd, &rule::PERSIST);
        }
        // a name like those that the kernel gives its own threads
        "exec" if options.windows(2).any(|pair| matches!(pair, [option, name] if option.text.ends_with('a') && name.text.starts_with(['[', '/']))) => {
            found(walk, cmd, &rule::DISGUISE);
        }
        "chroot" if options.iter().any(|field| field.text == "/") => found(walk, cmd, &rule::SHELL_ESCAPE),
        "capsh" if has(&["--uid=0", "--gid=0"]) => found(walk, cmd, &rule::PRIVILEGE),
        _ => {}
    }
}

/// chmod(1): setuid and setgid.
pub(super) fn mode(walk: &mut Walk<'_>, cmd: &Cmd<'_>, mode: &str) {
    let symbolic = mode.split(',').any(|clause| {
        clause
            .split_once(['+', '='])
            .is_some_and(|(who, what)| what.contains('s') && !who.contains('o'))
    });
    let octal = mode.len() >= 4
        && mode.bytes().all(|byte| matches!(byte, b'0'..=b'7'))
        && matches!(
            mode.trim_start_matches('0').as_bytes(),
            [b'2' | b'4' | b'6' | b'7', _, _, _]
        );
    let directories = cmd.stdin.given || cmd.short('R');
    // the group of directories that were looked for
    let group = !mode.starts_with(['u', 'a', '+']) && mode.starts_with('g');
    let listed = cmd
        .args
        .iter()
        .any(|field| field.text.contains(['\u{E000}', '\u{E001}', '\u{E002}']));
    if (symbolic || octal) && !directories && !(group && listed) {
        found(walk, cmd, &rule::PRIVILEGE);
    }
}
