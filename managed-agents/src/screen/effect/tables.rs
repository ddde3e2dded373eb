//! Programs whose rules are rows: which table belongs to which program, and small tables of the system's own programs.

use super::cli::{self, Row};
use super::{cloud, found, services};
use crate::screen::cmd::Cmd;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::data::{Field, Taint};
use crate::screen::shell::walk::Walk;

const PACKAGES: &[Row] = &[
    // what nobody signed, or what anybody may have changed on its way
    (
        "install|localinstall|add|dist-upgrade|upgrade --allow-unauthenticated|--force-yes|--nogpgcheck|--allow-untrusted|--no-gpg-checks",
        &rule::REMOTE_CODE,
    ),
    ("** http://*", &rule::REMOTE_CODE),
    ("purge|autopurge|--purge -y|--yes|--assume-yes", &rule::PACKAGE_REMOVE),
    (
        "remove|purge|erase ** sudo|systemd|libc6|glibc|coreutils|bash|openssh-server|linux-image*|kernel*|python3|init|apt|dpkg|rpm|grub*",
        &rule::DESTROY_SYSTEM,
    ),
    (
        "** --force-remove-essential|--allow-remove-essential|--nodeps",
        &rule::PACKAGE_REMOVE,
    ),
];

const NPM: &[Row] = &[
    ("install|i|add|exec|dlx|x ** http://*|git+http://*", &rule::REMOTE_CODE),
    ("unpublish", &rule::PACKAGE_REMOVE),
    ("config|set ** http://*", &rule::WEAKEN),
    (
        "config|set set|* //*|ignore-scripts|strict-ssl|script-shell",
        &rule::WEAKEN,
    ),
];

const CARGO: &[Row] = &[
    ("install ** http://*", &rule::REMOTE_CODE),
    ("delete", &rule::PACKAGE_REMOVE),
];

const PIP: &[Row] = &[
    // what comes over plain HTTP, or from an index whose certificate is not checked, may come from anybody
    ("install|download|wheel ** http://*|git+http://*", &rule::REMOTE_CODE),
    ("install|download|wheel --trusted-host", &rule::REMOTE_CODE),
    ("uninstall -y|--yes -r", &rule::PACKAGE_REMOVE),
];

const PASSWORDS: &[Row] = &[
    ("rm|delete -r|-rf|--recursive", &rule::DESTROY_DATA),
    ("export|dump", &rule::CREDENTIAL_PRINT),
];

const VIRTUAL: &[Row] = &[(
    "destroy|undefine|vol-delete|pool-delete|snapshot-delete|net-destroy|vol-wipe|delete|unregistervm|destroyvm !--help",
    &rule::INFRA_DELETE,
)];

/// esxcli and vim-cmd of ESXi.
const HYPERVISOR: &[Row] = &[
    ("vm process kill", &rule::PROCESS_KILL),
    (
        "vmsvc/power.off|vmsvc/power.shutdown|vmsvc/destroy|vmsvc/unregister|vmsvc/snapshot.removeall",
        &rule::INFRA_DELETE,
    ),
    (
        "hostsvc/enable_ssh|hostsvc/start_ssh|hostsvc/enable_esx_shell",
        &rule::TUNNEL,
    ),
    ("system syslog config set", &rule::WEAKEN_LOG),
    ("system shutdown poweroff|reboot", &rule::SYSTEM_STOP),
];

const WAREHOUSE: &[Row] = &[("rm -r -f", &rule::DATABASE_DESTROY)];

const BACKUPS: &[Row] = &[
    ("backup|backups|schedule|restore delete", &rule::DESTROY_DATA),
    ("--delete|--delete-all", &rule::DESTROY_DATA),
    ("forget --prune", &rule::DESTROY_DATA),
    ("forget|delete|purge|wipe", &rule::DESTROY_DATA),
    ("repository delete", &rule::DESTROY_DATA),
    ("snapshot delete", &rule::DESTROY_DATA),
    ("repo delete", &rule::DESTROY_DATA),
];

