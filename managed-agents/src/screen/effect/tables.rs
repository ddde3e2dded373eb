//! Programs whose rules are rows: which table belongs to which program, and small tables of the system's own programs.

use super::cli::{self, Row};
use super::{buckets, cloud, found, grammar, packages};
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::rule;
use crate::screen::shell::data::Data;
use crate::screen::shell::walk::Walk;

const PASSWORDS: &[Row] = &[
    ("rm|delete -r|-rf|--recursive", &rule::DESTROY_DATA),
    ("export|dump", &rule::CREDENTIAL_PRINT),
    // the secret part of what they keep, asked for by name: op(1), bw, lpass(1)
    ("item|get|show|list ** --reveal|--password", &rule::CREDENTIAL_PRINT),
    ("get password|totp", &rule::CREDENTIAL_PRINT),
    (
        "item get --fields ** *password*|*credential*|*secret*|*token*",
        &rule::CREDENTIAL_PRINT,
    ),
    ("secrets download|get", &rule::CREDENTIAL_PRINT),
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
    ("system settings advanced set", &rule::WEAKEN),
    ("system syslog config set", &rule::WEAKEN_LOG),
    ("system shutdown poweroff|reboot", &rule::SYSTEM_STOP),
];

const WAREHOUSE: &[Row] = &[("rm -r -f", &rule::DATABASE_DESTROY)];

const BACKUPS: &[Row] = &[
    ("backup|backups|schedule|restore delete", &rule::DESTROY_DATA),
    ("--delete|--delete-all", &rule::DESTROY_DATA),
    // duplicity(1): without `--force` it only lists them
    (
        "remove-older-than|remove-all-but-n-full|remove-all-inc-of-but-n-full --force",
        &rule::DESTROY_DATA,
    ),
    ("forget --prune", &rule::DESTROY_DATA),
    ("forget|delete|purge|wipe", &rule::DESTROY_DATA),
    ("repository delete", &rule::DESTROY_DATA),
    ("snapshot delete", &rule::DESTROY_DATA),
    ("repo delete", &rule::DESTROY_DATA),
];

/// s3cmd(1), mc, azcopy: whole buckets, and what everybody may read.
const STORES: &[Row] = &[
    ("del|rm|rb|remove -r|--recursive|-f|--force", &rule::INFRA_DELETE),
    ("setacl --acl-public", &rule::WEAKEN),
    ("anonymous|policy set|set-json", &rule::WEAKEN),
];

/// openstack(1), ibmcloud: the verb stands last, alone or behind a dash.
const NOUNS: &[Row] = &[
    ("** delete|*-delete|purge !--help", &rule::INFRA_DELETE),
    // an image that others may use (openstack image set)
    ("image set --public|--shared|--community", &rule::COLLECT),
    ("image add project", &rule::COLLECT),
];

const BUSES: &[Row] = &[
    ("--delete", &rule::DESTROY_DATA),
    // where Kubernetes keeps its secrets (etcdctl get)
    ("get /registry/secrets*|/registry", &rule::CREDENTIAL_PRINT),
    ("get / --prefix", &rule::CREDENTIAL_PRINT),
    ("snapshot save /tmp/*|/var/tmp/*|/dev/shm/*", &rule::COLLECT),
    // who may do everything (rabbitmqctl(8))
    ("set_user_tags ** administrator", &rule::PERSIST_KEY),
    (
        "delete|delete_queue|delete_vhost|delete_user|purge_queue|reset|force_reset|stop_app|del",
        &rule::INFRA_DELETE,
    ),
];

