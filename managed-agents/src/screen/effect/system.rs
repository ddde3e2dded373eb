//! The machine itself: mount(8), mkfs(8), fdisk(8), iptables(8), systemctl(1), kill(1), insmod(8), history(3), unshare(1).

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::rule;
use crate::screen::shell::data::Taint;
use crate::screen::shell::walk::Walk;

/// What a wrapper itself does, whatever it runs.
pub(in crate::screen) fn wrapper(walk: &mut Walk<'_>, cmd: &Cmd<'_>, at: usize) {
    let options = cmd.args.get(..at.min(cmd.args.len())).unwrap_or_default();
    let has = |names: &[&str]| options.iter().any(|field| names.contains(&field.text.as_str()));
    match cmd.name {
        "sudo" | "doas" if has(&["-l", "-ll", "--list"]) => found(walk, cmd, &rule::PRIVILEGE_RECON),
        "nsenter" if has(&["-t1", "--target=1", "-a", "--all"]) || options.windows(2).any(|pair| matches!(pair, [option, value] if (option.text == "-t" || option.text == "--target") && value.text == "1")) => {
            found(walk, cmd, &rule::CONTAINER_ESCAPE);
        }
        "chroot" if options.iter().any(|field| field.text == "/host" || field.text == "/proc/1/root") => found(walk, cmd, &rule::CONTAINER_ESCAPE),
        "systemd-run" if at < cmd.args.len() => found(walk, cmd, &rule::PERSIST),
        "capsh" if has(&["--uid=0", "--gid=0"]) => found(walk, cmd, &rule::PRIVILEGE),
        _ => {}
    }
}

