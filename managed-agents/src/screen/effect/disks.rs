//! Disks, volumes and file systems: mkfs(8), fdisk(8), wipefs(8), lvm(8), zpool(8), btrfs(8), mdadm(8), mount(8), umount(8).

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::walk::Walk;

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if let Some(rule) = verdict(walk, cmd) {
        found(walk, cmd, rule);
    }
}

by_name! {
    NAMES: fn verdict(walk: &Walk<'_>, cmd: &Cmd<'_>) -> Option<&'static Rule> where cmd.name is {
        "mkfs" | "mkswap" | "mke2fs" | "newfs" | "mkdosfs" | "mkntfs" => has_device(cmd).then_some(&rule::DESTROY_DEVICE),
        "wipefs" => (has_device(cmd) && (cmd.flag('a', "all") || cmd.flag('o', "offset")) && !cmd.flag('n', "no-act"))
            .then_some(&rule::DESTROY_DEVICE),
        "sgdisk" => (has_device(cmd) && cmd.begins(&["--zap", "-Z", "-z", "--clear", "-o", "-d", "--delete", "-G"]))
            .then_some(&rule::DESTROY_DEVICE),
        "sfdisk" => (has_device(cmd) && (cmd.stdin.given || cmd.begins(&["--delete", "--wipe"]))).then_some(&rule::DESTROY_DEVICE),
        "fdisk" | "gdisk" => (has_device(cmd) && cmd.stdin.given).then_some(&rule::DESTROY_DEVICE),
        "parted" => cmd.has_any(&["mklabel", "mktable", "rm", "mkpart", "resizepart"]).then_some(&rule::DESTROY_DEVICE),
        "cryptsetup" => matches!(
            cmd.arg(0),
            "luksFormat" | "luksErase" | "erase" | "luksKillSlot" | "luksRemoveKey" | "reencrypt"
        )
        .then_some(&rule::DESTROY_VOLUME),
        "pvcreate" => (cmd.short('f')).then_some(&rule::DESTROY_VOLUME),
        "lvremove" | "vgremove" | "pvremove" => (!cmd.flag('t', "test")).then_some(&rule::DESTROY_VOLUME),
        "lvreduce" => Some(&rule::DESTROY_VOLUME),
        "zpool" => matches!(cmd.arg(0), "destroy" | "labelclear").then_some(&rule::DESTROY_VOLUME),
        "zfs" => (cmd.arg(0) == "destroy" && !cmd.short('n') || cmd.arg(0) == "rollback" && cmd.short('r'))
            .then_some(&rule::DESTROY_VOLUME),
        "btrfs" => (matches!(
            (cmd.arg(0), cmd.arg(1)),
            ("subvolume", "delete") | ("device", "remove" | "delete")
        ))
        .then_some(&rule::DESTROY_VOLUME),
        "mdadm" => (cmd.begins(&["--zero-superblock", "--stop", "--fail", "--remove", "-S"])
            || cmd.short('f') && cmd.short('r'))
        .then_some(&rule::DESTROY_VOLUME),
        "nvme" => {
            matches!(cmd.arg(0), "format" | "sanitize" | "write-zeroes" | "delete-ns").then_some(&rule::DESTROY_DEVICE)
        },
        "swapoff" => cmd.short('a').then_some(&rule::SYSTEM_STOP),
        "umount" => {
            (cmd.short('a') || cmd.args.iter().any(|field| field.text == "/") || (cmd.short('f') && cmd.short('l')))
                .then_some(&rule::SYSTEM_STOP)
        },
        "mount" => mounts(walk, cmd),
        // guestmount(1), fls(1), ntfscat(8): the files of a disk, past who may read them
        "guestmount" | "guestfish" | "virt-cat" | "virt-copy-out" | "virt-tar-out" | "ntfscat" | "icat" | "e2cp" | "fls"
            if has_device(cmd) =>
        {
            Some(&rule::CREDENTIAL_PRINT)
        },
        "debugfs" => (has_device(cmd) && cmd.short('w'))
            .then_some(&rule::DESTROY_DEVICE)
            .or(has_device(cmd).then_some(&rule::CREDENTIAL_PRINT)),
        "asr" => cmd.has("--erase").then_some(&rule::DESTROY_DEVICE),
        "dmsetup" => matches!(cmd.arg(0), "remove_all" | "wipe_table").then_some(&rule::DESTROY_VOLUME),
        "flashrom" if cmd.short('w') || cmd.short('E') => Some(&rule::DESTROY_DEVICE),
        "diskpart" | "flashrom" | "flash_erase" => {
            cmd.stdin
                .given
                .then_some(&rule::DESTROY_DEVICE)
                .or(matches!(cmd.name, "flash_erase").then_some(&rule::DESTROY_DEVICE))
        },
        // sg_format(8), rbd(8), drbdadm(8), pg_dropcluster(1), pg_resetwal(1), patronictl
        "sg_format" => cmd.has_any(&["--format", "-F"]).then_some(&rule::DESTROY_DEVICE),
        "rbd" => matches!(cmd.arg(0), "rm" | "purge" | "trash" | "snap" if cmd.arg(0) != "snap" && cmd.arg(0) != "trash" || matches!(cmd.arg(1), "purge" | "rm"))
            .then_some(&rule::DESTROY_VOLUME),
        "drbdadm" => matches!(cmd.arg(0), "wipe-md" | "create-md" | "invalidate").then_some(&rule::DESTROY_VOLUME),
        "pg_dropcluster" => (!cmd.args.is_empty()).then_some(&rule::DATABASE_DESTROY),
        "pg_resetwal" => cmd.flag('f', "force").then_some(&rule::DATABASE_DESTROY),
        "patronictl" => cmd.has_any(&["remove"]).then_some(&rule::DATABASE_DESTROY),
        "format" => cmd
            .args
            .iter()
            .any(|field| field.text.ends_with(':'))
            .then_some(&rule::DESTROY_DEVICE),
    } else { None }
}

