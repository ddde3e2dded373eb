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
const SYSTEM: [&str; 38] = [
    "/etc/kcpassword",
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
    "/var/backups/shadow.bak",
    "/var/backups/gshadow.bak",
    "/etc/samba/smbpasswd",
    "/etc/postfix/sasl_passwd",
    "/etc/exim4/passwd.client",
    "/etc/ceph/ceph.client.admin.keyring",
    "/var/lib/jenkins/credentials.xml",
    "/var/lib/kubelet/config.json",
    "/etc/docker/key.json",
    "/etc/sssd/sssd.conf",
    "/etc/ldap.secret",
    "/etc/libnss-ldap.secret",
    "/etc/pam_ldap.secret",
    "/etc/rndc.key",
    "/etc/bind/rndc.key",
];

/// Files by how their path ends, wherever a home or project is.
const ENDINGS: [&str; 85] = [
    "/.ssh/id_rsa",
    "/.ssh/id_dsa",
    "/.ssh/id_ecdsa",
    "/.ssh/id_ed25519",
    "/.ssh/id_ecdsa_sk",
    "/.ssh/id_ed25519_sk",
    "/.ssh/identity",
    "/.aws/credentials",
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
    "/.m2/settings-security.xml",
    "/gitlab-secrets.json",
    "/run/containers/0/auth.json",
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
    "/.config/containers/auth.json",
    "/.config/composer/auth.json",
    "/.composer/auth.json",
    "/.config/filezilla/sitemanager.xml",
    "/.config/filezilla/recentservers.xml",
    "/.purple/accounts.xml",
    "/.msmtprc",
    "/.fetchmailrc",
    "/.databrickscfg",
    "/.snowsql/config",
    "/.oci/config",
    "/.config/hcloud/cli.toml",
    "/.config/scw/config.yaml",
    "/.fly/config.yml",
    "/.config/netlify/config.json",
    "/.supabase/access-token",
    "/.kaggle/kaggle.json",
    "/.cache/huggingface/token",
    "/.huggingface/token",
    "/.codex/auth.json",
    "/.claude/.credentials.json",
    "/.config/github-copilot/hosts.json",
    "/.subversion/auth",
    "/.electrum/wallets",
    "/.local/share/kwalletd",
    "/.config/bitwarden",
    "/.config/atuin/key",
    "/.ansible/vault_pass",
    "/.vault_pass",
];

/// Names that are credentials wherever they lie.
const FILES: [&str; 35] = [
    "state.vscdb",
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
    let tells = |byte: u8| matches!(byte, b'/' | b'.' | b'~' | b'\\' | b'*' | b'?' | b'[');
    if !path.bytes().any(tells) && !path.starts_with("id_") && !path.starts_with("ID_") {
        return None;
    }
    let lower = text::lower(path);
    let name = text::name(&lower);
    let extension = text::behind_last(name, b'.').unwrap_or_default();
    if matches!(extension, "pub" | "example" | "sample" | "template" | "dist") {
        return None;
    }
    let pattern = glob::is_pattern(&lower);
    if lower.starts_with(['/', '~', '\\'])
        && let Some(of_system) = of_system(&lower, pattern)
    {
        return of_system;
    }
    // under another root: a mounted disk, a container's, a chroot's
    if matches!(name, "shadow" | "gshadow" | "master.passwd")
        && lower
            .strip_suffix(name)
            .is_some_and(|directory| directory.ends_with("/etc/"))
        || name == "sam" && lower.ends_with("/config/sam")
        || lower.ends_with("\\config\\sam")
    {
        return Some(Credential::Secret);
    }
    let dotted = text::holds(&lower, "/.");
    if dotted && holds_keys(&lower, pattern)
        || may_be_file(name) && FILES.contains(&name)
        || matches!(
            extension,
            "kdbx" | "ppk" | "keychain" | "keychain-db" | "keytab" | "agekey"
        )
        || text::holds(&lower, "/library/keychains")
    {
        return Some(Credential::Secret);
    }
    // all other places begin with a dot
    if !dotted {
        return None;
    }
    let anywhere = lower
        .match_indices('/')
        .any(|(at, _)| lower.get(at..).is_some_and(begins_with_ending))
        || pattern && ENDINGS.iter().any(|ending| glob::fits(&lower, &format!("~{ending}")));
    anywhere.then_some(Credential::Secret)
}

