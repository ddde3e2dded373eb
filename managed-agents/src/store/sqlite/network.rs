//! Whether a directory lies on a network file system.
//!
//! SQLite's WAL needs memory that all writers share, which two machines do not; and locks of network file systems are often
//! none. Known on Linux; on other systems nothing is checked.

use std::path::Path;

use super::error::{StoreError, StoreErrorKind};

/// Refuses a directory on a network file system.
pub(super) fn refuse(dir: &Path) -> Result<(), StoreError> {
    match network_of(dir) {
        None => Ok(()),
        Some(kind) => Err(StoreError::new(
            StoreErrorKind::NetworkFileSystem,
            format!(
                "{} lies on a network file system ({kind}), where two machines could fork the log: keep it on a local disk",
                dir.display()
            ),
        )),
    }
}

#[cfg(target_os = "linux")]
fn network_of(dir: &Path) -> Option<String> {
    let found = rustix::fs::statfs(dir).ok()?;
    // the type is signed on some platforms and of 64 bits on most: the low 32 bits are the number
    let magic = found.f_type as u32;
    match magic {
        FUSE => fuse_of(dir),
        _ => NETWORK
            .iter()
            .find(|(number, _)| *number == magic)
            .map(|(_, name)| (*name).to_owned()),
    }
}

#[cfg(not(target_os = "linux"))]
fn network_of(_dir: &Path) -> Option<String> {
    None
}

#[cfg(target_os = "linux")]
const FUSE: u32 = 0x6573_5546;

/// Numbers from `linux/magic.h` and the file systems' own sources.
#[cfg(target_os = "linux")]
const NETWORK: [(u32, &str); 12] = [
    (0x0000_6969, "NFS"),
    (0x0000_517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x0102_1997, "9P"),
    (0x5346_414f, "AFS"),
    (0x00c3_6400, "Ceph"),
    (0x7375_7245, "Coda"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x7461_636f, "OCFS2"),
    (0x0116_1970, "GFS2"),
];

/// FUSE serves local disks too: its subtype tells.
#[cfg(target_os = "linux")]
fn fuse_of(dir: &Path) -> Option<String> {
    let dir = dir.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    fuse_kind(&mounts, &dir)
}

/// The type of the innermost mount above a directory, unless it is known to be local.
#[cfg(target_os = "linux")]
fn fuse_kind(mounts: &str, dir: &Path) -> Option<String> {
    const LOCAL: [&str; 6] = [
        "fuseblk",
        "fuse.ntfs-3g",
        "fuse.fuse-overlayfs",
        "fuse.lxcfs",
        "fuse.gocryptfs",
        "fuse.encfs",
    ];
    let (_, kind) = mounts
        .lines()
        .filter_map(|line| {
            let (before, after) = line.split_once(" - ")?;
            let at = before.split(' ').nth(4)?.replace("\\040", " ");
            let kind = after.split(' ').next()?;
            dir.starts_with(&at).then_some((at.len(), kind))
        })
        // of two mounts on one place, the later one is seen
        .max_by_key(|(len, _)| *len)?;
    (!LOCAL.contains(&kind)).then(|| kind.to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_the_innermost_mount_tells() {
        let mounts = "22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n\
                      30 22 0:40 / /mnt/far rw - fuse.sshfs host:/ rw\n\
                      31 22 0:41 / /mnt/my\\040disk rw - fuseblk /dev/sdb1 rw\n";
        assert_eq!(
            fuse_kind(mounts, Path::new("/mnt/far/data")).as_deref(),
            Some("fuse.sshfs")
        );
        assert_eq!(fuse_kind(mounts, Path::new("/mnt/my disk/data")), None);
        assert_eq!(fuse_kind(mounts, Path::new("/mnt/farther")).as_deref(), Some("ext4"));
    }

    #[test]
    fn a_local_directory_is_not_refused() {
        assert!(refuse(&std::env::temp_dir()).is_ok());
    }
}
