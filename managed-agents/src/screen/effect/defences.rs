//! Firewalls, access control, updates and trust: iptables(8), nft(8), pfctl(8), ufw(8), setenforce(8), apparmor_parser(8),
//! csrutil(8), spctl(8), sysctl(8), certutil(1).

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::walk::Walk;

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if let Some(rule) = other(cmd) {
        found(walk, cmd, rule);
    } else if weakens(cmd) {
        found(walk, cmd, &rule::WEAKEN);
    }
}

by_name! {
    WEAKENS: fn weakens(cmd: &Cmd<'_>) -> bool where cmd.name is {
        "iptables" | "ip6tables" | "arptables" => {
            cmd.has("TEE") || cmd.has_any(&["-F", "--flush", "-X", "--delete-chain", "-D", "--delete", "-Z"]) || cmd.args.windows(3).any(|three| matches!(three, [p, _, target] if (p.text == "-P" || p.text == "--policy") && matches!(target.text.as_str(), "ACCEPT" | "DROP")))
        },
        "ebtables" => cmd.has_any(&["-F", "-X", "-P"]),
        "iptables-restore" => cmd.stdin.given,
        "ipset" => matches!(cmd.arg(0), "flush" | "destroy"),
        "nft" => matches!(cmd.arg(0), "flush" | "destroy") || cmd.arg(0) == "delete" && matches!(cmd.arg(1), "table" | "chain"),
        "ipfw" => cmd.has_any(&["flush", "disable"]),
        "pfctl" => cmd.has_any(&["-d", "-F"]) || cmd.short('F') || cmd.short('d') && cmd.args.len() == 1 || cmd.values('f', "").iter().any(|field| field.text == "-"),
        "ufw" => ufw(cmd),
        "firewall-cmd" => cmd.args.iter().any(|field| field.text == "--panic-on" || field.text.starts_with("--remove-rich-rule") || field.text.starts_with("--set-default-zone=trusted") || field.text.starts_with("--remove-service=ssh") || opens_all(&field.text)),
        "fail2ban-client" => matches!(cmd.arg(0), "stop" | "unban") && (cmd.args.len() == 1 || cmd.has("--all")),
        "systemextensionsctl" => matches!(cmd.arg(0), "uninstall" | "reset") || cmd.has("off"),
        "setenforce" => matches!(cmd.arg(0), "0" | "Permissive" | "permissive"),
        "apparmor_parser" => cmd.short('R'),
        "aa-disable" | "aa-teardown" | "aa-complain" => true,
        "semanage" => cmd.has_any(&["permissive"]) && cmd.short('a'),
        "csrutil" => matches!(cmd.arg(0), "disable" | "clear") || cmd.has("disable"),
        "update-crypto-policies" => cmd.has("--set") && cmd.args.iter().any(|field| field.text.contains("LEGACY")),
        "spctl" => cmd.has_any(&["--master-disable", "--global-disable", "--disable", "--add"]) || cmd.has("kext-consent") && cmd.has("disable"),
        "tccutil" => cmd.arg(0) == "reset",
        "fdesetup" => matches!(cmd.arg(0), "disable" | "remove" | "removerecovery"),
        "tmutil" => matches!(cmd.arg(0), "disable" | "delete" | "deletelocalsnapshots"),
        "trust" => cmd.arg(0) == "anchor",
        "softwareupdate" => cmd.has("--schedule") && cmd.has("off"),
        "socketfilterfw" => {
            cmd.has("off") || cmd.has("--unblockapp") || cmd.has("--add") || cmd.has("--setallowsigned")
        },
        "umask" => matches!(cmd.arg(0), "0" | "00" | "000" | "0000"),
        "systemd-tmpfiles" => false,
        "sysctl" => {
            cmd.args.iter().any(|field| {
                let key = field.text.split_once('=').map_or("", |(key, _)| key.trim());
                !key.is_empty() && !key.starts_with('-') && !tunes(key)
            })
        },
        "setfile" => cmd
            .args
            .windows(2)
            .any(|pair| matches!(pair, [a, v] if a.text == "-a" && v.text.contains('V'))),
        "esxcli" => cmd.has("firewall") && cmd.has("set") || cmd.has("acceptance") && cmd.has("CommunitySupported"),
        // the makers' own programs that steer what defends a machine
        "mdatp" | "falconctl" | "sentinelctl" | "cbagentd" | "wazuh-control" | "ossec-control" | "sophosctl" => {
            cmd.args.iter().any(|field| {
                matches!(
                    field.text.to_ascii_lowercase().trim_start_matches('-'),
                    "unload" | "stop" | "disable" | "disabled" | "uninstall" | "unprotect" | "d" | "off"
                ) || field.text.starts_with("--aid")
            }) || cmd.arg(0) == "exclusion"
        },
        "mokutil" => cmd.has("--disable-validation"),
        "grubby" => cmd
            .args
            .iter()
            .any(|field| ["selinux=0", "audit=0", "apparmor=0"].iter().any(|own| field.text.contains(own))),
    } else { false }
}

