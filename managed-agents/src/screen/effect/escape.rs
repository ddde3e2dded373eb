//! Shells that programs start which are not meant for it: an argument that is a shell, or code that starts one.

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::programs::Known;
use crate::screen::rule;
use crate::screen::shell::code;
use crate::screen::shell::walk::Walk;

/// Programs in whose arguments a shell is only a name: they print, compare or look it up, or set it as somebody's.
pub(in crate::screen) const ONLY_NAMES: &[&str] = &[
    "echo", "printf", "which", "type", "whereis", "command", "ls", "file", "stat", "grep", "egrep", "fgrep", "rg",
    "test", "[", "chsh", "useradd", "usermod", "adduser", "cat", "cp", "mv", "ln", "rm", "chmod", "chown", "head",
    "tail", "sed", "git", "docker", "podman", "nerdctl", "kubectl", "oc", "find", "man", "apt", "apt-get", "brew",
    "dnf", "yum", "ps", "pgrep", "pkill", "killall", "ldd", "nm", "strings", "objdump", "readelf", "sha256sum",
    "md5sum", "dpkg", "rpm", "export", "set", "tldr", "apropos", "whatis", "info", "dscl", "pw", "sysadminctl", "lxc",
    "incus", "apptainer", "singularity", "toolbox", "distrobox", "vagrant", "awk", "hash", "getent", "tee",
    "shellcheck", "crictl", "docker-compose", "gh", "npm", "declare", "local", "readonly", "unalias", "realpath",
    "readlink", "basename", "dirname", "du", "diff", "cmp", "systemctl", "time", "tmux", "screen", "ssh", "curl",
    "wget", "nc", "ncat", "socat", "ansible", "su", "runuser", "script", "expr", "cut", "tr", "sort", "uniq", "wc",
];

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if cmd.known.has(Known::ONLY_NAMES) {
        return;
    }
    for field in cmd.args {
        let text = field.text.as_str();
        let value = text.rsplit_once('=').map_or(text, |(_, value)| value);
        let path = matches!(
            value,
            "/bin/sh"
                | "/bin/bash"
                | "/bin/zsh"
                | "/bin/dash"
                | "/bin/ksh"
                | "/usr/bin/bash"
                | "/usr/bin/sh"
                | "/usr/bin/zsh"
        );
        let starts = text.contains("/bin/sh")
            || text.contains("/bin/bash")
            || text.contains("exec sh")
            || text.contains("exec bash")
            || text.contains("'sh'")
            || text.contains("\"sh\"");
        let runs = ["system", "exec", "spawn", "popen", "!", "shell", "term", "cmd", "sh -c"]
            .iter()
            .any(|word| text.contains(word));
        if path || (starts && runs) || text.strip_prefix('!').is_some_and(code::is_shell) {
            found(walk, cmd, &rule::SHELL_ESCAPE);
            return;
        }
    }
}
