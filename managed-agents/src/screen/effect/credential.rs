//! What reads or prints credentials: ssh(1), aws(1), gpg(1), pass(1), security(1), proc(5), shadow(5).

use super::secrets::{Credential, credential, personal};
use super::{Write, found};
use crate::screen::cmd::Cmd;
use crate::screen::finding::Span;
use crate::screen::place::Place;
use crate::screen::programs::Known;
use crate::screen::rule;
use crate::screen::shell::data::{Data, Taint};
use crate::screen::shell::walk::Walk;

/// What a file's contents are, by its path.
pub(in crate::screen) fn taint_of(walk: &Walk<'_>, path: &str) -> Taint {
    let normal = walk.places.normal(path, &walk.cwd);
    match credential(&normal) {
        Some(Credential::Secret | Credential::Process) => Taint::FILE.and(Taint::SECRET),
        Some(Credential::Accounts) => Taint::FILE.and(Taint::ACCOUNTS),
        None if normal.starts_with("/sys/class/dmi/") || normal.starts_with("/sys/devices/virtual/dmi/") => {
            Taint::FILE.and(Taint::MACHINE)
        }
        None => Taint::FILE,
    }
}

/// Reads a file, and reports it if it is a credential.
pub(in crate::screen) fn read_file(walk: &mut Walk<'_>, path: &str, span: Span) -> Data {
    if let Some(data) = walk.written(path) {
        return data.clone();
    }
    if path == "/dev/null" {
        return Data::known("");
    }
    if path.starts_with("/dev/tcp/") || path.starts_with("/dev/udp/") {
        return Data::unknown(Taint::NET);
    }
    let normal = walk.places.normal(path, &walk.cwd);
    if crate::screen::tamper::secret_path(walk.places, &normal) {
        walk.report(&rule::TAMPER, span);
    }
    match credential(&normal) {
        Some(Credential::Secret) => walk.report(&rule::CREDENTIAL_READ, span),
        Some(Credential::Process) => walk.report(&rule::CREDENTIAL_DUMP, span),
        _ => {}
    }
    Data::unknown(taint_of(walk, path))
}

/// Programs that only name, count or compare files, or change what is not their contents.
pub(in crate::screen) const LOOKS_ONLY: &[&str] = &[
    "ls",
    "stat",
    "test",
    "[",
    "file",
    "wc",
    "touch",
    "mkdir",
    "rm",
    "chmod",
    "chown",
    "cd",
    "git",
    "echo",
    "printf",
    "ssh",
    "ssh-add",
    "ssh-keygen",
    "ssh-copy-id",
    "find",
    "which",
    "basename",
    "dirname",
    "realpath",
    "readlink",
    "du",
    "docker",
    "docker-compose",
    "kubectl",
    "export",
    "mosh",
    "dbclient",
    "grep-q",
    "man",
    "shred",
    "truncate",
    "unlink",
    "setfacl",
    "getfacl",
    "lsattr",
    "chattr",
    "useradd",
    "code",
    "trap",
    "alias",
    "helm",
    "ansible",
    "ansible-playbook",
    "npm",
    "yarn",
    "pnpm",
    "node",
    "tree",
    "autossh",
    "slogin",
    "getent",
    "visudo",
    "rmdir",
    "logger",
    "dotenv",
    "foreman",
    "set",
    "declare",
    "local",
    "mktemp",
    "eza",
    "exa",
    "lsd",
];

/// Judges any program: which files of credentials it reads.
pub(super) fn any(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if !cmd.known.has(Known::LOOKS_ONLY) {
        reads(walk, cmd);
        return;
    }
    // options of such programs that name a file whose lines they show, if only to complain of them
    let lists = match cmd.name {
        "wc" | "du" => cmd.values('\u{0}', "files0-from"),
        "file" => cmd.values('f', "files-from"),
        "ssh" => cmd.values('F', ""),
        _ => return,
    };
    for field in lists {
        let path = field.text.rsplit('=').next().unwrap_or_default();
        read_file(walk, path, field.span);
    }
}

