//! Other machines: scanners, tools that try passwords or log in with what they have (nmap(1), hydra(1), Impacket).

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::data::{Data, UNKNOWN};
use crate::screen::shell::walk::Walk;

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if let Some(rule) = verdict(walk, cmd) {
        found(walk, cmd, rule);
    }
}

by_name! {
    NAMES: fn verdict(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<&'static Rule> where cmd.name is {
        "nmap" | "masscan" | "zmap" | "rustscan" => cmd
            .args
            .iter()
            .any(|field| {
                field.text.ends_with("/0")
                    || field.text.ends_with("/16")
                    || field.text.ends_with("/8")
                    || field.text.contains("exploit")
                    || field.text.contains("brute")
                    // every port of every machine of a network, and not only who is there (nmap(1), HOST DISCOVERY)
                    || !cmd.has_any(&["-sn", "-sL", "-sP"]) && is_network(&field.text)
            })
            .then_some(&rule::LATERAL),
        // fping(8): everybody of a network
        "fping" if (cmd.short('g') || cmd.long("generate")) && walk.in_loop => Some(&rule::LATERAL),
        "hydra" | "medusa" | "ncrack" | "patator" | "kerbrute" | "crowbar" | "psexec.py" | "wmiexec.py" | "smbexec.py"
        | "atexec.py" | "dcomexec.py" | "impacket-psexec" | "impacket-wmiexec" | "impacket-smbexec" | "impacket-atexec"
        | "impacket-dcomexec" | "evil-winrm" | "winexe" | "ntlmrelayx.py" | "impacket-ntlmrelayx" => {
            (!cmd.args.is_empty()).then_some(&rule::LATERAL)
        },
        "crackmapexec" | "nxc" | "netexec" | "cme" => {
            (cmd.short('x') || cmd.short('X') || cmd.args.iter().any(|field| is_range(&field.text)) || cmd.has_any(&["--sam", "--lsa", "--ntds", "-M", "--continue-on-success"]))
                .then_some(&rule::LATERAL)
        },
        "sqlmap" => cmd
            .args
            .iter()
            .any(|field| ["--os-", "--dump-all", "--passwords"].iter().any(|own| field.text.starts_with(own)))
            .then_some(&rule::LATERAL),
        // commix, wpscan(1), enum4linux(1): commands, passwords and accounts of another machine
        "commix" | "commix.py" | "enum4linux" | "enum4linux-ng" | "bloodhound-python" | "sharphound" => {
            (!cmd.args.is_empty()).then_some(&rule::LATERAL)
        },
        // the passwords of other people's wireless networks, and their networks out of the air
        "reaver" | "bully" | "wifite" | "mdk3" | "mdk4" | "eaphammer" | "cowpatty" | "pixiewps" => {
            (!cmd.args.is_empty()).then_some(&rule::LATERAL)
        },
        "wpscan" => (cmd.short('P') || cmd.long("passwords")).then_some(&rule::LATERAL),
        "msfconsole" => (cmd.short('x') || cmd.short('r')).then_some(&rule::LATERAL),
        "pwncat-cs" | "villain" | "sliver-server" => (!cmd.args.is_empty()).then_some(&rule::REVERSE_SHELL),
        "msfvenom" => (cmd.short('p') || cmd.long("payload")).then_some(&rule::REVERSE_SHELL),
        // a whole zone (dig(1), AXFR)
        "dig" if cmd.args.iter().any(|field| field.text.eq_ignore_ascii_case("axfr")) => Some(&rule::LATERAL),
        "dnsrecon" | "dnsenum" if cmd.has("axfr") => Some(&rule::LATERAL),
        // accounts that stand for services, or need no proof (RFC 4120; ATT&CK T1558)
        "ldapsearch" if cmd.args.iter().any(|field| {
            let lower = field.text.to_ascii_lowercase();
            lower.contains("serviceprincipalname=*") || lower.contains("useraccountcontrol:1.2.840")
        }) => Some(&rule::LATERAL),
        // rpcclient(1), net(8): the accounts of another machine
        "rpcclient" if cmd.args.iter().any(|field| {
            ["enumdom", "querydispinfo", "queryuser", "lsaenumsid", "enumalsgroups"].iter().any(|own| field.text.contains(own))
        }) => Some(&rule::LATERAL),
        "rpcclient" if cmd.args.windows(2).any(|pair| {
            matches!(pair, [option, user] if matches!(option.text.as_str(), "-U" | "--user") && matches!(user.text.as_str(), "" | "%"))
        }) => Some(&rule::LATERAL),
        "net" if cmd.arg(0) == "rpc" && cmd.short('S') => Some(&rule::LATERAL),
        // a hash in the place of a password (xfreerdp(1), /pth)
        "xfreerdp" | "xfreerdp3" | "rdesktop" if cmd.args.iter().any(|field| field.text.starts_with("/pth")) => Some(&rule::LATERAL),
        // every machine of a network, or every port, one after the other
        "ping" | "ping6" | "fping" | "arping" | "traceroute" | "nc" | "ncat" | "netcat" | "telnet" | "nslookup" | "host"
            if walk.in_loop && sweeps(walk, cmd) => Some(&rule::LATERAL),
        "ssh" | "scp" | "sftp" if walk.in_loop && walk.sweeps && cmd.args.iter().any(|field| {
            let host = field.text.rsplit('@').next().unwrap_or_default();
            host.split(':').next().unwrap_or_default().parse::<std::net::Ipv4Addr>().is_ok()
        }) => Some(&rule::LATERAL),
        "nc" | "ncat" | "netcat" if cmd.args.iter().any(|field| is_wide(&field.text)) => Some(&rule::LATERAL),
        // passwords tried one after the other
        "su" if cmd.stdin.given && cmd.stdin.text.as_deref().is_some_and(|text| !text.trim().is_empty() && text.trim().lines().count() == 1 && !text.trim().contains(' ')) => Some(&rule::LATERAL),
        "su" => (walk.in_loop && guessed(cmd.stdin)).then_some(&rule::LATERAL),
        "mysql" | "ftp" => (walk.in_loop
            && cmd.args.iter().any(|field| field.text.starts_with("-p") && field.text.contains(UNKNOWN)))
        .then_some(&rule::LATERAL),
        // curl(1): names and passwords, one after the other
        "curl" => (walk.in_loop
            && cmd
                .values('u', "user")
                .iter()
                .any(|field| field.text.split_once(':').is_some_and(|(_, password)| password.contains(UNKNOWN))))
        .then_some(&rule::LATERAL),
        // ssh(1): a key that lies where anybody may have put it, to be whoever may do everything
        "ssh" if cmd.values('i', "").iter().any(|field| {
            ["/tmp/", "/var/tmp/", "/dev/shm/"].iter().any(|own| field.text.trim_start_matches("-i").starts_with(own))
        }) && cmd.args.iter().any(|field| field.text.starts_with("root@")) && !walk.files.iter().any(|(path, _)| cmd.has(path)) => {
            Some(&rule::LATERAL)
        },
        "sshpass" => walk.in_loop.then_some(&rule::LATERAL),
        "kinit" | "ldapwhoami" | "rpcclient" | "smbclient" | "smbmap" | "xfreerdp" => {
            let given = cmd.stdin.given || cmd.short('w') || cmd.short('U') || cmd.begins(&["-p", "/p:"]);
            (walk.in_loop && given).then_some(&rule::LATERAL)
        },
    } else { None }
}