by_name! {
    OTHERS: fn other(cmd: &Cmd<'_>) -> Option<&'static Rule> where cmd.name is {
        // what comes in or goes out, led elsewhere (iptables-extensions(8))
        "iptables" | "ip6tables" if cmd.has("nat")
            && cmd.has_any(&["PREROUTING", "OUTPUT"])
            && cmd.has_any(&["REDIRECT", "DNAT"])
            && cmd.has_any(&["-A", "-I", "--append", "--insert"]) => Some(&rule::INTERCEPT),
        // what is recorded elsewhere (syslog, RFC 5426), kept from getting there
        "iptables" | "ip6tables" if cmd.has_any(&["OUTPUT", "FORWARD"])
            && cmd.has_any(&["DROP", "REJECT"])
            && cmd.has_any(&["514", "6514", "5044", "1514"])
            && cmd.has_any(&["-A", "-I", "--append", "--insert"]) => Some(&rule::WEAKEN_LOG),
        // everything from everywhere
        "iptables" | "ip6tables" if cmd.has("INPUT")
            && cmd.has("ACCEPT")
            && cmd.has_any(&["-A", "-I", "--append", "--insert"])
            && (cmd.has_any(&["0.0.0.0/0", "::/0"]) || !cmd.has_any(&["-s", "--source", "-d", "--destination"]))
            && !cmd.has_any(&["-p", "--protocol", "-i", "--in-interface", "--dport", "-m", "--match"]) => Some(&rule::WEAKEN),
        // every packet that passes, to whomever it is (ip-link(8), ifconfig(8))
        "ip" | "ifconfig" if cmd.has("promisc") && !cmd.has("off") => Some(&rule::INTERCEPT),
        // certutil -A -t C,T: a certificate that is trusted to vouch for others
        // certutil of Windows: fetches any file, and decodes any
        "certutil" if cmd.has_any(&["-urlcache", "/urlcache", "-verifyctl"])
            && cmd.args.iter().any(|field| field.text.starts_with("http")) => Some(&rule::REMOTE_CODE),
        "certutil" => (cmd.has("-A") && cmd.values('t', "").iter().any(|field| field.text.contains(['C', 'T'])))
            .then_some(&rule::INTERCEPT),
        "keytool" => (cmd.has("-importcert") || cmd.has("-import"))
            .then(|| cmd.args.iter().any(|field| field.text.ends_with("cacerts") || field.text == "-cacerts"))
            .and_then(|trusted| trusted.then_some(&rule::INTERCEPT)),
    } else { None }
}

/// firewall-cmd(1): most ports at once.
fn opens_all(option: &str) -> bool {
    option
        .strip_prefix("--add-port=")
        .and_then(|ports| ports.split('/').next()?.split_once('-'))
        .is_some_and(|(low, high)| {
            low.parse::<u32>().is_ok_and(|low| low < 1025) && high.parse::<u32>().is_ok_and(|high| high > 60_000)
        })
}

/// ufw(8): options may stand before the verb.
fn ufw(cmd: &Cmd<'_>) -> bool {
    let words = super::cli::words(cmd, &[]);
    match (words.first().copied(), words.get(1).copied()) {
        (Some("disable" | "reset" | "prepend" | "insert"), _) => true,
        (Some("delete"), Some("deny" | "reject" | "limit")) => true,
        (Some("logging"), level) => level == Some("off"),
        (Some("default"), policy) => policy == Some("allow"),
        // everything from everywhere
        (Some("allow"), Some("from")) => words.len() == 3 && words.last() == Some(&"any"),
        _ => false,
    }
}

/// sysctl(8): how large queues and tables are, and what memory is used for: no key that a defence rests on (sysctl.conf(5), the
/// kernel's documentation of `net.core`, `fs` and `vm`).
fn tunes(key: &str) -> bool {
    let key = key.replace('/', ".");
    let guards = [
        "mmap_min_addr",
        "userfaultfd",
        "panic",
        "oom",
        "bpf",
        "syncookies",
        "rfc1337",
        "challenge_ack",
    ];
    let tuned = [
        "net.core.",
        "net.ipv4.tcp_",
        "net.ipv4.ip_local_port_range",
        "net.netfilter.nf_conntrack_max",
        "fs.inotify.",
        "fs.file-max",
        "fs.nr_open",
        "fs.aio-max-nr",
        "vm.",
    ];
    tuned.iter().any(|own| key.starts_with(own)) && !guards.iter().any(|own| key.contains(own))
}