by_name! {
    NAMES: pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) where cmd.name is {
        "grep" | "egrep" | "fgrep" | "rg" | "awk" | "sed" if cmd.stdin.taint.has(Taint::ENV) => {
            let words = [
                "key", "token", "secret", "pass", "cred", "auth", "aws", "api", "pwd", "private",
            ];
            if cmd
                .args
                .iter()
                .any(|field| words.iter().any(|word| field.text.to_ascii_lowercase().contains(word)))
            {
                found(walk, cmd, &rule::CREDENTIAL_PRINT);
            }
        },
        "grep" | "egrep" | "rg" | "ag" | "zgrep"
            if cmd.name == "rg" || cmd.name == "ag" || cmd.short('r') || cmd.short('R') || cmd.long("recursive") =>
        {
            let operands = cmd.operands("ABCmef", &["include", "exclude", "exclude-dir", "regexp", "file"]);
            let words = [
                "passw",
                "secret",
                "token",
                "api_key",
                "apikey",
                "private key",
                "aws_",
                "akia",
                "credential",
            ];
            let seeks = cmd
                .args
                .iter()
                .any(|field| words.iter().any(|word| field.text.to_ascii_lowercase().contains(word)));
            let wide = operands.iter().any(|field| {
                matches!(
                    walk.places.place(&field.text, &walk.cwd),
                    Place::Root | Place::Home | Place::System | Place::InHome | Place::InSystem
                )
            });
            if seeks && wide {
                found(walk, cmd, &rule::CREDENTIAL_PRINT);
            }
        },
        "gpg" | "gpg2" if cmd.begins(&["--export-s"]) => {
            found(walk, cmd, &rule::CREDENTIAL_READ)
        },
        "security" if keychain(cmd) => found(walk, cmd, &rule::CREDENTIAL_PRINT),
        "grep" | "egrep" | "fgrep"
            if seeks_examiner(cmd)
                && (cmd.stdin.taint.has(Taint::MACHINE)
                    || cmd.args.iter().any(|field| taint_of(walk, &field.text).has(Taint::MACHINE)))
                || super::services::names_guards(cmd.args) =>
        {
            found(walk, cmd, &rule::MACHINE_PROBE)
        },
        "strings" | "grep" if cmd.args.iter().any(|field| walk.places.place(&field.text, &walk.cwd) == Place::Device) => {
            found(walk, cmd, &rule::CREDENTIAL_PRINT)
        },
        "secret-tool" | "kwallet-query" | "lssecret" if matches!(cmd.arg(0), "lookup" | "-r") || cmd.arg(0) == "search" && cmd.has("--all") => {
            found(walk, cmd, &rule::CREDENTIAL_PRINT)
        },
        "gcore" | "procdump" | "memdump" | "avml" | "lime" | "chainbreaker" | "unshadow" | "pwdump" | "fgdump"
        | "samdump2" | "creddump7" => found(walk, cmd, &rule::CREDENTIAL_DUMP),
        "tty_audit" | "logkeys" | "xspy" => {
            found(walk, cmd, &rule::CREDENTIAL_DUMP)
        },
        "xinput" if cmd.arg(0) == "test" || cmd.arg(0) == "test-xi2" => found(walk, cmd, &rule::CREDENTIAL_DUMP),
        "auditctl" if cmd.has("execve") => found(walk, cmd, &rule::CREDENTIAL_DUMP),
        "getent" if matches!(cmd.arg(0), "shadow" | "gshadow") => found(walk, cmd, &rule::CREDENTIAL_READ),
        "gdb" if (cmd.short('p') || cmd.long("pid")) && cmd.args.iter().any(|field| {
            ["dump memory", "dump binary", "generate-core-file", "gcore"].iter().any(|own| field.text.contains(own))
        }) => found(walk, cmd, &rule::CREDENTIAL_DUMP),
        "nmcli" if cmd.short('s') || cmd.has("--show-secrets") => found(walk, cmd, &rule::CREDENTIAL_PRINT),
        "netsh" if cmd.has("key=clear") => found(walk, cmd, &rule::CREDENTIAL_PRINT),
        "ps" if cmd
            .args
            .iter()
            .any(|field| !field.text.starts_with('-') && field.text.contains('e') && field.text.contains("ww")) =>
        {
            found(walk, cmd, &rule::CREDENTIAL_PRINT)
        },
    } else {}
}

