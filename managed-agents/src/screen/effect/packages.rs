//! Package managers: what nobody signed or anybody may have put there, commands in their settings, and the removal of what
//! defends: apt.conf(5), dpkg(1), rpm(8), dnf.conf(5), npm-config(7), gem(1), pip-install(1), snap(8).

use super::cli::Row;
use super::{found, services};
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::data::{Data, Field, Taint};
use crate::screen::shell::walk::Walk;
use crate::screen::signs::Signs;
use crate::screen::text;

pub(super) const PACKAGES: &[Row] = &[
    // what nobody signed, or what anybody may have changed on its way
    (
        "install|localinstall|add|dist-upgrade|upgrade --allow-unauthenticated|--force-yes|--nogpgcheck|--allow-untrusted|--no-gpg-checks",
        &rule::REMOTE_CODE,
    ),
    ("install --dangerous|--devmode|--force-dangerous", &rule::REMOTE_CODE),
    ("remote-add|install --no-gpg-verify", &rule::REMOTE_CODE),
    ("** http://*", &rule::REMOTE_CODE),
    ("purge|autopurge|--purge -y|--yes|--assume-yes", &rule::PACKAGE_REMOVE),
    (
        "remove|purge|erase ** sudo|systemd|libc6|glibc|coreutils|bash|openssh-server|linux-image*|kernel*|python3|init|apt|dpkg|rpm|grub*",
        &rule::DESTROY_SYSTEM,
    ),
    (
        "-P|--purge|-r|--remove sudo|systemd|libc6|glibc|coreutils|bash|openssh-server|apt|dpkg|init",
        &rule::DESTROY_SYSTEM,
    ),
    (
        "del ** musl|busybox|alpine-base|apk-tools|alpine-baselayout",
        &rule::DESTROY_SYSTEM,
    ),
    (
        "** --force-remove-essential|--allow-remove-essential|--nodeps",
        &rule::PACKAGE_REMOVE,
    ),
];

pub(super) const NPM: &[Row] = &[
    ("install|i|add|exec|dlx|x ** http://*|git+http://*", &rule::REMOTE_CODE),
    ("unpublish !--dry-run", &rule::PACKAGE_REMOVE),
    // who has it may publish (npm-token(1))
    ("token create", &rule::ACCOUNT_CHANGE),
    ("config|set ** http://*", &rule::WEAKEN),
    (
        "config|set set|* //*|ignore-scripts|strict-ssl|script-shell",
        &rule::WEAKEN,
    ),
];

pub(super) const CARGO: &[Row] = &[
    ("install ** http://*", &rule::REMOTE_CODE),
    ("delete", &rule::PACKAGE_REMOVE),
];

pub(super) const PIP: &[Row] = &[
    // what comes over plain HTTP, or from an index whose certificate is not checked, may come from anybody
    ("install|download|wheel ** http://*|git+http://*", &rule::REMOTE_CODE),
    ("install|download|wheel --trusted-host", &rule::REMOTE_CODE),
    ("config set *index-url http://*", &rule::WEAKEN),
    ("config set *trusted-host", &rule::WEAKEN),
    ("uninstall -y|--yes -r", &rule::PACKAGE_REMOVE),
];

/// Judges what a package manager is given, beside its rows.
pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let net = |field: &Field<'_>| {
        field.taint.has(Taint::NET) || walk.written(&field.text).is_some_and(|data| data.taint.has(Taint::NET))
    };
    if matches!(
        cmd.name,
        "dpkg" | "rpm" | "apt" | "apt-get" | "dnf" | "yum" | "pip" | "pip3" | "gem" | "npm" | "apk"
    ) && cmd.args.iter().any(net)
    {
        found(walk, cmd, &rule::REMOTE_CODE);
    }
    // an option that names what is installed, over plain HTTP
    if cmd.has_any(&["install", "i", "add", "exec", "x", "dlx"])
        && cmd.args.iter().any(|field| {
            matches!(field.text.split_once('='), Some(("--package" | "-p" | "--from" | "--with" | "--find-links", source)) if source.starts_with("http://"))
        })
    {
        found(walk, cmd, &rule::REMOTE_CODE);
    }
    // an index over plain HTTP, of a machine that is not this one: npm-config(7), pip(1), gem(1)
    let index = |pair: &[Field<'_>]| {
        matches!(pair, [option, source] if matches!(option.text.as_str(), "--registry" | "--index-url" | "--extra-index-url" | "--source")
            && source.text.starts_with("http://")
            && !source.text.starts_with("http://localhost")
            && !source.text.starts_with("http://127."))
    };
    if cmd.args.windows(2).any(index) {
        found(walk, cmd, &rule::REMOTE_CODE);
    }
    if runs_unseen(walk, cmd) {
        found(walk, cmd, &rule::SCRATCH_CODE);
    }
    // pacman(8): without regard to what needs it
    if cmd.name == "pacman"
        && cmd
            .options()
            .any(|option| option.starts_with("-R") && option.contains("dd"))
    {
        found(walk, cmd, &rule::PACKAGE_REMOVE);
    }
    if cmd.name == "easy_install" && cmd.args.iter().any(|field| field.text.starts_with("http://")) {
        found(walk, cmd, &rule::REMOTE_CODE);
    }
    // npm-pkg(1): a script that runs when the package is installed or built
    if cmd.arg(0) == "pkg" && cmd.arg(1) == "set" {
        for field in cmd.args.iter().filter(|field| field.text.starts_with("scripts.")) {
            if let Some((_, script)) = field.text.split_once('=') {
                walk.script(script, field.span, &Data::none());
            }
        }
    }
    hooks(walk, cmd);
    if let Some(rule) = removes_guard(cmd) {
        found(walk, cmd, rule);
    }
}

