//! macOS: dscl(1), sysadminctl(8), defaults(1), osascript(1), security(1), networksetup(8), chflags(1).

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::walk::Walk;

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if let Some(rule) = verdict(cmd) {
        found(walk, cmd, rule);
    }
}

/// What lies where anybody may have put it.
fn unseen(cmd: &Cmd<'_>, endings: &[&str]) -> bool {
    cmd.args.iter().any(|field| {
        ["/tmp/", "/private/tmp/", "/var/tmp/"]
            .iter()
            .any(|place| field.text.starts_with(place))
            && endings.iter().any(|ending| field.text.ends_with(ending))
    })
}

fn has(cmd: &Cmd<'_>, name: &str) -> bool {
    cmd.args.iter().any(|field| field.text.eq_ignore_ascii_case(name))
}

by_name! {
    NAMES: fn verdict(cmd: &Cmd<'_>) -> Option<&'static Rule> where cmd.name is {
        "dscl"
            if has(cmd, "-create")
                || has(cmd, "create")
                || has(cmd, "-append")
                || has(cmd, "append")
                || has(cmd, "-passwd")
                || has(cmd, "-change")
                || has(cmd, "-merge") =>
        {
            Some(&rule::ACCOUNT_CHANGE)
        },
        "dscl" if has(cmd, "-delete") || has(cmd, "delete") => Some(&rule::DESTROY_ACCOUNT),
        "sysadminctl" if has(cmd, "-deleteUser") => Some(&rule::DESTROY_ACCOUNT),
        "sysadminctl"
            if has(cmd, "-addUser")
                || has(cmd, "-resetPasswordFor")
                || has(cmd, "-guestAccount")
                || has(cmd, "-newPassword")
                || has(cmd, "-secureTokenOn") =>
        {
            Some(&rule::ACCOUNT_CHANGE)
        },
        "dsenableroot" if !has(cmd, "-d") => Some(&rule::PERSIST_KEY),
        "dseditgroup" if has(cmd, "edit") && cmd.short('a') => Some(&rule::PERSIST_KEY),
        "defaults"
            if matches!(cmd.arg(0), "write" | "import")
                && (has(cmd, "LoginHook")
                    || has(cmd, "LogoutHook")
                    || cmd.args.iter().any(|field| {
                        field.text.contains("LaunchAgents")
                            || field.text.contains("LaunchDaemons")
                            || field.text.contains("loginwindow")
                    })) =>
        {
            Some(&rule::PERSIST)
        },
        "defaults"
            if matches!(cmd.arg(0), "write" | "delete")
                && cmd.args.iter().any(|field| {
                    field.text.contains("com.apple.alf")
                        || field.text.contains("SoftwareUpdate")
                        || field.text.contains("LSQuarantine")
                        || field.text.contains("com.apple.security")
                        || field.text.contains("ExtensionInstallForcelist")
                }) =>
        {
            Some(&rule::WEAKEN)
        },
        "defaults" if cmd.arg(0) == "delete" && cmd.args.len() == 1 => Some(&rule::DESTROY_DATA),
        "networksetup"
            if cmd.args.iter().any(|field| {
                field.text.starts_with("-setwebproxy")
                    || field.text.starts_with("-setsecurewebproxy")
                    || field.text.starts_with("-setautoproxy")
                    || field.text.starts_with("-setsocks")
                    || field.text.starts_with("-setdnsservers")
            }) =>
        {
            Some(&rule::INTERCEPT)
        },
        "dscl" if cmd.args.iter().any(|field| field.text.starts_with("ShadowHash")) => Some(&rule::CREDENTIAL_READ),
        "security" if has(cmd, "execute-with-privileges") => Some(&rule::PRIVILEGE),
        "security"
            if matches!(
                cmd.arg(0),
                "add-trusted-cert" | "authorizationdb" | "set-key-partition-list"
            ) =>
        {
            Some(&rule::INTERCEPT)
        },
        "pwpolicy" if cmd.args.iter().any(|field| field.text.trim_start_matches('-').starts_with("getaccountpolic") || field.text.trim_start_matches('-').starts_with("getglobalpolicy")) => {
            Some(&rule::PRIVILEGE_RECON)
        },
        "pwpolicy" if cmd.args.iter().any(|field| field.text.to_ascii_lowercase().starts_with("-clear") || field.text.starts_with("-set")) => {
            Some(&rule::ACCOUNT_CHANGE)
        },
        "launchctl" if cmd.arg(0) == "config" && cmd.arg(2) == "path" => Some(&rule::PERSIST),
        // hdiutil(1): a disk image from elsewhere
        "hdiutil" if matches!(cmd.arg(0), "attach" | "mount") && cmd.args.iter().any(|field| field.text.starts_with("http://")) => {
            Some(&rule::REMOTE_CODE)
        },
        "security" if cmd.arg(0) == "authorize" && cmd.short('u') => Some(&rule::PRIVILEGE),
        // profiles of device management: jamf(8)
        "jamf" if matches!(cmd.arg(0), "createAccount" | "deleteAccount" | "resetPassword" | "removeFramework") => {
            Some(&rule::ACCOUNT_CHANGE)
        },
        "installer" if unseen(cmd, &[".pkg", ".mpkg"]) => Some(&rule::SCRATCH_CODE),
        "open" if unseen(cmd, &[".app", ".command", ".pkg", ".sh", ".terminal", ".tool"]) => Some(&rule::SCRATCH_CODE),
        // mdfind(1): keys and passwords, wherever they lie
        "mdfind" if cmd.args.iter().any(|field| {
            let lower = field.text.to_ascii_lowercase();
            ["password", "passwd", "id_rsa", "id_ed25519", "private key", ".kdbx", "secret"].iter().any(|own| lower.contains(own))
        }) => Some(&rule::CREDENTIAL_PRINT),
        "launchctl" if cmd.arg(0) == "setenv" && (cmd.arg(1).starts_with("DYLD_") || cmd.arg(1) == "PATH") => {
            Some(&rule::PERSIST)
        },
        "chflags" if has(cmd, "hidden") => Some(&rule::WEAKEN),
        "xattr" if cmd.short('c') && cmd.short('r') => Some(&rule::WEAKEN),
        "xattr" if has(cmd, "com.apple.quarantine") && (cmd.short('d') || cmd.short('c')) => Some(&rule::WEAKEN),
        "diskutil"
            if cmd.args.first().is_some_and(|field| {
                let verb = field.text.to_ascii_lowercase();
                verb.starts_with("erase")
                    || verb.starts_with("reformat")
                    || verb.starts_with("partition")
                    || verb.starts_with("zero")
                    || verb.starts_with("secureerase")
                    || verb == "apfs" && (has(cmd, "deletecontainer") || has(cmd, "deletevolume") || has(cmd, "erasevolume"))
            }) =>
        {
            Some(&rule::DESTROY_DEVICE)
        },
        "nvram" if cmd.short('c') || cmd.args.iter().any(|field| field.text.contains("boot-args")) => Some(&rule::WEAKEN),
        "systemsetup" if has(cmd, "-setremotelogin") && has(cmd, "on") => Some(&rule::TUNNEL),
        "kickstart" if has(cmd, "-activate") => Some(&rule::TUNNEL),
        "profiles" if matches!(cmd.arg(0), "install" | "remove" | "-I" | "-R") => Some(&rule::WEAKEN),
    } else { None }
}

/// AppleScript: dialogues that ask for passwords, and commands typed into other programs.
pub(in crate::screen) fn osascript(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    for field in cmd.args {
        let lower = field.text.to_ascii_lowercase();
        if lower.contains("display dialog")
            && (lower.contains("hidden answer") || lower.contains("password") || lower.contains("passphrase"))
        {
            walk.report(&rule::SPOOF, field.span);
        }
        if lower.contains("login item") || lower.ends_with("login_item.osa") {
            walk.report(&rule::PERSIST, field.span);
        }
        if lower.contains("system events")
            && ["shut down", "restart", "log out"]
                .iter()
                .any(|own| lower.contains(own))
        {
            walk.report(&rule::SYSTEM_STOP, field.span);
        }
        if ["new audio recording", "new movie recording", "new screen recording"]
            .iter()
            .any(|own| lower.contains(own))
        {
            walk.report(&rule::COLLECT, field.span);
        }
        if lower.contains("with administrator privileges") {
            walk.report(&rule::SPOOF, field.span);
        }
        if lower.contains("withcontentsofurl") && lower.contains("eval") {
            walk.report(&rule::REMOTE_CODE, field.span);
        }
        if let Some((_, rest)) = lower
            .split_once("do script")
            .or_else(|| lower.split_once("do shell script"))
        {
            let text: String = rest
                .trim_start_matches([' ', '"'])
                .trim_end_matches([' ', '"'])
                .replace("\\\"", "\"");
            walk.script(&text, field.span, &crate::screen::shell::data::Data::none());
        }
        // the bridge of JavaScript to Objective-C, and commands through it (osascript(1), -l JavaScript)
        if ["nstask", "doshellscript", "$.system(", "launchedtask"]
            .iter()
            .any(|own| lower.contains(own))
        {
            walk.report(&rule::SHELL_ESCAPE, field.span);
        }
        if lower.contains("keystroke") || lower.contains("key code") {
            walk.report(&rule::COLLECT, field.span);
        }
    }
}
