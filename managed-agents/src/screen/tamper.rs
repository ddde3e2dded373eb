//! Tampering with governance: this program's deciding commands, its data, configuration and environment, and the permission
//! files of agents.

use super::cmd::Cmd;
use super::place::Places;
use super::programs::Known;
use super::rule::{self, Rule};
use super::shell::walk::Walk;

/// Commands of this program that decide nothing and change nothing, in full.
const HARMLESS: [&[&str]; 27] = [
    &["approvals", "list"],
    &["approvals", "show"],
    &["approver", "list"],
    &["approver", "show"],
    &["policy", "check"],
    &["policy", "test"],
    &["policy", "diff"],
    &["policy", "why"],
    &["check"],
    &["replay"],
    &["help"],
    &["version"],
    &["completions"],
    &["verify"],
    &["status"],
    &["explain"],
    &["config", "check"],
    &["tools", "list"],
    &["tools", "check"],
    &["agent", "list"],
    &["agent", "show"],
    &["audit", "verify"],
    &["audit", "show"],
    &["audit", "list"],
    &["audit", "export"],
    &["audit", "prove"],
    &["audit", "checkpoint"],
];

/// Options of every command, each with a value that is no command.
const GLOBAL: [&str; 2] = ["--data-dir", "--high-water"];

/// The programs that [`command`] judges.
pub(super) const NAMES: &[&str] = &[
    "managed-agents",
    "managed_agents",
    "pkill",
    "killall",
    "systemctl",
    "service",
    "launchctl",
    "docker",
    "podman",
    "nerdctl",
    "cargo",
    "npx",
    "uvx",
    "pipx",
    "nix",
    "unset",
    "export",
];

/// Opens recorded values, which may be secrets of others.
const REVEAL: &str = "--reveal";

/// Whether a command line of this program, without its name, decides nothing and changes nothing.
fn is_harmless<'a>(arguments: impl Iterator<Item = &'a str> + Clone) -> bool {
    if arguments.clone().any(|text| text.starts_with(REVEAL)) {
        return false;
    }
    let mut words = Vec::new();
    let mut all = arguments;
    while let Some(text) = all.next() {
        if GLOBAL.contains(&text) {
            all.next();
        } else if words.is_empty() && matches!(text, "--help" | "-h" | "--version" | "-V") {
            return true;
        } else if !text.starts_with('-') && words.len() < 2 {
            words.push(text);
        }
    }
    words.is_empty() || HARMLESS.iter().any(|command| words.starts_with(command))
}

/// A command that runs this program, or stops it.
pub(in crate::screen) fn command(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if !cmd.known.has(Known::GOVERNS) {
        return;
    }
    let own = |name: &str| name == "managed-agents" || name == "managed_agents";
    if own(cmd.name) && !is_harmless(cmd.args.iter().map(|field| field.text.as_str())) {
        walk.report(&rule::TAMPER, cmd.span);
    }
    if matches!(
        cmd.name,
        "pkill" | "killall" | "systemctl" | "service" | "launchctl" | "docker" | "cargo" | "npx"
    ) {
        let stops = cmd.args.iter().any(|field| {
            matches!(
                field.text.as_str(),
                "stop" | "disable" | "mask" | "kill" | "rm" | "uninstall" | "unload" | "bootout"
            )
        }) || matches!(cmd.name, "pkill" | "killall");
        if stops
            && cmd
                .args
                .iter()
                .any(|field| own(field.text.trim_end_matches(".service")))
        {
            walk.report(&rule::TAMPER, cmd.span);
        }
    }
    // run by what builds or fetches it
    let behind = match cmd.name {
        "cargo" if cmd.has("run") => cmd.args.iter().position(|field| field.text == "--"),
        "docker" | "podman" | "nerdctl" | "npx" | "uvx" | "pipx" | "nix" if cmd.name != "docker" || cmd.has("run") => {
            let named = |text: &str| {
                text.rsplit(['/', '#'])
                    .next()
                    .and_then(|name| name.split([':', '@']).next())
                    .is_some_and(own)
            };
            cmd.args.iter().position(|field| named(&field.text))
        }
        _ => None,
    };
    let named = || {
        cmd.args.iter().any(|field| {
            field
                .text
                .rsplit(['/', '#'])
                .next()
                .is_some_and(|name| own(name.split([':', '@']).next().unwrap_or_default()))
        })
    };
    if let Some(at) = behind
        && named()
        && !is_harmless(
            cmd.args
                .iter()
                .skip(at + 1)
                .map(|field| field.text.as_str())
                .filter(|text| *text != "--"),
        )
    {
        walk.report(&rule::TAMPER, cmd.span);
    }
    if matches!(cmd.name, "unset" | "export")
        && cmd
            .args
            .iter()
            .any(|field| variable(field.text.split('=').next().unwrap_or_default()))
    {
        walk.report(&rule::TAMPER, cmd.span);
    }
}

