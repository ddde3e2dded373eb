//! PowerShell, cmd.exe and the tools of Windows (their reference pages): what deletes, fetches, hides or stays.

use super::cli::{self, Row};
use super::{found, services};
use crate::screen::cmd::Cmd;
use crate::screen::rule;
use crate::screen::shell::walk::Walk;
use crate::screen::text;

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
    "ntdsutil",
    "cmdkey",
    "vaultcmd",
    "rundll32",
    "regsvr32",
    "mshta",
    "psexec",
    "psexec64",
    "winrs",
    "taskkill",
    "bitsadmin",
    "msiexec",
    "cscript",
    "wscript",
    "installutil",
    "regasm",
    "odbcconf",
    "esentutl",
    "takeown",
    "fltmc",
    "pktmon",
    "certreq",
    "hh",
    "sqldumper",
    "createdump",
    "desktopimgdownldr",
    "mavinject",
    "dsdbutil",
];

const ROWS: &[Row] = &[
    ("delete shadows|catalog|systemstatebackup|backup", &rule::DESTROY_VOLUME),
    ("resize shadowstorage", &rule::DESTROY_VOLUME),
    ("shadowcopy delete", &rule::DESTROY_VOLUME),
    ("advfirewall|firewall set ** off|disable|allowinbound", &rule::WEAKEN),
];

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let has = |text: &str| cmd.args.iter().any(|field| field.text.eq_ignore_ascii_case(text));
    // a shell takes the backslashes of an unquoted path away
    let says = |word: &str| {
        cmd.args
            .iter()
            .any(|field| text::lower(&field.text).replace('\\', "").contains(word))
    };
    let rule = match cmd.name {
        "bcdedit" if has("/set") || has("/delete") => Some(&rule::WEAKEN),
        "schtasks" if has("/create") => Some(&rule::PERSIST),
        "net" if has("stop") => cmd
            .args
            .iter()
            .find_map(|field| services::guards(&text::lower(&field.text))),
        "net" if has("use") && cmd.args.iter().any(|field| field.text.starts_with('\\')) && cmd.args.len() > 2 => {
            Some(&rule::LATERAL)
        }
        "net" if has("/add") || has("user") && (has("add") || has("password")) => Some(&rule::ACCOUNT_CHANGE),
        "reg" if has("add") && says("currentversionrun") => Some(&rule::PERSIST),
        "reg" if has("save") && (says("sam") || says("security") || says("system")) => Some(&rule::CREDENTIAL_DUMP),
        "reg"
            if (has("add") || has("delete"))
                && (says("windows defender") || says("policiessystem") || says("controllsa")) =>
        {
            Some(&rule::WEAKEN)
        }
        "reg" if has("delete") && has("/f") => Some(&rule::DESTROY_DATA),
        "sc" if has("create") => Some(&rule::PERSIST),
        "sc" | "taskkill" => cmd
            .args
            .iter()
            .find_map(|field| services::guards(&text::lower(&field.text))),
        "ntdsutil" if !cmd.args.is_empty() => Some(&rule::CREDENTIAL_DUMP),
        "dsdbutil" if has("ifm") || says("ifm") => Some(&rule::CREDENTIAL_DUMP),
        // esentutl: a copy of what is in use, out of a shadow copy
        "esentutl" if has("/vss") || says("ntds") || says("sam") => Some(&rule::CREDENTIAL_DUMP),
        "takeown" if says("system32") || says("windows") => Some(&rule::PERMISSIONS),
        // a filter driver that watches files (fltmc)
        "fltmc" if has("unload") || has("detach") => Some(&rule::WEAKEN_LOG),
        "pktmon" if has("start") => Some(&rule::INTERCEPT),
        "netsh" if has("trace") && has("start") => Some(&rule::INTERCEPT),
        "certreq" if has("-post") || has("/post") => Some(&rule::EXFIL_FILE),
        "hh" | "desktopimgdownldr" if says("http:") || says("https:") => Some(&rule::REMOTE_CODE),
        "sqldumper" | "createdump" if !cmd.args.is_empty() => Some(&rule::CREDENTIAL_DUMP),
        "mavinject" if has("/injectrunning") => Some(&rule::SHELL_ESCAPE),
        "reg" if has("query") && has("/f") && has("/s") && (says("password") || says("pwd")) => {
            Some(&rule::CREDENTIAL_PRINT)
        }
        "cscript" | "wscript" if says("userspublic") || says("windowstemp") => Some(&rule::SCRATCH_CODE),
        "cmdkey" if says("/list") => Some(&rule::CREDENTIAL_PRINT),
        "vaultcmd" if says("/listcreds") => Some(&rule::CREDENTIAL_PRINT),
        "rundll32" if says("comsvcs") => Some(&rule::CREDENTIAL_DUMP),
        "rundll32" | "mshta" | "regsvr32" | "msiexec" | "cscript" | "wscript" | "installutil" | "regasm"
        | "odbcconf"
            if says("http:") || says("https:") || says("javascript:") || says("vbscript:") =>
        {
            Some(&rule::REMOTE_CODE)
        }
        "psexec" | "psexec64" | "winrs" if cmd.arg(0).starts_with('\\') || says("-r:") || says("/r:") => {
            Some(&rule::LATERAL)
        }
        "netsh" if has("portproxy") && has("add") => Some(&rule::TUNNEL),
        "wmic" if says("/node:") => Some(&rule::LATERAL),
        "wmic" if has("process") && has("call") && has("create") => Some(&rule::SHELL_ESCAPE),
        "bitsadmin" if says("http:") || says("https:") || has("/setnotifycmdline") => Some(&rule::REMOTE_CODE),
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
    let mut all = cmd.name.to_owned();
    for field in cmd.args {
        all.push(' ');
        all.push_str(&text::lower(&field.text));
    }
    let has = |names: &[&str]| names.iter().any(|name| all.contains(name));
    // about_PowerShell_exe: `-EncodedCommand`, cut as short as people like
    let encoded = cmd.args.windows(2).any(|pair| {
        let [option, value] = pair else {
            return false;
        };
        let option = text::lower(&option.text);
        option.len() > 1
            && (matches!(&*option, "-ec") || "-encodedcommand".starts_with(&*option))
            && value.text.len() >= 16
            && value
                .text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
    });
    if encoded || has(&["-enc ", "-encodedcommand", "frombase64string"]) {
        found(walk, cmd, &rule::HIDDEN_CODE);
    }
    if has(&["iex", "invoke-expression"]) && has(&["downloadstring", "invoke-webrequest", "iwr", "irm", "webclient"]) {
        found(walk, cmd, &rule::REMOTE_CODE);
    }
    // the same cmdlets on a system with other paths
    for field in cmd.args.iter().filter(|field| field.text.contains('/')) {
        let words = field.text.split([' ', '"', '\'', '(', ')', ';', ',', '|']);
        for path in words
            .filter(|word| word.starts_with(['/', '~']) && word.len() > 4)
            .take(16)
        {
            super::read_file(walk, path, field.span);
        }
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
    if has(&[
        "set-mppreference",
        "add-mppreference -exclusion",
        "advfirewall set",
        "disablerealtimemonitoring",
    ]) {
        found(walk, cmd, &rule::WEAKEN);
    }
}
