//! What reads or prints credentials: ssh(1), aws(1), gpg(1), pass(1), security(1), proc(5), shadow(5).

use super::fetch::is_archive;
use super::secrets::{Credential, credential};
use super::{Write, found};
use crate::screen::cmd::Cmd;
use crate::screen::finding::Span;
use crate::screen::place::Place;
use crate::screen::programs::Known;
use crate::screen::rule;
use crate::screen::shell::data::{Data, Field, Taint};
use crate::screen::shell::walk::Walk;
use crate::screen::signs::Signs;

/// What a file's contents are, by its path.
pub(in crate::screen) fn taint_of(walk: &Walk<'_>, path: &str) -> Taint {
    let normal = walk.places.normal(path, &walk.cwd);
    match credential(&normal) {
        Some(Credential::Secret | Credential::Process) => Taint::FILE.and(Taint::SECRET),
        Some(Credential::Accounts) => Taint::FILE.and(Taint::ACCOUNTS),
        None if normal.starts_with('/') && is_made_of(&normal) => Taint::FILE.and(Taint::MACHINE),
        None if is_filler(&normal) => Taint::FILE.and(Taint::PADDING),
        None if normal.starts_with("/dev/") && walk.places.place_of(&normal) == Place::Device => {
            Taint::FILE.and(Taint::BEYOND).and(super::images::TAINT)
        }
        None if leads_beyond(path) => Taint::FILE.and(Taint::BEYOND),
        None => Taint::FILE,
    }
}

/// Whether a file says what the machine is made of: proc(5), sysfs(5).
fn is_made_of(normal: &str) -> bool {
    normal == "/proc/cpuinfo"
        || normal.starts_with("/sys/class/dmi/")
        || normal.starts_with("/sys/devices/virtual/dmi/")
}

/// From the root or a home, or to what is not known, in one pass over the bytes: most files are looked at here.
fn leads_beyond(path: &str) -> bool {
    let mut before = b' ';
    path.starts_with(['/', '~'])
        || path.bytes().any(|byte| {
            let climbs = byte == b'.' && before == b'.';
            before = byte;
            // what stands for the unknown begins with this byte
            climbs || byte == b'*' || byte == 0xEE
        })
        || is_archive(path)
}

/// Which passwords are accepted, and how often they may be tried: pwquality.conf(5), pam_pwquality(8), faillock.conf(5).
pub(super) fn says_policy(normal: &str) -> bool {
    normal
        .strip_prefix("/etc/pam.d/")
        .or_else(|| normal.strip_prefix("/etc/security/"))
        .is_some_and(|file| {
            matches!(
                file,
                "common-password" | "system-auth" | "password-auth" | "pwquality.conf" | "faillock.conf"
            )
        })
}

