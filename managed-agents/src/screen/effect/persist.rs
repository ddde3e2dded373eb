//! What runs again later: crontab(5), systemd.unit(5), launchd.plist(5), bash(1) INVOCATION, ld.so(8), githooks(5), sshd(8)
//! AUTHORIZED_KEYS, udev(7), pam.conf(5).

use super::{Write, credential, found};
use crate::screen::cmd::Cmd;
use crate::screen::finding::Span;
use crate::screen::place::Place;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::data::{Data, Field, Taint};
use crate::screen::shell::walk::Walk;

/// Files and directories whose contents run, or let somebody in, by how their path begins.
const BEGINNINGS: [(&str, &Rule); 64] = [
    ("/etc/cron", &rule::PERSIST),
    ("/etc/anacrontab", &rule::PERSIST),
    ("/var/spool/cron", &rule::PERSIST),
    ("/var/spool/at", &rule::PERSIST),
    ("/var/at/", &rule::PERSIST),
    ("/usr/lib/cron", &rule::PERSIST),
    ("/etc/systemd/", &rule::PERSIST),
    ("/lib/systemd/", &rule::PERSIST),
    ("/usr/lib/systemd/", &rule::PERSIST),
    ("/usr/local/lib/systemd/", &rule::PERSIST),
    ("/run/systemd/", &rule::PERSIST),
    ("/dev/shm/systemd", &rule::PERSIST),
    ("/etc/init", &rule::PERSIST),
    ("/etc/rc", &rule::PERSIST),
    ("/usr/local/etc/rc.d", &rule::PERSIST),
    ("/etc/inittab", &rule::PERSIST),
    ("/etc/profile", &rule::PERSIST),
    ("/etc/bash", &rule::PERSIST),
    ("/etc/zsh", &rule::PERSIST),
    ("/etc/zprofile", &rule::PERSIST),
    ("/etc/zlogin", &rule::PERSIST),
    ("/etc/csh", &rule::PERSIST),
    ("/etc/environment", &rule::PERSIST),
    ("/etc/xdg/autostart", &rule::PERSIST),
    ("/etc/x11/", &rule::PERSIST),
    ("/etc/update-motd.d", &rule::PERSIST),
    ("/etc/motd", &rule::SYSTEM_WRITE),
    ("/etc/udev/", &rule::PERSIST),
    ("/lib/udev/", &rule::PERSIST),
    ("/etc/apt/apt.conf.d", &rule::PERSIST),
    ("/etc/networkmanager/dispatcher.d", &rule::PERSIST),
    ("/etc/network/if-", &rule::PERSIST),
    ("/etc/dhcp/", &rule::PERSIST),
    ("/etc/logrotate", &rule::PERSIST),
    ("/etc/emond.d", &rule::PERSIST),
    ("/private/var/db/emondclients", &rule::PERSIST),
    ("/etc/periodic", &rule::PERSIST),
    ("/etc/daily", &rule::PERSIST),
    ("/etc/weekly", &rule::PERSIST),
    ("/library/launch", &rule::PERSIST),
    ("/system/library/launch", &rule::PERSIST),
    ("/library/startupitems", &rule::PERSIST),
    ("/library/scripts", &rule::PERSIST),
    ("/library/security/securityagentplugins", &rule::PERSIST_KEY),
    ("/etc/ld.so", &rule::PERSIST),
    ("/etc/modules", &rule::KERNEL_MODULE),
    ("/etc/modprobe.d", &rule::KERNEL_MODULE),
    ("/lib/modules", &rule::KERNEL_MODULE),
    ("/etc/sudoers", &rule::PERSIST_KEY),
    ("/usr/local/etc/sudoers", &rule::PERSIST_KEY),
    ("/etc/doas.conf", &rule::PERSIST_KEY),
    ("/etc/polkit-1", &rule::PERSIST_KEY),
    ("/etc/pam.", &rule::PERSIST_KEY),
    ("/usr/local/etc/pam.d", &rule::PERSIST_KEY),
    ("/lib/security", &rule::PERSIST_KEY),
    ("/etc/ssh/", &rule::PERSIST_KEY),
    ("/etc/passwd", &rule::PERSIST_KEY),
    ("/etc/shadow", &rule::PERSIST_KEY),
    ("/etc/group", &rule::PERSIST_KEY),
    ("/etc/gshadow", &rule::PERSIST_KEY),
    ("/etc/master.passwd", &rule::PERSIST_KEY),
    ("/etc/security/", &rule::PERSIST_KEY),
    ("/etc/hosts.", &rule::WEAKEN),
    ("/etc/xinetd", &rule::PERSIST),
];

