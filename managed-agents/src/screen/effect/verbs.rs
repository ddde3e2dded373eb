//! The verbs and nouns of command lines, and what they say of a subcommand, word for word and part for part.

use crate::screen::cmd::Cmd;

/// What the words of a subcommand say; a set.
#[derive(Clone, Copy)]
pub(super) struct Says(u32);

impl Says {
    const NOTHING: Self = Self(0);
    pub(super) const DELETE: Self = Self(1);
    pub(super) const STOP: Self = Self(1 << 1);
    pub(super) const MAKE: Self = Self(1 << 2);
    pub(super) const SHOW: Self = Self(1 << 3);
    pub(super) const SHARE: Self = Self(1 << 4);
    pub(super) const SECRET: Self = Self(1 << 5);
    /// Who may do what: a noun of identity management.
    pub(super) const RIGHTS: Self = Self(1 << 6);
    pub(super) const PERSON: Self = Self(1 << 7);
    pub(super) const RECORD: Self = Self(1 << 8);
    pub(super) const GUARD: Self = Self(1 << 9);
    pub(super) const ENTRY: Self = Self(1 << 10);
    pub(super) const IMAGE: Self = Self(1 << 11);
    pub(super) const RUN: Self = Self(1 << 12);
    pub(super) const COMMAND: Self = Self(1 << 13);
    pub(super) const IDENTITY: Self = Self(1 << 14);
    pub(super) const ACCESS: Self = Self(1 << 15);
    pub(super) const KEY: Self = Self(1 << 16);
    /// What holds the data or work of others.
    pub(super) const HOLDS: Self = Self(1 << 17);
    pub(super) const TOKEN: Self = Self(1 << 18);
    pub(super) const VERBS: Self =
        Self(Self::DELETE.0 | Self::STOP.0 | Self::MAKE.0 | Self::SHOW.0 | Self::SHARE.0 | Self::RUN.0);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn both(self, one: Self, other: Self) -> bool {
        self.has(one) && self.has(other)
    }
}

/// Words that are looked at: command lines nest no deeper.
const WORDS: usize = 6;

/// One part of a word, in small letters.
fn part(text: &str) -> Says {
    match text {
        "delete" | "destroy" | "terminate" | "purge" | "wipe" | "nuke" | "teardown" | "erase" | "deprovision"
        | "decommission" | "drop" | "del" => Says::DELETE,
        "stop" | "disable" | "suspend" | "pause" | "off" | "deactivate" | "unset" | "detach" | "bypass" => Says::STOP,
        "create" | "add" | "attach" | "grant" | "bind" | "put" | "assign" | "invite" | "set" | "update" | "upload"
        | "import" | "authorize" | "allow" | "ch" | "modify" | "associate" | "promote" | "consent" | "generate"
        | "issue" => Says::MAKE,
        "show" | "get" | "access" | "view" | "reveal" | "print" | "dump" | "decrypt" | "read" => Says::SHOW,
        "share" | "export" => Says::SHARE,
        "secret" | "secrets" | "credential" | "credentials" => Says::SECRET,
        "role" | "roles" | "policy" | "policies" | "permission" | "permissions" | "binding" | "assignment"
        | "grants" | "collaborator" | "collaborators" | "admin" | "admins" | "owner" | "owners" => Says::RIGHTS,
        "user" | "users" | "member" | "members" | "apikey" | "apikeys" => Says::PERSON,
        "iam" | "ram" | "cam" | "rbac" | "identity" | "ad" | "idp" | "serviceaccount" | "serviceaccounts" => {
            Says::IDENTITY
        }
        "log" | "logs" | "logging" | "trail" | "trails" | "audit" | "auditing" | "recorder" | "diagnostic"
        | "telemetry" => Says::RECORD,
        "mfa" | "2fa" | "waf" | "firewall" | "firewalls" | "detector" | "guardduty" | "defender" | "antivirus"
        | "protection" | "encryption" | "versioning" | "retention" | "threat" | "quarantine" | "scanning"
        | "backup" | "backups" | "replication" | "alarm" | "alarms" | "alert" | "alerts" => Says::GUARD,
        "ingress" | "nsg" | "sg" | "security" | "acl" | "rule" | "rules" | "whitelist" | "allowlist" => Says::ENTRY,
        "image" | "images" | "snapshot" | "snapshots" | "disk" | "disks" | "volume" | "ami" => Says::IMAGE,
        "run" | "send" | "invoke" | "execute" => Says::RUN,
        "command" | "commands" => Says::COMMAND,
        "cluster" | "clusters" | "bucket" | "buckets" | "database" | "databases" | "topic" | "topics" | "stream"
        | "streams" | "vm" | "vms" | "instance" | "instances" | "namespace" | "tenant" | "keyspace" | "datastore"
        | "droplet" | "pool" | "osd" | "zone" | "project" | "domain" => Says::HOLDS,
        "api" | "service" => Says::ACCESS,
        "key" | "keys" | "account" | "accounts" => Says::KEY,
        "token" | "tokens" | "pat" | "authorizations" => Says::TOKEN,
        _ => Says::NOTHING,
    }
}

/// What a word says: its parts stand between `-`, `:`, `.` or `_`, or begin with a capital letter.
pub(super) fn word(text: &str) -> Says {
    let mut says = Says::NOTHING;
    let mut rest = text;
    while !rest.is_empty() {
        let mut ends = rest.bytes().enumerate().skip(1);
        let end = ends
            .find(|(_, byte)| matches!(byte, b'-' | b':' | b'.' | b'_') || byte.is_ascii_uppercase())
            .map_or(rest.len(), |(at, _)| at);
        let (own, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        says = says.and(if own.starts_with(|first: char| first.is_ascii_uppercase()) {
            part(&own.to_ascii_lowercase())
        } else {
            part(own)
        });
        rest = behind.strip_prefix(['-', ':', '.', '_']).unwrap_or(behind);
    }
    says
}

/// What the subcommand says, up to its verb.
pub(super) fn says(cmd: &Cmd<'_>) -> Says {
    let mut all = Says::NOTHING;
    let mut left = WORDS;
    let mut of_option = false;
    // aws(1): the first word names a service, and says nothing of what is done
    let mut service = usize::from(matches!(cmd.name, "aws" | "awslocal"));
    for field in cmd.args {
        let text = field.text.as_str();
        if text.starts_with('-') {
            of_option = !text.contains('=');
            continue;
        }
        if std::mem::take(&mut of_option) {
            continue;
        }
        left -= 1;
        if service > 0 {
            service -= 1;
            continue;
        }
        // a name, an address or a file, and no word of the program's own
        let own = text.len() <= 40
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'.' | b'_'));
        if !own || left == 0 {
            break;
        }
        let says = word(text);
        all = all.and(says);
        if says.has(Says::VERBS) && !matches!(text, "access" | "run" | "set" | "logs") {
            break;
        }
    }
    all
}
