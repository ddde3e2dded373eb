//! Deleting, emptying and overwriting: rm(1), rmdir(1), unlink(1), shred(1), truncate(1), dd(1), mv(1), cp(1), rsync(1),
//! find(1), chmod(1), chown(1), setfacl(1).

use super::copies::{copies, dd, mirrors, moves};
use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::finding::Span;
use crate::screen::place::Place;
use crate::screen::rule;
use crate::screen::shell::data::{ALL, SOME, UNKNOWN};
use crate::screen::shell::walk::Walk;
use crate::screen::text;

/// Deletes paths, whatever program does it.
pub(in crate::screen) fn delete(
    walk: &mut Walk<'_>,
    paths: &[impl AsRef<str>],
    recursive: bool,
    force: bool,
    span: Span,
) {
    for path in paths {
        if let Some(rule) = deletes(walk, path.as_ref(), recursive, force) {
            walk.report(rule, span);
        }
    }
}

fn deletes(walk: &Walk<'_>, path: &str, recursive: bool, force: bool) -> Option<&'static rule::Rule> {
    let normal = walk.places.normal(path, &walk.cwd);
    if crate::screen::tamper::path(walk.places, &normal) || recursive && walk.places.holds_protected(&normal) {
        return Some(&rule::TAMPER);
    }
    let place = walk.places.place_of(&normal);
    let all = normal.contains(ALL) || normal.ends_with('*');
    match place {
        Place::Root => (recursive || all).then_some(&rule::DESTROY_SYSTEM),
        Place::System => Some(&rule::DESTROY_SYSTEM),
        Place::InSystem | Place::Device if recursive || all => Some(&rule::DESTROY_SYSTEM),
        Place::InSystem | Place::Device => Some(&rule::SYSTEM_WRITE),
        Place::Home if recursive || all => Some(&rule::DESTROY_HOME),
        Place::InHome if super::credential(&normal).is_some() || super::written(&normal).is_some() => {
            Some(&rule::DESTROY_DATA)
        }
        Place::InHome if recursive && !is_cache(&normal) => Some(&rule::DESTROY_OUTSIDE),
        Place::Workspace if recursive || normal.contains(ALL) || (all && force) => Some(&rule::DESTROY_WORKSPACE),
        Place::InWorkspace if normal == ".git" || normal.ends_with("/.git") => recursive.then_some(&rule::GIT_HISTORY),
        Place::Above if recursive => Some(&rule::DESTROY_OUTSIDE),
        Place::Outside if is_log(&normal) => Some(&rule::WEAKEN_LOG),
        // some files below a directory, as find(1) chooses them, are no whole tree, unless it is all that there is
        // without force, rm(1) still asks before it deletes what is protected
        Place::Outside if recursive && !force && !normal.contains(ALL) && !is_shared(&normal) => None,
        Place::Outside if recursive && (!normal.contains(SOME) || normal.matches('/').count() < 2) => {
            Some(&rule::DESTROY_OUTSIDE)
        }
        Place::Unknown if recursive && is_wide(&normal) => Some(&rule::DESTROY_UNRESOLVED),
        _ => is_log(&normal)
            .then_some(&rule::WEAKEN_LOG)
            .filter(|_| place != Place::InWorkspace),
    }
}

/// Directories that hold what others rely on.
fn is_shared(normal: &str) -> bool {
    let top = normal
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    matches!(
        top.as_str(),
        "var"
            | "opt"
            | "srv"
            | "mnt"
            | "media"
            | "data"
            | "volumes"
            | "export"
            | "usr"
            | "backup"
            | "backups"
            | "prod"
            | "production"
            | "www"
            | "app"
            | "apps"
    )
}

/// Below an unknown directory: everything, or nothing more than it.
fn is_wide(normal: &str) -> bool {
    let rest: String = normal
        .chars()
        .filter(|c| !matches!(*c, UNKNOWN | ALL | '/' | '*' | '.'))
        .collect();
    rest.is_empty()
}

/// Directories in a home that programs fill again.
fn is_cache(normal: &str) -> bool {
    let inside = normal.split_once('/').map_or("", |(_, rest)| rest);
    inside.split('/').any(|part| {
        matches!(
            part,
            ".cache" | "Caches" | "node_modules" | "__pycache__" | ".pytest_cache" | "target" | ".venv" | ".tox"
        )
    }) || inside.starts_with(".local/share/Trash")
        || inside.starts_with(".npm/_")
}

pub(super) fn is_log(normal: &str) -> bool {
    let name = text::name(normal);
    normal.starts_with('/') && is_log_of_system(normal)
        || name.ends_with("_history.txt")
        || name == "fish_history"
        || (name.starts_with('.') && (name.ends_with("_history") || name == ".lesshst" || name == ".viminfo"))
}

/// Whether it lies where systems and programs keep their logs.
fn is_log_of_system(normal: &str) -> bool {
    normal.starts_with("/var/log/")
        || normal.starts_with("/var/run/utmp")
        || normal.starts_with("/private/var/log")
        || normal.starts_with("/var/audit/")
        || normal.starts_with("/private/var/audit/")
        || normal.starts_with("/private/var/db/diagnostics/")
        || normal.starts_with("/var/db/diagnostics/")
        || normal.starts_with("/private/var/db/uuidtext/")
        || normal.starts_with("/var/mail/")
        || normal.starts_with("/var/spool/mail/")
}

/// Whether a file's name says that it holds data that people would miss.
pub(super) fn is_data(normal: &str) -> bool {
    // told by a directory or an extension
    if !normal.bytes().any(|byte| matches!(byte, b'/' | b'.')) {
        return false;
    }
    let name = text::lower(text::name(normal));
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(
        extension,
        "db" | "sqlite"
            | "sqlite3"
            | "db3"
            | "mdb"
            | "accdb"
            | "frm"
            | "ibd"
            | "myd"
            | "rdb"
            | "aof"
            | "ldf"
            | "mdf"
            | "dbf"
            | "kdbx"
            | "vmdk"
            | "qcow2"
            | "vdi"
            | "pst"
            | "ost"
            | "wal"
    ) || normal.starts_with("/var/lib/")
        || normal.starts_with("/srv/")
}

by_name! {
    NAMES: pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) where cmd.name is {
        "rm" | "unlink" | "srm" | "trash" | "trash-put" | "rip" | "gio" | "rimraf" | "del" | "rmtrash" | "wipe"
        | "safe-rm" | "grm" => remove(walk, cmd),
        // tar(1): what is packed is deleted where it stood
        "tar" | "gtar" if cmd.long("remove-files") => {
            // letters without a dash stand first, and the archive behind them
            let bare = if cmd.arg(0).starts_with('-') { 0 } else { 2 };
            for field in cmd.operands("fCXTI", &["file", "directory", "exclude"]).into_iter().skip(bare) {
                delete(walk, std::slice::from_ref(&field.text), true, true, field.span);
            }
        },
        "rmdir" => {
            for field in cmd.operands("", &[]) {
                if matches!(walk.places.place(&field.text, &walk.cwd), Place::Root | Place::System) {
                    walk.report(&rule::DESTROY_SYSTEM, field.span);
                }
            }
        },
        "shred" | "scrub" | "blkdiscard" | "badblocks" | "nwipe" | "hdparm" | "sfill" | "bleachbit" => shred(walk, cmd),
        "truncate" | "fallocate" => truncate(walk, cmd),
        "dd" | "dcfldd" | "dc3dd" | "ddrescue" | "pv-dd" => dd(walk, cmd),
        "mv" | "gmv" => moves(walk, cmd),
        "cp" | "gcp" | "install" | "ditto" | "ln" => copies(walk, cmd),
        "rsync" | "rclone" | "unison" | "robocopy" => mirrors(walk, cmd),
        "chmod" | "chown" | "chgrp" | "setfacl" | "chattr" | "chflags" | "icacls" | "gchmod" | "gchown" | "chcon"
        | "setfattr" => super::permissions::permissions(walk, cmd),
    } else {}
}

