//! Many machines and containers: ansible-playbook(1), puppet-apply, salt-call(1), helm(1), kustomize, terraform, juju, consul-exec,
//! qm(1), vmrun, virt-customize(1), buildah(1), runc(8), and clouds' ways to run something elsewhere.

use super::Abilities;
use super::Can::{Code, Console, Fetches, Is, Loads, Rest, Runs, Within};
use crate::screen::rule;

by_name! {
    NAMES: pub(super) fn of(name: &str) -> Abilities where name is {
        "ansible-playbook" => (&[(".", Loads), ("-i|--inventory|-M|--module-path|--vault-password-file|-e", Loads)], &[]),
        "ansible-inventory" | "ansible" | "ansible-console" => (&[("-i|--inventory|-M|--module-path|--vault-password-file", Loads)], &[]),
        "puppet" | "chef-apply" | "chef-shell" | "knife" => (&[("-e|-E|--execute", Code)], &[]),
        "salt-call" | "salt-run" | "salt" => (&[("cmd.run|cmd.shell|cmd.run_all|cmd.exec_code|cmd.script", Runs)], &[]),
        "salt-ssh" => (&[("-r|--raw|--raw-shell", Rest(0))], &[]),
        "bolt" | "mco" | "rd" => (&[("run", Runs), ("--", Rest(1))], &[]),
        "fab" | "pyinfra" | "cap" => (&[("--", Rest(1)), ("exec", Rest(0)), ("-f|--fabfile", Loads)], &[]),
        "juju" | "bosh" | "cf" | "tsh" | "boundary" => (&[("-c|--command|-exec", Runs), ("--", Rest(1)), ("exec", Rest(0))], &[]),
        "consul" | "envconsul" | "consul-template" | "nomad" | "etcdctl" | "serf" => (&[("--", Rest(1)), ("-exec|-event-handler|-handler", Runs), ("lock", Rest(1)), ("exec", Rest(0)), ("*", Fetches)], &[]),
        "helm" => const { (&[("--post-renderer", Runs)], &[("plugin install ** http://*", &rule::REMOTE_CODE)]) },
        "kustomize" => const { (&[("--enable-exec|--enable-alpha-plugins", Is(&rule::SHELL_ESCAPE))], &[]) },
        "terraform" | "tofu" => (&[("<", Code)], &[]),
        "pulumi" => const { (&[("--show-secrets", Is(&rule::CREDENTIAL_PRINT))], &[]) },
        "jenkins-cli" => (&[("<", Code)], &[]),
        "qm" | "pct" | "prlctl" => (&[("exec", Rest(1))], &[]),
        "vmrun" | "vboxmanage" => (&[("runPrograminGuest|runProgramInGuest", Rest(1)), ("--exe", Runs)], &[]),
        "virt-customize" | "virt-sysprep" | "virt-builder" => (&[("--run-command|--firstboot-command|--run|--firstboot", Runs)], &[]),
        "runc" | "crun" | "youki" => (&[("-b|--bundle", Loads), ("exec", Rest(2))], &[]),
        "buildah" | "podman" => (&[("unshare", Rest(0))], &[]),
        "vagrant" => (&[("-c|--command", Runs)], &[]),
        "gcloud" => (&[("--metadata", Within(&["startup-script="])), ("--metadata-from-file", Loads)], &[]),
        "aws" | "awslocal" => (&[("--command|--commands", Runs)], &[]),
        "az" => (&[("--scripts", Runs)], &[]),
        "spark-submit" | "spark-shell" | "pyspark" | "flink" | "storm" => (&[("--py-files|--jars|--files|-i", Loads), ("<", Code)], &[]),
        "pig" => (&[("-e|-x", Console), ("<", Console)], &[]),
        "certbot" | "acme.sh" | "lego" | "dehydrated" => (&[("--reloadcmd|--reload-cmd|--renew-hook|--run-hook|--pre-hook|--post-hook|-k|--hook", Runs)], &[]),
    } else { (&[], &[]) }
}