/// Systems that keep others' data: what leaves a cluster, or empties it.
const DATA: &[Row] = &[
    ("decommission|removenode|assassinate", &rule::INFRA_DELETE),
    ("clearsnapshot", &rule::DESTROY_VOLUME),
    ("db reset|clean", &rule::DATABASE_DESTROY),
    ("connections|variables export|get", &rule::CREDENTIAL_PRINT),
    ("secrets get-secret", &rule::CREDENTIAL_PRINT),
    ("fs rm -r|--recursive", &rule::INFRA_DELETE),
    ("workspace delete --recursive", &rule::INFRA_DELETE),
    (
        "catalogs|schemas|tables|volumes|clusters|jobs|warehouses|pipelines delete|permanent-delete",
        &rule::INFRA_DELETE,
    ),
    ("bucket-delete|bucket-flush|failover|server-remove", &rule::INFRA_DELETE),
    ("cluster leave|force-remove", &rule::INFRA_DELETE),
    (
        "tenants|namespaces|topics|clusters delete|delete-partitioned-topic|clear-backlog",
        &rule::INFRA_DELETE,
    ),
    ("stream|consumer|kv|object rm|purge|del", &rule::INFRA_DELETE),
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
        "crictl" | "ctr" => (cloud::RUNTIME, &["-r", "--runtime-endpoint", "-c", "--config", "-n", "--namespace"]),
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
        "s3cmd" | "mc" | "mcli" | "azcopy" => (STORES, &["-c", "--config"]),
        "openstack" | "nova" | "cinder" => (NOUNS, &["--os-cloud", "-f", "-c"]),
        "argocd" | "flux" | "istioctl" | "linkerd" | "cilium" => (cloud::CLUSTER, &["-n", "--namespace", "--context"]),
        "bq" => (WAREHOUSE, &[]),
        "vault" | "bao" => (cloud::VAULT, &["-namespace", "-address"]),
        "apt" | "apt-get" | "dnf" | "yum" | "pacman" | "apk" | "zypper" | "dpkg" | "rpm" | "brew" | "snap"
        | "flatpak" | "nix-env" | "emerge" | "pkg" | "aptitude" => (packages::PACKAGES, &["-o", "-c"]),
        "npm" | "pnpm" | "yarn" | "bun" => (packages::NPM, &["--registry", "-C", "--dir", "--cwd"]),
        "cargo" | "gem" | "nuget" | "opkg" | "easy_install" => (packages::CARGO, &[]),
        "pip" | "pip3" | "pipx" => (packages::PIP, &[]),
        "pass" | "gopass" | "bw" | "op" | "keepassxc-cli" | "lpass" | "rbw" | "doppler" | "chamber" | "infisical" => {
            (PASSWORDS, &[])
        },
        "virsh" | "vboxmanage" | "vagrant" | "lxc" | "incus" | "qm" | "pct" | "multipass" | "limactl" => {
            (VIRTUAL, &["-c", "--connect"])
        },
        "esxcli" | "vim-cmd" => (HYPERVISOR, &[]),
        "restic" | "borg" | "duplicity" | "kopia" | "rustic" | "velero" | "snapper" | "timeshift" => (BACKUPS, &["-r", "--repo", "-p", "-c", "--config"]),
        "kafka-topics" | "kafka-topics.sh" | "rabbitmqctl" | "rabbitmqadmin" | "etcdctl" | "zkcli" | "zkCli.sh" => {
            (BUSES, &["--bootstrap-server", "--endpoints"])
        },
        // Cassandra's, Airflow's, Databricks', Couchbase's, Riak's, Pulsar's and NATS' own command lines
        "nodetool" | "airflow" | "databricks" | "couchbase-cli" | "riak-admin" | "pulsar-admin" | "nats" => {
            (DATA, &["-h", "--host", "-p", "--port", "--profile", "-s", "--server", "-c", "--cluster"])
        },
        "hdfs" | "hadoop" | "hbase" => (&[], &[]),
        "ansible" | "salt" | "knife" | "ansible-pull" | "ansible-playbook" | "puppet" | "salt-call" | "chef-client" | "chef-solo" => (&[], &[]),
    } else { (&[], &[]) }
}

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if cmd.name == "ansible" {
        ansible(walk, cmd);
        return;
    }
    match cmd.name {
        "hdfs" | "hadoop" => return hadoop(walk, cmd),
        "hbase" => return hbase(walk, cmd),
        _ => {}
    }
    // salt(1): a command on every machine that a pattern names
    if cmd.name == "salt"
        && cmd
            .args
            .iter()
            .any(|field| matches!(field.text.as_str(), "cmd.run" | "cmd.shell" | "cmd.script"))
    {
        if let Some(field) = cmd.args.last() {
            walk.script(&field.text, field.span, &Data::none());
        }
        return;
    }
    // knife(1): a query for machines, and a command for each of them
    if cmd.name == "knife" {
        if let Some(field) = cmd.args.last().filter(|_| cmd.arg(0) == "ssh" && cmd.args.len() > 2) {
            walk.script(&field.text, field.span, &Data::none());
        }
        return;
    }
    // ansible-pull(1), terraform-init: what is done, from where anybody may have changed it on its way
    if matches!(cmd.name, "ansible-pull" | "terraform" | "tofu")
        && cmd
            .args
            .iter()
            .any(|field| field.text.starts_with("http://") || field.text.starts_with("-from-module=http://"))
    {
        found(walk, cmd, &rule::REMOTE_CODE);
    }
    // what such a file says is done on every machine
    if matches!(
        cmd.name,
        "ansible-playbook" | "puppet" | "salt-call" | "chef-client" | "chef-solo"
    ) && cmd
        .args
        .iter()
        .any(|field| field.text.starts_with('/') && walk.places.place(&field.text, &walk.cwd) == Place::Scratch)
    {
        found(walk, cmd, &rule::SCRATCH_CODE);
    }
    if cmd.has("--help") || cmd.arg(0) == "help" {
        return;
    }
    packages::judge(walk, cmd);
    if matches!(cmd.name, "aws" | "awslocal" | "gsutil" | "gcloud" | "az" | "azcopy") {
        buckets::uploads(walk, cmd);
    }
    if matches!(cmd.name, "gh" | "glab") && cmd.arg(0) == "api" && steers(cmd) {
        found(walk, cmd, &rule::WEAKEN);
    }
    let (rows, values) = rows(cmd.name);
    if let Some(rule) = cli::matching(cmd, rows, values) {
        found(walk, cmd, rule);
    } else if is_cloud(cmd.name) {
        grammar::cloud(walk, cmd);
    } else if has_verbs(cmd.name) {
        grammar::unknown(walk, cmd);
    }
}