fn remove(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let recursive = cmd.short('r')
        || cmd.short('R')
        || cmd.long("recursive")
        || matches!(
            cmd.name,
            "rimraf" | "wipe" | "trash" | "trash-put" | "rip" | "rmtrash" | "gio"
        );
    // Windows commands, `del`: the files of that name in all directories below
    if cmd.name == "del" && cmd.args.iter().any(|field| field.text.eq_ignore_ascii_case("/s")) {
        found(walk, cmd, &rule::DESTROY_OUTSIDE);
    }
    let force = cmd.flag('f', "force");
    let mut operands = cmd.operands("", &[]);
    if cmd.name == "gio" {
        if !matches!(cmd.arg(0), "trash" | "remove") {
            return;
        }
        operands.retain(|field| !matches!(field.text.as_str(), "trash" | "remove"));
    }
    for field in operands {
        delete(walk, std::slice::from_ref(&field.text), recursive, force, field.span);
    }
    if cmd.has("--no-preserve-root") {
        found(walk, cmd, &rule::DESTROY_SYSTEM);
    }
}

fn shred(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let destroys = match cmd.name {
        "badblocks" => cmd.short('w'),
        "hdparm" => cmd.args.iter().any(|field| {
            field.text.starts_with("--security-erase")
                || field.text == "--trim-sector-ranges"
                || field.text == "--write-sector"
        }),
        "bleachbit" => cmd.long("shred") || cmd.long("wipe-free-space"),
        _ => true,
    };
    if !destroys {
        return;
    }
    for field in cmd.operands("ns", &["iterations", "size", "random-source"]) {
        match walk.places.place(&field.text, &walk.cwd) {
            Place::Device => walk.report(&rule::DESTROY_DEVICE, field.span),
            Place::System | Place::InSystem | Place::Root => walk.report(&rule::DESTROY_SYSTEM, field.span),
            Place::InWorkspace | Place::Scratch
                if !is_data(&field.text)
                    && matches!(cmd.name, "shred" | "bleachbit")
                    && !cmd.short('u')
                    && !cmd.long("remove") => {}
            _ => walk.report(&rule::DESTROY_DATA, field.span),
        }
    }
}

