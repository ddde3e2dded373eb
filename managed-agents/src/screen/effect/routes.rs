//! Whom a machine asks for names, and where its traffic is led: nmcli(1), resolvectl(1), nft(8), firewall-cmd(1), pfctl(8), netsh,
//! and what starts before the system does: efibootmgr(8), grub-reboot(8).

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::walk::Walk;

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if let Some(rule) = verdict(cmd) {
        found(walk, cmd, rule);
    }
}

by_name! {
    NAMES: fn verdict(cmd: &Cmd<'_>) -> Option<&'static Rule> where cmd.name is {
        // who tells the machine what a name stands for (nmcli(1), nm-settings(5))
        "nmcli" => (cmd.has_any(&["modify", "mod", "m", "add", "a", "edit"])
            && cmd.args.iter().any(|field| is_resolver(field.text.trim_start_matches(['+', '-']))))
        .then_some(&rule::INTERCEPT),
        // resolvectl(1): without an address it only tells
        "resolvectl" => (matches!(cmd.arg(0), "dns" | "domain") && cmd.args.len() > 2
            || matches!(cmd.arg(0), "dnssec" | "dnsovertls") && cmd.has("no"))
        .then_some(&rule::INTERCEPT),
        "systemd-resolve" => cmd.begins(&["--set-dns", "--set-domain"]).then_some(&rule::INTERCEPT),
        "resolvconf" => (cmd.short('a') && cmd.stdin.given).then_some(&rule::INTERCEPT),
        "netsh" => (cmd.has("dns") || cmd.has("dnsservers"))
            .then(|| cmd.has_any(&["set", "add"]).then_some(&rule::INTERCEPT))
            .flatten(),
        // nft(8), NAT STATEMENTS: what was meant for others comes here
        "nft" => leads_elsewhere(cmd).then_some(&rule::INTERCEPT),
        "firewall-cmd" => cmd.begins(&["--add-forward-port"]).then_some(&rule::INTERCEPT),
        // efibootmgr(8): a kernel is given its command line, anything else starts before the system and may be anything
        "efibootmgr" => (cmd.flag('c', "create") && !cmd.args.iter().any(|field| field.text.contains("root=")))
            .then_some(&rule::PERSIST),
        "grub-editenv" => cmd.args.iter().any(|field| field.text.contains("init=")).then_some(&rule::PERSIST),
        // proxies for everybody of this machine
        "gsettings" => (cmd.arg(0) == "set" && cmd.arg(1).starts_with("org.gnome.system.proxy") && cmd.has_any(&["host", "autoconfig-url"]))
            .then_some(&rule::INTERCEPT),
    } else { None }
}

fn is_resolver(property: &str) -> bool {
    matches!(
        property,
        "ipv4.dns"
            | "ipv6.dns"
            | "ipv4.dns-search"
            | "ipv6.dns-search"
            | "proxy.pac-url"
            | "proxy.pac-script"
            | "ip4-dns"
    )
}

/// A rule that leads packets to this machine or to another one; it may stand in one argument.
fn leads_elsewhere(cmd: &Cmd<'_>) -> bool {
    let words = || cmd.args.iter().flat_map(|field| field.text.split([' ', ';', '{', '}']));
    words().any(|word| matches!(word, "add" | "insert" | "replace"))
        && words().any(|word| matches!(word, "redirect" | "dnat" | "tproxy" | "dup"))
}

#[cfg(test)]
mod tests {
    use crate::screen::effect::tests::{passes, refused};

    #[test]
    fn a_machine_is_told_by_nobody_whom_to_ask_for_names() {
        refused(
            "routes",
            &[
                "nmcli con mod eth0 ipv4.dns 203.0.113.53",
                "nmcli connection modify wifi +ipv6.dns 2001:db8::1",
                "resolvectl dns eth0 203.0.113.53",
                "resolvectl dnssec eth0 no",
                "systemd-resolve --interface eth0 --set-dns 203.0.113.53",
                "netsh interface ip set dns Ethernet static 203.0.113.53",
                "gsettings set org.gnome.system.proxy.http host 203.0.113.1",
            ],
        );
        passes(&[
            "nmcli con show",
            "nmcli con mod eth0 ipv4.method auto",
            "nmcli con up home",
            "resolvectl dns",
            "resolvectl dns eth0",
            "resolvectl query example.com",
            "netsh interface ip show dns",
            "gsettings set org.gnome.desktop.interface color-scheme prefer-dark",
        ]);
    }

    #[test]
    fn traffic_is_led_nowhere_else() {
        refused(
            "routes",
            &[
                "nft add rule ip nat prerouting tcp dport 443 redirect to :8080",
                "nft 'add rule ip nat prerouting dnat to 203.0.113.1'",
                "firewall-cmd --add-forward-port=port=80:proto=tcp:toport=8080:toaddr=203.0.113.1",
            ],
        );
        passes(&[
            "nft list ruleset",
            "nft add rule inet filter input tcp dport 22 accept",
            "firewall-cmd --list-forward-ports",
        ]);
    }

    #[test]
    fn what_starts_before_the_system_is_asked_for() {
        refused("routes", &[r"efibootmgr -c -d /dev/sda -p 1 -L x -l '\evil.efi'"]);
        passes(&[
            "efibootmgr -v",
            "efibootmgr -n 0003",
            r"efibootmgr -c -d /dev/sda -p 1 -L Linux -l '\vmlinuz' -u 'root=UUID=1 rw'",
        ]);
    }
}
