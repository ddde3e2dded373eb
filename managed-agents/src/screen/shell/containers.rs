//! Commands elsewhere: ssh(1), ssh_config(5), docker-run(1), kubectl exec.

use super::data::{Data, Field, Taint};
use super::walk::Walk;
use crate::screen::cmd::{Cmd, takes_value};
use crate::screen::rule;

pub(super) fn remote(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> {
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
pub(super) fn run_joined(walk: &mut Walk<'_>, cmd: &Cmd<'_>, at: usize) -> Data {
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

/// A command in a container: behind the image or name for `run` and `exec`, behind `--` for Kubernetes.
pub(super) fn container(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
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