const BUSES: &[Row] = &[
    ("--delete", &rule::DESTROY_DATA),
    (
        "delete|delete_queue|delete_vhost|delete_user|purge_queue|reset|force_reset|stop_app|del",
        &rule::INFRA_DELETE,
    ),
];

by_name! {
    /// A program's rows, and its options that take a value.
    NAMES: fn rows(name: &str) -> (&'static [Row], &'static [&'static str]) where name is {
        "aws" | "awslocal" => (
            cloud::AWS,
            &[
                "--profile",
                "--region",
                "--output",
                "--endpoint-url",
                "--query",
                "--ca-bundle",
                "--color",
                "--cli-read-timeout",
            ],
        ),
        "az" => (
            cloud::AZ,
            &[
                "--subscription",
                "-o",
                "--output",
                "-g",
                "--resource-group",
                "-n",
                "--name",
                "--query",
            ],
        ),
        "gcloud" => (
            cloud::GCLOUD,
            &[
                "--project",
                "--account",
                "--configuration",
                "--format",
                "--zone",
                "--region",
                "--impersonate-service-account",
                "--verbosity",
            ],
        ),
        "gsutil" => (cloud::GSUTIL, &["-u", "-o", "-h"]),
        "kubectl" | "oc" | "k3s" | "microk8s" | "kubecolor" | "minikube" | "k" => (
            cloud::KUBECTL,
            &[
                "-n",
                "--namespace",
                "--context",
                "--cluster",
                "--kubeconfig",
                "--user",
                "-s",
                "--server",
                "--as",
                "--token",
            ],
        ),
        "helm" | "helmfile" => (cloud::HELM, &["-n", "--namespace", "--kube-context", "--kubeconfig"]),
        "terraform" | "tofu" | "terragrunt" | "opentofu" => (cloud::TERRAFORM, &[]),
        "pulumi" | "cdk" | "cdktf" | "sls" | "serverless" | "copilot" | "sst" => {
            (cloud::PULUMI, &["-C", "--cwd", "-s", "--stack"])
        },
        "docker" | "podman" | "nerdctl" | "docker-compose" | "podman-compose" => (
            cloud::DOCKER,
            &[
                "-H",
                "--host",
                "-c",
                "--context",
                "--config",
                "-f",
                "--file",
                "-p",
                "--project-name",
                "--log-level",
            ],
        ),
        "heroku" => (cloud::HEROKU, &["-a", "--app"]),
        "gh" | "glab" | "hub" | "tea" => (cloud::GH, &["-R", "--repo"]),
        "fly" | "flyctl" | "vercel" | "now" | "netlify" | "ntl" | "wrangler" | "railway" | "firebase" | "render"
        | "cf"
        | "eb" | "amplify" | "amplify-cli" | "eksctl" | "kops" | "supabase" | "turso" | "neonctl" | "planetscale"
        | "pscale" | "cloudflare" | "nomad" | "consul" | "deployctl" | "surge" | "dokku" | "k3d" | "kind" => (
            cloud::PLATFORM,
            &[
                "-a",
                "--app",
                "-t",
                "--token",
                "--cwd",
                "-c",
                "--config",
                "-p",
                "--project",
            ],
        ),
        "doctl" | "linode-cli" | "hcloud" | "scw" | "ibmcloud" | "oci" | "exo" | "upctl" | "vultr-cli" | "civo" | "aliyun" => {
            (cloud::CLOUDS, &["--context", "--profile", "--config", "-c", "-o", "--output", "--region"])
        },
        "argocd" | "flux" | "istioctl" | "linkerd" | "cilium" => (cloud::CLUSTER, &["-n", "--namespace", "--context"]),
        "bq" => (WAREHOUSE, &[]),
        "vault" | "bao" => (cloud::VAULT, &["-namespace", "-address"]),
        "apt" | "apt-get" | "dnf" | "yum" | "pacman" | "apk" | "zypper" | "dpkg" | "rpm" | "brew" | "snap"
        | "flatpak" | "nix-env" | "emerge" | "pkg" | "aptitude" => (PACKAGES, &["-o", "-c"]),
        "npm" | "pnpm" | "yarn" | "bun" => (NPM, &["--registry", "-C", "--dir", "--cwd"]),
        "cargo" | "gem" | "nuget" => (CARGO, &[]),
        "pip" | "pip3" | "pipx" => (PIP, &[]),
        "pass" | "gopass" | "bw" | "op" | "keepassxc-cli" | "lpass" | "rbw" | "doppler" | "chamber" | "infisical" => {
            (PASSWORDS, &[])
        },
        "virsh" | "vboxmanage" | "vagrant" | "lxc" | "incus" | "qm" | "pct" | "multipass" | "limactl" => {
            (VIRTUAL, &["-c", "--connect"])
        },
        "esxcli" | "vim-cmd" => (HYPERVISOR, &[]),
        "restic" | "borg" | "duplicity" | "kopia" | "rustic" | "velero" | "snapper" | "timeshift" => (BACKUPS, &["-r", "--repo", "-p"]),
        "kafka-topics" | "kafka-topics.sh" | "rabbitmqctl" | "rabbitmqadmin" | "etcdctl" | "zkcli" | "zkCli.sh" => {
            (BUSES, &["--bootstrap-server", "--endpoints"])
        },
        "ansible" => (&[], &[]),
    } else { (&[], &[]) }
}

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if cmd.name == "ansible" {
        ansible(walk, cmd);
        return;
    }
    if cmd.has("--help") || cmd.arg(0) == "help" {
        return;
    }
    let net = |field: &Field| {
        field.taint.has(Taint::NET) || walk.written(&field.text).is_some_and(|data| data.taint.has(Taint::NET))
    };
    if matches!(
        cmd.name,
        "dpkg" | "rpm" | "apt" | "apt-get" | "dnf" | "yum" | "pip" | "pip3" | "gem" | "npm" | "apk"
    ) && cmd.args.iter().any(net)
    {
        found(walk, cmd, &rule::REMOTE_CODE);
    }
    if let Some(rule) = removes_guard(cmd) {
        found(walk, cmd, rule);
    }
    let (rows, values) = rows(cmd.name);
    if let Some(rule) = cli::matching(cmd, rows, values) {
        found(walk, cmd, rule);
    }
}

