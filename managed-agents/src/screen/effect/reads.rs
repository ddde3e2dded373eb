//! Which files of credentials a program reads, whatever the program.

use super::credential::read_file;
use super::found;
use super::secrets::{Credential, credential, personal};
use crate::screen::cmd::Cmd;
use crate::screen::programs::Known;
use crate::screen::rule;
use crate::screen::shell::data::Taint;
use crate::screen::shell::walk::Walk;
use crate::screen::signs::Signs;

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
    "keychain",
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

/// Signs without one of which a word names no file of credentials.
const TELLING: Signs = NAMING.and(Signs::UNDERSCORE);

/// The same, of a word that does not begin with `id_`.
const NAMING: Signs = Signs::SLASH
    .and(Signs::DOT)
    .and(Signs::TILDE)
    .and(Signs::GLOB)
    .and(Signs::EQUALS)
    .and(Signs::AT);

/// Judges any program: which files of credentials it reads.
pub(super) fn any(walk: &mut Walk<'_>, cmd: &Cmd<'_>, signs: Signs) {
    if !cmd.known.has(Known::LOOKS_ONLY) {
        reads(walk, cmd, signs);
        return;
    }
    // options of such programs that name a file whose lines they show, if only to complain of them
    let lists = match cmd.name {
        "wc" | "du" => cmd.values('\u{0}', "files0-from"),
        "file" => cmd.values('f', "files-from"),
        "ssh" => cmd.values('F', ""),
        "logger" => cmd.values('f', "file"),
        // git-diff(1), git-grep(1): any files are compared and searched, as diff(1) and grep(1) do
        "git" if cmd.has("--no-index") => return reads(walk, cmd, signs),
        _ => return,
    };
    for field in lists {
        let path = field.text.rsplit('=').next().unwrap_or_default();
        read_file(walk, path, field.span);
    }
}

/// Credential files among the arguments of a program that reads files.
fn reads(walk: &mut Walk<'_>, cmd: &Cmd<'_>, signs: Signs) {
    let takes_text = matches!(
        cmd.name,
        "grep" | "egrep" | "fgrep" | "rg" | "sed" | "awk" | "gawk" | "ag" | "ack"
    ) && !cmd.short('e')
        && !cmd.short('f');
    let mut patterns = usize::from(takes_text);
    // any word may be the name of a place that the operator named
    let plain_passes = walk.cwd.is_empty() && !walk.places.has_secrets();
    let args = if plain_passes && !signs.has(TELLING) {
        &[]
    } else {
        cmd.args
    };
    for field in args {
        let text = field.text.as_str();
        if text.len() < 4 && plain_passes {
            patterns = patterns.saturating_sub(usize::from(!text.starts_with('-')));
            continue;
        }
        // most words are settled by their letters
        if plain_passes
            && !field.text.signs().has(NAMING)
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
        // named inside what another language says
        if crate::screen::text::holds(text, "shadow")
            && [
                "{/etc/shadow",
                "\"/etc/shadow",
                "'/etc/shadow",
                "(/etc/shadow",
                "{/etc/gshadow",
            ]
            .iter()
            .any(|own| text.contains(own))
        {
            walk.report(&rule::CREDENTIAL_READ, field.span);
        }
        let rooted = path.starts_with(['/', '~']);
        if path.contains(char::is_whitespace) && !(rooted && path.len() < 256 && !path.contains('\n')) {
            continue;
        }
        // a plain word in the workspace is no credential's path
        if plain_passes
            && !path
                .bytes()
                .any(|byte| matches!(byte, b'/' | b'.' | b'~' | b'*' | b'?' | b'['))
            && !path.to_ascii_lowercase().starts_with("id_")
        {
            continue;
        }
        let normal = walk.places.normal(path, &walk.cwd);
        if super::credential::says_policy(&normal) && !cmd.has("-i") {
            walk.report(&rule::PRIVILEGE_RECON, field.span);
        }
        if crate::screen::tamper::secret_path(walk.places, &normal) {
            walk.report(&rule::TAMPER, field.span);
        }
        let name = crate::screen::text::name(&normal);
        if matches!(
            name,
            "fish_history"
                | ".viminfo"
                | ".bash_history"
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
        if (cmd.known.has(Known::PRINTER) || copies(cmd.name)) && personal(&normal) {
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
    // cpio(1), pax(1): the files are named on the standard input
    if matches!(cmd.name, "cpio" | "pax" | "afio")
        && let Some(names) = cmd.stdin.full_text()
    {
        for name in names.lines().take(64) {
            read_file(walk, name.trim(), cmd.span);
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
    // age(1): whose key it is is said by an option; anything else is what is encrypted
    let uses_key = uses_key
        && (cmd.name != "age"
            || cmd
                .values('i', "identity")
                .iter()
                .any(|key| normal.ends_with(key.text.as_str())));
    // htpasswd(1): the file is its own to write, and it shows nothing of it
    if cmd.name == "htpasswd" && normal.ends_with("htpasswd") {
        return true;
    }
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
