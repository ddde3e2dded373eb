//! git(1): what throws work away (git-reset, git-clean, git-checkout, git-restore, git-stash) and what changes what others
//! have (git-push, git-filter-branch, git-reflog, git-gc, git-update-ref).

use super::cli::{self, Row};
use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::data::{Data, Field, Taint, UNKNOWN};
use crate::screen::shell::walk::Walk;
use crate::screen::text;

/// Options before the subcommand that take a value.
const GLOBAL: [&str; 8] = [
    "-C",
    "-c",
    "--git-dir",
    "--work-tree",
    "--namespace",
    "--exec-path",
    "--super-prefix",
    "--config-env",
];

/// The rows of each subcommand.
const ROWS: &[(&str, &[Row])] = &[
    ("reset", &[("reset --hard|--merge", &rule::GIT_DISCARD)]),
    (
        "clean",
        &[("clean -f|--force !-n|--dry-run|-i|--interactive", &rule::GIT_DISCARD)],
    ),
    ("stash", &[("stash drop|clear", &rule::GIT_DISCARD)]),
    (
        "branch",
        &[
            ("branch -D", &rule::GIT_DISCARD),
            ("branch -d|--delete -f|--force", &rule::GIT_DISCARD),
        ],
    ),
    ("worktree", &[("worktree remove -f|--force", &rule::GIT_DISCARD)]),
    ("submodule", &[("submodule deinit -f|--force", &rule::GIT_DISCARD)]),
    ("rm", &[("rm -f|--force -r", &rule::GIT_DISCARD)]),
    (
        "push",
        &[
            ("push -f|--force !--force-with-lease", &rule::GIT_HISTORY),
            ("push --mirror|--prune", &rule::GIT_HISTORY),
            // everything, to an address that is no remote of the work
            ("push --all ** https://*|ssh://*|git@*", &rule::EXFIL_FILE),
            ("push --delete|-d", &rule::GIT_HISTORY),
        ],
    ),
    ("filter-branch", &[("filter-branch", &rule::GIT_HISTORY)]),
    (
        "filter-repo",
        &[(
            "filter-repo --force|--invert-paths|--strip-blobs-bigger-than",
            &rule::GIT_HISTORY,
        )],
    ),
    ("reflog", &[("reflog expire|delete", &rule::GIT_HISTORY)]),
    ("update-ref", &[("update-ref -d|--delete|--stdin", &rule::GIT_HISTORY)]),
    ("replace", &[("replace -d|--delete", &rule::GIT_HISTORY)]),
    ("svn", &[("svn reset", &rule::GIT_HISTORY)]),
    ("credential", &[("credential fill", &rule::CREDENTIAL_PRINT)]),
    ("credential-osxkeychain", &[("* get", &rule::CREDENTIAL_PRINT)]),
    ("credential-manager", &[("* get", &rule::CREDENTIAL_PRINT)]),
    ("credential-libsecret", &[("* get", &rule::CREDENTIAL_PRINT)]),
];

/// Of svn(1) and hg(1).
const OTHERS: &[Row] = &[
    ("revert -R|--recursive|--all|-C", &rule::GIT_DISCARD),
    ("update -C|--clean", &rule::GIT_DISCARD),
    ("strip", &rule::GIT_HISTORY),
    // svn(1): in the repository itself, at once
    (
        "delete|del|remove|rm ** http://*|https://*|svn://*|svn+ssh://*|file://*",
        &rule::GIT_HISTORY,
    ),
];

