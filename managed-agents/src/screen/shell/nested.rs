//! Programs that run commands given in their arguments in ways of their own: find(1), xargs(1), ssh(1), docker(1), …

use super::breakouts::{awk, breakout, editor, git_settings, helper_programs, make, pager, sed, terminal};
use super::data::{ALL, Data, Field, SOME, Taint, UNKNOWN};
use super::runners;
use super::walk::Walk;
use crate::screen::cmd::{Cmd, takes_value};
use crate::screen::{effect, rule};

by_name! {
    /// Runs what such a program runs; none, when the command is no such program, or its effect must still be judged.
    NAMES: pub(super) fn run(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> where cmd.name is {
        "xargs" | "gxargs" | "xe" => Some(xargs(walk, cmd)),
        "parallel" | "rush" => Some(parallel(walk, cmd)),
        "find" | "gfind" => Some(find(walk, cmd)),
        "fd" | "fdfind" => Some(fd(walk, cmd)),
        "ssh" | "dbclient" | "mosh" | "autossh" | "slogin" => {
            effect::judge(walk, cmd);
            remote(walk, cmd)
        },
        "sshpass" => {
            effect::judge(walk, cmd);
            Some(tail(walk, cmd, "pfdP", &[], 0))
        },
        "rsh" | "rexec" | "pdsh" | "clush" | "pssh" | "parallel-ssh" | "dsh" | "pexec" => {
            effect::judge(walk, cmd);
            let values = ["host", "hosts", "user", "par", "timeout", "options", "nodes", "group"];
            Some(joined(walk, cmd, "hHlwgptouxfm", &values, usize::from(cmd.name.starts_with('r'))))
        },
        "docker" | "podman" | "nerdctl" | "kubectl" | "oc" | "lxc" | "lxc-attach" | "apptainer" | "singularity"
        | "toolbox" | "distrobox" | "docker-compose" | "crictl" | "ctr" | "incus" | "machinectl" | "vagrant"
        | "k3s" | "microk8s" | "minikube" => {
            let data = effect::judge(walk, cmd);
            container(walk, cmd);
            Some(data)
        },
        "su" | "runuser" | "sg" | "newgrp" => Some(by_option(walk, cmd, 'c', "command")),
        "script" | "faketty" => Some(by_option(walk, cmd, 'c', "command")),
        "watch" | "gwatch" | "entr" | "nodemon" | "chronic" | "ts" | "annotate-output" => {
            if cmd.name == "watch" && (cmd.short('x') || cmd.long("exec")) {
                return Some(tail(walk, cmd, "nq", &["interval"], 0));
            }
            let skip = usize::from(cmd.name == "annotate-output");
            Some(joined(walk, cmd, "nqsed", &["interval", "exec"], skip))
        },
        "flock" => Some(flock(walk, cmd)),
        "trap" => {
            let span = cmd.span;
            if let [action, _, ..] = cmd.args {
                walk.script(&action.text, span, &Data::none());
                effect::trap(walk, cmd);
            }
            Some(Data::known(""))
        },
        "at" | "batch" => {
            let asks = ['l', 'r', 'd', 'c', 'V'].iter().any(|letter| cmd.short(*letter));
            if !asks {
                walk.report(&rule::PERSIST, cmd.span);
            }
            if let Some(text) = cmd.stdin.text.clone() {
                walk.script(&text, cmd.span, &Data::none());
            }
            Some(Data::known(""))
        },
        "alias" => {
            for field in cmd.args {
                if let Some((name, text)) = field.text.split_once('=') {
                    // what asks for passwords, replaced by something else
                    let own = text.split_whitespace().next().is_some_and(|word| word.rsplit('/').next() == Some(name));
                    if matches!(name, "sudo" | "su" | "passwd" | "ssh") && !own {
                        walk.report(&rule::INTERCEPT, field.span);
                    }
                    walk.alias(name, text);
                }
            }
            Some(Data::known(""))
        },
        "read" => {
            let first = cmd
                .stdin
                .text
                .as_deref()
                .and_then(|text| text.lines().next())
                .unwrap_or("\u{E000}")
                .to_owned();
            for field in cmd.operands("dinNptu", &[]) {
                walk.set(&field.text, &first, cmd.stdin.taint);
            }
            Some(Data::known(""))
        },
        "export" | "declare" | "typeset" | "local" | "readonly" | "set" | "setenv" => {
            declare(walk, cmd);
            Some(if cmd.args.is_empty() {
                Data::unknown(Taint::FILE)
            } else {
                Data::known("")
            })
        },
        "cd" | "pushd" | "chdir" => {
            let to = cmd.operands("", &[]).first().map_or("~", |field| field.text.as_str());
            walk.cwd = if to == "-" {
                UNKNOWN.to_string()
            } else {
                walk.places.normal(to, &walk.cwd)
            };
            if walk.cwd == "." {
                walk.cwd.clear();
            }
            Some(Data::known(""))
        },
        "vim" | "vi" | "nvim" | "ex" | "view" | "rvim" | "gvim" | "vimdiff" => editor(walk, cmd),
        "ed" | "emacs" | "emacsclient" | "nano" | "less" | "more" | "man" => pager(walk, cmd),
        "awk" | "gawk" | "mawk" | "nawk" | "goawk" => awk(walk, cmd),
        "sed" | "gsed" => sed(walk, cmd),
        "make" | "gmake" | "bmake" => make(walk, cmd),
        "git" => git_settings(walk, cmd),
        "tmux" | "screen" | "zellij" | "byobu" => terminal(walk, cmd),
        "tar" | "gtar" | "bsdtar" | "zip" | "rsync" | "scp" | "sftp" | "curl" | "wget" | "cpio" | "7z"
        | "sort" | "split" => {
            helper_programs(walk, cmd)
        },
        "npm" | "yarn" | "pnpm" | "npx" | "bunx" | "pnpx" | "bundle" | "poetry" | "pipenv" | "uv" | "uvx" | "rye" | "hatch" | "pdm"
        | "pixi" | "conda" | "mamba" | "micromamba" | "asdf" | "mise" | "rbenv" | "pyenv" | "nodenv" | "direnv" | "volta" | "op"
        | "doppler" | "infisical" | "chamber" | "aws-vault" | "envchain" | "nix" | "nix-shell" | "flatpak" | "flatpak-spawn"
        | "multipass" | "limactl" | "colima" | "heroku" | "wsl" | "adb" | "ip" | "gcloud" | "fly" | "flyctl" | "opam" | "cabal"
        | "stack" => {
            runners::run(walk, cmd)
        },
        "expect" | "gdb" | "lldb" | "sqlite3" | "mysql" | "psql" | "ftp" | "telnet" | "nmap" | "cpan" | "irssi"
        | "dmsetup" | "jq" => breakout(walk, cmd),
    } else { None }
}

/// What a command makes of the words that come from its standard input.
fn items(cmd: &Cmd<'_>) -> Vec<Field> {
    let field = |text: String| Field {
        taint: cmd.stdin.taint,
        ..Field::new(text, cmd.span)
    };
    if !cmd.stdin.listing.is_empty() {
        return cmd.stdin.listing.iter().cloned().map(field).collect();
    }
    match cmd.stdin.full_text() {
        Some(text) => text
            .split(['\n', ' ', '\t', '\0'])
            .filter(|text| !text.is_empty())
            .take(256)
            .map(|text| field(text.to_owned()))
            .collect(),
        None => {
            let mut item = field(UNKNOWN.to_string());
            if cmd.stdin.taint == Taint::NONE {
                item.taint = Taint::ITEM;
            }
            vec![item]
        }
    }
}

fn xargs(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    let (mut at, mut hole) = (0, None);
    let mut from_file = false;
    while let Some(field) = cmd.args.get(at) {
        let text = field.text.as_str();
        if text == "--" {
            at += 1;
            break;
        }
        if !text.starts_with('-') || text.len() < 2 {
            break;
        }
        if let Some(attached) = text.strip_prefix("--replace") {
            hole = Some(match attached.strip_prefix('=') {
                Some(hole) if !hole.is_empty() => hole.to_owned(),
                _ => "{}".to_owned(),
            });
        } else if let Some(attached) = text.strip_prefix("-I").or_else(|| text.strip_prefix("-J")) {
            hole = Some(if attached.is_empty() {
                cmd.arg(at + 1).to_owned()
            } else {
                attached.to_owned()
            });
        } else if !text.starts_with("--") && text.ends_with('i') {
            hole = Some("{}".to_owned());
        } else if text.contains('i') && !text.starts_with("--") && !text.contains(['I', 'n', 'd']) {
            hole = Some(text.split_once('i').map_or("{}", |(_, hole)| hole).to_owned());
        }
        from_file |= text.starts_with("-a") || text.starts_with("--arg-file");
        at += 1 + takes_value(
            text,
            "adEILnPsJRS",
            &[
                "arg-file",
                "delimiter",
                "max-args",
                "max-procs",
                "max-chars",
                "process-slot-var",
                "max-lines",
            ],
        );
    }
    let inner = cmd.args.get(at..).unwrap_or_default();
    if inner.is_empty() {
        return cmd.stdin.clone();
    }
    let items = if from_file {
        vec![Field::new(UNKNOWN, cmd.span)]
    } else {
        items(cmd)
    };
    with_items(walk, inner, &items, hole.as_deref())
}

/// A command for items: in the place of the hole, or at its end.
fn with_items(walk: &mut Walk<'_>, inner: &[Field], items: &[Field], hole: Option<&str>) -> Data {
    let by_other = walk.by_other;
    walk.by_other = true;
    let data = with_items_here(walk, inner, items, hole);
    walk.by_other = by_other;
    data
}

fn with_items_here(walk: &mut Walk<'_>, inner: &[Field], items: &[Field], hole: Option<&str>) -> Data {
    let Some(hole) = hole.filter(|hole| !hole.is_empty()) else {
        let mut argv = inner.to_vec();
        argv.extend(items.iter().cloned());
        return walk.invoke(&argv, &Data::none());
    };
    // what is read becomes a script
    for pair in inner.windows(2) {
        if let [option, script] = pair
            && script.text == hole
            && option.text.starts_with('-')
            && option.text.ends_with('c')
        {
            walk.report(&rule::UNRESOLVED_CODE, script.span);
        }
    }
    let mut all = Data::unknown(Taint::NONE);
    walk.limited |= items.len() > 64;
    for item in items.iter().take(64) {
        let argv: Vec<Field> = inner
            .iter()
            .map(|field| Field {
                text: field.text.replace(hole, &item.text),
                taint: field.taint.and(if field.text.contains(hole) {
                    item.taint
                } else {
                    Taint::NONE
                }),
                ..field.clone()
            })
            .collect();
        all = walk.invoke(&argv, &Data::none());
    }
    all
}

fn parallel(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    let mut at = 0;
    while let Some(field) = cmd.args.get(at) {
        if !field.text.starts_with('-') || field.text.len() < 2 {
            break;
        }
        at += 1 + takes_value(
            &field.text,
            "jaINnSP",
            &[
                "jobs", "arg-file", "colsep", "max-args", "sshlogin", "joblog", "results", "delay",
            ],
        );
    }
    let rest = cmd.args.get(at..).unwrap_or_default();
    let end = rest
        .iter()
        .position(|field| field.text.starts_with(":::"))
        .unwrap_or(rest.len());
    let inner = rest.get(..end).unwrap_or_default();
    let given: Vec<Field> = match rest.get(end) {
        Some(mark) if mark.text.starts_with("::::") => vec![Field::new(UNKNOWN, cmd.span)],
        Some(_) => rest
            .iter()
            .skip(end + 1)
            .filter(|field| !field.text.starts_with(":::"))
            .cloned()
            .collect(),
        None if cmd.stdin.given => match cmd.stdin.full_text() {
            Some(text) => text.lines().take(64).map(|line| Field::new(line, cmd.span)).collect(),
            None => items(cmd),
        },
        None => Vec::new(),
    };
    // the words are one script for a shell, which sees the items behind them or in place of `{}`
    let text: Vec<&str> = inner.iter().map(|field| field.text.as_str()).collect();
    let text = text.join(" ");
    for item in given.iter().take(64) {
        let script = if inner.is_empty() {
            item.text.clone()
        } else if text.contains("{}") {
            text.replace("{}", &item.text)
        } else {
            format!("{text} {}", item.text)
        };
        walk.script(&script, cmd.span, &Data::none());
        if inner.len() >= 3 && script.contains(" -c ") {
            // a script within the script keeps its quotes
            with_items(walk, inner, std::slice::from_ref(item), Some("{}"));
        }
    }
    Data::unknown(cmd.stdin.taint)
}

/// Tests of find(1) that choose among files; `-type` and the depths alone do not.
const FIND_TESTS: [&str; 36] = [
    "-name",
    "-iname",
    "-path",
    "-ipath",
    "-wholename",
    "-iwholename",
    "-regex",
    "-iregex",
    "-lname",
    "-ilname",
    "-size",
    "-mtime",
    "-atime",
    "-ctime",
    "-mmin",
    "-amin",
    "-cmin",
    "-newer",
    "-anewer",
    "-cnewer",
    "-newermt",
    "-newerct",
    "-newerat",
    "-empty",
    "-perm",
    "-user",
    "-group",
    "-uid",
    "-gid",
    "-nouser",
    "-nogroup",
    "-inum",
    "-links",
    "-samefile",
    "-xtype",
    "-used",
];

fn find(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    let mut roots: Vec<&Field> = Vec::new();
    let mut at = 0;
    while let Some(field) = cmd.args.get(at) {
        let text = field.text.as_str();
        if matches!(text, "-H" | "-L" | "-P" | "-d" | "-E" | "-X" | "-x" | "-s") || text.starts_with("-O") {
            at += 1;
        } else if text == "-D" || text == "-f" {
            at += 2;
        } else if text.starts_with('-') || matches!(text, "(" | "!" | ")" | ",") {
            break;
        } else {
            roots.push(field);
            at += 1;
        }
    }
    let tests = cmd.args.get(at..).unwrap_or_default();
    let chosen = tests.iter().enumerate().any(|(index, field)| {
        FIND_TESTS.contains(&field.text.as_str())
            // a pattern that fits everything chooses nothing
            && !tests.get(index + 1).is_some_and(|value| matches!(value.text.as_str(), "*" | "*.*" | "./*" | ".*"))
    });
    let mark = if chosen { SOME } else { ALL };
    let listing: Vec<String> = if roots.is_empty() {
        vec![format!("./{mark}")]
    } else {
        roots
            .iter()
            .map(|root| format!("{}/{mark}", root.text.trim_end_matches('/')))
            .collect()
    };
    effect::find(walk, cmd, &listing);
    let mut data = Data::unknown(Taint::FILE);
    let mut index = 0;
    while let Some(field) = tests.get(index) {
        index += 1;
        let text = field.text.as_str();
        if FIND_TESTS.contains(&text) || matches!(text, "-type" | "-maxdepth" | "-mindepth" | "-printf" | "-fstype") {
            // its value is no action, whatever it says
            if !matches!(text, "-empty" | "-nouser" | "-nogroup") {
                index += 1;
            }
            continue;
        }
        if text == "-delete" {
            effect::delete(walk, &listing, true, true, field.span);
            continue;
        }
        if !matches!(text, "-exec" | "-execdir" | "-ok" | "-okdir") {
            continue;
        }
        let rest = tests.get(index..).unwrap_or_default();
        let end = rest
            .iter()
            .enumerate()
            .position(|(at, field)| {
                field.text == ";"
                    || (field.text == "+"
                        && at > 0
                        && rest.get(at - 1).is_some_and(|before| before.text.ends_with("{}")))
            })
            .unwrap_or(rest.len());
        let inner = rest.get(..end).unwrap_or_default();
        index += end;
        for path in listing.iter().take(8) {
            let item = Field::new(path.clone(), field.span);
            data = with_items(walk, inner, std::slice::from_ref(&item), Some("{}"));
        }
    }
    data.listing = listing;
    data.text = None;
    data.given = true;
    data
}

fn fd(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    let at = cmd
        .args
        .iter()
        .position(|field| matches!(field.text.as_str(), "-x" | "-X" | "--exec" | "--exec-batch"));
    let patterns = cmd.args.get(..at.unwrap_or(cmd.args.len())).unwrap_or_default();
    let chosen = patterns
        .iter()
        .any(|field| !field.text.starts_with('-') && !matches!(field.text.as_str(), "." | "*" | ""));
    let listing = vec![format!("./{}", if chosen { SOME } else { ALL })];
    if let Some(at) = at {
        let mut inner = cmd.args.get(at + 1..).unwrap_or_default().to_vec();
        if !inner.iter().any(|field| field.text.contains('{')) {
            inner.push(Field::new("{}", cmd.span));
        }
        let item = Field::new(listing.first().cloned().unwrap_or_default(), cmd.span);
        with_items(walk, &inner, std::slice::from_ref(&item), Some("{}"));
    }
    Data {
        listing,
        ..Data::unknown(Taint::FILE)
    }
}

fn remote(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> {
    for field in cmd.values('o', "") {
        // ssh_config(5): commands that run here
        let text = field.text.trim_start_matches("-o");
        if let Some((key, value)) = text.split_once(['=', ' '])
            && matches!(
                key.to_ascii_lowercase().as_str(),
                "proxycommand" | "localcommand" | "knownhostscommand"
            )
        {
            walk.report(&rule::SHELL_ESCAPE, cmd.span);
            walk.script(value, cmd.span, &Data::none());
        }
    }
    let operands = cmd.operands("BbcDEeFIiJLlmOopQRSWw", &[]);
    // the first operand is the host; from the second on, everything is the command
    let first = operands.get(1)?;
    let at = cmd.args.iter().position(|field| std::ptr::eq(field, *first))?;
    Some(run_joined(walk, cmd, at))
}

/// The words from a place on, as one script.
fn run_joined(walk: &mut Walk<'_>, cmd: &Cmd<'_>, at: usize) -> Data {
    let words: Vec<&str> = cmd.args.iter().skip(at).map(|field| field.text.as_str()).collect();
    let taint = cmd
        .args
        .iter()
        .skip(at)
        .fold(Taint::NONE, |all, field| all.and(field.taint));
    if words.is_empty() {
        return Data::unknown(Taint::SHELL);
    }
    walk.script(&words.join(" "), cmd.span, cmd.stdin).tainted(taint)
}

fn joined(walk: &mut Walk<'_>, cmd: &Cmd<'_>, short: &str, long: &[&str], skip: usize) -> Data {
    let mut at = 0;
    while let Some(field) = cmd.args.get(at) {
        if !field.text.starts_with('-') {
            break;
        }
        at += 1 + takes_value(&field.text, short, long);
    }
    run_joined(walk, cmd, at + skip)
}

/// The command behind options and some operands, run directly.
fn tail(walk: &mut Walk<'_>, cmd: &Cmd<'_>, short: &str, long: &[&str], skip: usize) -> Data {
    let mut at = 0;
    while let Some(field) = cmd.args.get(at) {
        if !field.text.starts_with('-') {
            break;
        }
        at += 1 + takes_value(&field.text, short, long);
    }
    let inner = cmd.args.get(at + skip..).unwrap_or_default();
    let by_other = std::mem::replace(&mut walk.by_other, true);
    let data = walk.invoke(inner, cmd.stdin);
    walk.by_other = by_other;
    data
}

fn by_option(walk: &mut Walk<'_>, cmd: &Cmd<'_>, letter: char, long: &str) -> Data {
    effect::judge(walk, cmd);
    let mut data = Data::unknown(Taint::SHELL);
    for field in cmd.values(letter, long) {
        let text = if let Some((option, text)) = field.text.split_once('=')
            && option.starts_with("--")
        {
            text
        } else {
            &field.text
        };
        data = walk.script(text, field.span, cmd.stdin);
    }
    if cmd.name == "sg" || cmd.name == "runuser" {
        let operands = cmd.operands("ucgGs", &["user", "group", "command", "shell"]);
        if let Some(first) = operands.get(usize::from(cmd.name == "sg"))
            && let Some(at) = cmd.args.iter().position(|field| std::ptr::eq(field, *first))
        {
            data = walk.invoke(cmd.args.get(at..).unwrap_or_default(), cmd.stdin);
        }
    }
    data
}

fn flock(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    if cmd.short('c') || cmd.long("command") {
        return by_option(walk, cmd, 'c', "command");
    }
    tail(walk, cmd, "wE", &["timeout", "wait", "conflict-exit-code"], 1)
}

/// A command in a container: behind the image or name for `run` and `exec`, behind `--` for Kubernetes.
fn container(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if let Some(at) = cmd.args.iter().position(|field| field.text == "--") {
        walk.invoke(cmd.args.get(at + 1..).unwrap_or_default(), cmd.stdin);
        return;
    }
    if cmd.name == "vagrant" {
        for field in cmd.values('c', "command") {
            walk.script(&field.text, field.span, &Data::none());
        }
    }
    let Some(verb) = cmd
        .args
        .iter()
        .position(|field| matches!(field.text.as_str(), "run" | "exec" | "ssh" | "shell"))
    else {
        return;
    };
    if let Some(field) = cmd.values('\u{0}', "entrypoint").first() {
        let name = field.text.rsplit('=').next().unwrap_or_default();
        walk.invoke(&[Field::new(name, field.span)], &Data::none());
    }
    let mut at = verb + 1;
    while let Some(field) = cmd.args.get(at) {
        if !field.text.starts_with('-') {
            break;
        }
        at += 1 + takes_value(
            &field.text,
            "eflmpuvwhac",
            &[
                "add-host",
                "annotation",
                "attach",
                "cap-add",
                "cap-drop",
                "cgroup-parent",
                "cidfile",
                "cpus",
                "cpu-shares",
                "device",
                "dns",
                "entrypoint",
                "env",
                "env-file",
                "expose",
                "gpus",
                "group-add",
                "hostname",
                "ip",
                "ipc",
                "label",
                "link",
                "log-driver",
                "memory",
                "mount",
                "name",
                "network",
                "net",
                "pid",
                "platform",
                "publish",
                "pull",
                "restart",
                "runtime",
                "security-opt",
                "shm-size",
                "stop-signal",
                "sysctl",
                "tmpfs",
                "ulimit",
                "user",
                "userns",
                "uts",
                "volume",
                "volumes-from",
                "workdir",
                "detach-keys",
                "image",
                "overrides",
                "namespace",
                "container",
                "index",
                "project-name",
                "file",
            ],
        );
    }
    // the image, container or service itself
    walk.invoke(cmd.args.get(at + 1..).unwrap_or_default(), cmd.stdin);
}

fn declare(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    for field in cmd.args {
        if let Some((name, value)) = field.text.split_once('=') {
            let value = Field {
                text: value.to_owned(),
                ..field.clone()
            };
            effect::environment(walk, name, &value);
            walk.set(name, &value.text, value.taint);
        }
    }
    effect::judge(walk, cmd);
}
