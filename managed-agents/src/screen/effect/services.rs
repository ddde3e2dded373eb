//! Services and schedules: systemctl(1), service(8), launchctl(1), sc, update-rc.d(8), loginctl(1).

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::finding::Span;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::data::{Data, Field};
use crate::screen::shell::walk::Walk;

pub(super) const NAMES: &[&str] = &[
    "systemctl",
    "service",
    "rc-service",
    "launchctl",
    "initctl",
    "sysrc",
    "invoke-rc.d",
];

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let words = super::cli::words(
        cmd,
        &["-H", "--host", "-M", "--machine", "-t", "--type", "-p", "--property"],
    );
    let (verb, unit) = match cmd.name {
        "systemctl" => (
            words.first().copied().unwrap_or_default(),
            words.get(1..).unwrap_or_default(),
        ),
        "service" | "rc-service" | "invoke-rc.d" => (
            words.get(1).copied().unwrap_or_default(),
            words.get(..1).unwrap_or_default(),
        ),
        "launchctl" => (
            words.first().copied().unwrap_or_default(),
            words.get(1..).unwrap_or_default(),
        ),
        "sysrc" => {
            if cmd.args.iter().any(|field| field.text.contains("_enable=")) {
                found(walk, cmd, &rule::PERSIST);
            }
            return;
        }
        "initctl" => (
            words.first().copied().unwrap_or_default(),
            words.get(1..).unwrap_or_default(),
        ),
        _ => return,
    };
    if cmd.name == "service" && unit.iter().any(|unit| unit.starts_with("../") || unit.starts_with('/')) {
        found(walk, cmd, &rule::SHELL_ESCAPE);
    }
    let guard = unit.iter().any(|unit| is_defence(unit));
    let log = unit.iter().any(|unit| is_record(unit));
    let critical = unit.iter().any(|unit| is_critical(unit));
    let stops = matches!(
        verb,
        "stop" | "disable" | "mask" | "kill" | "onestop" | "unload" | "bootout" | "remove"
    );
    let rule = match verb {
        _ if stops && log => &rule::WEAKEN_LOG,
        _ if stops && guard => &rule::WEAKEN,
        _ if stops && critical => &rule::PROCESS_KILL,
        "isolate" => &rule::SYSTEM_STOP,
        "poweroff" | "reboot" | "halt" | "kexec" => &rule::SYSTEM_STOP,
        "edit" if cmd.name == "systemctl" && cmd.stdin.given => &rule::PERSIST,
        "link" if cmd.name == "systemctl" => &rule::PERSIST,
        "enable"
            if unit
                .iter()
                .any(|unit| unit.starts_with(['/', '~']) || unit.starts_with("./")) =>
        {
            &rule::PERSIST
        }
        "load" | "bootstrap" | "submit" if cmd.name == "launchctl" => &rule::PERSIST,
        "start" | "restart" | "onestart"
            if unit
                .iter()
                .any(|unit| matches!(unit.trim_end_matches(".service"), "tor" | "ngrok" | "cloudflared")) =>
        {
            &rule::TUNNEL
        }
        _ => return,
    };
    found(walk, cmd, rule);
}

/// A script of `init.d` or `rc.d` that is run by its path.
pub(in crate::screen) fn service(walk: &mut Walk<'_>, name: &str, args: &[Field<'_>], span: Span, stdin: &Data) {
    let mut all = vec![Field::new(name, span)];
    all.extend_from_slice(args);
    judge(walk, &Cmd::new("service", &all, stdin, span));
}

/// The rule that stopping a program of this name breaks, where it defends or records.
pub(super) fn guards(name: &str) -> Option<&'static Rule> {
    if is_record(name) || matches!(name, "rsyslogd" | "audispd" | "sedispatch") {
        Some(&rule::WEAKEN_LOG)
    } else {
        is_defence(name).then_some(&rule::WEAKEN)
    }
}

fn name(unit: &str) -> &str {
    let mut name = unit;
    for ending in [".service", ".socket"] {
        while let Some(shorter) = name.strip_suffix(ending) {
            name = shorter;
        }
    }
    name
}

/// Parts of the names of products that defend machines, as their makers name services and packages.
const VENDORS: [&str; 27] = [
    "mdmclient",
    "xprotect",
    "com.apple.mrt",
    "carbonblack",
    "cbdefense",
    "cbagent",
    "crowdstrike",
    "falcon",
    "sentinel",
    "mdatp",
    "wdav",
    "sophos",
    "osquery",
    "wazuh",
    "ossec",
    "clamav",
    "freshclam",
    "opendns",
    "umbrella",
    "littlesnitch",
    "little snitch",
    "malwarebytes",
    "tanium",
    "cylance",
    "symantec",
    "ds_agent",
    "fail2ban",
];

/// Parts of the names of programs that send away what they record, as their makers name them.
const RECORDERS: [&str; 8] = [
    "filebeat",
    "auditbeat",
    "packetbeat",
    "winlogbeat",
    "td-agent",
    "fluent-bit",
    "splunkd",
    "auditd",
];

/// Several defenders or recorders, looked for at once.
pub(super) fn names_guards(args: &[Field<'_>]) -> bool {
    args.iter().any(|field| {
        let all = VENDORS.iter().chain(&RECORDERS);
        if !field.text.contains('|') {
            return false;
        }
        let lower = field.text.to_ascii_lowercase();
        all.filter(|vendor| lower.contains(**vendor)).count() > 1
    })
}

fn is_defence(unit: &str) -> bool {
    matches!(
        name(unit),
        "ufw"
            | "firewalld"
            | "iptables"
            | "ip6tables"
            | "nftables"
            | "apparmor"
            | "fail2ban"
            | "pf"
            | "ipfw"
            | "clamav-daemon"
            | "clamd"
            | "falcon-sensor"
            | "cbdaemon"
            | "mdatp"
            | "osqueryd"
            | "wazuh-agent"
            | "crowdsec"
            | "selinux-autorelabel"
            | "ossec"
            | "sshguard"
            | "com.apple.alf.agent"
            | "unattended-upgrades"
            | "com.crowdstrike.falcond"
    ) || VENDORS.iter().any(|vendor| unit.to_ascii_lowercase().contains(vendor))
}

fn is_record(unit: &str) -> bool {
    matches!(
        name(unit),
        "rsyslog"
            | "syslog"
            | "syslogd"
            | "syslog-ng"
            | "auditd"
            | "systemd-journald"
            | "journald"
            | "sysmon"
            | "filebeat"
            | "auditbeat"
            | "com.apple.syslogd"
    ) || unit.contains("auditd")
        || unit.contains("syslog")
}

fn is_critical(unit: &str) -> bool {
    matches!(
        name(unit),
        "sshd"
            | "ssh"
            | "docker"
            | "containerd"
            | "dbus"
            | "systemd-logind"
            | "networkmanager"
            | "NetworkManager"
            | "networking"
            | "network"
            | "systemd-networkd"
            | "systemd-resolved"
            | "kubelet"
            | "postgresql"
            | "mysql"
            | "mariadb"
            | "mysqld"
            | "mongod"
            | "redis"
            | "etcd"
            | "cron"
            | "crond"
            | "chronyd"
    )
}