pub(super) const NAMES: &[&str] = &[
    "git",
    "bfg",
    "git-filter-repo",
    "git-credential-osxkeychain",
    "git-credential-store",
    "git-credential-manager",
    "git-credential-libsecret",
    "svn",
    "hg",
];

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    match cmd.name {
        "git" => {}
        // gitcredentials(7), "CUSTOM HELPERS": `get` prints what is kept
        _ if cmd.name.starts_with("git-credential-") => {
            if cmd.arg(0) == "get" {
                found(walk, cmd, &rule::CREDENTIAL_PRINT);
            }
            return;
        }
        "bfg" | "git-filter-repo" => {
            if !cmd.args.is_empty() {
                found(walk, cmd, &rule::GIT_HISTORY);
            }
            return;
        }
        "svn" | "hg" => {
            if let Some(rule) = cli::matching(cmd, OTHERS, &[]) {
                found(walk, cmd, rule);
            }
            return;
        }
        _ => return,
    }
    if cmd.has("--help") || cmd.has("-h") {
        return;
    }
    // git takes `-Crepo` as one word, too
    let words = cli::words(cmd, &GLOBAL);
    let rule = match words.first().map(|word| text::lower(word)).as_deref() {
        Some("checkout") => checkout(cmd, words.get(1..).unwrap_or_default()),
        Some("restore") => restore(cmd),
        Some("switch") => {
            // what follows `-c` and `-C` in one word is a name
            let forces = cmd.options().any(|option| {
                matches!(option, "--force" | "--discard-changes")
                    || is_cluster(option.split(['c', 'C']).next().unwrap_or_default(), 'f')
            });
            forces.then_some(&rule::GIT_DISCARD)
        }
        Some("push")
            if words
                .get(1..)
                .unwrap_or_default()
                .iter()
                .any(|word| word.starts_with('+') || word.starts_with(':')) =>
        {
            Some(&rule::GIT_HISTORY)
        }
        // git-daemon(1): `--base-path`
        Some("daemon") => super::servers::names_wide(walk, cmd).then_some(&rule::EXFIL_FILE),
        Some("gc") => cmd
            .args
            .iter()
            .any(|field| matches!(field.text.as_str(), "--prune=now" | "--prune=all"))
            .then_some(&rule::GIT_HISTORY),
        Some("clean")
            if !cmd.args.iter().any(|field| {
                field.text.contains("-f") || field.text.starts_with("--f") || is_cluster(&field.text, 'f')
            }) =>
        {
            None
        }
        _ => {
            let own = |(subcommand, _): &&(&str, _)| words.first() == Some(subcommand);
            let rows = ROWS.iter().find(own).map_or(&[][..], |(_, rows)| *rows);
            cli::matching(cmd, rows, &GLOBAL)
        }
    };
    if let Some(rule) = rule {
        found(walk, cmd, rule);
    }
    // gitremote-helpers(7): `ext::` runs the command that stands behind it
    for field in cmd.args {
        if let Some(command) = field.text.strip_prefix("ext::") {
            walk.script(&command.replace("% ", " ").replace('%', " "), field.span, &Data::none());
            walk.report(&rule::SHELL_ESCAPE, field.span);
        }
    }
    // git-clone(1): settings that the new repository keeps
    if let Some(at) = cmd
        .args
        .iter()
        .position(|field| matches!(field.text.as_str(), "clone" | "init"))
    {
        for pair in cmd.args.get(at..).unwrap_or_default().windows(2) {
            if let [option, value] = pair
                && matches!(option.text.as_str(), "-c" | "--config")
                && let Some((key, value)) = value.text.split_once('=')
                && !value.starts_with("ssh ")
                && let Some(rule) = setting(key, value)
            {
                walk.report(rule, option.span);
            }
        }
    }
    // git-add(1): what .gitignore keeps out, put in by force
    if cmd.has("add") && (cmd.short('f') || cmd.long("force")) {
        for field in cmd.args {
            if super::taint_of(walk, &field.text).has(Taint::SECRET) {
                walk.report(&rule::EXFIL_FILE, field.span);
            }
        }
    }
    if cmd.has("config") {
        for (at, field) in cmd.args.iter().enumerate() {
            if let Some(rule) = setting(&field.text, cmd.arg(at + 1)) {
                walk.report(rule, field.span);
            }
        }
    }
}

fn is_cluster(text: &str, letter: char) -> bool {
    text.starts_with('-') && !text.starts_with("--") && text.contains(letter)
}