/// Whether a loop goes through the addresses of a network, or asks each of many machines whether it answers.
fn sweeps(walk: &Walk<'_>, cmd: &Cmd<'_>) -> bool {
    cmd.args.iter().any(|field| {
        let text = field.text.as_str();
        // three numbers and what the loop puts behind them
        let network = text.split('.').count() == 4
            && text.split('.').take(3).all(|part| part.parse::<u8>().is_ok())
            && text
                .rsplit('.')
                .next()
                .is_some_and(|last| last.contains(UNKNOWN) || walk.sweeps);
        network || cmd.short('z') && text.contains(UNKNOWN)
    })
}

/// A range of ports that holds most of them.
fn is_wide(range: &str) -> bool {
    range
        .split_once('-')
        .and_then(|(low, high)| Some(high.parse::<u32>().ok()?.saturating_sub(low.parse().ok()?)))
        .is_some_and(|ports| (10_000..65_536).contains(&ports))
}

/// Something that is only known at run time, given where a password is asked for.
pub(super) fn guessed(stdin: &Data) -> bool {
    stdin.given && stdin.text.as_deref().is_none_or(|text| text.starts_with(UNKNOWN))
}

/// More than one machine: a range of addresses, or a network.
fn is_network(text: &str) -> bool {
    let single = text.ends_with("/32") || text.ends_with("/128");
    let last = text.rsplit('.').next().unwrap_or_default();
    let spread = text.split('.').count() == 4
        && text.split('.').take(3).all(|part| part.parse::<u8>().is_ok())
        && (last == "*"
            || last
                .split_once('-')
                .is_some_and(|(low, high)| low.parse::<u8>().is_ok() && high.parse::<u8>().is_ok()));
    is_range(text) && !single || spread
}

/// A network, as an address and how many of its bits are fixed (RFC 4632).
fn is_range(text: &str) -> bool {
    let parts = text.split_once('/');
    parts.is_some_and(|(address, bits)| {
        address.parse::<std::net::IpAddr>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= 128)
    })
}