/// Whether one of [`FILES`] has the first letter and the length of a name: most names are settled by it.
fn may_be_file(name: &str) -> bool {
    let lengths = name.bytes().next().and_then(|first| LENGTHS.get(usize::from(first)));
    lengths.is_some_and(|lengths| lengths >> name.len().min(63) & 1 != 0)
}

/// For each first letter, which lengths [`FILES`] have: a bit each.
static LENGTHS: [u64; 256] = lengths();

#[expect(
    clippy::indexing_slicing,
    reason = "it runs when the program is compiled, where a bad index is an error"
)]
const fn lengths() -> [u64; 256] {
    let mut lengths = [0; 256];
    let mut at = 0;
    while at < FILES.len() {
        let name = FILES[at].as_bytes();
        assert!(name.len() < 63, "a length has a bit of its own");
        lengths[name[0] as usize] |= 1 << name.len();
        at += 1;
    }
    lengths
}

/// Which letters stand behind the first slash of [`ENDINGS`].
static SECONDS: [bool; 256] = seconds();

#[expect(
    clippy::indexing_slicing,
    reason = "it runs when the program is compiled, where a bad index is an error"
)]
const fn seconds() -> [bool; 256] {
    let mut seconds = [false; 256];
    let mut at = 0;
    while at < ENDINGS.len() {
        seconds[ENDINGS[at].as_bytes()[1] as usize] = true;
        at += 1;
    }
    seconds
}

/// Whether the rest of a path, from a slash on, is a credential's or lies in a directory of credentials.
fn begins_with_ending(rest: &str) -> bool {
    let second = rest
        .as_bytes()
        .get(1)
        .and_then(|second| SECONDS.get(usize::from(*second)));
    second == Some(&true)
        && ENDINGS.iter().any(|ending| {
            // most are told apart by their third letter
            rest.as_bytes().get(2) == ending.as_bytes().get(2)
                && rest
                    .strip_prefix(ending)
                    .is_some_and(|after| after.is_empty() || ending.len() > 12 && after.starts_with('/'))
        })
}

/// Whether a file lies where ssh(1) and gpg(1) keep keys, and may be one.
fn holds_keys(lower: &str, pattern: bool) -> bool {
    if !text::holds(lower, "/.ssh/") && !text::holds(lower, "/.gnupg/") {
        return false;
    }
    ["/.ssh/", "/.gnupg/"].iter().any(|place| {
        let Some(at) = lower.find(place) else {
            return false;
        };
        let file = lower.get(at + place.len()..).unwrap_or_default();
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
        let secret = *place == "/.gnupg/"
            || file.starts_with("id_")
            || file.starts_with('*')
            || file.ends_with(".pem")
            || file.ends_with("key")
            || (pattern && glob::fits(file, "id_rsa"));
        !public && secret
    })
}