/// git checkout: with paths, or by force, it overwrites files of the working tree.
fn checkout(cmd: &Cmd<'_>, operands: &[&str]) -> Option<&'static Rule> {
    let at = cmd
        .args
        .iter()
        .position(|field| field.text.eq_ignore_ascii_case("checkout"))?;
    let args = cmd.args.get(at + 1..).unwrap_or_default();
    let has = |names: &[&str]| args.iter().any(|field| names.contains(&field.text.as_str()));
    let cluster = |letter: char| args.iter().any(|field| is_cluster(&field.text, letter));
    let creates = has(&["--orphan"]) || cluster('b') || cluster('B');
    if creates {
        return None;
    }
    if has(&["--force"]) || cluster('f') || args.iter().any(|field| field.text.starts_with("--pathspec-from-file")) {
        return Some(&rule::GIT_DISCARD);
    }
    // behind `--` stand only paths
    if let Some(at) = args.iter().position(|field| field.text == "--") {
        let (before, paths) = args.split_at_checked(at + 1).unwrap_or_default();
        let fetches = matches!(before, [from, _] if is_other(&from.text)) && are_files(paths);
        return (!paths.is_empty() && !fetches).then_some(&rule::GIT_DISCARD);
    }
    if has(&["-p", "--patch"]) {
        return None;
    }
    let taking = [
        "-U",
        "--unified",
        "--inter-hunk-context",
        "--conflict",
        "--recurse-submodules",
        "--track",
        "-t",
    ];
    let mut names = operands.len();
    for (at, field) in args.iter().enumerate() {
        let next = args.get(at + 1).map_or("", |field| field.text.as_str());
        let optional = matches!(field.text.as_str(), "--recurse-submodules" | "--track");
        let takes = if optional {
            matches!(next, "on-demand" | "direct" | "inherit" | "no" | "yes")
        } else {
            taking.contains(&field.text.as_str())
        };
        if takes && !next.starts_with('-') {
            names = names.saturating_sub(1);
        }
    }
    let here = operands.iter().any(|word| matches!(*word, "." | "./" | ":/" | "*"));
    (names > 1 || here).then_some(&rule::GIT_DISCARD)
}

/// A commit that is not the one that the working tree was made from: files taken from it are wanted for what they hold.
fn is_other(commit: &str) -> bool {
    !commit.starts_with(['-', '@', ':']) && !matches!(commit, "" | "HEAD") && !commit.contains(UNKNOWN)
}

/// Files or directories by name, not all there are.
fn are_files(paths: &[Field<'_>]) -> bool {
    let whole = |path: &str| matches!(path, "." | "./" | "*") || path.starts_with(':') || path.contains(['*', UNKNOWN]);
    !paths.is_empty() && !paths.iter().any(|field| whole(&field.text))
}

/// git-restore(1): files named one by one, out of another commit.
fn takes_files(cmd: &Cmd<'_>) -> bool {
    let mut from = None;
    let mut rest = cmd.args.iter().skip_while(|field| field.text != "restore").skip(1);
    let mut paths = Vec::new();
    while let Some(field) = rest.next() {
        match field.text.as_str() {
            "-s" | "--source" => from = rest.next().map(|field| field.text.as_str()),
            "--" => {}
            text if text.starts_with("--source=") => from = text.strip_prefix("--source="),
            text if text.starts_with("-s") => from = text.strip_prefix("-s"),
            text if text.starts_with('-') => return false,
            _ => paths.push(field.clone()),
        }
    }
    from.is_some_and(is_other) && are_files(&paths)
}

fn restore(cmd: &Cmd<'_>) -> Option<&'static Rule> {
    let staged = cmd.long("staged") || cmd.options().any(|option| is_cluster(option, 'S'));
    if cmd.long("patch") || cmd.has("-p") {
        return None;
    }
    if !staged && takes_files(cmd) {
        return None;
    }
    let tree = cmd.long("worktree") || cmd.options().any(|option| is_cluster(option, 'W'));
    (!staged || tree).then_some(&rule::GIT_DISCARD)
}

/// Keys of git-config(1) that run commands or stop checks.
fn setting(key: &str, value: &str) -> Option<&'static Rule> {
    let key = key.to_ascii_lowercase();
    match key.as_str() {
        "core.hookspath" | "core.sshcommand" | "core.fsmonitor" | "core.gitproxy" | "init.templatedir"
            if !value.is_empty()
                // a directory that the project itself keeps
                && (key != "core.hookspath" || value.contains(['/', '~', '$', ' ', '\u{E000}'])) =>
        {
            Some(&rule::PERSIST)
        }
        // gitcredentials(7): a helper that is a script, given every password
        "credential.helper" if value.starts_with('!') && value.contains(['{', '>', '|', ';']) => {
            Some(&rule::PERSIST_KEY)
        }
        "http.sslverify" if value == "false" => Some(&rule::INTERCEPT),
        _ if key.starts_with("filter.") || key.starts_with("url.") && key.ends_with("insteadof") => {
            Some(&rule::PERSIST)
        }
        _ => None,
    }
}
