//! PowerShell, cmd.exe and the tools of Windows (their reference pages): what deletes, fetches, hides or stays.

use super::cli::{self, Row};
use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::rule;
use crate::screen::shell::walk::Walk;

pub(super) const NAMES: &[&str] = &[
    "vssadmin",
    "wbadmin",
    "bcdedit",
    "wmic",
    "schtasks",
    "net",
    "netsh",
    "reg",
    "sc",
    "cipher",
    "fsutil",
    "diskshadow",
];

const ROWS: &[Row] = &[
    ("delete shadows|catalog|systemstatebackup|backup", &rule::DESTROY_VOLUME),
    ("resize shadowstorage", &rule::DESTROY_VOLUME),
    ("shadowcopy delete", &rule::DESTROY_VOLUME),
    ("advfirewall|firewall set ** off|disable|allowinbound", &rule::WEAKEN),
];

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let has = |text: &str| cmd.args.iter().any(|field| field.text.eq_ignore_ascii_case(text));
    let rule = match cmd.name {
        "bcdedit" if has("/set") || has("/delete") => Some(&rule::WEAKEN),
        "schtasks" if has("/create") => Some(&rule::PERSIST),
        "net" if has("/add") || has("user") && (has("add") || has("password")) => Some(&rule::ACCOUNT_CHANGE),
        "reg" if has("add") && cmd.arg(1).to_ascii_lowercase().contains("currentversion\\run") => Some(&rule::PERSIST),
        "sc" if has("create") => Some(&rule::PERSIST),
        "cipher"
            if cmd
                .args
                .iter()
                .any(|field| field.text.to_ascii_lowercase().starts_with("/w:")) =>
        {
            Some(&rule::DESTROY_DATA)
        }
        "fsutil" if has("deletejournal") => Some(&rule::WEAKEN_LOG),
        "vssadmin" | "wbadmin" | "wmic" | "netsh" => cli::matching(cmd, ROWS, &[]),
        _ => None,
    };
    if let Some(rule) = rule {
        found(walk, cmd, rule);
    }
}

/// PowerShell and cmd.exe: what their command lines delete, fetch or hide.
pub(in crate::screen) fn powershell(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let all: Vec<String> = cmd.args.iter().map(|field| field.text.to_ascii_lowercase()).collect();
    let all = all.join(" ");
    let has = |names: &[&str]| names.iter().any(|name| all.contains(name));
    if has(&["-enc", "-encodedcommand", "frombase64string"]) {
        found(walk, cmd, &rule::HIDDEN_CODE);
    }
    if has(&["iex", "invoke-expression"]) && has(&["downloadstring", "invoke-webrequest", "iwr", "irm", "webclient"]) {
        found(walk, cmd, &rule::REMOTE_CODE);
    }
    if has(&["tcpclient", "net.sockets"]) {
        found(walk, cmd, &rule::REVERSE_SHELL);
    }
    if has(&[
        "remove-item",
        "del /",
        "rd /s",
        "rmdir /s",
        "format-volume",
        "clear-disk",
        "remove-partition",
    ]) && has(&["-recurse", "/s", "-force", "volume", "disk", "partition"])
    {
        found(walk, cmd, &rule::DESTROY_OUTSIDE);
    }
    if has(&["set-mppreference", "advfirewall set", "disablerealtimemonitoring"]) {
        found(walk, cmd, &rule::WEAKEN);
    }
}
