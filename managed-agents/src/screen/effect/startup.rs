//! Files whose contents run again, let somebody in, or weaken a defence: crontab(5), systemd.unit(5), launchd.plist(5), bash(1)
//! INVOCATION, ld.so(8), githooks(5), sshd(8) AUTHORIZED_KEYS, udev(7), pam.conf(5).

use crate::screen::rule::{self, Rule};
use crate::screen::text;

/// Files and directories whose contents run, or let somebody in, by how their path begins.
const BEGINNINGS: [(&str, &Rule); 74] = [
    ("/var/lib/cloud/scripts", &rule::PERSIST),
    ("/etc/cloud/", &rule::PERSIST),
    ("/etc/opt/chrome/policies", &rule::PERSIST),
    ("/etc/chromium", &rule::PERSIST),
    ("/library/managed preferences", &rule::PERSIST),
    ("/usr/lib/pam.d", &rule::PERSIST_KEY),
    ("/usr/lib/security", &rule::PERSIST_KEY),
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
    ("/usr/share/polkit-1", &rule::PERSIST_KEY),
    ("/var/lib/polkit-1", &rule::PERSIST_KEY),
    ("/library/application support/com.apple.tcc", &rule::PERSIST_KEY),
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

/// Whether what is written into a file of a home runs when a program starts, or takes packages from anybody: vim(1),
/// emacs(1), tmux(1), screen(1), pip(1), npmrc(5).
pub(super) fn starts_with_program(normal: &str, text: &str) -> Option<&'static Rule> {
    let name = text::name(normal);
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match name {
        ".vimrc" | "init.vim" | ".gvimrc" | ".exrc" => {
            has(&["* !", "system(", ":!", "silent !", "runtimepath+=/tmp", "rtp+=/tmp"])
        }
        // nvim(1), "Lua": what lies below its configuration runs when it starts
        _ if name.ends_with(".lua") && normal.contains("/nvim/") => {
            has(&["os.execute", "io.popen", "vim.fn.system", "jobstart"])
        }
        ".mavenrc" | ".javarc" => has(&["-javaagent", "-agentpath", "-agentlib"]),
        ".emacs" | "init.el" => has(&["shell-command", "call-process", "start-process"]),
        // a task that an editor runs when a directory is opened
        "tasks.json" => has(&["folderOpen"]),
        ".gitconfig" | "config" if name == ".gitconfig" || normal.ends_with("/git/config") => {
            has(&["sshCommand", "hooksPath", "fsmonitor", "gitProxy", "= !", "=!"])
                && has(&["curl", "wget", "/tmp/", "nc ", "sh -c", "bash"])
        }
        ".tmux.conf" | ".screenrc" => has(&["run-shell", "if-shell", "exec ", "default-command", "default-shell"]),
        _ => false,
    }
    .then_some(&rule::PERSIST)
    .or(
        (matches!(name, "pip.conf" | ".npmrc" | ".pypirc" | ".yarnrc" | ".gemrc") && has(&["http://"]))
            .then_some(&rule::WEAKEN),
    )
}

/// The rule that writing a path breaks, if it leaves something behind.
pub(in crate::screen) fn written(normal: &str) -> Option<&'static Rule> {
    // a plain name in the workspace: most files that are written
    if !normal.bytes().any(|byte| matches!(byte, b'/' | b'~')) {
        return match normal {
            "release_agent" | "notify_on_release" => Some(&rule::CONTAINER_ESCAPE),
            _ => (normal.eq_ignore_ascii_case("sitecustomize.py") || normal.eq_ignore_ascii_case("usercustomize.py"))
                .then_some(&rule::PERSIST),
        };
    }
    let lower = text::lower(normal);
    // macOS keeps `/etc` and `/var` in `/private`; what FreeBSD's ports install has its `/etc` in `/usr/local` (hier(7) of both)
    let lower = match lower
        .strip_prefix("/private")
        .or_else(|| lower.strip_prefix("/usr/local"))
    {
        Some(rest) if rest.starts_with("/etc/") || lower.starts_with("/private/var/at/") => {
            std::borrow::Cow::Owned(rest.to_owned())
        }
        _ => lower,
    };
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
    if text::holds(&lower, ".git/hooks/")
        || text::holds(&lower, ".husky/")
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