/// The devices that give bytes without end (null(4), random(4)).
fn is_filler(path: &str) -> bool {
    matches!(path, "/dev/zero" | "/dev/urandom" | "/dev/random")
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
    if says_policy(&normal) {
        walk.report(&rule::PRIVILEGE_RECON, span);
    }
    match credential(&normal) {
        Some(Credential::Secret) => walk.report(&rule::CREDENTIAL_READ, span),
        Some(Credential::Process) => walk.report(&rule::CREDENTIAL_DUMP, span),
        _ => {}
    }
    Data::unknown(taint_of(walk, path))
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
            let seeks = cmd.args.iter().any(|field| {
                let lower = field.text.to_ascii_lowercase();
                words.iter().any(|word| lower.contains(word))
                    // in whichever way it is spelt: `api[_-]?key`
                    || lower.contains('[') && lower.replace(['[', ']', '?', '-', '_', '.'], "").contains("apikey")
            });
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
        // what was typed, searched for passwords
        "grep" | "egrep" | "fgrep" | "rg" | "ag"
            if cmd.stdin.taint.has(Taint::SECRET)
                && cmd.args.iter().any(|field| {
                    let lower = field.text.to_ascii_lowercase();
                    ["passw", "pass", "secret", "token", "api_key"].iter().any(|word| lower.contains(word))
                }) =>
        {
            found(walk, cmd, &rule::CREDENTIAL_PRINT)
        },
        // programs that look for secrets in whatever they are pointed at
        "trufflehog" | "gitleaks" | "noseyparker" | "detect-secrets" | "ggshield" | "whispers"
            if cmd.args.iter().any(|field| {
                field.text.starts_with(['/', '~'])
                    && matches!(walk.places.place(&field.text, &walk.cwd), Place::Root | Place::Home | Place::System)
            }) =>
        {
            found(walk, cmd, &rule::CREDENTIAL_PRINT)
        },
        // asks for a password in the name of the system
        "zenity" | "kdialog" | "yad" | "whiptail" | "dialog"
            if cmd.args.iter().any(|field| field.text.to_ascii_lowercase().contains("password"))
                && cmd.args.iter().any(|field| {
                    let lower = field.text.to_ascii_lowercase();
                    ["sudo", "update", "administrator", "system", "keychain", "log in again"]
                        .iter()
                        .any(|word| lower.contains(word))
                }) =>
        {
            found(walk, cmd, &rule::SPOOF)
        },
        "read" if cmd.args.iter().any(|field| field.text.contains("[sudo]")) => found(walk, cmd, &rule::SPOOF),
        // slapcat(8): the whole directory, hashes of passwords among it
        "slapcat" => found(walk, cmd, &rule::CREDENTIAL_PRINT),
        "ldapsearch" if cmd.args.iter().any(|field| {
            let lower = field.text.to_ascii_lowercase();
            matches!(
                lower.trim_matches(['(', ')', '*', '=']),
                "userpassword" | "unicodepwd" | "ms-mcs-admpwd" | "ntpwdhistory" | "sambantpassword" | "krbprincipalkey"
            )
        }) => found(walk, cmd, &rule::CREDENTIAL_PRINT),
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
        // where products that defend machines are installed
        "ls" | "stat" | "test" | "[" | "[["
            if cmd.args.iter().any(|field| {
                ["/opt/", "/var/ossec", "/Library/", "/Applications/"].iter().any(|place| field.text.starts_with(place))
                    && super::services::guards(&field.text).is_some()
            }) =>
        {
            found(walk, cmd, &rule::MACHINE_PROBE)
        },
        // what a machine says of itself, compared with the names of makers of virtual ones
        "[" | "test" | "[[" if cmd.args.iter().any(|field| field.taint.has(Taint::MACHINE)) && seeks_examiner(cmd) => {
            found(walk, cmd, &rule::MACHINE_PROBE)
        },
        "pgrep" | "pidof" if super::services::names_guards(cmd.args) => found(walk, cmd, &rule::MACHINE_PROBE),
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
        // probes that print what other programs read or return (bpftrace(8), stap(1))
        "bpftrace" | "stap" | "dtrace" if cmd.args.iter().any(|field| {
            let text = &field.text;
            (text.contains("probe") || text.contains("tracepoint:syscalls") || text.contains("pid$"))
                && ["str(", "user_string", "copyinstr", "buf("].iter().any(|own| text.contains(own))
                && ["readline", "read", "write", "pam_", "SSL_", "getpass", "recv", "send", "tty", "crypt"].iter().any(|own| text.contains(own))
        }) => found(walk, cmd, &rule::CREDENTIAL_DUMP),
        "xinput" if cmd.arg(0) == "test" || cmd.arg(0) == "test-xi2" => found(walk, cmd, &rule::CREDENTIAL_DUMP),
        "auditctl" if cmd.has("execve") => found(walk, cmd, &rule::CREDENTIAL_DUMP),
        "getent" if matches!(cmd.arg(0), "shadow" | "gshadow") => found(walk, cmd, &rule::CREDENTIAL_READ),
        "gdb" if (cmd.short('p') || cmd.long("pid")) && cmd.args.iter().any(|field| {
            ["dump memory", "dump binary", "generate-core-file", "gcore"].iter().any(|own| field.text.contains(own))
        }) => found(walk, cmd, &rule::CREDENTIAL_DUMP),
        // functions called inside of a process that runs (gdb, "Calling Program Functions")
        "gdb" if (cmd.short('p') || cmd.long("pid")) && cmd.args.iter().any(|field| {
            ["system(", "dlopen(", "execve(", "execl(", "mprotect("].iter().any(|own| field.text.contains(own))
        }) => found(walk, cmd, &rule::SHELL_ESCAPE),
        // one variable whose name says that it is secret
        "printenv" if cmd.args.iter().any(|field| names_secret(&field.text)) => found(walk, cmd, &rule::CREDENTIAL_PRINT),
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

/// Whether a variable's name says that its value is a credential.
pub(in crate::screen) fn names_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    [
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "TOKEN",
        "API_KEY",
        "APIKEY",
        "ACCESS_KEY",
        "PRIVATE_KEY",
        "CREDENTIAL",
    ]
    .iter()
    .any(|word| upper.contains(word))
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

by_name! {
    /// What a program's output holds, by the program.
    SOURCES: pub(super) fn source(cmd: &Cmd<'_>) -> Taint where cmd.name is {
        "gpg" | "gpg2" if cmd.begins(&["--export-s"]) => Taint::SECRET,
        "security" if keychain(cmd) => Taint::SECRET,
        "pass" | "secret-tool" | "op" | "bw" if matches!(cmd.arg(0), "show" | "lookup" | "read" | "get") => Taint::SECRET,
        // what a person typed as a password: zenity(1), kdialog, dialog(1), systemd-ask-password(1)
        "zenity" | "kdialog" | "yad" | "whiptail" | "dialog" if cmd.has_any(&["--password", "--passwordbox"]) => Taint::SECRET,
        "systemd-ask-password" | "ssh-askpass" => Taint::SECRET,
        "tar" | "cpio" | "zip" if cmd.args.iter().any(|field| field.text.starts_with('~') || leads_beyond(&field.text)) => {
            Taint::ARCHIVE.and(Taint::BEYOND)
        },
        "mysqldump" | "mariadb-dump" if cmd.short('A') || cmd.long("all-databases") => super::images::TAINT,
        "pg_dumpall" | "pg_basebackup" | "mongodump" | "zfs" | "btrfs" | "docker" | "podman" | "nerdctl" | "ctr" | "dump" | "xfsdump"
        | "ntfsclone" | "fsarchiver" | "partclone.ext4" | "partclone.ntfs" | "partclone.vfat" | "partclone.btrfs" | "partclone.xfs"
        | "mariabackup" | "xtrabackup" | "lxc" | "incus" | "vzdump" | "dd" | "dcfldd" | "dc3dd"
            if super::images::prints(cmd) =>
        {
            super::images::TAINT
        },
        "tar" | "zip" | "mysqldump" | "pg_dump" | "mongodump" | "sqlite3" | "7z" | "cpio" | "ditto" => {
            Taint::ARCHIVE
        },
        "dmidecode" | "ioreg" | "system_profiler" | "lshw" | "hostnamectl" | "systemd-detect-virt" | "virt-what"
        | "lscpu" | "dmesg" | "lspci" | "sysctl" | "kldstat" | "whoami" | "id" | "hostname" | "uname" | "logname" => Taint::MACHINE,
        "printenv" if cmd.args.is_empty() => Taint::ENV.and(Taint::FILE),
        "getent" if cmd.arg(0) == "passwd" && cmd.args.len() == 1 => Taint::FILE.and(Taint::ACCOUNTS),
        // ps(1): `e` without a dash shows what each process was given
        "ps" if cmd.args.iter().any(|field| {
            !field.text.starts_with('-') && field.text.contains('e') && field.text.contains(['a', 'x'])
        }) => Taint::ENV,
        // docker-inspect(1), docker-history(1): what containers and images were given
        "docker" | "podman" if matches!(cmd.arg(0), "inspect" | "history") => Taint::ENV,
        // what programs wrote down
        "journalctl" => Taint::FILE.and(Taint::BEYOND),
        "kubectl" | "docker" if cmd.arg(0) == "logs" => Taint::FILE.and(Taint::BEYOND),
        // what somebody copied, said or did
        "pbpaste" | "wl-paste" | "xclip" | "xsel" | "parec" | "arecord" => Taint::FILE.and(Taint::BEYOND),
        // what people typed, passwords among it
        "history" | "fc" => Taint::FILE.and(Taint::SECRET),
    } else { Taint::NONE }
}

/// What any program's output holds, by its arguments.
pub(super) fn passed_on(cmd: &Cmd<'_>, signs: Signs) -> Taint {
    let fills = |field: &Field<'_>| is_filler(field.text.strip_prefix("if=").unwrap_or(&field.text));
    let mut taint = Taint::NONE;
    if signs.has(Signs::SLASH) && cmd.args.iter().any(fills) {
        taint = taint.and(Taint::PADDING);
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
