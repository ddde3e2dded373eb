//! Where credentials lie, and what reads or prints them: ssh(1), aws(1), gpg(1), pass(1), security(1), proc(5), shadow(5).

use super::{Write, found};
use crate::screen::cmd::Cmd;
use crate::screen::finding::Span;
use crate::screen::glob;
use crate::screen::place::Place;
use crate::screen::rule;
use crate::screen::shell::data::{Data, Taint};
use crate::screen::shell::flow;
use crate::screen::shell::walk::Walk;

/// What kind of credential a file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::screen) enum Credential {
    /// A key, token or password file.
    Secret,
    /// Memory or environment of a process.
    Process,
    /// The list of accounts, which names people but holds no passwords.
    Accounts,
}

/// Files of the system, by their whole path.
const SYSTEM: [&str; 22] = [
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/master.passwd",
    "/etc/security/passwd",
    "/etc/spwd.db",
    "/etc/sudoers",
    "/usr/local/etc/sudoers",
    "/etc/security/opasswd",
    "/etc/krb5.keytab",
    "/etc/ppp/chap-secrets",
    "/etc/ppp/pap-secrets",
    "/etc/ipsec.secrets",
    "/etc/openvpn/auth.txt",
    "/etc/kubernetes/admin.conf",
    "/etc/rancher/k3s/k3s.yaml",
    "/var/run/secrets/kubernetes.io/serviceaccount/token",
    "/run/secrets/kubernetes.io/serviceaccount/token",
    "/etc/boto.cfg",
    "/etc/mysql/debian.cnf",
    "/etc/pve/priv/shadow.cfg",
];

/// Files by how their path ends, wherever a home or project is.
const ENDINGS: [&str; 66] = [
    "/.ssh/id_rsa",
    "/.ssh/id_dsa",
    "/.ssh/id_ecdsa",
    "/.ssh/id_ed25519",
    "/.ssh/id_ecdsa_sk",
    "/.ssh/id_ed25519_sk",
    "/.ssh/identity",
    "/.aws/credentials",
    "/.aws/config",
    "/.azure/accesstokens.json",
    "/.azure/msal_token_cache.json",
    "/.azure/msal_token_cache.bin",
    "/.config/gcloud/credentials.db",
    "/.config/gcloud/access_tokens.db",
    "/.config/gcloud/application_default_credentials.json",
    "/.config/gcloud/legacy_credentials",
    "/.netrc",
    "/_netrc",
    "/.pgpass",
    "/.my.cnf",
    "/.mylogin.cnf",
    "/.git-credentials",
    "/.config/git/credentials",
    "/.npmrc",
    "/.pypirc",
    "/.gem/credentials",
    "/.cargo/credentials",
    "/.cargo/credentials.toml",
    "/.docker/config.json",
    "/.kube/config",
    "/.config/gh/hosts.yml",
    "/.config/hub",
    "/.terraform.d/credentials.tfrc.json",
    "/.terraformrc",
    "/.vault-token",
    "/.config/doctl/config.yaml",
    "/.config/rclone/rclone.conf",
    "/.gnupg/secring.gpg",
    "/.gnupg/private-keys-v1.d",
    "/.password-store",
    "/.local/share/keyrings",
    "/.config/op/config",
    "/.bitcoin/wallet.dat",
    "/.ethereum/keystore",
    "/.config/solana/id.json",
    "/.mozilla/firefox",
    "/login data",
    "/login keychain",
    "/login.keychain",
    "/login.keychain-db",
    "/library/keychains",
    "/key4.db",
    "/key3.db",
    "/logins.json",
    "/cookies.sqlite",
    "/.htpasswd",
    "/.dockercfg",
    "/.s3cfg",
    "/.boto",
    "/.env.local",
    "/.env.production",
    "/.config/sops/age/keys.txt",
    "/.rhosts",
    "/wp-config.php",
    "/ntds.dit",
    "/.openai",
];

/// Names that are credentials wherever they lie.
const NAMES: [&str; 18] = [
    ".env",
    ".netrc",
    ".pgpass",
    ".git-credentials",
    ".npmrc",
    ".pypirc",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "key4.db",
    "logins.json",
    ".htpasswd",
    ".vault-token",
    "credentials.json",
    "service-account.json",
    "wallet.dat",
    ".env.production",
];

