//! Where credentials and people's own things lie: ssh(1), aws(1), gpg(1), pass(1), security(1), proc(5), shadow(5).

use crate::screen::{glob, text};

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
const ENDINGS: [&str; 54] = [
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
    "/.htpasswd",
    "/.dockercfg",
    "/.s3cfg",
    "/.boto",
    "/.env.local",
    "/.env.production",
    "/.config/sops/age/keys.txt",
    "/.rhosts",
    "/.openai",
];

/// Names that are credentials wherever they lie.
const FILES: [&str; 34] = [
    "accesstokens.json",
    "msal_token_cache.json",
    "credentials.db",
    "access_tokens.db",
    "application_default_credentials.json",
    "local state",
    "_netrc",
    "login data",
    "login keychain",
    "login.keychain",
    "login.keychain-db",
    "key3.db",
    "cookies.sqlite",
    "wp-config.php",
    "ntds.dit",
    "cookies.binarycookies",
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
    // what people type
    if lower.starts_with("/dev/input/event") || lower.starts_with("/dev/input/by-") {
        return Some(Credential::Process);
    }
    if matches!(lower.as_str(), "/dev/mem" | "/dev/kmem" | "/dev/fmem" | "/dev/crash") {
        return Some(Credential::Process);
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
        || lower.starts_with("/run/secrets/")
        || lower.starts_with("/var/run/secrets/")
        || lower.starts_with("/etc/networkmanager/system-connections/")
        || lower.starts_with("/etc/wpa_supplicant/")
        || lower.starts_with("/var/lib/iwd/")
        || lower.contains("/var/db/dslocal/nodes/")
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
    // under another root: a mounted disk, a container's, a chroot's
    if lower.ends_with("/etc/shadow") || lower.ends_with("/etc/gshadow") || lower.ends_with("/etc/master.passwd") {
        return Some(Credential::Secret);
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
        .filter(|dir| text::holds(&lower, dir))
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
    if FILES.contains(&name) {
        return Some(Credential::Secret);
    }
    if matches!(
        name.rsplit_once('.'),
        Some((_, "kdbx" | "ppk" | "keychain" | "keychain-db" | "keytab" | "agekey"))
    ) {
        return Some(Credential::Secret);
    }
    if text::holds(&lower, "/library/keychains") {
        return Some(Credential::Secret);
    }
    // all other places begin with a dot
    if !text::holds(&lower, "/.") {
        return None;
    }
    let anywhere = ENDINGS.iter().any(|ending| {
        let inside = || {
            ending.len() > 12
                && lower
                    .find(ending)
                    .is_some_and(|at| lower.as_bytes().get(at + ending.len()) == Some(&b'/'))
        };
        lower.ends_with(ending) || inside() || pattern && glob::fits(&lower, &format!("~{ending}"))
    });
    anywhere.then_some(Credential::Secret)
}

/// What people write, read and visit: mail, messages, calendars, contacts, notes, and the profiles of browsers, as the programs
/// that keep them name their directories.
const PERSONAL: [&str; 24] = [
    "library/messages",
    "library/mail",
    "library/safari",
    "library/calendars",
    "library/cookies",
    "library/contacts",
    "library/application support/google/chrome",
    "library/application support/bravesoftware",
    "library/application support/microsoft edge",
    "library/application support/firefox",
    "library/application support/thunderbird",
    "library/application support/addressbook",
    "library/application support/com.apple.tcc",
    "library/group containers/group.com.apple.notes",
    "library/containers/com.apple",
    ".thunderbird",
    ".icedove",
    ".config/google-chrome",
    ".config/chromium",
    ".config/bravesoftware",
    ".config/microsoft-edge",
    ".config/vivaldi",
    ".local/share/evolution",
    "snap/firefox/common/.mozilla",
];

/// Whether a path is somebody's mail, messages or browser profile.
pub(super) fn personal(normal: &str) -> bool {
    let Some(inside) = normal
        .strip_prefix('~')
        .or_else(|| normal.strip_prefix("/home/"))
        .or_else(|| normal.strip_prefix("/Users/"))
        .and_then(|rest| rest.split_once('/'))
        .map(|(_, inside)| inside)
        .or_else(|| normal.strip_prefix("/root/"))
        .or_else(|| normal.strip_prefix('/').filter(|rest| rest.starts_with("Library/")))
    else {
        return false;
    };
    PERSONAL.iter().any(|own| {
        inside
            .get(..own.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(own))
            && matches!(inside.as_bytes().get(own.len()), None | Some(b'/' | b'.' | b'-'))
    })
}