/// Other command lines of nouns and verbs, whose rows are few: what those do not hold is read as of a program that nobody knows.
fn has_verbs(name: &str) -> bool {
    matches!(
        name,
        "cf" | "railway"
            | "render"
            | "firebase"
            | "eb"
            | "amplify"
            | "amplify-cli"
            | "kops"
            | "turso"
            | "neonctl"
            | "pscale"
            | "planetscale"
            | "dokku"
            | "s3cmd"
            | "mc"
            | "mcli"
            | "nova"
            | "cinder"
            | "flux"
            | "istioctl"
            | "bq"
            | "lxc"
            | "incus"
            | "multipass"
            | "kopia"
            | "velero"
            | "rabbitmqadmin"
            | "knife"
            | "copilot"
            | "serverless"
            | "pulsar-admin"
            | "nats"
            | "databricks"
            | "airflow"
            | "couchbase-cli"
            | "riak-admin"
            | "nodetool"
    )
}

/// hdfs(1), hadoop(1): directories, or files past the trash.
fn hadoop(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let deletes = matches!(cmd.arg(0), "dfs" | "fs")
        && (cmd.has("-rmr") || cmd.has("-rm") && cmd.has_any(&["-r", "-R", "-skipTrash"]));
    if deletes || cmd.arg(0) == "namenode" && cmd.has("-format") {
        found(walk, cmd, &rule::INFRA_DELETE);
    }
}

/// The shell of HBase, given its commands: tables, one or many.
fn hbase(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let drops = |line: &str| {
        let first = line.split_whitespace().next().unwrap_or_default();
        matches!(first, "drop" | "drop_all" | "truncate" | "deleteall" | "drop_namespace")
    };
    let text = cmd.stdin.full_text().unwrap_or_default();
    if cmd.arg(0) == "shell" && text.split(['\n', ';']).any(drops) {
        found(walk, cmd, &rule::DATABASE_DESTROY);
    }
}

/// Command lines of nouns and verbs, of clouds and platforms.
fn is_cloud(name: &str) -> bool {
    matches!(
        name,
        "aws"
            | "awslocal"
            | "az"
            | "gcloud"
            | "gsutil"
            | "doctl"
            | "linode-cli"
            | "hcloud"
            | "scw"
            | "ibmcloud"
            | "oci"
            | "exo"
            | "upctl"
            | "vultr-cli"
            | "civo"
            | "aliyun"
            | "openstack"
            | "heroku"
            | "gh"
            | "glab"
            | "fly"
            | "flyctl"
            | "vercel"
            | "netlify"
            | "wrangler"
            | "supabase"
            | "eksctl"
            | "consul"
            | "nomad"
            | "argocd"
    )
}

/// GitHub's and GitLab's REST interfaces: a change to who may push, what is protected, and whom events are told.
fn steers(cmd: &Cmd<'_>) -> bool {
    let changes = [
        "PUT", "POST", "PATCH", "DELETE", "-XPUT", "-XPOST", "-XPATCH", "-XDELETE",
    ];
    cmd.has_any(&changes)
        && cmd.args.iter().any(|field| {
            let mut parts = field.text.split(['/', '?']);
            field.text.contains('/')
                && parts.any(|part| {
                    matches!(
                        part,
                        "collaborators"
                            | "access_tokens"
                            | "personal_access_tokens"
                            | "impersonation_tokens"
                            | "runners"
                            | "protection"
                            | "protected_branches"
                            | "rulesets"
                            | "hooks"
                            | "keys"
                            | "memberships"
                            | "deploy_keys"
                            | "members"
                            | "invitations"
                            | "secrets"
                            | "automated-security-fixes"
                            | "vulnerability-alerts"
                    )
                })
        })
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
                walk.script(&field.text, field.span, &Data::none());
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