/// chmod(1): setuid and setgid.
pub(super) fn mode(walk: &mut Walk<'_>, cmd: &Cmd<'_>, mode: &str) {
    let symbolic = mode.split(',').any(|clause| {
        clause
            .split_once(['+', '='])
            .is_some_and(|(who, what)| what.contains('s') && !who.contains('o'))
    });
    let octal = mode.len() >= 4
        && mode.bytes().all(|byte| matches!(byte, b'0'..=b'7'))
        && matches!(
            mode.trim_start_matches('0').as_bytes(),
            [b'2' | b'4' | b'6' | b'7', _, _, _]
        );
    let directories = cmd.stdin.given || cmd.short('R');
    // the group of directories that were looked for
    let group = !mode.starts_with(['u', 'a', '+']) && mode.starts_with('g');
    let listed = cmd
        .args
        .iter()
        .any(|field| field.text.contains(['\u{E000}', '\u{E001}', '\u{E002}']));
    if (symbolic || octal) && !directories && !(group && listed) {
        found(walk, cmd, &rule::PRIVILEGE);
    }
}

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let first = cmd.arg(0);
    let rule = match cmd.name {
        "mkswap" | "newfs" | "mke2fs" | "mkdosfs" | "mkntfs" | "wipefs" | "pvcreate" | "cryptsetup" | "sgdisk"
        | "sfdisk" | "fdisk" | "parted" | "gdisk" | "partprobe" | "blockdev" | "zpool" | "zfs" | "btrfs"
        | "lvremove" | "vgremove" | "pvremove" | "lvreduce" | "lvconvert" | "vgreduce" | "mdadm" | "nvme"
        | "swapoff" | "umount" | "mount" | "tune2fs" | "resize2fs" | "debugfs" | "xfs_admin" | "dmsetup"
        | "losetup" | "diskpart" | "format" | "flashrom" | "mtd_debug" | "flash_erase" => disks(cmd),
        name if name.starts_with("mkfs") || name.starts_with("newfs") => {
            has_device(cmd).then_some(&rule::DESTROY_DEVICE)
        }
        "shutdown" | "poweroff" | "reboot" | "halt" => {
            let cancels = cmd.short('c') || cmd.long("show") || cmd.arg(0) == "--help";
            (!cancels
                && (cmd.name != "halt"
                    || cmd.args.is_empty()
                    || cmd.options().any(|option| !option.starts_with("--"))
                    || cmd.long("force")))
            .then_some(&rule::SYSTEM_STOP)
        }
        "init" | "telinit" => matches!(first, "0" | "6").then_some(&rule::SYSTEM_STOP),
        "killall5" => Some(&rule::PROCESS_KILL),
        "kill" => kills(cmd),
        "pkill" | "killall" => {
            let all = cmd.operands("uUgGPstTs", &["signal", "euid", "uid", "user"]).is_empty()
                && (cmd.short('u') || cmd.long("user") || cmd.long("euid"));
            let critical = cmd
                .args
                .iter()
                .any(|field| is_critical(&field.text) || field.text == ".");
            (all || critical).then_some(&rule::PROCESS_KILL)
        }
        "insmod" | "kextload" | "kextunload" | "kmutil" => Some(&rule::KERNEL_MODULE),
        "modprobe" => (!cmd.short('n')
            && !cmd.short('D')
            && !cmd.short('c')
            && !cmd.long("show-depends")
            && !cmd.long("dry-run")
            && !cmd.args.is_empty()
            && !cmd.short('r'))
        .then_some(&rule::KERNEL_MODULE),
        "rmmod" => cmd.short('f').then_some(&rule::KERNEL_MODULE),
        "iptables"
        | "ip6tables"
        | "nft"
        | "ipfw"
        | "pfctl"
        | "ufw"
        | "firewall-cmd"
        | "setenforce"
        | "apparmor_parser"
        | "aa-disable"
        | "aa-complain"
        | "aa-teardown"
        | "semanage"
        | "setsebool"
        | "ebtables"
        | "ipset"
        | "csrutil"
        | "spctl"
        | "fdesetup"
        | "tmutil"
        | "iptables-restore"
        | "arptables"
        | "nsd"
        | "update-ca-certificates"
        | "update-ca-trust"
        | "trust" => defences(cmd),
        "history" => {
            (cmd.short('c') || cmd.short('d') || cmd.short('w') && first == "-cw").then_some(&rule::WEAKEN_LOG)
        }
        "unset" => cmd
            .args
            .iter()
            .any(|field| field.text.starts_with("HIST"))
            .then_some(&rule::WEAKEN_LOG),
        "set" => (cmd
            .args
            .windows(2)
            .any(|pair| matches!(pair, [option, name] if option.text == "+o" && name.text == "history")))
        .then_some(&rule::WEAKEN_LOG),
        "journalctl" => cmd
            .args
            .iter()
            .any(|field| {
                field.text.starts_with("--vacuum")
                    && (field.text.ends_with("=1s")
                        || field.text.ends_with("=1")
                        || field.text.ends_with("=0")
                        || field.text.ends_with("=1K"))
            })
            .then_some(&rule::WEAKEN_LOG),
        "auditctl" => (cmd.short('D')
            || cmd
                .args
                .windows(2)
                .any(|pair| matches!(pair, [e, off] if e.text == "-e" && off.text == "0")))
        .then_some(&rule::WEAKEN_LOG),
        "wevtutil" => matches!(first, "cl" | "clear-log").then_some(&rule::WEAKEN_LOG),
        "logrotate" => cmd.short('f').then_some(&rule::WEAKEN_LOG),
        "stress" | "stress-ng" => cmd
            .args
            .iter()
            .any(|field| matches!(field.text.as_str(), "0" | "-c" | "--cpu") || field.text.starts_with("--vm"))
            .then_some(&rule::EXHAUST)
            .filter(|_| cmd.has("0")),
        "sysctl" => (cmd.short('w')
            || cmd
                .args
                .iter()
                .any(|field| field.text.contains('=') && !field.text.starts_with('-')))
        .then_some(&rule::WEAKEN),
        "docker" | "podman" | "nerdctl" => container(walk, cmd),
        "msfvenom" | "msfconsole" | "msfdb" => Some(&rule::REVERSE_SHELL).filter(|_| cmd.name == "msfvenom"),
        "nmap"
        | "masscan"
        | "hydra"
        | "medusa"
        | "crackmapexec"
        | "nxc"
        | "netexec"
        | "psexec.py"
        | "wmiexec.py"
        | "smbexec.py"
        | "atexec.py"
        | "dcomexec.py"
        | "evil-winrm"
        | "impacket-psexec"
        | "impacket-wmiexec"
        | "secretsdump.py"
        | "ncrack"
        | "patator"
        | "responder.py"
        | "impacket-secretsdump"
        | "winexe"
        | "ntlmrelayx.py"
        | "kerbrute"
        | "sshpass" => lateral(cmd),
        "screencapture" | "xwd" | "scrot" | "maim" | "grim" | "gnome-screenshot" | "import" | "spectacle" => {
            captures(cmd)
        }
        "xclip" | "xsel" | "pbpaste" | "wl-paste" => {
            (cmd.stdin.given && cmd.stdin.taint.has(Taint::SECRET)).then_some(&rule::COLLECT)
        }
        "yes" => (cmd.args.is_empty() && !walk.beside).then_some(&rule::EXHAUST),
        "setfile" => (cmd
            .args
            .windows(2)
            .any(|pair| matches!(pair, [a, v] if a.text == "-a" && v.text.contains('V'))))
        .then_some(&rule::WEAKEN),
        "tar" | "zip" | "7z" | "7za" | "ditto" | "rar" => collects(walk, cmd)
            .or_else(|| locked(cmd))
            .or_else(|| encrypts(walk, cmd)),
        "openssl" | "gpg" | "ccrypt" | "ccencrypt" | "age" | "mcrypt" | "aescrypt" => encrypts(walk, cmd),
        "busctl" | "dbus-send" | "gdbus" => (cmd
            .args
            .iter()
            .any(|field| field.text.contains("systemd1.Manager") || field.text.contains("Accounts")))
        .then_some(&rule::PERSIST),
        _ => None,
    };
    if let Some(rule) = rule {
        found(walk, cmd, rule);
    }
}

