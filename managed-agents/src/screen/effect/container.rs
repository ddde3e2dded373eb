//! What gives a container its host: docker-run(1), podman-run(1), nsenter(1), lxc(1).

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::data::Taint;
use crate::screen::shell::walk::Walk;

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if let Some(rule) = verdict(walk, cmd) {
        found(walk, cmd, rule);
    }
}

by_name! {
    NAMES: fn verdict(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<&'static Rule> where cmd.name is {
        // docker-cp(1): credentials, into a container or out of one
        "docker" | "podman" | "nerdctl" | "kubectl" | "oc" if cmd.arg(0) == "cp" && cmd.args.iter().any(|field| {
            let path = field.text.split_once(':').map_or(field.text.as_str(), |(_, path)| path);
            super::taint_of(walk, path).has(Taint::SECRET) || path.contains("/run/secrets")
        }) => Some(&rule::CREDENTIAL_READ),
        "kubectl" | "oc" if matches!(cmd.arg(0), "patch" | "run" | "set") && cmd.args.iter().any(|field| close_takes_node(&field.text)) => {
            Some(&rule::CONTAINER_ESCAPE)
        },
        // an image that somebody else names when it runs
        "docker" | "podman" | "nerdctl"
            if matches!(cmd.arg(0), "run" | "pull" | "create") && cmd.args.iter().any(|field| field.taint.has(Taint::NET)) =>
        {
            Some(&rule::REMOTE_CODE)
        },
        // docker-inspect(1), `--format`: the variables that a container was given, passwords among them
        "docker" | "podman" | "nerdctl" if cmd.has("inspect") && cmd.args.iter().any(|field| field.text.contains(".Env")) => {
            Some(&rule::CREDENTIAL_PRINT)
        },
        "docker" | "podman" | "nerdctl" => container(walk, cmd),
        "lxc" | "incus" => (cmd.has("device") && cmd.has("add") && cmd.has("disk") && cmd.has("source=/")
            || cmd.args.iter().any(|field| field.text == "security.privileged=true"))
        .then_some(&rule::CONTAINER_ESCAPE),
        // what every name of a cluster stands for
        "kubectl" | "oc" if cmd.has_any(&["edit", "patch"]) && cmd.has_any(&["coredns", "cm/coredns", "configmap/coredns", "kube-dns", "cm/kube-dns"]) => {
            Some(&rule::INTERCEPT)
        },
        "kubectl" | "oc" | "k" | "k3s" | "microk8s" | "kubecolor" => cmd
            .stdin
            .text
            .as_deref()
            .into_iter()
            .chain(cmd.args.iter().filter_map(|field| walk.written(&field.text)?.text.as_deref()))
            .any(|text| cmd.has_any(&["apply", "create", "replace"]) && (takes_node(text) || close_takes_node(text)))
            .then_some(&rule::CONTAINER_ESCAPE),
        "ctr" | "crictl" => cmd
            .has("--privileged")
            .then_some(&rule::CONTAINER_ESCAPE)
            .or_else(|| container(walk, cmd)),
    } else { None }
}

/// A manifest that gives its containers the machine below them.
fn takes_node(manifest: &str) -> bool {
    manifest.lines().any(|line| {
        let line = line.trim().trim_start_matches("- ");
        ["privileged:", "hostPID:", "hostIPC:", "hostNetwork:"]
            .iter()
            .any(|key| line.strip_prefix(key).is_some_and(|value| value.trim() == "true"))
            || line == "hostPath:"
    })
}

/// The same, written in JSON.
fn close_takes_node(manifest: &str) -> bool {
    if !manifest.contains('{') {
        return false;
    }
    let close: String = manifest.chars().filter(|letter| !letter.is_whitespace()).collect();
    [
        "\"privileged\":true",
        "\"hostPID\":true",
        "\"hostPath\":",
        "\"hostIPC\":true",
        "\"hostNetwork\":true",
    ]
    .iter()
    .any(|own| close.contains(own))
}

fn container(walk: &Walk<'_>, cmd: &Cmd<'_>) -> Option<&'static Rule> {
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
                source == "/root"
                    || source.contains("docker.sock")
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