/// What a path of the whole system is, where that settles it.
fn of_system(lower: &str, pattern: bool) -> Option<Option<Credential>> {
    // what people type
    if lower.starts_with("/dev/input/event") || lower.starts_with("/dev/input/by-") {
        return Some(Some(Credential::Process));
    }
    if matches!(lower, "/dev/mem" | "/dev/kmem" | "/dev/fmem" | "/dev/crash") {
        return Some(Some(Credential::Process));
    }
    if let Some(rest) = lower.strip_prefix("/proc/") {
        let file = rest.split_once('/').map_or("", |(_, file)| file);
        let file = file.rsplit('/').next().unwrap_or_default();
        let process = matches!(file, "environ" | "mem" | "maps" | "map" | "auxv") || rest == "kcore";
        return Some(process.then_some(Credential::Process));
    }
    if matches!(lower, "/etc/passwd" | "/etc/passwd-" | "/etc/group" | "/etc/pwd.db") {
        return Some(Some(Credential::Accounts));
    }
    if lower.starts_with("/etc/sudoers.d/")
        || lower.starts_with("/etc/ssl/private")
        || lower.starts_with("/etc/ssh/ssh_host_")
        || lower.starts_with("/etc/wireguard/")
        || lower.starts_with("/run/secrets/")
        || lower.starts_with("/var/run/secrets/")
        || lower.starts_with("/etc/networkmanager/system-connections/")
        || lower.starts_with("/etc/wpa_supplicant/")
        || lower.starts_with("/var/lib/sss/db/")
        || lower.starts_with("/var/lib/sss/secrets/")
        || lower.starts_with("/var/lib/iwd/")
        || lower.starts_with("/var/lib/samba/private/")
        || lower.starts_with("/etc/kubernetes/pki/") && lower.ends_with(".key")
        || lower.starts_with("/var/lib/kubelet/pki/")
        || lower.starts_with("/var/lib/jenkins/secrets/")
        || lower.starts_with("/etc/letsencrypt/") && text::holds(lower, "/privkey")
        // the tickets of people who are logged in (krb5.conf(5), default_ccache_name)
        || lower.starts_with("/tmp/krb5cc")
        || text::holds(lower, "/var/db/dslocal/nodes/")
    {
        return Some(Some(Credential::Secret));
    }
    if pattern {
        if SYSTEM.iter().any(|own| glob::fits(lower, own)) && lower.starts_with("/etc/") && lower.len() > 7 {
            return Some(Some(Credential::Secret));
        }
        if glob::fits(lower, "/etc/passwd") && lower.len() > 7 {
            return Some(Some(Credential::Accounts));
        }
    }
    if SYSTEM.contains(&lower) {
        return Some(Some(Credential::Secret));
    }
    let directory = matches!(
        lower.trim_start_matches('~').trim_matches('/').rsplit('/').next(),
        Some(".ssh" | ".aws" | ".gnupg" | ".password-store" | ".kube" | ".azure" | "gcloud")
    ) && (lower.starts_with('~')
        || lower.starts_with("/home/")
        || lower.starts_with("/root/")
        || lower.starts_with("/users/"));
    if directory {
        return Some(Some(Credential::Secret));
    }
    None
}

/// What people write, read and visit: mail, messages, calendars, contacts, notes, and the profiles of browsers, as the programs
/// that keep them name their directories.
const PERSONAL: [&str; 33] = [
    ".config/slack",
    ".config/discord",
    ".config/signal",
    ".config/microsoft/microsoft teams",
    "library/application support/slack",
    "library/application support/discord",
    "library/application support/signal",
    "library/application support/microsoft/teams",
    "library/application support/knowledge",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_credentials_is_one_wherever_it_lies_and_so_is_what_lies_in_it() {
        for ending in ENDINGS {
            assert!(ending.starts_with('/'), "{ending}");
            let path = format!("/mnt/.old/disk{ending}");
            assert!(credential(&path) == Some(Credential::Secret), "{path}");
            let inside = format!("{path}/file");
            assert!(
                ending.len() <= 12 || credential(&inside) == Some(Credential::Secret),
                "{inside}"
            );
        }
        assert!(credential("/mnt/.old/disk/.awsome/credentials").is_none());
    }

    #[test]
    fn every_file_of_credentials_is_one_by_its_name_alone() {
        for name in FILES {
            let path = format!("/srv/{name}");
            assert!(credential(&path) == Some(Credential::Secret), "{path}");
        }
        assert!(credential("/srv/wallet.dot").is_none() && credential("/srv/").is_none());
    }
}
