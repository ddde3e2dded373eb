//! Accounts and rights: useradd(8), usermod(8), userdel(8), passwd(1), chpasswd(8), visudo(8), setcap(8), chage(1), pw(8).

use super::cli::{self, Row};
use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::rule;
use crate::screen::shell::data::Taint;
use crate::screen::shell::walk::Walk;

const ROWS: &[Row] = &[
    (
        "useradd|user|groupadd|group add|mod|del|usermod|userdel|lock|unlock",
        &rule::ACCOUNT_CHANGE,
    ),
    ("lock|unlock", &rule::ACCOUNT_CHANGE),
    ("usermod|useradd|userdel|groupadd|groupmod", &rule::ACCOUNT_CHANGE),
];

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let first = cmd.arg(0);
    match cmd.name {
        "useradd" | "adduser" | "newusers" => {
            let root = cmd.has("0")
                || cmd
                    .args
                    .iter()
                    .any(|field| field.text == "-o" || field.text == "--non-unique" || field.text == "-u0");
            let dangerous = root
                || cmd.values('G', "groups").iter().any(|field| grants(&field.text))
                || cmd.name == "newusers"
                || cmd.short('p')
                || cmd.long("password");
            let asks = cmd.name == "adduser" && cmd.args.len() == 2 && grants(cmd.arg(1));
            if dangerous || asks {
                found(walk, cmd, &rule::PERSIST_KEY);
            } else if cmd.short('s') || cmd.long("shell") || cmd.short('m') && cmd.long("create-home") {
                found(walk, cmd, &rule::ACCOUNT_CHANGE);
            }
        }
        "usermod" | "gpasswd" | "groupmems" | "group-add" => {
            let grant = cmd.args.iter().any(|field| field.text.split(',').any(grants))
                && (cmd.short('G') || cmd.short('a') || cmd.short('g') || cmd.name != "usermod");
            let password =
                cmd.short('p') || cmd.long("password") || cmd.values('u', "uid").iter().any(|field| field.text == "0");
            if grant || password {
                found(walk, cmd, &rule::PERSIST_KEY);
            } else if cmd.long("expiredate")
                || cmd.short('e')
                || cmd.name == "usermod" && (cmd.short('s') || cmd.long("shell"))
            {
                found(walk, cmd, &rule::ACCOUNT_CHANGE);
            }
        }
        "userdel" | "deluser" | "groupdel" | "delgroup" | "rmuser" => {
            let recursive = cmd.short('r')
                || cmd.long("remove")
                || cmd.long("remove-home")
                || cmd.long("remove-all-files")
                || cmd.short('f');
            if recursive || cmd.has("root") {
                found(walk, cmd, &rule::DESTROY_ACCOUNT);
            }
        }
        "passwd" | "chpasswd" => {
            if cmd.short('d') || cmd.short('l') && cmd.has("root") || cmd.long("delete") {
                found(walk, cmd, &rule::DESTROY_ACCOUNT);
            } else {
                let somebody = cmd.name == "passwd" && !cmd.args.is_empty() && cmd.options().next().is_none();
                if somebody || cmd.name == "chpasswd" || cmd.stdin.given || cmd.long("stdin") {
                    found(walk, cmd, &rule::ACCOUNT_CHANGE);
                }
            }
        }
        "chsh" => {
            if cmd.args.len() > 2 && !cmd.short('l') {
                found(walk, cmd, &rule::ACCOUNT_CHANGE);
            }
        }
        "pw" => {
            if let Some(rule) = cli::matching(cmd, ROWS, &[]) {
                found(walk, cmd, rule);
            }
        }
        "setcap" => {
            if !cmd.short('r') && !cmd.short('v') {
                found(walk, cmd, &rule::PRIVILEGE);
            }
        }
        "visudo" => {
            if cmd.stdin.given {
                found(walk, cmd, &rule::PERSIST_KEY);
            }
        }
        "sudo" | "doas" if matches!(first, "-l" | "-ll" | "--list") => found(walk, cmd, &rule::PRIVILEGE_RECON),
        "ssh-keygen"
            if cmd
                .values('D', "")
                .iter()
                .any(|field| field.text.starts_with('/') || field.text.starts_with("./")) =>
        {
            found(walk, cmd, &rule::SHELL_ESCAPE)
        }
        "su" if cmd.stdin.given && cmd.stdin.taint != Taint::NONE => {}
        _ => tool(walk, cmd, cmd.name),
    }
}

/// Published tools that look for ways to become root, or that read credentials, by the names they are published under.
pub(super) fn tool(walk: &mut Walk<'_>, cmd: &Cmd<'_>, path: &str) {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    match stem {
        "linpeas"
        | "linenum"
        | "lse"
        | "linux-exploit-suggester"
        | "pspy"
        | "pspy64"
        | "pspy32"
        | "unix-privesc-check"
        | "autosuid"
        | "linuxprivchecker"
        | "beroot"
        | "suid3num"
        | "linux-smart-enumeration"
        | "traitor" => {
            found(walk, cmd, &rule::PRIVILEGE_RECON);
        }
        "mimipenguin" | "lazagne" | "mimikatz" | "keychaindump" | "secretsdump" | "pypykatz" | "truffleproc"
        | "swipe" => found(walk, cmd, &rule::CREDENTIAL_DUMP),
        _ if stem.contains("keylog") => found(walk, cmd, &rule::CREDENTIAL_DUMP),
        _ => {}
    }
}

/// Groups whose members can become root (Debian: SystemGroups).
fn grants(group: &str) -> bool {
    matches!(
        group.trim_start_matches("-G"),
        "sudo" | "wheel" | "root" | "admin" | "adm" | "disk" | "shadow" | "lxd" | "docker" | "sudoers"
    )
}