/// Files whose contents weaken a defence, by how their path begins.
const DEFENCES: [(&str, &Rule); 29] = [
    ("/etc/hosts", &rule::INTERCEPT),
    ("/etc/resolv.conf", &rule::INTERCEPT),
    ("/etc/nsswitch.conf", &rule::INTERCEPT),
    ("/etc/ssl/certs", &rule::INTERCEPT),
    ("/etc/pki/", &rule::INTERCEPT),
    ("/usr/local/share/ca-certificates", &rule::INTERCEPT),
    ("/etc/ca-certificates", &rule::INTERCEPT),
    ("/etc/ufw", &rule::WEAKEN),
    ("/etc/default/ufw", &rule::WEAKEN),
    ("/etc/iptables", &rule::WEAKEN),
    ("/etc/sysconfig/iptables", &rule::WEAKEN),
    ("/etc/firewalld", &rule::WEAKEN),
    ("/etc/nftables", &rule::WEAKEN),
    ("/etc/pf.", &rule::WEAKEN),
    ("/etc/selinux", &rule::WEAKEN),
    ("/etc/sysconfig/selinux", &rule::WEAKEN),
    ("/etc/apparmor", &rule::WEAKEN),
    ("/etc/fail2ban", &rule::WEAKEN),
    ("/etc/login.defs", &rule::WEAKEN),
    ("/etc/sysctl", &rule::WEAKEN),
    ("/etc/gatekeeper", &rule::WEAKEN),
    ("/etc/audit", &rule::WEAKEN_LOG),
    ("/etc/rsyslog", &rule::WEAKEN_LOG),
    ("/etc/syslog", &rule::WEAKEN_LOG),
    ("/etc/systemd/journald", &rule::WEAKEN_LOG),
    ("/proc/sys/kernel/core_pattern", &rule::PRIVILEGE),
    ("/proc/sys/kernel/modprobe", &rule::PRIVILEGE),
    ("/proc/sysrq-trigger", &rule::SYSTEM_STOP),
    ("/var/run/docker.sock", &rule::CONTAINER_ESCAPE),
];

/// Files of a home that a shell, desktop or program reads when it starts, by their name inside it.
const IN_HOME: [&str; 34] = [
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".bash_logout",
    ".bash_aliases",
    ".profile",
    ".shrc",
    ".zshrc",
    ".zshenv",
    ".zprofile",
    ".zlogin",
    ".zlogout",
    ".kshrc",
    ".cshrc",
    ".tcshrc",
    ".login",
    ".logout",
    ".xinitrc",
    ".xsession",
    ".xprofile",
    ".pam_environment",
    ".config/fish",
    ".config/autostart",
    ".config/systemd",
    ".local/share/systemd",
    ".config/plasma-workspace",
    ".inputrc",
    ".forward",
    ".procmailrc",
    "library/launchagents",
    "library/launchdaemons",
    "library/preferences/com.apple.loginwindow",
    "library/preferences/byhost/com.apple.loginwindow",
    ".gdbinit",
];

