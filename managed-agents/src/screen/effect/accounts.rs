//! Accounts and rights: useradd(8), usermod(8), userdel(8), passwd(1), chpasswd(8), visudo(8), setcap(8), chage(1), pw(8).

use super::cli::{self, Row};
use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::programs::{self, Known};
use crate::screen::rule::{self, Rule};
use crate::screen::shell::walk::Walk;
use crate::screen::text;

const ROWS: &[Row] = &[
    (
        "useradd|user|groupadd|group add|mod|del|usermod|userdel|lock|unlock",
        &rule::ACCOUNT_CHANGE,
    ),
    ("lock|unlock", &rule::ACCOUNT_CHANGE),
    ("usermod|useradd|userdel|groupadd|groupmod", &rule::ACCOUNT_CHANGE),
];

by_name! {
    NAMES: pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) where cmd.name is {
        "useradd" | "adduser" | "newusers" => {
            let root = cmd.has("0")
                || cmd
                    .args
                    .iter()
                    .any(|field| field.text == "--non-unique" || field.text == "-u0")
                || cmd.short('o') && cmd.name == "useradd";
            let dangerous = root
                || cmd.values('G', "groups").iter().any(|field| field.text.split(',').any(|group| grants(group) || lends(group)))
                || cmd.name == "newusers"
                || cmd.short('p')
                || cmd.long("password");
            let dangerous = dangerous
                || ["ingroup", "gid"]
                    .iter()
                    .flat_map(|name| cmd.values(if *name == "gid" { 'g' } else { '\u{0}' }, name))
                    .any(|field| grants(field.text.rsplit('=').next().unwrap_or_default()));
            let asks = cmd.name == "adduser" && cmd.args.len() == 2 && grants(cmd.arg(1));
            if dangerous || asks {
                found(walk, cmd, &rule::PERSIST_KEY);
            } else if (cmd.short('s') || cmd.long("shell")) && !is_a_person(cmd) || cmd.short('m') && cmd.long("create-home") {
                found(walk, cmd, &rule::ACCOUNT_CHANGE);
            }
        },
        "usermod" | "gpasswd" | "groupmems" | "group-add" => {
            let adds = cmd.short('G') || cmd.short('a') || cmd.short('g') || cmd.name != "usermod";
            let to = |group: fn(&str) -> bool| cmd.args.iter().any(|field| field.text.split(',').any(group)) && adds;
            let grant = to(grants);
            let password =
                cmd.short('p') || cmd.long("password") || cmd.values('u', "uid").iter().any(|field| field.text == "0");
            if cmd.name == "usermod" && (cmd.short('L') || cmd.long("lock")) && cmd.has("root") {
                found(walk, cmd, &rule::DESTROY_ACCOUNT);
            }
            if grant || password {
                found(walk, cmd, &rule::PERSIST_KEY);
            } else if to(lends)
                || cmd.long("expiredate")
                || cmd.short('e')
                || cmd.name == "usermod" && (cmd.short('s') || cmd.long("shell"))
            {
                found(walk, cmd, &rule::ACCOUNT_CHANGE);
            }
        },
        "userdel" | "deluser" | "groupdel" | "delgroup" | "rmuser" => {
            let recursive = cmd.short('r')
                || cmd.long("remove")
                || cmd.long("remove-home")
                || cmd.long("remove-all-files")
                || cmd.short('f');
            if recursive || cmd.has("root") {
                found(walk, cmd, &rule::DESTROY_ACCOUNT);
            }
        },
        "passwd" | "chpasswd" => {
            if cmd.short('d') || cmd.short('l') && (cmd.has("root") || walk.in_loop) || cmd.long("delete") {
                found(walk, cmd, &rule::DESTROY_ACCOUNT);
            } else {
                let opens = cmd.short('u') && cmd.name == "passwd" || cmd.long("unlock");
                let somebody = opens || cmd.name == "passwd" && !cmd.args.is_empty() && cmd.options().next().is_none();
                if somebody || cmd.name == "chpasswd" || cmd.stdin.given || cmd.long("stdin") {
                    found(walk, cmd, &rule::ACCOUNT_CHANGE);
                }
            }
        },
        // chage(1): from a day that has long passed
        "chage" => {
            let past = cmd.values('E', "expiredate").iter().any(|field| matches!(field.text.as_str(), "0" | "1" | "1970-01-01" | "-E0"));
            if past {
                found(walk, cmd, &rule::DESTROY_ACCOUNT);
            }
        },
        "chsh" => {
            // an account that is there for a program, and can then log in (adduser.conf(5), FIRST_SYSTEM_UID)
            if cmd.args.len() > 2 && !cmd.short('l') && cmd.args.last().is_some_and(|field| is_service(&field.text)) {
                found(walk, cmd, &rule::ACCOUNT_CHANGE);
            }
        },
        "samba-tool" if cmd.arg(0) == "user" && matches!(cmd.arg(1), "create" | "add" | "setpassword" | "addunixattrs") => {
            found(walk, cmd, &rule::ACCOUNT_CHANGE)
        },
        "ipa" if matches!(cmd.arg(0), "user-add" | "user-mod" | "group-add-member") => found(walk, cmd, &rule::ACCOUNT_CHANGE),
        "pw" => {
            if let Some(rule) = cli::matching(cmd, ROWS, &[]) {
                found(walk, cmd, rule);
            }
        },
        "getcap" => {
            if cmd.short('r') && cmd.has("/") {
                found(walk, cmd, &rule::PRIVILEGE_RECON);
            }
        },
        "groupadd" | "groupmod" => {
            if cmd.values('g', "gid").iter().any(|field| matches!(field.text.as_str(), "0" | "-g0" | "--gid=0")) {
                found(walk, cmd, &rule::PRIVILEGE);
            }
        },
        "setcap" => {
            if !cmd.short('r') && !cmd.short('v') {
                found(walk, cmd, &rule::PRIVILEGE);
            }
        },
        // pwd_mkdb(8): another list of accounts in the place of this one
        "pwd_mkdb" => {
            if cmd.args.iter().any(|field| field.text.starts_with('/') && !field.text.starts_with("/etc/")) {
                found(walk, cmd, &rule::PERSIST_KEY);
            }
        },
        "visudo" => {
            if cmd.stdin.given {
                found(walk, cmd, &rule::PERSIST_KEY);
            }
        },
        // sudoedit(8): `-s` and a backslash at the end (CVE-2021-3156)
        "sudoedit" if cmd.short('s') && cmd.args.iter().any(|field| field.text.ends_with('\\')) => found(walk, cmd, &rule::PRIVILEGE),
        "sudo" | "doas" if matches!(cmd.arg(0), "-l" | "-ll" | "--list") => found(walk, cmd, &rule::PRIVILEGE_RECON),
        "ssh-keygen"
            if cmd
                .values('D', "")
                .iter()
                .any(|field| field.text.starts_with('/') || field.text.starts_with("./")) =>
        {
            found(walk, cmd, &rule::SHELL_ESCAPE)
        },
    } else {}
}

