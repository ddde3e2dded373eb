//! The record of what happened: history(3), journalctl(1), auditctl(8), log(1), logrotate(8), script(1), tcpdump(8).

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::walk::Walk;

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if cmd.name == "unset" {
        for field in cmd.args {
            walk.undefine(&field.text);
        }
    }
    if let Some(rule) = verdict(cmd) {
        found(walk, cmd, rule);
    }
}

by_name! {
    NAMES: fn verdict(cmd: &Cmd<'_>) -> Option<&'static Rule> where cmd.name is {
        "history" => (cmd.short('c') || cmd.short('d') || cmd.has("/dev/null")).then_some(&rule::WEAKEN_LOG),
        "unset" => cmd
            .args
            .iter()
            .any(|field| field.text.starts_with("HIST") || field.text == "SAVEHIST")
            .then_some(&rule::WEAKEN_LOG),
        "set" => (cmd
            .args
            .windows(2)
            .any(|pair| matches!(pair, [option, name] if option.text == "+o" && name.text == "history")))
        .then_some(&rule::WEAKEN_LOG),
        // zshbuiltins(1): another history, and none kept of what was typed
        "fc" => (cmd.arg(0) == "-p").then_some(&rule::WEAKEN_LOG),
        // script(1): what a terminal shows, kept where nobody looks
        "script" => cmd
            .operands("cBEIOTmo", &["command", "log-in", "log-out", "log-io"])
            .iter()
            .any(|field| {
                let hidden = field.text.rsplit('/').next().is_some_and(|name| name.starts_with('.') && name.len() > 1 && name != "..");
                // said to nobody, and kept where nobody looks
                hidden || cmd.flag('q', "quiet") && !cmd.short('c') && ["/tmp/", "/var/tmp/", "/dev/shm/"].iter().any(|own| field.text.starts_with(own))
            })
            .then_some(&rule::CREDENTIAL_DUMP),
        "vim" | "vi" | "nvim" | "ex" | "ed" => ((cmd.short('c') || cmd.stdin.given)
            && cmd.args.iter().any(|field| field.text.starts_with("/var/log/")))
        .then_some(&rule::WEAKEN_LOG),
        "shopt" => (cmd.short('u') && cmd.has_any(&["histappend", "history"])).then_some(&rule::WEAKEN_LOG),
        "journalctl" => cmd
            .args
            .iter()
            .any(|field| {
                field.text.starts_with("--vacuum")
                    && ["=1s", "=1", "=0", "=1K", "=0s", "=1B"].iter().any(|end| field.text.ends_with(end))
            })
            .then_some(&rule::WEAKEN_LOG),
        "auditctl" => (cmd.short('D')
            || cmd
                .args
                .windows(2)
                .any(|pair| matches!(pair, [e, off] if e.text == "-e" && off.text == "0"))
            || cmd.args.windows(2).any(|pair| {
                matches!(pair, [add, list] if matches!(add.text.as_str(), "-a" | "-A") && list.text.split(',').any(|part| part == "never"))
            })
            || cmd.has("-e0")
            // auditctl(8): rules from a file that no package keeps
            || cmd.values('R', "").iter().any(|field| field.text.starts_with("/tmp/") || field.text.starts_with("/dev/shm/") || field.text == "/dev/null"))
        .then_some(&rule::WEAKEN_LOG),
        "log" => (cmd.arg(0) == "erase" || cmd.arg(0) == "config" && cmd.has_any(&["--reset", "level:off"])).then_some(&rule::WEAKEN_LOG),
        // audit(8) of macOS and FreeBSD: -t ends it
        "audit" => cmd.short('t').then_some(&rule::WEAKEN_LOG),
        // another time for whatever is written down from now on
        "date" => cmd
            .options()
            .any(|option| option == "-s" || option == "--set" || option.starts_with("--set="))
            .then_some(&rule::WEAKEN_LOG),
        // hwclock(8), timedatectl(1)
        "hwclock" => cmd.long("set").then_some(&rule::WEAKEN_LOG),
        "timedatectl" => (cmd.arg(0) == "set-time").then_some(&rule::WEAKEN_LOG),
        "auditpol" => (cmd.has_any(&["/clear", "/remove", "/restore"]) || cmd.args.iter().any(|field| field.text.ends_with(":disable")))
            .then_some(&rule::WEAKEN_LOG),
        "wevtutil" if cmd.arg(0) == "sl" && cmd.args.iter().any(|field| field.text.eq_ignore_ascii_case("/e:false")) => Some(&rule::WEAKEN_LOG),
        "wevtutil" => matches!(cmd.arg(0), "cl" | "clear-log").then_some(&rule::WEAKEN_LOG),
        // logrotate(8): earlier than it would, but as the system's own files say
        "logrotate" => (cmd.short('f') && !cmd.args.iter().any(|field| field.text.starts_with("/etc/logrotate")))
            .then_some(&rule::WEAKEN_LOG),
        "lastlog" => (cmd.long("clear") || cmd.short('C')).then_some(&rule::WEAKEN_LOG),
        // what other people send
        "snoop" => (!cmd.short('i') && !cmd.args.is_empty()).then_some(&rule::INTERCEPT),
        "tcpdump" | "tshark" | "dumpcap" | "ngrep" | "dsniff" | "urlsnarf" | "tcpflow" => {
            captures(cmd).then_some(&rule::INTERCEPT)
        },
    } else { None }
}

/// A capture on an interface: not the reading of a file, nor the list of interfaces.
fn captures(cmd: &Cmd<'_>) -> bool {
    let reads = cmd.options().any(|option| {
        matches!(
            option,
            "--list-interfaces" | "--read-file" | "--version" | "-D" | "-d" | "-L" | "-G" | "-v" | "-h"
        ) || option.starts_with("-r")
            || option.starts_with("-I")
    }) || cmd.short('r');
    !reads && !cmd.args.is_empty() && !asks_one_thing(cmd)
}

/// tcpdump(1): an expression that asks for one machine, port or protocol, as somebody does who looks for a fault; but not what is
/// said in the clear on the ports where people give passwords.
fn asks_one_thing(cmd: &Cmd<'_>) -> bool {
    let words: Vec<&str> = match cmd.name {
        "tcpdump" => cmd
            .operands("BcCEFGijmMrsTVwWyzZ", &["interface", "count", "snapshot-length"])
            .iter()
            .flat_map(|field| field.text.split([' ', '(', ')']))
            .collect(),
        "tshark" | "dumpcap" => cmd
            .values('f', "")
            .iter()
            .flat_map(|field| field.text.split([' ', '(', ')']))
            .collect(),
        _ => return false,
    };
    let plain = |word: &&str| {
        matches!(
            *word,
            "20" | "21"
                | "23"
                | "25"
                | "110"
                | "143"
                | "389"
                | "512"
                | "513"
                | "514"
                | "ftp"
                | "telnet"
                | "smtp"
                | "pop3"
                | "imap"
                | "imap2"
                | "ldap"
        )
    };
    // the contents themselves: `-A`, `-X`
    let shows = cmd.short('A') || cmd.short('X');
    let asks = words.iter().any(|word| {
        matches!(
            *word,
            "host" | "port" | "portrange" | "icmp" | "icmp6" | "arp" | "src" | "dst"
        )
    });
    asks && !shows && !words.iter().any(plain)
}