/// The rule that writing a path breaks, if it leaves something behind.
pub(in crate::screen) fn written(normal: &str) -> Option<&'static Rule> {
    let lower = normal.to_ascii_lowercase();
    if lower.starts_with('/') {
        let hit = DEFENCES
            .iter()
            .chain(BEGINNINGS.iter())
            .filter(|(beginning, _)| lower.starts_with(beginning))
            .max_by_key(|(beginning, _)| beginning.len());
        if let Some((_, rule)) = hit {
            return Some(rule);
        }
        if lower.ends_with("/authorized_keys") || lower.ends_with("/authorized_keys2") {
            return Some(&rule::PERSIST_KEY);
        }
    }
    let home = lower
        .strip_prefix('~')
        .and_then(|rest| rest.split_once('/'))
        .map(|(_, rest)| rest)
        .or_else(|| {
            ["/home/", "/users/"]
                .iter()
                .find_map(|prefix| lower.strip_prefix(prefix))
                .and_then(|rest| rest.split_once('/'))
                .map(|(_, rest)| rest)
                .or_else(|| lower.strip_prefix("/root/"))
        });
    if let Some(inside) = home {
        if inside.starts_with(".ssh/authorized_keys")
            || inside.starts_with(".ssh/rc")
            || inside.starts_with(".ssh/environment")
        {
            return Some(&rule::PERSIST_KEY);
        }
        if inside.starts_with(".ssh/config")
            || inside.starts_with(".ssh/id_")
            || inside.starts_with(".rhosts")
            || inside.starts_with(".k5login")
        {
            return Some(&rule::PERSIST_KEY);
        }
        if IN_HOME.iter().any(|own| {
            inside == *own
                || inside
                    .strip_prefix(own)
                    .is_some_and(|rest| rest.starts_with('/') || own.contains("loginwindow"))
        }) {
            return Some(&rule::PERSIST);
        }
    }
    let parts = || lower.split('/');
    if lower.contains(".git/hooks/")
        || lower.contains(".husky/")
        || lower.ends_with(".git/config")
        || lower.ends_with(".ssh/authorized_keys")
    {
        return Some(&rule::PERSIST);
    }
    if matches!(parts().next_back(), Some("release_agent" | "notify_on_release")) {
        return Some(&rule::CONTAINER_ESCAPE);
    }
    let name = parts().next_back().unwrap_or_default();
    if matches!(name, "sitecustomize.py" | "usercustomize.py")
        || (name.ends_with(".pth") && lower.contains("site-packages"))
    {
        return Some(&rule::PERSIST);
    }
    None
}

/// Writes a file, and reports what that does.
pub(in crate::screen) fn write_file(walk: &mut Walk<'_>, path: &str, how: Write, data: &Data, span: Span) {
    if path.starts_with("/dev/tcp/") || path.starts_with("/dev/udp/") {
        super::network::to_socket(walk, data, span);
        return;
    }
    let normal = walk.places.normal(path, &walk.cwd);
    let place = walk.places.place_of(&normal);
    credential::stored(walk, how, data, span);
    if place == Place::Sink {
        return;
    }
    if how != Write::Stderr && walk.files.len() < 512 {
        let mut data = data.clone();
        if how == Write::Append
            && let Some(before) = walk.written(path)
        {
            data.taint = data.taint.and(before.taint);
            data.text = match (&before.text, &data.text) {
                (Some(before), Some(more)) if before.len() + more.len() < 64 * 1024 => Some(format!("{before}{more}")),
                _ => None,
            };
        }
        match walk.files.iter_mut().find(|(own, _)| own == path) {
            Some((_, own)) => *own = data,
            None => walk.files.push((path.to_owned(), data)),
        }
    }
    if let Some(rule) = crate::screen::tamper::written(walk.places, &normal) {
        walk.report(rule, span);
        return;
    }
    if let Some(rule) = written(&normal) {
        walk.report(rule, span);
        return;
    }
    match place {
        Place::Device => walk.report(&rule::DESTROY_DEVICE, span),
        Place::System | Place::InSystem | Place::Root => {
            let grave = how == Write::Truncate
                && (normal.starts_with("/boot")
                    || normal.starts_with("/bin")
                    || normal.starts_with("/usr/bin")
                    || normal.starts_with("/lib"));
            walk.report(
                if grave {
                    &rule::DESTROY_SYSTEM
                } else {
                    &rule::SYSTEM_WRITE
                },
                span,
            );
        }
        _ => {}
    }
    let empties = how == Write::Truncate && data.text.as_deref().is_none_or(|text| text.trim().is_empty());
    if empties && how != Write::Touch {
        super::destroy::empties(walk, path, span);
    } else if how == Write::Truncate && super::destroy::is_log(&normal) {
        walk.report(&rule::WEAKEN_LOG, span);
    }
    if matches!(path, "" | "\u{E000}") {
        return;
    }
    // a credential's own file written over is a credential lost
    if how == Write::Truncate && credential::is_home(place) && credential(&normal).is_some() {
        walk.report(&rule::DESTROY_DATA, span);
    }
}

