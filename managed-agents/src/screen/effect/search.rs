//! What find(1) itself reveals or overwrites, and what somebody is after who looks for names like these.

use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::data::{ALL, Data, SOME};
use crate::screen::shell::walk::Walk;

/// What find(1) itself may reveal or overwrite.
pub(in crate::screen) fn find(walk: &mut Walk<'_>, cmd: &Cmd<'_>, listing: &[String]) {
    for (at, field) in cmd.args.iter().enumerate() {
        match field.text.as_str() {
            "-fprint" | "-fprintf" | "-fls" | "-fprint0" => {
                if let Some(file) = cmd.args.get(at + 1) {
                    super::write_file(walk, &file.text, super::Write::Truncate, &Data::none(), file.span);
                }
            }
            "-perm" => {
                let mode = cmd.arg(at + 1);
                let setuid = mode.contains("u=s")
                    || mode.contains("u+s")
                    || mode.contains("g=s")
                    || mode.contains("g+s")
                    || mode.trim_start_matches(['-', '/', '+']).trim_start_matches('0').len() == 4;
                let wide = listing.iter().any(|root| {
                    let root = walk.places.normal(root, &walk.cwd);
                    root.starts_with('/') && !root.starts_with("/home") && !root.starts_with("/tmp")
                });
                if setuid && wide {
                    walk.report(&rule::PRIVILEGE_RECON, field.span);
                }
            }
            // passwords, looked for in whatever is found anywhere
            "-exec" | "-execdir"
                if matches!(
                    cmd.arg(at + 1).rsplit('/').next(),
                    Some("grep" | "egrep" | "zgrep" | "rg")
                ) && listing.iter().any(|root| is_everybodys(walk, root))
                    && cmd.args.iter().skip(at + 2).any(|field| seeks_secret(&field.text)) =>
            {
                walk.report(&rule::CREDENTIAL_PRINT, field.span);
            }
            "-name" | "-iname" | "-path" | "-ipath" | "-wholename" | "-iwholename" => {
                if let Some(rule) = sought(cmd.arg(at + 1))
                    && (listing.iter().any(|root| is_everybodys(walk, root))
                        || rule == &rule::CREDENTIAL_PRINT && shows(cmd))
                {
                    walk.report(rule, field.span);
                }
            }
            _ => {}
        }
    }
}

/// A pattern by which passwords and keys are found.
fn seeks_secret(pattern: &str) -> bool {
    let lower = pattern.to_ascii_lowercase();
    [
        "passw",
        "pass|",
        "pass\\|",
        "secret",
        "api_key",
        "apikey",
        "private key",
        "aws_",
        "credential",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

/// Whether what is found is shown or copied.
fn shows(cmd: &Cmd<'_>) -> bool {
    cmd.args.windows(2).any(|pair| {
        matches!(pair, [option, program] if option.text.starts_with("-exec")
            && matches!(program.text.as_str(), "cat" | "head" | "tail" | "cp" | "tar" | "zip" | "base64" | "strings" | "xxd" | "rsync" | "scp"))
    })
}

/// Whether what is listed lies in the homes of all people, or in the system's settings.
pub(super) fn is_of_people(walk: &Walk<'_>, listing: &str) -> bool {
    let root = listing.trim_end_matches([SOME, ALL]).trim_end_matches('/');
    matches!(root, "" | "/home" | "/Users" | "/root" | "/etc" | "/var/mail") && listing.starts_with('/')
        || walk.places.place(root, &walk.cwd) == Place::Home
}

/// Where the files of all people or of the whole system lie.
fn is_everybodys(walk: &Walk<'_>, listing: &str) -> bool {
    let root = listing.trim_end_matches([SOME, ALL]);
    let root = if root.len() > 1 {
        root.trim_end_matches('/')
    } else {
        root
    };
    matches!(
        walk.places.place(root, &walk.cwd),
        Place::Root | Place::Home | Place::System
    )
}

/// What somebody is after who looks for files with names like this.
fn sought(pattern: &str) -> Option<&'static Rule> {
    let lower = pattern.to_ascii_lowercase();
    let name = lower.trim_start_matches(['*', '/']);
    let plain = name.trim_end_matches('*');
    let keys = matches!(
        plain,
        ".pem"
            | ".key"
            | ".kdb"
            | ".kdbx"
            | ".ppk"
            | ".p12"
            | ".pfx"
            | ".jks"
            | ".keystore"
            | "credentials"
            | "shadow"
            | ".aws"
            | ".ssh"
            | ".gnupg"
            | ".password-store"
            | "id_"
            | "authorized_keys"
            | "wp-config.php"
            | ".htpasswd"
            | ".asc"
            | ".bash_history"
            | ".zsh_history"
            | "_history"
            | ".gpg"
            | ".azure"
            | ".docker"
            | "accesstokens.json"
            | ".ovpn"
    ) || ["password", "passwd", "secret", "credential"].iter().any(|word| {
        plain.starts_with(word)
            && plain.len() < word.len() + 2
            && name.len() + 1 < pattern.len() + 2
            && pattern.starts_with('*')
    });
    if keys || super::credential(&format!("~/{plain}")) == Some(super::Credential::Secret) {
        return Some(&rule::CREDENTIAL_PRINT);
    }
    [
        "places.sqlite",
        "login data",
        "cookies",
        "chat.db",
        "history.db",
        "bookmarks.plist",
    ]
    .iter()
    .any(|own| name.contains(own))
    .then_some(&rule::COLLECT)
}
