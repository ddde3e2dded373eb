//! Stopping and exhausting: shutdown(8), systemd-halt(8), init(8), kill(1), pkill(1), yes(1), stress(1).

use super::{found, services};
use crate::screen::cmd::Cmd;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::data::UNKNOWN;
use crate::screen::shell::walk::Walk;

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if let Some(rule) = verdict(walk, cmd) {
        found(walk, cmd, rule);
    }
}

by_name! {
    NAMES: fn verdict(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<&'static Rule> where cmd.name is {
        "shutdown" | "poweroff" | "reboot" | "halt" => stops(cmd),
        "init" | "telinit" => matches!(cmd.arg(0), "0" | "6").then_some(&rule::SYSTEM_STOP),
        "killall5" => Some(&rule::PROCESS_KILL),
        "kill" => kills(cmd),
        "pkill" | "killall" | "skill" => kills_by_name(cmd),
        "stress" | "stress-ng" => cmd.has("0").then_some(&rule::EXHAUST),
        "yes" => (cmd.args.is_empty() && !walk.piped).then_some(&rule::EXHAUST),
        // what is there to make a server deny its service
        "slowloris" | "slowloris.py" | "goldeneye" | "goldeneye.py" | "hulk.py" | "thc-ssl-dos" | "torshammer" => {
            (!cmd.args.is_empty()).then_some(&rule::EXHAUST)
        },
        // floods of packets (hping3(8))
        "hping3" | "hping2" | "nping" | "t50" => cmd.has_any(&["--flood", "--rate"]).then_some(&rule::EXHAUST),
        // ping(8): as fast as they come back
        "ping" => (cmd.short('f')).then_some(&rule::EXHAUST),
        // aireplay-ng(8): 0 stands for without end
        "aireplay-ng" => cmd
            .args
            .windows(2)
            .any(|pair| matches!(pair, [option, count] if matches!(option.text.as_str(), "-0" | "--deauth") && count.text == "0"))
            .then_some(&rule::EXHAUST),
        // devices that never end, read to their end (null(4), random(4))
        "md5sum" | "sha1sum" | "sha224sum" | "sha256sum" | "sha384sum" | "sha512sum" | "b2sum" | "cksum" | "md5"
        | "shasum" | "tail" | "sort" | "wc" | "tac" => cmd
            .args
            .iter()
            .any(|field| matches!(field.text.as_str(), "/dev/zero" | "/dev/urandom" | "/dev/random"))
            .then_some(&rule::EXHAUST),
        // head(1): more than disks hold
        "head" => cmd
            .values('c', "bytes")
            .iter()
            .any(|field| is_huge(field.text.rsplit(['=', 'c']).next().unwrap_or_default()))
            .then_some(&rule::EXHAUST),
        // kexec(8): another kernel, at once
        "kexec" => cmd.flag('e', "exec").then_some(&rule::SYSTEM_STOP),
        "docker" | "podman" | "nerdctl" | "kubectl" | "helm" | "crictl" | "ctr" | "nomad" => cmd
            .args
            .iter()
            .any(|field| field.text.contains("stratum+") || field.text.contains("xmrig"))
            .then_some(&rule::EXHAUST),
        "dd" | "dcfldd" => fills(cmd).then_some(&rule::EXHAUST),
        // programs that only compute for others' gain, as they call themselves
        "xmrig" | "minerd" | "cpuminer" | "cpuminer-multi" | "xmr-stak" | "ccminer" | "ethminer" | "nbminer" | "lolminer" => {
            (!cmd.args.is_empty()).then_some(&rule::EXHAUST)
        },
    } else { None }
}

/// A number of bytes from 100 GB on (head(1), SIZE).
fn is_huge(size: &str) -> bool {
    let digits = size.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit = match size.get(digits.len()..).and_then(|unit| unit.chars().next()) {
        Some('T' | 'P' | 'E' | 'Z' | 'Y') => 1_u64 << 40,
        Some('G') => 1 << 30,
        Some('M') => 1 << 20,
        Some('K' | 'k') => 1 << 10,
        _ => 1,
    };
    digits
        .parse::<u64>()
        .is_ok_and(|number| number.saturating_mul(unit) >= 100 << 30)
}