fn has_device(cmd: &Cmd<'_>) -> bool {
    cmd.args.iter().any(|field| field.text.starts_with("/dev/"))
}

fn disks(cmd: &Cmd<'_>) -> Option<&'static rule::Rule> {
    let first = cmd.arg(0);
    let device = has_device(cmd);
    let has = |names: &[&str]| cmd.args.iter().any(|field| names.contains(&field.text.as_str()));
    let option = |beginnings: &[&str]| {
        cmd.options()
            .any(|own| beginnings.iter().any(|beginning| own.starts_with(beginning)))
    };
    match cmd.name {
        "mkswap" | "mke2fs" | "newfs" | "mkdosfs" | "mkntfs" => device.then_some(&rule::DESTROY_DEVICE),
        "wipefs" => (device && (cmd.flag('a', "all") || cmd.flag('o', "offset")) && !cmd.flag('n', "no-act"))
            .then_some(&rule::DESTROY_DEVICE),
        "sgdisk" => (device && option(&["--zap", "-Z", "-z", "--clear", "-o", "-d", "--delete", "-G"]))
            .then_some(&rule::DESTROY_DEVICE),
        "sfdisk" => (device && (cmd.stdin.given || option(&["--delete", "--wipe"]))).then_some(&rule::DESTROY_DEVICE),
        "fdisk" | "gdisk" => (device && cmd.stdin.given).then_some(&rule::DESTROY_DEVICE),
        "parted" => has(&["mklabel", "mktable", "rm", "mkpart", "resizepart"]).then_some(&rule::DESTROY_DEVICE),
        "blockdev" => (device && option(&["--flushbufs", "--rereadpt"]))
            .then_some(&rule::DESTROY_VOLUME)
            .filter(|_| false),
        "cryptsetup" => matches!(
            first,
            "luksFormat" | "luksErase" | "erase" | "luksKillSlot" | "luksRemoveKey" | "reencrypt"
        )
        .then_some(&rule::DESTROY_VOLUME),
        "pvcreate" => (cmd.short('f')).then_some(&rule::DESTROY_VOLUME),
        "lvremove" | "vgremove" | "pvremove" => (!cmd.flag('t', "test")).then_some(&rule::DESTROY_VOLUME),
        "lvreduce" => Some(&rule::DESTROY_VOLUME),
        "zpool" => matches!(first, "destroy" | "labelclear").then_some(&rule::DESTROY_VOLUME),
        "zfs" => (first == "destroy" && !cmd.short('n') || first == "rollback" && cmd.short('r'))
            .then_some(&rule::DESTROY_VOLUME),
        "btrfs" => (matches!(
            (first, cmd.arg(1)),
            ("subvolume", "delete") | ("device", "remove" | "delete")
        ))
        .then_some(&rule::DESTROY_VOLUME),
        "mdadm" => (option(&["--zero-superblock", "--stop", "--fail", "--remove", "-S"])
            || cmd.short('f') && cmd.short('r'))
        .then_some(&rule::DESTROY_VOLUME),
        "nvme" => {
            matches!(first, "format" | "sanitize" | "write-zeroes" | "delete-ns").then_some(&rule::DESTROY_DEVICE)
        }
        "swapoff" => cmd.short('a').then_some(&rule::SYSTEM_STOP),
        "umount" => {
            (cmd.short('a') || cmd.args.iter().any(|field| field.text == "/") || (cmd.short('f') && cmd.short('l')))
                .then_some(&rule::SYSTEM_STOP)
        }
        "mount" => (cmd
            .args
            .iter()
            .any(|field| field.text.contains("remount") && field.text.contains("rw"))
            && has(&["/", "/usr", "/boot", "/system"]))
        .then_some(&rule::WEAKEN),
        "debugfs" => (device && cmd.short('w'))
            .then_some(&rule::DESTROY_DEVICE)
            .or(device.then_some(&rule::CREDENTIAL_PRINT)),
        "dmsetup" => matches!(first, "remove_all" | "wipe_table").then_some(&rule::DESTROY_VOLUME),
        "diskpart" | "flashrom" | "flash_erase" => {
            cmd.stdin
                .given
                .then_some(&rule::DESTROY_DEVICE)
                .or(matches!(cmd.name, "flash_erase").then_some(&rule::DESTROY_DEVICE))
        }
        "format" => cmd
            .args
            .iter()
            .any(|field| field.text.ends_with(':'))
            .then_some(&rule::DESTROY_DEVICE),
        _ => None,
    }
}

fn is_critical(name: &str) -> bool {
    matches!(
        name,
        "init"
            | "systemd"
            | "sshd"
            | "dbus"
            | "dbus-daemon"
            | "systemd-journald"
            | "systemd-logind"
            | "auditd"
            | "rsyslogd"
            | "launchd"
            | "Xorg"
            | "gdm"
            | "falcon-sensor"
            | "osqueryd"
            | "wazuh-agentd"
            | "clamd"
    )
}

/// kill(1): process 1, or -1 for all.
fn kills(cmd: &Cmd<'_>) -> Option<&'static rule::Rule> {
    let mut numbers = cmd.args.iter().map(|field| field.text.as_str());
    // the first number behind a dash is the signal
    let mut signal = false;
    let asks = cmd.has("-0") || cmd.short('l') || cmd.short('L');
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

/// Firewalls, access control, certificates, encryption at rest.
fn defences(cmd: &Cmd<'_>) -> Option<&'static rule::Rule> {
    let first = cmd.arg(0);
    let has = |names: &[&str]| cmd.args.iter().any(|field| names.contains(&field.text.as_str()));
    let weakens = match cmd.name {
        "iptables" | "ip6tables" | "arptables" => {
            has(&["-F", "--flush", "-X", "--delete-chain", "-D", "--delete", "-Z"]) || cmd.args.windows(3).any(|three| matches!(three, [p, _, target] if (p.text == "-P" || p.text == "--policy") && matches!(target.text.as_str(), "ACCEPT" | "DROP")))
        }
        "ebtables" => has(&["-F", "-X", "-P"]),
        "iptables-restore" => cmd.stdin.given,
        "ipset" => matches!(first, "flush" | "destroy"),
        "nft" => matches!(first, "flush" | "destroy") || first == "delete" && matches!(cmd.arg(1), "table" | "chain"),
        "ipfw" => has(&["flush", "disable"]),
        "pfctl" => has(&["-d", "-F"]) || cmd.short('F') || cmd.short('d') && cmd.args.len() == 1 || cmd.values('f', "").iter().any(|field| field.text == "-"),
        "ufw" => matches!(first, "disable" | "reset") || first == "logging" && cmd.arg(1) == "off" || first == "default" && cmd.arg(1) == "allow" || matches!(first, "prepend" | "insert"),
        "firewall-cmd" => cmd.args.iter().any(|field| field.text == "--panic-on" || field.text.starts_with("--set-default-zone=trusted") || field.text.starts_with("--remove-service=ssh")),
        "setenforce" => matches!(first, "0" | "Permissive" | "permissive"),
        "apparmor_parser" => cmd.short('R'),
        "aa-disable" | "aa-teardown" | "aa-complain" => true,
        "semanage" => has(&["permissive"]) && cmd.short('a'),
        "setsebool" => false,
        "csrutil" => matches!(first, "disable" | "clear"),
        "spctl" => has(&["--master-disable", "--global-disable", "--disable"]),
        "fdesetup" => first == "disable",
        "tmutil" => matches!(first, "disable" | "delete" | "deletelocalsnapshots"),
        "update-ca-certificates" | "update-ca-trust" => false,
        "trust" => first == "anchor",
        _ => false,
    };
    weakens.then_some(&rule::WEAKEN)
}

/// docker(1) run: what gives a container its host.
fn container(walk: &Walk<'_>, cmd: &Cmd<'_>) -> Option<&'static rule::Rule> {
    if !cmd
        .args
        .iter()
        .any(|field| matches!(field.text.as_str(), "run" | "create" | "exec"))
    {
        return None;
    }
    for (at, field) in cmd.args.iter().enumerate() {
        let text = field.text.as_str();
        let (key, value) = match text.split_once('=') {
            Some((key, value)) if key.starts_with("--") => (key, value),
            _ => (text, cmd.arg(at + 1)),
        };
        let grave = match key {
            "--privileged" => !text.ends_with("=false"),
            "-v" | "--volume" | "--mount" => {
                let source = if key == "--mount" {
                    value
                        .split(',')
                        .find_map(|part| part.strip_prefix("source=").or_else(|| part.strip_prefix("src=")))
                        .unwrap_or_default()
                } else {
                    value.split(':').next().unwrap_or_default()
                };
                source.contains("docker.sock")
                    || source.contains("containerd.sock")
                    || (source.starts_with('/')
                        && matches!(
                            walk.places.place(source, &walk.cwd),
                            Place::Root | Place::System | Place::InSystem
                        )
                        && !source.starts_with("/var/")
                        && !source.starts_with("/usr/share")
                        && source != "/etc/localtime"
                        && source != "/etc/timezone")
            }
            "--pid" | "--ipc" | "--userns" | "--uts" | "--cgroupns" => value == "host",
            "--cap-add" => matches!(
                value,
                "ALL" | "all" | "SYS_ADMIN" | "CAP_SYS_ADMIN" | "SYS_PTRACE" | "SYS_MODULE" | "DAC_READ_SEARCH"
            ),
            "--security-opt" => {
                value.contains("unconfined") || value.contains("label=disable") || value.contains("label:disable")
            }
            "--device" => {
                value.starts_with("/dev/sd") || value.starts_with("/dev/nvme") || value.starts_with("/dev/mem")
            }
            _ => false,
        };
        if grave {
            return Some(&rule::CONTAINER_ESCAPE);
        }
    }
    None
}

fn lateral(cmd: &Cmd<'_>) -> Option<&'static rule::Rule> {
    match cmd.name {
        "nmap" | "masscan" => cmd
            .args
            .iter()
            .any(|field| {
                field.text.contains("/16")
                    || field.text.contains("/8")
                    || field.text.contains("exploit")
                    || field.text.contains("brute")
            })
            .then_some(&rule::LATERAL),
        "hydra" | "medusa" | "ncrack" | "patator" | "kerbrute" => (cmd.args.len() > 1).then_some(&rule::LATERAL),
        "psexec.py" | "wmiexec.py" | "smbexec.py" | "atexec.py" | "dcomexec.py" | "impacket-psexec"
        | "impacket-wmiexec" | "evil-winrm" | "winexe" | "ntlmrelayx.py" => {
            (cmd.args.len() > 1).then_some(&rule::LATERAL)
        }
        _ => None,
    }
}

fn captures(cmd: &Cmd<'_>) -> Option<&'static rule::Rule> {
    match cmd.name {
        "screencapture" | "xwd" => (!cmd.args.is_empty()).then_some(&rule::COLLECT),
        "import" => cmd
            .args
            .windows(2)
            .any(|pair| matches!(pair, [w, root] if w.text == "-window" && root.text == "root"))
            .then_some(&rule::COLLECT),
        _ => None,
    }
}

/// Packing whole homes or logs.
fn collects(walk: &Walk<'_>, cmd: &Cmd<'_>) -> Option<&'static rule::Rule> {
    let creates = match cmd.name {
        "tar" => {
            cmd.arg(0).trim_start_matches('-').contains('c') && !cmd.arg(0).starts_with("--") || cmd.long("create")
        }
        "7z" | "7za" | "rar" => cmd.arg(0) == "a",
        "ditto" => cmd.short('c'),
        _ => true,
    };
    if !creates {
        return None;
    }
    cmd.operands("fCPbp", &["file", "directory", "password"])
        .iter()
        .skip(usize::from(cmd.name != "tar"))
        .find_map(|field| {
            let normal = walk.places.normal(&field.text, &walk.cwd);
            let user = normal.starts_with('~') && normal.matches('/').count() == 1 && normal.contains('\u{E000}');
            let grave = match walk.places.place_of(&normal) {
                Place::Root | Place::Home => true,
                _ => {
                    matches!(normal.as_str(), "/etc" | "/home" | "/var/log" | "/root")
                        || normal.starts_with("/var/log")
                        || user
                        || normal.to_ascii_lowercase().contains("keychains")
                }
            };
            grave.then_some(&rule::COLLECT)
        })
}

fn is_archive(name: &str) -> bool {
    matches!(
        name.rsplit_once('.'),
        Some((_, "zip" | "tar" | "tgz" | "gz" | "7z" | "bz2" | "xz"))
    )
}

/// An archive behind a password that is given in the line: nobody who inspects traffic can read it.
fn locked(cmd: &Cmd<'_>) -> Option<&'static rule::Rule> {
    (cmd.name == "zip" && (cmd.long("password") || cmd.has("-P"))).then_some(&rule::COLLECT)
}

/// Encrypting files of people or the system: what is encrypted for someone else is lost.
fn encrypts(walk: &Walk<'_>, cmd: &Cmd<'_>) -> Option<&'static rule::Rule> {
    let encrypts = match cmd.name {
        "openssl" => {
            matches!(cmd.arg(0), "enc" | "aes-256-cbc" | "rsautl" | "pkeyutl") && !cmd.has("-d") && !cmd.has("-decrypt")
        }
        "gpg" => cmd.short('c') || cmd.long("symmetric"),
        "ccrypt" | "ccencrypt" | "mcrypt" | "aescrypt" => true,
        "7z" | "7za" | "zip" => cmd
            .args
            .iter()
            .any(|field| field.text.starts_with("-p") || field.text == "--password" || field.text == "-P"),
        _ => false,
    };
    if cmd.name == "openssl"
        && cmd.arg(0) == "enc"
        && encrypts
        && cmd.args.iter().any(|field| field.text.starts_with("pass:"))
        && cmd.args.iter().any(|field| is_archive(&field.text))
    {
        return Some(&rule::COLLECT);
    }
    let listed = cmd.values('\u{0}', "in").into_iter().chain(cmd.operands("", &[]));
    let mut own = listed.chain(cmd.args.iter().skip_while(|field| field.text != "-in").skip(1).take(1));
    (encrypts
        && own.any(|field| {
            matches!(
                walk.places.place(&field.text, &walk.cwd),
                Place::InHome | Place::Home | Place::InSystem | Place::System
            ) && !field.text.contains("key")
        }))
    .then_some(&rule::DESTROY_DATA)
}

/// PowerShell and cmd.exe: what their command lines delete, fetch or hide.
pub(in crate::screen) fn powershell(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let all: Vec<String> = cmd.args.iter().map(|field| field.text.to_ascii_lowercase()).collect();
    let all = all.join(" ");
    let has = |names: &[&str]| names.iter().any(|name| all.contains(name));
    if has(&["-enc", "-encodedcommand", "frombase64string"]) {
        found(walk, cmd, &rule::HIDDEN_CODE);
    }
    if has(&["iex", "invoke-expression"]) && has(&["downloadstring", "invoke-webrequest", "iwr", "irm", "webclient"]) {
        found(walk, cmd, &rule::REMOTE_CODE);
    }
    if has(&["tcpclient", "net.sockets"]) {
        found(walk, cmd, &rule::REVERSE_SHELL);
    }
    if has(&[
        "remove-item",
        "del /",
        "rd /s",
        "rmdir /s",
        "format-volume",
        "clear-disk",
        "remove-partition",
    ]) && has(&["-recurse", "/s", "-force", "volume", "disk", "partition"])
    {
        found(walk, cmd, &rule::DESTROY_OUTSIDE);
    }
    if has(&["set-mppreference", "advfirewall set", "disablerealtimemonitoring"]) {
        found(walk, cmd, &rule::WEAKEN);
    }
}
