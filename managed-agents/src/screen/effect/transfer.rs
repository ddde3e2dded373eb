//! Copying to and from other machines, and mail: scp(1), rsync(1), sftp(1), ftp(1), rclone(1), mailx(1), sendmail(8).

use super::fetch::is_own;
use super::{carries, found};
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::rule;
use crate::screen::shell::data::{Data, Taint};
use crate::screen::shell::walk::Walk;

/// scp(1), rsync(1), rclone(1): from here to another machine.
pub(super) fn copies(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let operands = cmd.operands("iFPloceSJXD", &["rsh", "exclude", "include", "identity"]);
    let is_remote = |text: &str| {
        text.split_once(':')
            .is_some_and(|(host, _)| !host.contains('/') && !host.is_empty())
    };
    if let Some((to, from)) = operands.split_last()
        && is_remote(&to.text)
    {
        for field in from {
            let normal = walk.places.normal(&field.text, &walk.cwd);
            if super::taint_of(walk, &field.text).has(Taint::SECRET) {
                walk.report(&rule::EXFIL_SECRET, field.span);
            } else if matches!(walk.places.place_of(&normal), Place::Root | Place::System)
                || ["/var/lib/", "/var/spool/", "/var/mail"]
                    .iter()
                    .any(|own| normal.starts_with(own))
            {
                walk.report(&rule::EXFIL_FILE, field.span);
            } else if is_scratch(walk, &field.text)
                && to
                    .text
                    .split_once(':')
                    .is_some_and(|(_, there)| is_scratch(walk, there))
            {
                // from a place that nobody looks at to another one
                walk.report(&rule::LATERAL, field.span);
            }
        }
        // the work itself may go where the person who set rclone up keeps it
        let named = !to.text.starts_with(':') && !to.text.contains(',');
        let own = named
            && from
                .iter()
                .skip(1)
                .all(|field| is_remote(&field.text) || is_own(walk, &field.text));
        if cmd.name == "rclone"
            && !own
            && !cmd.has_any(&["--dry-run", "-n"])
            && matches!(cmd.arg(0), "copy" | "sync" | "move" | "copyto" | "moveto")
        {
            found(walk, cmd, &rule::EXFIL_FILE);
        }
    }
    // rclone(1): options that take values may stand anywhere
    if cmd.name == "rclone"
        && matches!(cmd.arg(0), "copy" | "move" | "sync" | "copyto" | "moveto")
        && cmd.has_any(&["--config", "--max-age", "--no-check-certificate"])
        && !cmd.has_any(&["--dry-run", "-n"])
    {
        found(walk, cmd, &rule::EXFIL_FILE);
    }
    if matches!(cmd.name, "ncftpput" | "ftp-upload" | "megatools")
        && cmd.args.iter().skip(1).any(|field| {
            field.text.starts_with(['/', '~']) && super::taint_of(walk, &field.text).has(Taint::ACCOUNTS)
                || super::taint_of(walk, &field.text).has(Taint::SECRET)
        })
    {
        found(walk, cmd, &rule::EXFIL_SECRET);
    }
    // what comes from another machine may be run here
    if let Some((to, from)) = operands.split_last()
        && !is_remote(&to.text)
    {
        for field in from.iter().filter(|field| is_remote(&field.text)) {
            let name = field.text.rsplit(['/', ':']).next().unwrap_or_default();
            let path = match to.text.trim_end_matches('/') {
                "." => name.to_owned(),
                directory if to.text.ends_with('/') || matches!(directory, "/tmp" | "/var/tmp" | "/dev/shm") => {
                    format!("{directory}/{name}")
                }
                file => file.to_owned(),
            };
            super::write_file(walk, &path, super::Write::Touch, &Data::unknown(Taint::NET), to.span);
        }
    }
    if let [from, to] = operands.as_slice()
        && is_scratch(walk, &to.text)
        && is_remote(&from.text)
        && from
            .text
            .split_once(':')
            .is_some_and(|(_, there)| is_scratch(walk, there))
    {
        walk.report(&rule::LATERAL, from.span);
    }
    if matches!(
        cmd.name,
        "croc" | "wormhole" | "magic-wormhole" | "transfer" | "ffsend" | "onionshare"
    ) && matches!(cmd.arg(0), "send" | "upload" | "")
    {
        found(walk, cmd, &rule::EXFIL_FILE);
    }
    // put file: sftp(1), ftp(1)
    let lines = cmd.stdin.text.iter().flat_map(|text| text.lines());
    let given = cmd.args.iter().map(|field| field.text.as_str());
    // tftp(1): the verb and its file are arguments
    let apart = cmd
        .args
        .iter()
        .position(|field| field.text == "put")
        .map(|at| format!("put {}", cmd.arg(at + 1)));
    for line in lines.chain(given).chain(apart.as_deref()).take(64) {
        if let Some(path) = line
            .trim_start()
            .strip_prefix("put ")
            .and_then(|rest| rest.split_whitespace().find(|word| !word.starts_with('-')))
        {
            let taint = super::taint_of(walk, path);
            if taint.has(Taint::SECRET) || taint.has(Taint::ACCOUNTS) {
                found(walk, cmd, &rule::EXFIL_SECRET);
            }
        }
    }
    if matches!(cmd.name, "ftp" | "tftp" | "lftp" | "smbclient")
        && [cmd.stdin.text.as_deref().unwrap_or_default()]
            .into_iter()
            .chain(cmd.args.iter().map(|field| field.text.as_str()))
            // lftp(1): a whole directory, in reverse
            .any(|text| text.contains("put ") || text.contains("mirror -R") || text.contains("mirror --reverse"))
    {
        found(walk, cmd, &rule::EXFIL_FILE);
    }
}

pub(super) fn is_scratch(walk: &Walk<'_>, path: &str) -> bool {
    path.starts_with('/') && walk.places.place(path, "") == Place::Scratch
}

pub(super) fn mails(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let attached: Vec<_> = cmd
        .values('a', "attach")
        .into_iter()
        .chain(cmd.values('A', "attach"))
        .collect();
    let file = |text: &'_ str| {
        let text = text
            .strip_prefix("-a")
            .or_else(|| text.strip_prefix("-A"))
            .unwrap_or(text);
        text.rsplit('=')
            .next()
            .unwrap_or_default()
            .trim_start_matches('@')
            .to_owned()
    };
    let files: Vec<String> = attached.iter().map(|field| file(&field.text)).collect();
    let secret = cmd.stdin.taint.has(Taint::SECRET)
        || cmd.stdin.taint.has(Taint::ACCOUNTS)
        || carries(cmd.args, Taint::SECRET)
        || files.iter().any(|file| super::taint_of(walk, file).has(Taint::SECRET));
    // whoever a person's own mail program writes to may have a file of the work
    let own = matches!(cmd.name, "mail" | "mailx" | "mutt" | "neomutt" | "s-nail");
    if secret {
        found(walk, cmd, &rule::EXFIL_SECRET);
    } else if files.iter().any(|file| !own || !is_own(walk, file))
        || cmd.stdin.taint.has(Taint::FILE) && !is_message(cmd)
        || cmd.stdin.taint.has(Taint::ARCHIVE)
    {
        found(walk, cmd, &rule::EXFIL_FILE);
    }
}

/// mailx(1), sendmail(8): a text of the work that is sent as a message.
fn is_message(cmd: &Cmd<'_>) -> bool {
    !cmd.stdin.taint.has(Taint::BEYOND.and(Taint::ENV)) && cmd.name != "swaks"
}
