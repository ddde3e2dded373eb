//! Programs that run commands given in their arguments in ways of their own: find(1), xargs(1), ssh(1), docker(1), …

use super::breakouts::{awk, breakout, editor, git_settings, helper_programs, make, pager, sed, terminal};
use super::containers::{container, remote, run_joined};
use super::data::{Data, Field, Taint, UNKNOWN};
use super::runners;
use super::searches::{fd, find, parallel, xargs};
use super::walk::Walk;
use crate::screen::cmd::{Cmd, takes_value};
use crate::screen::place::Place;
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
            // without a text it asks a person for one
            if !asks && (cmd.stdin.given || cmd.short('f')) {
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
                    let program = text.split_whitespace().next().unwrap_or_default();
                    let scratch = program.starts_with('/') && walk.places.place(program, &walk.cwd) == Place::Scratch;
                    let own = program.rsplit('/').next() == Some(name) && !scratch;
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
            // bash(1), read: what is typed is not shown, and is asked for in the name of another program
            let asks = |field: &Field<'_>| {
                let text = field.text.to_ascii_lowercase();
                text.contains("[sudo]")
                    || cmd.short('s')
                        && text.contains("password")
                        && ["sudo", "root", "administrator", "keychain", "login", "system"].iter().any(|own| text.contains(own))
            };
            if cmd.has_options() && cmd.args.iter().any(asks) {
                walk.report(&rule::SPOOF, cmd.span);
            }
            for field in cmd.operands("dinNptu", &[]) {
                walk.set(&field.text, &first, cmd.stdin.taint);
            }
            Some(Data::known(""))
        },
        "export" | "declare" | "typeset" | "local" | "readonly" | "set" | "setenv" => {
            declare(walk, cmd);
            // bash(1): all variables, and what they are
            Some(if cmd.args.is_empty() || cmd.args.len() == 1 && matches!(cmd.arg(0), "-p" | "-x" | "-px" | "-xp") {
                Data::unknown(Taint::FILE.and(Taint::ENV))
            } else {
                Data::known("")
            })
        },
        "cd" | "pushd" | "chdir" => {
            let to = cmd.operands("", &[]).first().map_or("~", |field| field.text.as_str());
            walk.cwd = if to == "-" {
                UNKNOWN.to_string()
            } else {
                walk.places.normal(to, &walk.cwd).into_owned()
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
        | "sort" | "split" | "tcpdump" => {
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
    let by_other = walk.by_other;
    walk.by_other |= matches!(cmd.name, "script" | "faketty");
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
    walk.by_other = by_other;
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

fn declare(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    for field in cmd.args {
        if matches!(cmd.name, "local" | "declare" | "typeset") {
            walk.local(field.text.split('=').next().unwrap_or_default());
        }
        if let Some((name, value)) = field.text.split_once('=') {
            let value = Field {
                text: value.into(),
                ..field.clone()
            };
            effect::environment(walk, name, &value);
            walk.set(name, &value.text, value.taint);
        }
    }
    effect::judge(walk, cmd);
}