/// Installing a package that lies where anybody may have put it: its scripts run.
fn runs_unseen(walk: &Walk<'_>, cmd: &Cmd<'_>) -> bool {
    let installs = match cmd.name {
        "dpkg" => cmd.short('i') || cmd.long("install") || cmd.long("unpack"),
        "rpm" => {
            let short = ['i', 'U', 'F'].iter().any(|letter| cmd.short(*letter));
            (short || cmd.long("install") || cmd.long("upgrade")) && !cmd.short('q') && !cmd.long("query")
        }
        "pacman" => cmd.short('U') || cmd.long("upgrade"),
        "apt" | "apt-get" | "dnf" | "yum" | "zypper" | "apk" | "brew" | "snap" | "flatpak" | "pip" | "pip3"
        | "pipx" | "npm" | "pnpm" | "yarn" | "gem" | "cargo" | "pkg" | "opkg" | "easy_install" => {
            cmd.has_any(&["install", "add", "localinstall", "reinstall", "i", "exec"]) || cmd.name == "easy_install"
        }
        _ => false,
    };
    // a directory that the program itself uses there is no package
    let mut given = cmd.args.iter().enumerate().filter(|(at, _)| {
        let before = at.checked_sub(1).map_or("", |before| cmd.arg(before));
        !before.starts_with("--") && !matches!(before, "-o" | "-c" | "-t" | "-d" | "-r" | "-C")
    });
    installs
        && given.any(|(_, field)| {
            field.text.starts_with('/') && walk.places.place(&field.text, &walk.cwd) == Place::Scratch
        })
}

/// apt.conf(5), dpkg(1), dnf.conf(5), npm-config(7), gem(1): settings that name a command to run.
fn hooks(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    for (at, field) in cmd.args.iter().enumerate() {
        let text = match field.text.as_str() {
            "-o" | "--option" | "--setopt" => cmd.arg(at + 1),
            _ if !field.text.signs().has(Signs::EQUALS) => continue,
            text => text.trim_start_matches("-o").trim_start_matches("--"),
        };
        let Some((key, value)) = text.split_once('=') else {
            continue;
        };
        let key = text::lower(key);
        if [
            "allowinsecurerepositories",
            "allowunauthenticated",
            "allowdowngradetoinsecure",
        ]
        .iter()
        .any(|own| key.ends_with(own))
            && matches!(value, "true" | "1" | "yes")
            || key.ends_with("verify-peer") && matches!(value, "false" | "0" | "no")
        {
            found(walk, cmd, &rule::INTERCEPT);
        }
        let runs = [
            "invoke",
            "::pager",
            "pre-install-pkgs",
            "script-shell",
            "::proxy-auto-detect",
            "::solver",
        ];
        if !value.is_empty() && runs.iter().any(|own| key.contains(own)) {
            found(walk, cmd, &rule::SHELL_ESCAPE);
            walk.script(value.trim_start_matches(':'), field.span, &Data::none());
        }
    }
}

/// Removing the package of a program that defends or records.
fn removes_guard(cmd: &Cmd<'_>) -> Option<&'static Rule> {
    let removes = match cmd.name {
        "apt" | "apt-get" | "aptitude" | "dnf" | "yum" | "zypper" | "snap" | "flatpak" | "brew" | "pkg" => {
            cmd.has_any(&["remove", "purge", "autoremove", "erase", "uninstall", "delete", "rm"])
        }
        "dpkg" => cmd.short('r') || cmd.short('P') || cmd.long("remove") || cmd.long("purge"),
        "rpm" => cmd.short('e') || cmd.long("erase"),
        "pacman" => cmd.options().any(|option| option.starts_with("-R")),
        "apk" => cmd.has("del"),
        "emerge" => cmd.short('C') || cmd.long("unmerge"),
        _ => false,
    };
    cmd.args
        .iter()
        .filter(|_| removes)
        .find_map(|field| services::guards(&field.text))
}