fn stops(cmd: &Cmd<'_>) -> Option<&'static Rule> {
    let cancels = cmd.short('c') || cmd.long("show") || cmd.arg(0) == "--help";
    (!cancels
        && (cmd.name != "halt"
            || cmd.args.is_empty()
            || cmd.options().any(|option| !option.starts_with("--"))
            || cmd.long("force")))
    .then_some(&rule::SYSTEM_STOP)
}

/// dd(1): without `count=`, what never ends fills the file system.
fn fills(cmd: &Cmd<'_>) -> bool {
    let endless = cmd.args.iter().any(|field| {
        matches!(
            field.text.as_str(),
            "if=/dev/zero" | "if=/dev/urandom" | "if=/dev/random"
        )
    });
    let to_file = cmd
        .args
        .iter()
        .filter_map(|field| field.text.strip_prefix("of="))
        .any(|file| !file.starts_with("/dev/") && !file.contains(UNKNOWN));
    let ends = cmd
        .args
        .iter()
        .any(|field| field.text.starts_with("count=") || field.text.starts_with("seek="));
    endless && to_file && !ends
}

fn kills_by_name(cmd: &Cmd<'_>) -> Option<&'static Rule> {
    let names = cmd.operands("uUgGPstTs", &["signal", "euid", "uid", "user"]);
    if names.is_empty() {
        return (cmd.short('u') || cmd.long("user") || cmd.long("euid")).then_some(&rule::PROCESS_KILL);
    }
    if cmd.has("-0") {
        return None;
    }
    let kills = cmd.has_any(&[
        "-9", "-KILL", "-SIGKILL", "-s9", "-15", "-TERM", "-SIGTERM", "-STOP", "-SIGSTOP",
    ]) || ["KILL", "SIGKILL", "TERM", "SIGTERM", "STOP", "SIGSTOP"]
        .iter()
        .any(|signal| {
            cmd.values('s', "signal")
                .iter()
                .any(|field| field.text.ends_with(signal))
        });
    names
        .iter()
        .find_map(|field| services::guards(&field.text))
        .or_else(|| {
            names
                .iter()
                .any(|field| is_critical(&field.text) || field.text == "." || kills && keeps_data(&field.text))
                .then_some(&rule::PROCESS_KILL)
        })
}

/// What loses data, or all that waits on it, when it has no time to end.
fn keeps_data(name: &str) -> bool {
    matches!(
        name,
        "mysqld"
            | "mariadbd"
            | "postgres"
            | "postmaster"
            | "mongod"
            | "redis-server"
            | "etcd"
            | "dockerd"
            | "containerd"
            | "kubelet"
            | "crond"
            | "cron"
    )
}

fn is_critical(name: &str) -> bool {
    matches!(
        name,
        "init" | "systemd" | "sshd" | "dbus" | "dbus-daemon" | "systemd-logind" | "launchd" | "Xorg" | "gdm"
    )
}

/// kill(1): process 1, or -1 for all.
fn kills(cmd: &Cmd<'_>) -> Option<&'static Rule> {
    let mut numbers = cmd.args.iter().map(|field| field.text.as_str());
    // the first number behind a dash is the signal
    let mut signal = false;
    // `kill $(pidof name)`
    let named = |text: &str| {
        let name = text.strip_prefix(UNKNOWN)?;
        services::guards(name).or((is_critical(name) || keeps_data(name)).then_some(&rule::PROCESS_KILL))
    };
    if let Some(rule) = cmd
        .args
        .iter()
        .find_map(|field| named(&field.text))
        // signals that ask for something else than an end (signal(7))
        .filter(|_| !cmd.has_any(&["-0", "-1", "-HUP", "-SIGHUP", "-USR1", "-SIGUSR1", "-USR2", "-SIGUSR2"]))
    {
        return Some(rule);
    }
    let asks = cmd.has_any(&["-0", "-l", "-L", "--list", "--table"]);
    let grave = numbers.any(|text| match text.strip_prefix('-') {
        _ if text == "--" => {
            signal = true;
            false
        }
        Some("1") if signal => true,
        Some(_) => {
            signal = true;
            false
        }
        None => text == "1",
    });
    (grave && !asks).then_some(&rule::PROCESS_KILL)
}