/// Variables that make programs load or run something, or that stop the record of what runs.
pub(in crate::screen) fn environment(walk: &mut Walk<'_>, name: &str, value: &Field) {
    if crate::screen::tamper::variable(name) {
        walk.report(&rule::TAMPER, value.span);
    }
    match name {
        "LD_PRELOAD" | "LD_AUDIT" | "DYLD_INSERT_LIBRARIES" | "LD_LIBRARY_PATH" | "DYLD_LIBRARY_PATH" => {
            let local = matches!(
                walk.places.place(&value.text, &walk.cwd),
                Place::Scratch | Place::InWorkspace | Place::Unknown | Place::InHome | Place::Outside
            );
            if name.ends_with("PATH") {
                if walk.places.place(&value.text, &walk.cwd) == Place::Scratch {
                    walk.report(&rule::PERSIST, value.span);
                }
            } else if local && !value.text.is_empty() {
                walk.report(&rule::PERSIST, value.span);
            }
        }
        "PROMPT_COMMAND" | "PS0" | "PS4" | "BASH_ENV" | "ENV" | "PAGER" | "GIT_PAGER" | "EDITOR" | "VISUAL"
        | "GIT_SSH_COMMAND" | "GIT_EDITOR" | "GIT_EXTERNAL_DIFF" | "MANPAGER" | "LESSOPEN" | "BROWSER"
        | "GIT_ASKPASS" | "SSH_ASKPASS" | "PYTHONSTARTUP" | "PERL5OPT" | "RUBYOPT" | "NODE_OPTIONS" | "PS1" | "PS2" => {
            if matches!(name, "PROMPT_COMMAND" | "PS0")
                && (value.text.contains("history") || value.text.contains("logger"))
            {
                walk.report(&rule::CREDENTIAL_DUMP, value.span);
            }
            if name == "PS2" && value.taint.has(Taint::FILE) {
                walk.report(&rule::CREDENTIAL_DUMP, value.span);
            }
            if !value.text.contains(['%', '\\']) && value.text.len() > 3 && !name.starts_with("PS") {
                walk.script(&value.text, value.span, &Data::none());
            }
        }
        "HISTFILE" if matches!(value.text.as_str(), "" | "/dev/null") => walk.report(&rule::WEAKEN_LOG, value.span),
        "HISTSIZE" | "HISTFILESIZE" if matches!(value.text.as_str(), "0" | "1") => {
            walk.report(&rule::WEAKEN_LOG, value.span)
        }
        "HISTCONTROL" if value.text.contains("ignoreboth") || value.text.contains("ignorespace") => {
            walk.report(&rule::WEAKEN_LOG, value.span)
        }
        "HISTIGNORE" if !value.text.is_empty() => walk.report(&rule::WEAKEN_LOG, value.span),
        "NODE_TLS_REJECT_UNAUTHORIZED" | "GIT_SSL_NO_VERIFY" | "PYTHONHTTPSVERIFY" => {
            walk.report(&rule::INTERCEPT, value.span)
        }
        "http_proxy" | "https_proxy" | "HTTP_PROXY" | "HTTPS_PROXY" | "ALL_PROXY" | "all_proxy"
            if value.text.contains("127.0.0.1") || value.text.contains("localhost") =>
        {
            walk.report(&rule::INTERCEPT, value.span);
        }
        _ => {}
    }
}

