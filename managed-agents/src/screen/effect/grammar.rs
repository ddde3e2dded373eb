//! What the command lines of clouds, platforms and services have in common, whichever they are: nouns, then a verb, or a verb and
//! its noun in one word, behind `-`, `:` or a capital letter (the reference pages of aws, az, gcloud, oci, ibmcloud, aliyun, scw,
//! doctl and linode-cli; "Command Line Interface Guidelines", clig.dev, subcommands and confirmation).
//!
//! A program that no rule knows is read in the same way, and more is asked of it.

use super::found;
use super::verbs::{Says, says, word};
use crate::screen::cmd::Cmd;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::walk::Walk;

/// The command line of a cloud or platform whose own rows say nothing of a command.
pub(super) fn cloud(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if quiet(cmd) {
        return;
    }
    let says = says(cmd);
    let shares = says.both(Says::SHARE, Says::IMAGE) || says.has(Says::IMAGE) && cmd.has("grant-access");
    let rule = if cmd.has_options()
        && let Some(rule) = switches(cmd, says)
    {
        Some(rule)
    } else if says.has(Says::DELETE)
        && (matches!(cmd.name, "aliyun" | "ibmcloud" | "oci")
            || !matches!(cmd.name, "gh" | "glab")
                && (says.has(Says::HOLDS) || cmd.has_options() && cmd.options().any(asks_nobody)))
    {
        Some(&rule::INFRA_DELETE)
    } else if shares {
        Some(&rule::COLLECT)
    } else if says.both(Says::RUN, Says::COMMAND) && cmd.has_options() {
        Some(&rule::LATERAL)
    } else {
        common(cmd, says)
    };
    if let Some(rule) = rule {
        found(walk, cmd, rule);
    }
}

