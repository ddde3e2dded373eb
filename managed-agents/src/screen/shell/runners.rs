//! Programs that run another in an environment of their own: npm-exec(1), bundle-exec(1), poetry, uv, conda, direnv(1), nix,
//! op, aws-vault, ip-netns(8), adb, gcloud compute ssh.

use super::data::Data;
use super::walk::Walk;
use crate::screen::cmd::Cmd;

/// Runs what stands behind the verb; what such a program does by itself is still judged.
pub(super) fn run(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> {
    for option in ["--command", "--run", "-C", "--call"] {
        for (at, field) in cmd.args.iter().enumerate() {
            let attached = field.text.strip_prefix(option).and_then(|rest| rest.strip_prefix('='));
            if field.text == option || attached.is_some() {
                let text = attached.unwrap_or_else(|| cmd.arg(at + 1)).to_owned();
                walk.script(&text, field.span, &Data::none());
            }
        }
    }
    let verb = |verbs: &[&str]| {
        cmd.args
            .iter()
            .position(|field| verbs.contains(&field.text.as_str()))
            .map(|at| at + 1)
    };
    // where the command may begin, and how many names stand before it
    let (start, names) = match cmd.name {
        "npx" | "bunx" | "pnpx" | "uvx" => (Some(0), 0),
        "npm" | "yarn" | "pnpm" => (verb(&["exec", "x", "dlx"]), 0),
        "direnv" | "aws-vault" | "chamber" | "multipass" => (verb(&["exec"]), 1),
        "limactl" => (verb(&["shell"]), 1),
        "envchain" => (Some(0), 1),
        "ip" => (verb(&["exec"]), 1),
        "colima" => (verb(&["ssh"]), 0),
        "adb" => (verb(&["shell"]), 0),
        "wsl" | "flatpak-spawn" => (Some(0), 0),
        "nix" | "nix-shell" | "gcloud" | "fly" | "flyctl" => (None, 0),
        _ => (verb(&["exec", "run"]), 0),
    };
    let mut at = start?;
    let mut names = names;
    while let Some(field) = cmd.args.get(at) {
        let text = field.text.as_str();
        if text == "--" {
            at += 1;
            break;
        }
        if text.starts_with('-') {
            at += 1 + usize::from(matches!(
                text,
                "-n" | "--name" | "-p" | "--package" | "-u" | "-d" | "--env-file" | "--with" | "-c"
            ));
        } else if names > 0 {
            names -= 1;
            at += 1;
        } else {
            break;
        }
    }
    let inner = cmd.args.get(at..).unwrap_or_default();
    if let [script] = inner
        && script.text.contains(' ')
    {
        walk.script(&script.text, script.span, &Data::none());
    } else if !inner.is_empty() {
        let by_other = std::mem::replace(&mut walk.by_other, true);
        walk.invoke(inner, cmd.stdin);
        walk.by_other = by_other;
    }
    None
}
