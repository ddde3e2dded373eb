//! Tampering with governance: this program's deciding commands, its data, configuration and environment, and the permission
//! files of agents.

use super::cmd::Cmd;
use super::place::Places;
use super::rule::{self, Rule};
use super::shell::walk::Walk;

/// Commands of this program that decide nothing and change nothing.
const HARMLESS: [&str; 10] = [
    "check",
    "replay",
    "help",
    "version",
    "completions",
    "verify",
    "status",
    "explain",
    "--help",
    "--version",
];

/// A command that runs this program, or stops it.
pub(in crate::screen) fn command(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let own = |name: &str| name == "managed-agents" || name == "managed_agents";
    if own(cmd.name) {
        let verb = cmd
            .args
            .iter()
            .map(|field| field.text.as_str())
            .find(|text| !text.starts_with('-') || HARMLESS.contains(text))
            .unwrap_or("help");
        if !HARMLESS.contains(&verb) {
            walk.report(&rule::TAMPER, cmd.span);
        }
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
        .any(|own| own.eq_ignore_ascii_case(b"agents"));
    if !named {
        return false;
    }
    let lower = normal.to_ascii_lowercase();
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
    }) || lower.contains("/.config/managed-agents")
        || lower.contains("share/managed-agents")
        || lower.contains("/lib/managed-agents")
        || lower.starts_with("/etc/managed-agents")
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
    let lower = normal.to_ascii_lowercase();
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