/// security(1): options may stand before the verb; what certificates say is public, unless all are taken.
fn keychain(cmd: &Cmd<'_>) -> bool {
    let words = super::cli::words(cmd, &[]);
    match words.first().copied().unwrap_or_default() {
        "find-generic-password"
        | "find-internet-password"
        | "dump-keychain"
        | "export"
        | "unlock-keychain"
        | "find-key"
        | "import" => true,
        "find-certificate" => cmd.short('a') && cmd.short('p'),
        _ => false,
    }
}

/// The names of makers of virtual machines, looked for in what a machine says of itself.
fn seeks_examiner(cmd: &Cmd<'_>) -> bool {
    cmd.args.iter().any(|field| {
        let lower = field.text.to_ascii_lowercase();
        [
            "hypervisor",
            "vmware",
            "virtualbox",
            "vbox",
            "parallels",
            "innotek",
            "qemu",
            "hyper-v",
            "bochs",
        ]
        .iter()
        .any(|maker| lower.contains(maker))
    })
}

/// Credential files among the arguments of a program that reads files.
fn reads(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let takes_text = matches!(
        cmd.name,
        "grep" | "egrep" | "fgrep" | "rg" | "sed" | "awk" | "gawk" | "ag" | "ack"
    ) && !cmd.short('e')
        && !cmd.short('f');
    let mut patterns = usize::from(takes_text);
    // any word may be the name of a place that the operator named
    let plain_passes = walk.cwd.is_empty() && !walk.places.has_secrets();
    for field in cmd.args {
        let text = field.text.as_str();
        if text.len() < 4 && plain_passes {
            continue;
        }
        // most words are settled by their letters
        if plain_passes
            && !text
                .bytes()
                .any(|byte| matches!(byte, b'/' | b'.' | b'~' | b'*' | b'?' | b'[' | b'=' | b'@'))
            && !text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("id_"))
        {
            patterns = patterns.saturating_sub(usize::from(!text.starts_with('-')));
            continue;
        }
        let path = match text.split_once('=') {
            Some((key, value)) if text.starts_with('-') || key.bytes().all(|byte| byte.is_ascii_alphabetic()) => value,
            _ => text,
        };
        // options, and `@file` of curl
        let path = path.rsplit_once('@').map_or(path, |(before, path)| {
            if before.contains('/') || before.is_empty() || before.ends_with('=') || before.starts_with('-') {
                path
            } else {
                text
            }
        });
        if path.starts_with('-') || crate::screen::text::holds(path, "://") && !path.starts_with("file://") {
            continue;
        }
        if patterns > 0 && !text.starts_with('-') {
            patterns -= 1;
            continue;
        }
        let rooted = path.starts_with(['/', '~']);
        if path.contains(char::is_whitespace) && !(rooted && path.len() < 256 && !path.contains('\n')) {
            continue;
        }
        // a plain word in the workspace is no credential's path
        if plain_passes
            && !path.contains(['/', '.', '~', '*', '?', '['])
            && !path.to_ascii_lowercase().starts_with("id_")
        {
            continue;
        }
        let normal = walk.places.normal(path, &walk.cwd);
        if crate::screen::tamper::secret_path(walk.places, &normal) {
            walk.report(&rule::TAMPER, field.span);
        }
        let name = normal.rsplit('/').next().unwrap_or_default();
        if matches!(
            name,
            ".bash_history"
                | ".zsh_history"
                | ".sh_history"
                | ".mysql_history"
                | ".psql_history"
                | ".python_history"
                | ".node_repl_history"
        ) && cmd.known.has(Known::PRINTER)
        {
            walk.report(&rule::CREDENTIAL_PRINT, field.span);
        }
        if personal(&normal) && cmd.known.has(Known::PRINTER) {
            walk.report(&rule::COLLECT, field.span);
        }
        match credential(&normal) {
            Some(Credential::Secret) if keeps_own(cmd, &normal) => {}
            Some(Credential::Secret) => walk.report(&rule::CREDENTIAL_READ, field.span),
            Some(Credential::Process) => walk.report(&rule::CREDENTIAL_DUMP, field.span),
            Some(Credential::Accounts) if copies(cmd.name) && normal.contains("passwd") => {
                walk.report(&rule::ACCOUNT_LIST, field.span)
            }
            _ => {}
        }
    }
    if cmd.stdin.taint.has(Taint::ACCOUNTS) && copies(cmd.name) && cmd.name != "cp" {
        found(walk, cmd, &rule::ACCOUNT_LIST);
    }
}

