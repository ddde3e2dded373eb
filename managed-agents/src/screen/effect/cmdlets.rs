//! PowerShell's commands where a shell takes them as they stand (their reference pages at learn.microsoft.com/powershell/module):
//! what deletes, fetches and runs, stays, weakens, or reaches other machines.

use super::windows::powershell;
use super::{found, services};
use crate::screen::cmd::Cmd;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::data::Taint;
use crate::screen::shell::walk::Walk;
use crate::screen::text;

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if matches!(cmd.name, "remove-item" | "ri") {
        deletes(walk, cmd);
        return;
    }
    if matches!(cmd.name, "invoke-expression" | "iex") {
        powershell(walk, cmd);
    }
    if let Some(rule) = verdict(cmd) {
        found(walk, cmd, rule);
    }
}

by_name! {
    NAMES: fn verdict(cmd: &Cmd<'_>) -> Option<&'static Rule> where cmd.name is {
        "remove-item" | "ri" => None,
        // Elixir's console has the name, too: it takes options and files
        "iex" if !cmd.stdin.given && (cmd.args.is_empty() || cmd.arg(0).starts_with(['-', '+'])) => None,
        "invoke-expression" | "iex" => {
            let net = cmd.stdin.taint.has(Taint::NET) || cmd.args.iter().any(|field| field.taint.has(Taint::NET));
            let hidden = cmd.stdin.taint.has(Taint::HIDDEN);
            Some(if net {
                &rule::REMOTE_CODE
            } else if hidden {
                &rule::HIDDEN_CODE
            } else {
                &rule::UNRESOLVED_CODE
            })
        },
        "set-mppreference" | "add-mppreference" | "remove-mppreference" => {
            says(cmd, &["disable", "exclusion", "submitsamplesconsent", "attacksurfacereduction"]).then_some(&rule::WEAKEN)
        },
        "set-netfirewallprofile" => says(cmd, &["false", "defaultinboundaction"]).then_some(&rule::WEAKEN),
        "disable-netfirewallrule" | "remove-netfirewallrule" | "disable-windowsoptionalfeature" => Some(&rule::WEAKEN),
        "set-executionpolicy" => says(cmd, &["bypass", "unrestricted"]).then_some(&rule::WEAKEN),
        "clear-eventlog" | "remove-eventlog" | "limit-eventlog" | "clear-history" => Some(&rule::WEAKEN_LOG),
        "stop-service" | "suspend-service" | "remove-service" | "stop-process" => {
            cmd.args.iter().find_map(|field| services::guards(&text::lower(&field.text)))
        },
        "set-service" if says(cmd, &["disabled", "stopped"]) => {
            cmd.args.iter().find_map(|field| services::guards(&text::lower(&field.text)))
        },
        "new-service" | "register-scheduledtask" | "register-scheduledjob" | "set-wmiinstance" | "register-wmievent"
        | "register-cimindicationevent" => Some(&rule::PERSIST),
        "new-localuser" | "set-localuser" | "enable-localuser" | "new-aduser" | "set-adaccountpassword" => Some(&rule::ACCOUNT_CHANGE),
        "add-localgroupmember" | "add-adgroupmember" => Some(&rule::PERSIST_KEY),
        "remove-localuser" | "disable-localuser" | "remove-aduser" | "disable-adaccount" => Some(&rule::DESTROY_ACCOUNT),
        "format-volume" | "clear-disk" | "initialize-disk" | "remove-partition" => Some(&rule::DESTROY_DEVICE),
        "disable-computerrestore" | "remove-wmiobject" | "remove-ciminstance" => {
            (cmd.name.starts_with("disable") || says(cmd, &["shadow"]) || cmd.stdin.given).then_some(&rule::DESTROY_VOLUME)
        },
        "stop-computer" | "restart-computer" => Some(&rule::SYSTEM_STOP),
        "enter-pssession" | "new-pssession" | "invoke-command" => {
            says(cmd, &["-computername", "-hostname", "-vmname"]).then_some(&rule::LATERAL)
        },
        "set-itemproperty" | "new-itemproperty" if says(cmd, &["currentversionrun", "winlogon", "image file execution"]) => {
            Some(&rule::PERSIST)
        },
        "set-itemproperty" | "new-itemproperty" => {
            says(cmd, &["windows defender", "policiessystem", "controllsa", "eventlog"]).then_some(&rule::WEAKEN)
        },
    } else { None }
}

/// Whether any argument holds one of these, whatever its capitals, and with or without the backslashes that a shell takes away.
fn says(cmd: &Cmd<'_>, words: &[&str]) -> bool {
    cmd.args.iter().any(|field| {
        let lower = text::lower(&field.text).replace('\\', "");
        words.iter().any(|word| lower.contains(word))
    })
}

/// Remove-Item: paths behind `-Path` or on their own; options may be cut short.
fn deletes(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let given = |name: &str| {
        cmd.args.iter().any(|field| {
            let lower = text::lower(&field.text);
            lower.len() > 1 && name.starts_with(&*lower)
        })
    };
    let (recursive, force) = (given("-recurse"), given("-force"));
    for field in cmd.args.iter().filter(|field| !field.text.starts_with('-')) {
        let path = field.text.replace('\\', "/");
        // a drive is a root of its own
        let path = if path.as_bytes().get(1) == Some(&b':') {
            format!("/{path}")
        } else {
            path
        };
        super::delete(walk, &[path], recursive, force, field.span);
    }
}