/// Whether a path, normal or not, is a credential's.
pub(in crate::screen) fn credential(path: &str) -> Option<Credential> {
    // most words are settled by their letters
    if !path.contains(['/', '.', '~', '\\', '*', '?', '[']) && !path.starts_with("id_") && !path.starts_with("ID_") {
        return None;
    }
    let lower = path.to_ascii_lowercase();
    if lower.ends_with(".pub")
        || lower.ends_with(".example")
        || lower.ends_with(".sample")
        || lower.ends_with(".template")
        || lower.ends_with(".dist")
    {
        return None;
    }
    if let Some(rest) = lower.strip_prefix("/proc/") {
        let file = rest.split_once('/').map_or("", |(_, file)| file);
        let file = file.rsplit('/').next().unwrap_or_default();
        return matches!(file, "environ" | "mem" | "maps" | "map" | "auxv")
            .then_some(Credential::Process)
            .or((rest == "kcore").then_some(Credential::Process));
    }
    if matches!(
        lower.as_str(),
        "/etc/passwd" | "/etc/passwd-" | "/etc/group" | "/etc/pwd.db"
    ) {
        return Some(Credential::Accounts);
    }
    let pattern = glob::is_pattern(&lower);
    if lower.starts_with("/etc/sudoers.d/")
        || lower.starts_with("/etc/ssl/private")
        || lower.starts_with("/etc/ssh/ssh_host_")
        || lower.starts_with("/etc/wireguard/")
    {
        return Some(Credential::Secret);
    }
    if pattern {
        if SYSTEM.iter().any(|own| glob::fits(&lower, own)) && lower.starts_with("/etc/") && lower.len() > 7 {
            return Some(Credential::Secret);
        }
        if glob::fits(&lower, "/etc/passwd") && lower.len() > 7 {
            return Some(Credential::Accounts);
        }
    }
    if SYSTEM.contains(&lower.as_str()) || lower.ends_with("/config/sam") || lower.ends_with("\\config\\sam") {
        return Some(Credential::Secret);
    }
    let directory = matches!(
        lower.trim_start_matches('~').trim_matches('/').rsplit('/').next(),
        Some(".ssh" | ".aws" | ".gnupg" | ".password-store" | ".kube")
    ) && (lower.starts_with('~')
        || lower.starts_with("/home/")
        || lower.starts_with("/root/")
        || lower.starts_with("/users/"));
    if directory {
        return Some(Credential::Secret);
    }
    for (from, place) in ["/.ssh/", "/.gnupg/"]
        .iter()
        .filter_map(|dir| lower.find(dir).map(|at| (at + dir.len(), *dir)))
    {
        let file = lower.get(from..).unwrap_or_default();
        let public = matches!(
            file,
            "known_hosts"
                | "known_hosts.old"
                | "config"
                | "authorized_keys"
                | "pubring.kbx"
                | "pubring.gpg"
                | "trustdb.gpg"
                | "gpg.conf"
                | "environment"
        );
        let secret = place == "/.gnupg/"
            || file.starts_with("id_")
            || file.starts_with('*')
            || file.ends_with(".pem")
            || file.ends_with("key")
            || (pattern && glob::fits(file, "id_rsa"));
        if !public && secret {
            return Some(Credential::Secret);
        }
    }
    let name = lower.rsplit('/').next().unwrap_or_default();
    if NAMES.contains(&name) {
        return Some(Credential::Secret);
    }
    if matches!(
        name.rsplit_once('.'),
        Some((_, "kdbx" | "ppk" | "keychain" | "keychain-db" | "keytab" | "agekey"))
    ) {
        return Some(Credential::Secret);
    }
    let anywhere = ENDINGS.iter().any(|ending| {
        lower.ends_with(ending)
            || (lower.len() > ending.len()
                && ending.len() > 12
                && lower.contains(ending)
                && lower.contains(&format!("{ending}/")))
            || (pattern && lower.contains("/.") && glob::fits(&lower, &format!("~{ending}")))
    });
    anywhere.then_some(Credential::Secret)
}

/// What a file's contents are, by its path.
pub(in crate::screen) fn taint_of(walk: &Walk<'_>, path: &str) -> Taint {
    let normal = walk.places.normal(path, &walk.cwd);
    match credential(&normal) {
        Some(Credential::Secret | Credential::Process) => Taint::FILE.and(Taint::SECRET),
        Some(Credential::Accounts) => Taint::FILE.and(Taint::ACCOUNTS),
        None => Taint::FILE,
    }
}