/// Programs that use a key for what it is for, and do not show it; and making a first `.env`.
fn keeps_own(cmd: &Cmd<'_>, normal: &str) -> bool {
    let remote = !matches!(cmd.name, "rsync" | "scp" | "sftp") || cmd.args.iter().any(|field| field.text.contains(':'));
    let uses_key = remote
        && matches!(
            cmd.name,
            "scp"
                | "sftp"
                | "rsync"
                | "sshfs"
                | "ssh-agent"
                | "sops"
                | "age"
                | "mysql"
                | "psql"
                | "make"
                | "cargo"
                | "go"
                | "pytest"
                | "eslint"
                | "prettier"
                | "vite"
        );
    let target = cmd
        .args
        .last()
        .is_some_and(|field| normal.ends_with(field.text.trim_start_matches("./")));
    uses_key
        && !cmd.args.last().is_some_and(|field| {
            field.text.contains(':')
                && cmd.args.iter().any(|own| {
                    normal.ends_with(own.text.as_str())
                        && !cmd
                            .values('i', "")
                            .iter()
                            .any(|key| key.text.ends_with(own.text.as_str()))
                })
        })
        || (matches!(cmd.name, "cp" | "mv" | "tee" | "install" | "ln") && target && normal.ends_with(".env"))
}

/// Programs that copy, pack or encrypt what they read.
fn copies(name: &str) -> bool {
    matches!(
        name,
        "cp" | "scp"
            | "tar"
            | "zip"
            | "gzip"
            | "bzip2"
            | "xz"
            | "7z"
            | "7za"
            | "7zr"
            | "rar"
            | "gpg"
            | "openssl"
            | "ccencrypt"
            | "base64"
            | "rsync"
            | "curl"
            | "wget"
            | "nc"
            | "ncat"
            | "mail"
            | "mutt"
            | "dd"
            | "ln"
            | "aws"
            | "gsutil"
            | "rclone"
            | "s3cmd"
            | "azcopy"
            | "mc"
    )
}

/// Credentials that a command's output holds.
pub(super) fn source(cmd: &Cmd<'_>) -> Taint {
    let secret = match cmd.name {
        "gpg" | "gpg2" => cmd.begins(&["--export-s"]),
        "security" => keychain(cmd),
        "pass" | "secret-tool" | "op" | "bw" => matches!(cmd.arg(0), "show" | "lookup" | "read" | "get"),
        _ => false,
    };
    let archive = matches!(
        cmd.name,
        "tar" | "zip" | "mysqldump" | "pg_dump" | "pg_dumpall" | "mongodump" | "sqlite3" | "7z" | "cpio" | "ditto"
    );
    let mut taint = if secret { Taint::SECRET } else { Taint::NONE };
    if matches!(
        cmd.name,
        "dmidecode"
            | "ioreg"
            | "system_profiler"
            | "lshw"
            | "hostnamectl"
            | "systemd-detect-virt"
            | "virt-what"
            | "lscpu"
            | "lspci"
            | "sysctl"
            | "kldstat"
            | "whoami"
            | "id"
            | "hostname"
            | "uname"
            | "logname"
    ) {
        taint = taint.and(Taint::MACHINE);
    }
    if cmd.name == "printenv" && cmd.args.is_empty() {
        taint = taint.and(Taint::ENV).and(Taint::FILE);
    }
    // what people typed, passwords among it
    if matches!(cmd.name, "history" | "fc") {
        taint = taint.and(Taint::FILE).and(Taint::SECRET);
    }
    if archive {
        taint = taint.and(Taint::ARCHIVE);
    }
    if cmd.known.has(Known::PRINTER) && cmd.args.iter().any(|field| field.taint.has(Taint::SECRET)) {
        taint = taint.and(Taint::SECRET);
    }
    taint
}

/// A file that holds accounts is written somewhere.
pub(super) fn stored(walk: &mut Walk<'_>, how: Write, data: &Data, span: Span) {
    if data.taint.has(Taint::ACCOUNTS) && how != Write::Stderr && data.text.is_none() {
        walk.report(&rule::ACCOUNT_LIST, span);
    }
}

/// Whether a place is one where credentials of the system lie.
pub(super) fn is_home(place: Place) -> bool {
    matches!(place, Place::Home | Place::InHome)
}