fn truncate(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if cmd.name == "fallocate" && cmd.values('l', "length").iter().any(|field| is_huge(&field.text)) {
        found(walk, cmd, &rule::EXHAUST);
    }
    let shrinks = cmd.values('s', "size").iter().any(|field| {
        let size = field.text.trim_start_matches("-s").trim_start_matches("--size=");
        !size.starts_with(['+', '>', '%'])
    });
    if cmd.name == "fallocate" && !(cmd.long("punch-hole") || cmd.long("zero-range") || cmd.long("collapse-range"))
        || !shrinks && cmd.name == "truncate"
    {
        return;
    }
    for field in cmd.operands("srol", &["size", "reference", "offset", "length"]) {
        empties(walk, &field.text, field.span);
    }
}

/// A length of a hundred gigabytes or more: it is there to fill the disk.
fn is_huge(length: &str) -> bool {
    let length = length.trim_start_matches("--length=").trim_start_matches("-l");
    let digits = length.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = length.get(..digits).and_then(|text| text.parse().ok()).unwrap_or(0);
    match length.as_bytes().get(digits).map(u8::to_ascii_uppercase) {
        Some(b'G') => number >= 100,
        Some(b'T' | b'P' | b'E') => number > 0,
        Some(b'M') => number >= 100_000,
        _ => number >= 100_000_000_000,
    }
}

/// A file loses its contents.
pub(super) fn empties(walk: &mut Walk<'_>, path: &str, span: Span) {
    let normal = walk.places.normal(path, &walk.cwd);
    let place = walk.places.place_of(&normal);
    empties_at(walk, &normal, place, span);
}

/// The same of a path that is already normal, and whose place is known.
pub(super) fn empties_at(walk: &mut Walk<'_>, normal: &str, place: Place, span: Span) {
    match place {
        Place::Device => walk.report(&rule::DESTROY_DEVICE, span),
        Place::System | Place::InSystem => walk.report(&rule::DESTROY_SYSTEM, span),
        Place::Scratch | Place::Sink => {}
        _ if is_log(normal) => walk.report(&rule::WEAKEN_LOG, span),
        _ if is_data(normal) => walk.report(&rule::DESTROY_DATA, span),
        _ => {}
    }
}