/// Reads a file, and reports it if it is a credential.
pub(in crate::screen) fn read_file(walk: &mut Walk<'_>, path: &str, span: Span) -> Data {
    if let Some(data) = walk.written(path) {
        return data.clone();
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
fn looks_only(name: &str) -> bool {
    matches!(
        name,
        "ls" | "stat"
            | "test"
            | "["
            | "file"
            | "wc"
            | "touch"
            | "mkdir"
            | "rm"
            | "chmod"
            | "chown"
            | "cd"
            | "git"
            | "echo"
            | "printf"
            | "ssh"
            | "ssh-add"
            | "ssh-keygen"
            | "ssh-copy-id"
            | "find"
            | "which"
            | "basename"
            | "dirname"
            | "realpath"
            | "readlink"
            | "du"
            | "docker"
            | "docker-compose"
            | "kubectl"
            | "export"
            | "mosh"
            | "dbclient"
            | "grep-q"
            | "man"
            | "shred"
            | "truncate"
            | "unlink"
            | "setfacl"
            | "getfacl"
            | "lsattr"
            | "chattr"
            | "useradd"
            | "code"
            | "trap"
            | "alias"
            | "helm"
            | "ansible"
            | "ansible-playbook"
            | "npm"
            | "yarn"
            | "pnpm"
            | "node"
            | "tree"
            | "autossh"
            | "slogin"
            | "getent"
            | "visudo"
            | "rmdir"
            | "logger"
            | "dotenv"
            | "foreman"
            | "set"
            | "declare"
            | "local"
            | "mktemp"
            | "eza"
            | "exa"
            | "lsd"
    )
}

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let name = cmd.name;
    if !looks_only(name) {
        reads(walk, cmd);
    }
    let first = cmd.arg(0);
    match name {
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
        }
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
                "credential",
            ];
            let seeks = cmd
                .args
                .iter()
                .any(|field| words.iter().any(|word| field.text.to_ascii_lowercase().contains(word)));
            let wide = operands.iter().any(|field| {
                matches!(
                    walk.places.place(&field.text, &walk.cwd),
                    Place::Root | Place::Home | Place::System
                )
            });
            if seeks && wide {
                found(walk, cmd, &rule::CREDENTIAL_PRINT);
            }
        }
        "gpg" | "gpg2" if cmd.long("export-secret-keys") || cmd.long("export-secret-subkeys") => {
            found(walk, cmd, &rule::CREDENTIAL_READ)
        }
        "security"
            if matches!(
                first,
                "find-generic-password"
                    | "find-internet-password"
                    | "dump-keychain"
                    | "export"
                    | "unlock-keychain"
                    | "find-certificate"
                    | "find-key"
            ) =>
        {
            found(walk, cmd, &rule::CREDENTIAL_PRINT);
        }
        "secret-tool" | "kwallet-query" | "lssecret" if matches!(first, "lookup" | "-r") => {
            found(walk, cmd, &rule::CREDENTIAL_PRINT)
        }
        "gcore" | "procdump" | "memdump" | "avml" | "lime" | "chainbreaker" | "unshadow" | "pwdump" | "fgdump"
        | "samdump2" | "creddump7" => found(walk, cmd, &rule::CREDENTIAL_DUMP),
        "ausearch" | "tty_audit" | "logkeys" | "xspy" | "showkey" if name != "ausearch" => {
            found(walk, cmd, &rule::CREDENTIAL_DUMP)
        }
        "xinput" if first == "test" || first == "test-xi2" => found(walk, cmd, &rule::CREDENTIAL_DUMP),
        "auditctl" if cmd.has("execve") => found(walk, cmd, &rule::CREDENTIAL_DUMP),
        "nmcli" if cmd.short('s') || cmd.has("--show-secrets") => found(walk, cmd, &rule::CREDENTIAL_PRINT),
        "netsh" if cmd.has("key=clear") => found(walk, cmd, &rule::CREDENTIAL_PRINT),
        "ps" if cmd
            .args
            .iter()
            .any(|field| !field.text.starts_with('-') && field.text.contains('e') && field.text.contains("ww")) =>
        {
            found(walk, cmd, &rule::CREDENTIAL_PRINT)
        }
        _ => {}
    }
}

/// Credential files among the arguments of a program that reads files.
fn reads(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let takes_text = matches!(
        cmd.name,
        "grep" | "egrep" | "fgrep" | "rg" | "sed" | "awk" | "gawk" | "ag" | "ack"
    ) && !cmd.short('e')
        && !cmd.short('f');
    let mut patterns = usize::from(takes_text);
    for field in cmd.args {
        let text = field.text.as_str();
        if text.len() < 4 {
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
        if path.starts_with('-') || path.contains("://") && !path.starts_with("file://") {
            continue;
        }
        if patterns > 0 && !text.starts_with('-') {
            patterns -= 1;
            continue;
        }
        if path.contains(char::is_whitespace) {
            continue;
        }
        // a plain word in the workspace is no credential's path
        if walk.cwd.is_empty()
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
        ) && flow::prints_files(cmd.name)
        {
            walk.report(&rule::CREDENTIAL_PRINT, field.span);
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
    let uses_key = matches!(
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
    )
}

/// Credentials that a command's output holds.
pub(super) fn source(cmd: &Cmd<'_>) -> Taint {
    let secret = match cmd.name {
        "gpg" | "gpg2" => cmd.long("export-secret-keys"),
        "security" => cmd.arg(0).starts_with("find-") || cmd.arg(0) == "dump-keychain",
        "pass" | "secret-tool" | "op" | "bw" => matches!(cmd.arg(0), "show" | "lookup" | "read" | "get"),
        _ => false,
    };
    let archive = matches!(
        cmd.name,
        "tar" | "zip" | "mysqldump" | "pg_dump" | "pg_dumpall" | "mongodump" | "sqlite3" | "7z" | "cpio" | "ditto"
    );
    let mut taint = if secret { Taint::SECRET } else { Taint::NONE };
    if cmd.name == "printenv" && cmd.args.is_empty() {
        taint = taint.and(Taint::ENV);
    }
    if archive {
        taint = taint.and(Taint::ARCHIVE);
    }
    if flow::prints_files(cmd.name) && cmd.args.iter().any(|field| field.taint.has(Taint::SECRET)) {
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