fn has_device(cmd: &Cmd<'_>) -> bool {
    cmd.args.iter().any(|field| field.text.starts_with("/dev/"))
}

/// mount(8): the system made writable, or something laid over a part of it or over what tells of a process.
fn mounts(walk: &Walk<'_>, cmd: &Cmd<'_>) -> Option<&'static Rule> {
    let writable = cmd
        .args
        .iter()
        .any(|field| field.text.contains("remount") && field.text.contains("rw"))
        && cmd.has_any(&["/", "/usr", "/boot", "/system"]);
    let bind = cmd
        .args
        .iter()
        .any(|field| field.text.contains("bind") || matches!(field.text.as_str(), "tmpfs" | "overlay" | "-B"));
    let hides = bind
        && cmd.args.len() > 2
        && cmd
            .args
            .last()
            .is_some_and(|field| match field.text.strip_prefix("/proc/") {
                Some(rest) => !rest.is_empty() && !rest.starts_with("sys"),
                None => {
                    let place = walk.places.place(&field.text, &walk.cwd);
                    let own = ["/etc", "/usr", "/bin", "/sbin", "/lib", "/boot", "/root"];
                    matches!(place, Place::System | Place::InSystem)
                        && own.iter().any(|directory| field.text.starts_with(directory))
                }
            });
    // another directory in the place of the one where everything is written down
    if bind && cmd.args.len() > 2 && cmd.args.last().is_some_and(|field| field.text.starts_with("/var/log")) {
        return Some(&rule::WEAKEN_LOG);
    }
    let options = cmd.values('o', "options");
    if options
        .iter()
        .any(|field| field.text.split([',', '=']).any(|option| option == "suid"))
    {
        return Some(&rule::PRIVILEGE);
    }
    // what was mounted so that nothing in it can run
    let runs = options.iter().any(|field| {
        let mut given = field.text.split([',', '=']);
        field.text.contains("remount") && given.any(|option| option == "exec")
    });
    if runs {
        return Some(&rule::WEAKEN);
    }
    (writable || hides).then_some(&rule::WEAKEN)
}
