//! Programs that run another program: sudo(8), env(1), nohup(1), timeout(1), nice(1), chroot(1) and the like.

use super::data::{Data, Taint};
use super::walk::Walk;
use crate::screen::cmd::{Cmd, takes_value};
use crate::screen::signs::Signs;
use crate::screen::{effect, rule};

/// How a wrapper's own arguments end and the command's begin.
struct Wrapper {
    /// One-letter options that take a value.
    short: &'static str,
    /// Long options that take one.
    long: &'static [&'static str],
    /// Operands before the command.
    operands: usize,
    /// `NAME=value` may stand before the command.
    assigns: bool,
}

const fn plain(short: &'static str, long: &'static [&'static str]) -> Wrapper {
    Wrapper {
        short,
        long,
        operands: 0,
        assigns: false,
    }
}

const fn after(operands: usize, short: &'static str, long: &'static [&'static str]) -> Wrapper {
    Wrapper {
        short,
        long,
        operands,
        assigns: false,
    }
}

by_name! {
    /// How the program's arguments end and the command's begin.
    NAMES: fn wrapper(name: &str) -> Wrapper where name is {
        "sudo" => Wrapper {
            short: "ughpCrtTUDRB",
            long: &[
                "user",
                "group",
                "host",
                "prompt",
                "close-from",
                "role",
                "type",
                "command-timeout",
                "other-user",
                "chdir",
                "chroot",
            ],
            operands: 0,
            assigns: true,
        },
        "env" => Wrapper {
            short: "uCPS",
            long: &["unset", "chdir", "argv0"],
            operands: 0,
            assigns: true,
        },
        "doas" => plain("Cu", &[]),
        "pkexec" | "run0" => plain("u", &["user"]),
        "nohup" | "setsid" | "command" | "builtin" | "nocorrect" | "noglob" | "-" | "torify" | "torsocks"
        | "fakeroot" | "eatmydata" | "catchsegv" | "unbuffer" | "xvfb-run" | "dbus-run-session" | "dbus-launch"
        | "aa-exec" | "cgexec" | "wine" | "proxychains" | "proxychains4" | "tsocks" | "linux32" | "linux64"
        | "i386" | "x86_64" | "gosu" | "su-exec" | "viddy" | "sem" | "then" | "do" | "else" => plain(
            "gfpsn",
            &["wait-for-child", "auto-servernum", "server-args", "server-num"],
        ),
        "exec" => plain("a", &[]),
        "time" | "gtime" => plain("fo", &["format", "output"]),
        "nice" => plain("n", &["adjustment"]),
        "ionice" => plain("cn", &["class", "classdata"]),
        "timeout" | "gtimeout" => after(1, "sk", &["signal", "kill-after"]),
        "stdbuf" => plain("ioe", &["input", "output", "error"]),
        "chrt" => after(1, "TPD", &["sched-runtime", "sched-period", "sched-deadline"]),
        "taskset" => after(1, "", &[]),
        "numactl" => plain(
            "iNmCpP",
            &["interleave", "cpunodebind", "membind", "physcpubind", "preferred"],
        ),
        "prlimit" | "ulimit" | "multitime" | "grc" | "heaptrack" | "fakechroot" | "tsp" => plain("", &[]),
        "openvt" => plain("c", &["console"]),
        "schroot" => plain("cu", &["chroot", "user", "directory"]),
        "systemd-nspawn" => plain("DMu", &["directory", "machine", "user", "bind", "setenv"]),
        "cpulimit" => plain("lpeP", &["limit", "pid", "exe", "path"]),
        "trickle" => plain("udwlp", &[]),
        "mpirun" | "mpiexec" | "srun" => plain("nNptcx", &["np", "ntasks", "hostfile", "partition", "time", "map-by"]),
        "perf" | "rr" | "setarch" | "faketime" | "logsave" => after(1, "eopFgcC", &["event", "output", "pid"]),
        "unshare" => plain("SGRw", &["root", "wd", "setuid", "setgid", "map-user", "map-group"]),
        "nsenter" => plain("tSGrw", &["target", "setuid", "setgid"]),
        "chroot" => after(1, "", &["userspec", "groups"]),
        "choom" => plain("np", &["adjust", "pid"]),
        "strace" | "ltrace" => plain("aeEIoOpPsSuXb", &["attach", "output", "trace", "string-limit", "user"]),
        "valgrind" | "perf-record" => plain("", &[]),
        "caffeinate" => plain("tw", &[]),
        "systemd-run" => plain(
            "upMHE",
            &[
                "unit",
                "property",
                "slice",
                "description",
                "machine",
                "host",
                "uid",
                "gid",
                "setenv",
                "working-directory",
                "on-calendar",
                "on-active",
                "on-boot",
            ],
        ),
        "systemd-inhibit" => plain("", &["what", "who", "why", "mode"]),
        "setpriv" => plain(
            "",
            &["reuid", "regid", "groups", "ambient-caps", "bounding-set", "securebits"],
        ),
        "capsh" | "firejail" | "ld.so" | "ld-linux-x86-64.so.2" => plain("rbw", &["args", "library-path", "preload", "argv0"]),
        "rlwrap" => plain("bCDefgHlMOPqsStwpz", &["break-chars", "command-name", "file", "history-filename", "logfile", "filter", "pre-given"]),
        "bwrap" => plain("", BWRAP),
        "proot" => plain("rRSbmwqk", &["rootfs", "bind", "mount", "cwd", "pwd", "qemu", "kernel-release"]),
        "sg" | "runcon" => after(1, "", &[]),
        "daemonize" => plain("aceopluE", &[]),
        "chpst" | "softlimit" => plain("uUbednlLmofcrt/asp", &[]),
        "start-stop-daemon" | "setlock" | "setuidgid" | "envdir" | "envuidgid" => after(1, "puoelEv", &[]),
        "hyperfine" => plain(
            "wmMrpcnS",
            &["warmup", "runs", "prepare", "cleanup", "export-json", "shell"],
        ),
        "busybox" | "toybox" => plain("", &[]),
    } else { plain("", &[]) }
}

/// bwrap(1): options with one value.
const BWRAP: &[&str] = &[
    "args",
    "argv0",
    "unsetenv",
    "lock-file",
    "sync-fd",
    "remount-ro",
    "exec-label",
    "file-label",
    "proc",
    "dev",
    "tmpfs",
    "mqueue",
    "dir",
    "seccomp",
    "add-seccomp-fd",
    "block-fd",
    "userns-block-fd",
    "info-fd",
    "json-status-fd",
    "cap-add",
    "cap-drop",
    "perms",
    "size",
    "chdir",
    "hostname",
    "uid",
    "gid",
    "userns",
    "userns2",
    "pidns",
    "overlay-src",
];

/// bwrap(1): what is bound, linked or set has a place as well.
fn has_two_values(option: &str) -> bool {
    matches!(
        option,
        "--bind"
            | "--bind-try"
            | "--dev-bind"
            | "--dev-bind-try"
            | "--ro-bind"
            | "--ro-bind-try"
            | "--bind-fd"
            | "--ro-bind-fd"
            | "--symlink"
            | "--setenv"
            | "--file"
            | "--bind-data"
            | "--ro-bind-data"
            | "--chmod"
    )
}

/// Runs what a wrapper runs; none, when the command is no wrapper.
pub(super) fn run(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> {
    let wrapper = wrapper(cmd.name);
    // `command -v name` and the like only say where a program is; `-p` still runs it
    if cmd.name == "command" && !cmd.short('p') && (cmd.short('v') || cmd.short('V')) {
        let names = cmd.operands("", &[]);
        return Some(
            names
                .first()
                .map_or_else(|| Data::known(""), |name| Data::known(name.text.clone())),
        );
    }
    let (mut at, mut operands) = (0, wrapper.operands);
    let mut split = None;
    while let Some(field) = cmd.args.get(at) {
        let text = field.text.as_str();
        if text == "--" {
            at += 1;
            while wrapper.assigns && cmd.args.get(at).is_some_and(|field| is_assignment(&field.text)) {
                at += 1;
            }
            at += operands;
            break;
        }
        if text.len() > 1 && text.starts_with('-') {
            if cmd.name == "env" && (text.starts_with("-S") || text.starts_with("--split-string")) {
                split = Some(at);
                break;
            }
            at += 1 + takes_value(text, wrapper.short, wrapper.long);
            if cmd.name == "bwrap" && has_two_values(text) {
                at += 2;
            }
        } else if cmd.name == "env" && text == "-" {
            at += 1;
        } else if wrapper.assigns && field.text.signs().has(Signs::EQUALS) && is_assignment(text) {
            if let Some((name, value)) = text.split_once('=') {
                let mut value_field = field.clone();
                value_field.text = value.into();
                effect::environment(walk, name, &value_field);
            }
            at += 1;
        } else if operands > 0 {
            operands -= 1;
            at += 1;
        } else {
            break;
        }
    }
    effect::wrapper(walk, cmd, at);
    if let Some(at) = split {
        // env -S 'string': the string is split into words as a shell would
        let own = cmd.arg(at);
        let apart = matches!(own, "-S" | "--split-string");
        let attached = own
            .strip_prefix("--split-string=")
            .or_else(|| own.strip_prefix("-S"))
            .unwrap_or_default();
        let mut text = if apart { cmd.arg(at + 1) } else { attached }.to_owned();
        for field in cmd.args.iter().skip(at + 1 + usize::from(apart)) {
            text.push(' ');
            text.push_str(&super::walk::quote(&field.text));
        }
        let text = format!("env {}", text.trim_start());
        return Some(walk.script(&text, cmd.span, cmd.stdin));
    }
    let inner = cmd.args.get(at..).unwrap_or_default();
    if inner.is_empty() {
        return match cmd.name {
            // without a command they answer with the environment, or start a shell
            "env" => Some(Data::unknown(Taint::FILE.and(Taint::ENV))),
            "exec" => {
                if walk.on_network {
                    walk.report(&rule::REVERSE_SHELL, cmd.span);
                }
                Some(Data::known(""))
            }
            "unshare" | "nsenter" | "chroot" | "setsid" => Some(Data::unknown(Taint::SHELL)),
            _ => Some(Data::known("")),
        };
    }
    if cmd.name == "ulimit" {
        return Some(Data::known(""));
    }
    let by_other = walk.by_other;
    let by_path = inner.first().is_some_and(|field| field.text.starts_with('/'));
    walk.by_other |= match cmd.name {
        // what people start shells with
        "sudo" | "doas" | "exec" | "command" | "builtin" | "nohup" | "gosu" | "su-exec" | "chroot" | "run0"
        | "fakeroot" | "fakechroot" | "schroot" | "bwrap" => false,
        // srun(1): a terminal on the machine that was given to the job
        "srun" if cmd.has("--pty") => false,
        "env" | "setsid" | "xvfb-run" | "unshare" | "nsenter" | "systemd-run" | "pkexec" => by_path,
        _ => true,
    };
    let data = walk.invoke(inner, cmd.stdin);
    walk.by_other = by_other;
    Some(data)
}

fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.')
    })
}