/// Options that switch off what defends or records, or open what is made: `--no-backup`, `--disable-logging`, `--state Disabled`.
fn switches(cmd: &Cmd<'_>, says: Says) -> Option<&'static Rule> {
    if !says.has(Says::MAKE) && !cmd.has_any(&["patch", "edit", "deploy"]) && !says.has(Says::STOP) {
        let word = cmd.arg(1);
        if !word.starts_with("modify") && !word.starts_with("update") {
            return None;
        }
    }
    let mut steps = cmd.args.iter().map(|field| field.text.as_str()).peekable();
    while let Some(text) = steps.next() {
        let Some(option) = text.strip_prefix("--") else {
            continue;
        };
        let (name, value) = option
            .split_once('=')
            .unwrap_or_else(|| (option, steps.peek().copied().unwrap_or_default()));
        let off = ["no-", "disable-", "skip-"]
            .iter()
            .find_map(|own| name.strip_prefix(own));
        let of = word(off.unwrap_or(name));
        let no = matches!(
            value,
            "false" | "False" | "Disabled" | "disabled" | "Off" | "off" | "OFF" | "none" | "None"
        );
        let state = matches!(name, "state" | "status" | "enabled" | "mode");
        if off.is_some() && of.has(Says::RECORD)
            || no && (of.has(Says::RECORD) || state && says.has(Says::RECORD))
            || name.starts_with("retention") && says.has(Says::RECORD) && value.len() == 1
        {
            return Some(&rule::WEAKEN_LOG);
        }
        if off.is_some() && of.has(Says::GUARD)
            || no && (of.has(Says::GUARD) || state && says.has(Says::GUARD))
            || name == "disabled" && (says.has(Says::GUARD) || says.has(Says::ENTRY))
            || name == "publicly-accessible"
        {
            return Some(&rule::WEAKEN);
        }
    }
    None
}

/// A program that no rule knows.
pub(super) fn unknown(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if cmd.args.len() < 2 || quiet(cmd) {
        return;
    }
    if cmd.has_options() && cmd.options().any(reveals) {
        found(walk, cmd, &rule::CREDENTIAL_PRINT);
        return;
    }
    // the protocol by which miners are given their work (Stratum)
    if cmd.args.iter().any(|field| field.text.starts_with("stratum")) {
        found(walk, cmd, &rule::EXHAUST);
        return;
    }
    let first = cmd.arg(0);
    if !first.starts_with(|own: char| own.is_ascii_alphabetic()) {
        return;
    }
    let says = says(cmd);
    let rule = if says.has(Says::DELETE) {
        if says.has(Says::PERSON) {
            Some(&rule::DESTROY_ACCOUNT)
        } else {
            (says.has(Says::HOLDS) || cmd.has_options() && cmd.options().any(asks_nobody))
                .then_some(&rule::INFRA_DELETE)
        }
    } else {
        common(cmd, says)
    };
    if let Some(rule) = rule {
        found(walk, cmd, rule);
    }
}

/// What holds for both.
fn common(cmd: &Cmd<'_>, says: Says) -> Option<&'static Rule> {
    let aws = matches!(cmd.name, "aws" | "awslocal");
    if says.both(Says::STOP, Says::RECORD) {
        return Some(&rule::WEAKEN_LOG);
    }
    if says.both(Says::STOP, Says::GUARD) {
        return Some(&rule::WEAKEN);
    }
    if says.has(Says::MAKE) {
        // for everybody
        if (says.has(Says::ENTRY) || says.has(Says::GUARD) || says.has(Says::RIGHTS) || says.has(Says::IDENTITY))
            && cmd.args.iter().any(|field| is_everybody(&field.text))
        {
            return Some(&rule::WEAKEN);
        }
        // who may do what; aws has rows of its own for it
        let rights = says.both(Says::IDENTITY, Says::RIGHTS)
            || says.both(Says::IDENTITY, Says::PERSON)
            || says.both(Says::IDENTITY, Says::KEY)
            || says.both(Says::ACCESS, Says::KEY)
            || says.both(Says::RIGHTS, Says::PERSON);
        // who has it may do what its owner may; the one by which a machine joins a cluster ends by itself (kubeadm-token)
        if says.has(Says::TOKEN) && !says.has(Says::DELETE) && cmd.name != "kubeadm" {
            return Some(&rule::ACCOUNT_CHANGE);
        }
        if !aws && rights {
            return Some(&rule::ACCOUNT_CHANGE);
        }
    }
    // `get-credentials` writes them where a program looks for them
    if !aws && says.both(Says::SHOW, Says::SECRET) && !says.has(Says::MAKE) && !cmd.has("get-credentials") {
        return Some(&rule::CREDENTIAL_PRINT);
    }
    None
}

/// It is only told how, or what would be.
fn quiet(cmd: &Cmd<'_>) -> bool {
    cmd.args
        .last()
        .is_some_and(|field| matches!(field.text.as_str(), "help" | "-h"))
        || cmd.has_options()
            && cmd.options().any(|option| {
                matches!(
                    option,
                    "--help" | "--dry-run" | "--dryrun" | "--generate-cli-skeleton" | "--what-if"
                )
            })
}

/// Options that keep a program from asking a person, or that widen what it deletes.
fn asks_nobody(option: &str) -> bool {
    let name = option.split_once('=').map_or(option, |(name, _)| name);
    name.starts_with("--yes-i-")
        || option == "--mode=script"
        || matches!(
            name,
            "-y" | "--yes"
                | "--force"
                | "--auto-approve"
                | "-auto-approve"
                | "--confirm"
                | "--no-prompt"
                | "--no-confirm"
                | "--no-prompts"
                | "--no-input"
                | "--assume-yes"
                | "--skip-confirmation"
                | "--skip-confirm"
                | "--non-interactive"
                | "--noninteractive"
                | "--no-interactive"
                | "--i-am-sure"
                | "--all"
                | "--cascade"
                | "--purge"
        )
}

/// Options that show what is kept hidden else.
fn reveals(option: &str) -> bool {
    matches!(
        option,
        "--reveal"
            | "--show-secrets"
            | "--show-secret"
            | "--show-password"
            | "--show-passwords"
            | "--show-sensitive"
            | "--show-token"
            | "--print-secret"
            | "--unmask"
            | "--with-decryption"
            | "--include-secrets"
    )
}

/// Addresses and names that stand for everybody.
fn is_everybody(text: &str) -> bool {
    let value = text.rsplit(['=', ':']).next().unwrap_or(text);
    matches!(text, "*" | "::/0")
        || text.ends_with("::/0")
        || value == "0.0.0.0/0"
        || text.split([':', '=']).any(|part| {
            matches!(
                part.to_ascii_lowercase().as_str(),
                "allusers" | "allauthenticatedusers" | "public-read" | "public-read-write" | "internet" | "everyone"
            )
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::screen::effect::tests::refused;
    use crate::screen::{Profile, StandardScreen};
    use crate::verdict::Decision;

    /// Programs that no rule names, and the words of clouds' command lines that no row holds: what they say is told by their grammar.
    #[test]
    fn what_a_command_line_says_is_told_without_knowing_the_program() {
        refused(
            "grammar",
            &[
                "stackctl cluster delete prod --yes",
                "somecloud database destroy main --auto-approve",
                "paas apps:destroy web --force",
                "x9ctl tenant purge acme --skip-confirmation",
                "deployer env-teardown --no-input prod",
                "keeper record get 4 --show-secrets",
                "somevault entry fetch db --reveal",
                "somecloud secrets get db",
                "somecloud audit disable",
                "sensorctl logging off",
                "somecloud mfa disable",
                "somecloud iam add-user x",
                "somecloud api-key create x",
                "somecloud firewall rule add --cidr 0.0.0.0/0",
                "aliyun ram CreateUser --UserName x",
                "oci iam user create --name x --description y",
                "oci secrets secret-bundle get --secret-id x",
                "az ad group member add --group Admins --member-id 0",
                "az snapshot grant-access -n s -g rg --duration-in-seconds 3600",
                "az network nsg rule create -g rg --nsg-name n -n any --access Allow --destination-port-ranges '*'",
                "gcloud compute images export --destination-uri gs://b/x.tgz --image i",
                "aws config stop-configuration-recorder --configuration-recorder-name default",
                "aws cloudwatch disable-alarm-actions --alarm-names a",
                "scw instance server run-command --id 1 x",
                "gcloud sql instances patch x --no-backup",
                "gcloud compute firewall-rules update r --disabled",
                "az aks update -n c -g g --disable-defender",
                "az sql server audit-policy update -g g -n s --state Disabled",
                "aws rds modify-db-instance --db-instance-identifier p --no-deletion-protection",
                "aws rds modify-db-instance --db-instance-identifier p --publicly-accessible",
                "oci audit config update --retention-period-days 1",
                "aws kms put-key-policy --key-id k --policy-name default --policy file://x.json",
                "streamctl topics delete orders",
                "hyperv vm.destroy prod-vm",
                "gh api -X DELETE repos/o/r/branches/main/protection",
                "gh api -X PUT repos/o/r/collaborators/u -f permission=admin",
                "aliyun ecs DeleteInstance --InstanceId i --Force true",
                "az ad app permission admin-consent --id a",
            ],
        );
    }

    #[test]
    fn the_grammar_stops_no_ordinary_subcommand() {
        let screen = StandardScreen::new(Profile::standard());
        let stopped: Vec<_> = [
            "stackctl cluster list",
            "stackctl cluster delete prod --dry-run",
            "stackctl cluster delete --help",
            "somecloud secrets list",
            "somecloud logs show --tail 10",
            "somecloud user list",
            "somecloud deploy --force",
            "somecloud config set region eu",
            "composer run-script test",
            "gh api repos/o/r/collaborators",
            "gcloud run services update web --no-traffic",
            "az webapp update -n w -g g --https-only true",
            "aws lambda update-function-configuration --function-name f --timeout 5",
            "streamctl topics list",
            "sometool file delete x",
            "npm i --registry http://localhost:4873 x",
            "pactl set-sink-mute 0 toggle",
            "az aks get-credentials -g rg -n dev",
            "gcloud container clusters get-credentials dev --zone z",
            "aws logs stop-query --query-id q",
            "aws ec2 create-route --route-table-id r --destination-cidr-block 0.0.0.0/0 --gateway-id g",
            "git somealias delete-merged",
            "rclone sync src remote:dst --dry-run",
            "cloudflared tunnel list",
            "faillock --reset --user u",
            "nsenter -t 1234 --all ls",
            "grub-mkconfig -o /boot/grub/grub.cfg",
            "chsh -s /bin/zsh u",
            r#"mail -s s -a report.pdf a@b.c"#,
        ]
        .into_iter()
        .filter(|command| screen.check_value("bash", &json!({ "command": command })).decision() != Decision::Allow)
        .collect();
        assert!(stopped.is_empty(), "{stopped:#?}");
    }
}