/// Removing the package of a program that defends or records.
fn removes_guard(cmd: &Cmd<'_>) -> Option<&'static Rule> {
    let removes = match cmd.name {
        "apt" | "apt-get" | "aptitude" | "dnf" | "yum" | "zypper" | "snap" | "flatpak" | "brew" | "pkg" => {
            cmd.has_any(&["remove", "purge", "autoremove", "erase", "uninstall", "delete", "rm"])
        }
        "dpkg" => cmd.short('r') || cmd.short('P') || cmd.long("remove") || cmd.long("purge"),
        "rpm" => cmd.short('e') || cmd.long("erase"),
        "pacman" => cmd.options().any(|option| option.starts_with("-R")),
        "apk" => cmd.has("del"),
        "emerge" => cmd.short('C') || cmd.long("unmerge"),
        _ => false,
    };
    cmd.args
        .iter()
        .filter(|_| removes)
        .find_map(|field| services::guards(&field.text))
}

/// ansible(1): one module on many machines.
fn ansible(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let module = cmd
        .values('m', "module-name")
        .first()
        .map_or("command", |field| field.text.as_str());
    for field in cmd.values('a', "args") {
        match module.rsplit('.').next().unwrap_or(module) {
            "command" | "shell" | "raw" | "script" => {
                walk.script(&field.text, field.span, &crate::screen::shell::data::Data::none());
            }
            "file" | "user" | "service" | "systemd" | "mount" | "lvol"
                if field.text.contains("state=absent") || field.text.contains("state=stopped") =>
            {
                found(walk, cmd, &rule::DESTROY_OUTSIDE);
            }
            "copy" | "template" | "authorized_key" | "cron" | "user" => found(walk, cmd, &rule::LATERAL),
            _ => {}
        }
    }
}