/// trap(1p): what runs at a signal, or before every command.
pub(in crate::screen) fn trap(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let (action, signals) = (cmd.arg(0), cmd.args.get(1..).unwrap_or_default());
    if signals.iter().any(|field| field.text == "DEBUG") && action.contains("BASH_COMMAND") {
        found(walk, cmd, &rule::CREDENTIAL_DUMP);
    }
    if action.contains("nohup") || action.contains("setsid") {
        found(walk, cmd, &rule::PERSIST);
    }
}

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    match cmd.name {
        "crontab" => {
            let operands = cmd.operands("u", &[]);
            if cmd.short('r') {
                found(walk, cmd, &rule::DESTROY_DATA);
            } else if !operands.is_empty() || cmd.stdin.given && !cmd.short('l') && !cmd.short('e') && !cmd.short('u') {
                found(walk, cmd, &rule::PERSIST);
            }
            if let Some(text) = cmd.stdin.text.clone().filter(|_| cmd.arg(0) == "-") {
                for line in text.lines().take(64) {
                    // five fields of time, then the command
                    let words: Vec<&str> = line.splitn(6, ' ').collect();
                    if let Some(command) = words.get(5) {
                        walk.script(command, cmd.span, &Data::none());
                    }
                }
            }
        }
        "tee" | "sponge" => {
            let how = if cmd.flag('a', "append") {
                Write::Append
            } else {
                Write::Truncate
            };
            for field in cmd.operands("", &["output-error"]) {
                write_file(walk, &field.text, how, cmd.stdin, field.span);
            }
        }
        "touch" | "mkdir" | "mkfifo" | "mknod" => {
            for field in cmd.operands("drtm", &["date", "reference", "time", "mode"]) {
                let normal = walk.places.normal(&field.text, &walk.cwd);
                if let Some(rule) = crate::screen::tamper::written(walk.places, &normal).or(written(&normal)) {
                    walk.report(rule, field.span);
                } else if matches!(walk.places.place_of(&normal), Place::InSystem)
                    && !normal.starts_with("/sys/fs/cgroup")
                {
                    walk.report(&rule::SYSTEM_WRITE, field.span);
                }
                // times of others' files, set to what they were not
                let sets = cmd.name == "touch"
                    && (cmd.short('r')
                        || cmd.short('d')
                        || cmd.short('t')
                        || cmd.long("reference")
                        || cmd.long("date"));
                if sets && matches!(walk.places.place_of(&normal), Place::Outside | Place::InSystem) {
                    walk.report(&rule::WEAKEN_LOG, field.span);
                }
            }
        }
        "sed" | "gsed" | "perl"
            if cmd.options().any(|option| {
                option.starts_with("-i")
                    || option.starts_with("--in-place")
                    || (!option.starts_with("--") && option.contains('i'))
            }) =>
        {
            for field in cmd
                .operands("efl", &["expression", "file"])
                .iter()
                .skip(usize::from(!cmd.short('e')))
            {
                write_file(
                    walk,
                    &field.text,
                    Write::Append,
                    &Data::unknown(Taint::NONE),
                    field.span,
                );
            }
        }
        "vim" | "vi" | "nano" | "ee" | "ed" | "ex" | "emacs" | "pico" | "nvim" => {
            for field in cmd.operands("cuSw", &["cmd"]) {
                let normal = walk.places.normal(&field.text, &walk.cwd);
                if let Some(rule) = crate::screen::tamper::written(walk.places, &normal)
                    .or(written(&normal))
                    .filter(|rule| *rule == &rule::PERSIST_KEY || *rule == &rule::TAMPER)
                {
                    walk.report(rule, field.span);
                }
            }
        }
        _ => {}
    }
}