by_name! {
    /// Published tools that look for ways to become root, or that read credentials, by the names they are published under.
    PROBES: fn probe(stem: &str) -> Option<&'static Rule> where stem is {
        "linpeas" | "linenum" | "lse" | "linux-exploit-suggester" | "pspy" | "pspy64" | "pspy32" | "unix-privesc-check"
        | "autosuid" | "linuxprivchecker" | "beroot" | "suid3num" | "linux-smart-enumeration" | "traitor" | "peass"
        | "winpeas" | "les" | "sudo_killer" | "gtfonow" | "deepce" | "linpe" | "bashark" | "uptux" => Some(&rule::PRIVILEGE_RECON),
        "mimipenguin" | "lazagne" | "mimikatz" | "keychaindump" | "secretsdump" | "pypykatz" | "truffleproc" | "swipe"
        | "3snake" | "keyscan" | "sshspy" | "firefox_decrypt" | "hackbrowserdata" | "hack-browser-data" | "linikatz"
        | "dumpsterdiver" | "trufflehog3" | "keychaindumper" | "chainbreaker"
        | "impacket-secretsdump" => Some(&rule::CREDENTIAL_DUMP),
    } else { None }
}

/// A published tool by the path or name it is run by.
pub(super) fn tool(walk: &mut Walk<'_>, cmd: &Cmd<'_>, path: &str) {
    let name = text::name(path);
    let stem = name.split('.').next().unwrap_or_default();
    let lower;
    let stem = if stem.bytes().any(|byte| byte.is_ascii_uppercase()) {
        lower = stem.to_ascii_lowercase();
        &lower
    } else {
        stem
    };
    if programs::known(stem).has(Known::PROBE) {
        if let Some(rule) = probe(stem) {
            found(walk, cmd, rule);
        }
    } else if stem.contains("keylog") {
        found(walk, cmd, &rule::CREDENTIAL_DUMP);
    }
}

/// useradd(8): somebody with a home, as people have one.
fn is_a_person(cmd: &Cmd<'_>) -> bool {
    (cmd.short('m') || cmd.long("create-home")) && !cmd.flag('M', "no-create-home") && !cmd.flag('r', "system")
}

/// Accounts that no person has (Debian, base-passwd; nobody(7)).
fn is_service(account: &str) -> bool {
    account.starts_with('_')
        || matches!(
            account,
            "root"
                | "daemon"
                | "bin"
                | "sys"
                | "sync"
                | "games"
                | "man"
                | "lp"
                | "mail"
                | "news"
                | "uucp"
                | "proxy"
                | "www-data"
                | "backup"
                | "list"
                | "irc"
                | "gnats"
                | "nobody"
                | "www"
                | "ftp"
                | "sshd"
                | "nginx"
                | "apache"
                | "postgres"
                | "mysql"
                | "redis"
                | "operator"
                | "toor"
        )
}

/// Groups whose members can become root (Debian: SystemGroups).
fn grants(group: &str) -> bool {
    matches!(
        group.trim_start_matches("-G"),
        "sudo" | "wheel" | "root" | "admin" | "adm" | "disk" | "shadow" | "sudoers"
    )
}

/// Groups whose members can start what can become root: a person gives them to those who work here (docker, "Post-installation steps").
fn lends(group: &str) -> bool {
    matches!(group, "docker" | "lxd" | "libvirt" | "kvm")
}