/// A variable that configures this program.
pub(in crate::screen) fn variable(name: &str) -> bool {
    name.starts_with("MANAGED_AGENTS_")
}

/// A path of this program's own data or configuration.
pub(in crate::screen) fn path(places: &Places, normal: &str) -> bool {
    places.is_protected(normal) || known_path(normal)
}

/// A path that belongs to this program wherever it is installed.
fn known_path(normal: &str) -> bool {
    let named = normal
        .as_bytes()
        .windows(6)
        .any(|own| matches!(own, [b'a' | b'A', b'g' | b'G', ..]) && own.eq_ignore_ascii_case(b"agents"));
    if !named {
        return false;
    }
    let lower = super::text::lower(normal);
    lower.split('/').any(|part| {
        let stem = part.strip_prefix('.').unwrap_or(part);
        matches!(
            stem,
            "managed-agents.toml"
                | "managed-agents.db"
                | "managed-agents.db-wal"
                | "managed-agents.key"
                | "managed-agents.lock"
        ) || part == ".managed-agents"
    }) || is_installed(&lower)
}

/// Where systems keep programs' data, state and configuration: below one of these, a directory of this program's name.
fn is_installed(lower: &str) -> bool {
    if lower.contains("appdata/local/managed-agents") || lower.contains("appdata/roaming/managed-agents") {
        return true;
    }
    let mut before = "";
    lower.split('/').any(|part| {
        let own = part == "managed-agents"
            && matches!(
                before,
                ".config" | "share" | "state" | "lib" | "etc" | "run" | "application support" | "preferences"
            );
        before = part;
        own
    })
}

/// Data of this program that may not even be read: its store and keys.
pub(in crate::screen) fn secret_path(places: &Places, normal: &str) -> bool {
    places.is_secret(normal) || known_path(normal) && !normal.to_ascii_lowercase().ends_with("managed-agents.toml")
}

/// The rule that writing a path breaks.
pub(in crate::screen) fn written(places: &Places, normal: &str) -> Option<&'static Rule> {
    if path(places, normal) {
        return Some(&rule::TAMPER);
    }
    // each of them has a dot in its name or its directory's
    if !super::text::has_letter(normal, '.') {
        return None;
    }
    let lower = super::text::lower(normal);
    let mut parts = lower.rsplit('/');
    let (name, directory) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let agents = matches!(
        (directory, name),
        (
            ".claude" | "claude-code",
            "settings.json" | "settings.local.json" | "managed-settings.json"
        ) | (
            ".cursor",
            "permissions.json" | "mcp.json" | "hooks.json" | "cli-config.json"
        ) | (".codex", "config.toml" | "rules")
            | (".gemini", "settings.json" | "trustedfolders.json")
            | (".config" | "opencode", "opencode.json")
            | ("claude", "claude_desktop_config.json")
            | (_, ".claude.json" | ".mcp.json" | ".aider.conf.yml")
    ) || directory == "hooks" && lower.contains(".claude/");
    agents.then_some(&rule::TAMPER_AGENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_that_read_are_harmless() {
        let harmless = |line: &str| is_harmless(line.split_whitespace());
        for line in [
            "",
            "--help",
            "-V",
            "check --tool x",
            "help revoke",
            "audit verify --deep",
            "--data-dir init audit show 7",
            "audit --data-dir /x list --agent a",
            "audit --high-water=/x export --format csv",
            "agent show bot",
            "tools list t.json",
        ] {
            assert!(harmless(line), "{line}");
        }
        for line in [
            "init",
            "init --help",
            "--data-dir check init",
            "--data-dir=check init",
            "--high-water check agent revoke bot",
            "agent register bot",
            "agent suspend bot",
            "agent reactivate bot",
            "agent revoke bot --yes",
            "agent renew bot",
            "audit show 7 --reveal",
            "audit erase ann",
            "witness serve",
            "backup x",
            "restore x --accept",
            "audit",
            "agent",
            "approve 7",
        ] {
            assert!(!harmless(line), "{line}");
        }
    }

    #[test]
    fn own_data_is_known_wherever_it_lies() {
        for own in [
            "managed-agents.toml",
            "~/.managed-agents/store.db",
            "/home/x/.config/managed-agents/policy.cedar",
            "/etc/managed-agents/x",
        ] {
            assert!(known_path(own), "{own}");
        }
        for other in ["managed-agents/src/lib.rs", "docs/managed-agents.md", "agents.toml"] {
            assert!(!known_path(other), "{other}");
        }
    }
}
