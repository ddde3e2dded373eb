//! Code of the kernel: modprobe(8), insmod(8), kmod(8), kldload(8), kmutil(8).

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::rule;
use crate::screen::shell::walk::Walk;

by_name! {
    NAMES: pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) where cmd.name is {
        "insmod" | "kextload" | "kextunload" | "kmutil" => found(walk, cmd, &rule::KERNEL_MODULE),
        "modprobe" if loads(cmd) => found(walk, cmd, &rule::KERNEL_MODULE),
        // kldload(8): a file that is no part of the system
        "kldload" if cmd.args.iter().any(|field| field.text.contains('/')) => found(walk, cmd, &rule::KERNEL_MODULE),
        "rmmod" if cmd.short('f') => found(walk, cmd, &rule::KERNEL_MODULE),
    } else {}
}

/// modprobe(8): a module that is not of the kernel's own tree, or that comes from another place or is forced in.
fn loads(cmd: &Cmd<'_>) -> bool {
    let only_tells = cmd.short('n')
        || cmd.short('D')
        || cmd.short('c')
        || cmd.long("show-depends")
        || cmd.long("dry-run")
        || cmd.short('r')
        || cmd.args.is_empty();
    let elsewhere = cmd.short('d')
        || cmd.short('C')
        || cmd.short('S')
        || cmd.short('f')
        || cmd.long("dirname")
        || cmd.long("config")
        || cmd.long("force");
    // with `-a` every word is a module; else what follows the first are its parameters
    let all = cmd.short('a') || cmd.long("all");
    let mut names = cmd.args.iter().filter(|field| !field.text.starts_with('-'));
    let known = if all {
        names.all(|field| is_of_the_tree(&field.text))
    } else {
        names.next().is_some_and(|field| is_of_the_tree(&field.text))
    };
    !only_tells && (elsewhere || !known)
}

/// Modules that guides to containers, networks, storage and devices load by name (the kernel's documentation: networking,
/// filesystems, block devices, virtualization, i2c, sound).
fn is_of_the_tree(name: &str) -> bool {
    let name = name.replace('-', "_");
    let families = [
        "ip_vs",
        "xt_",
        "nf_",
        "nft_",
        "iptable_",
        "ip6table_",
        "dm_",
        "raid",
        "virtio",
        "vhost",
        "vfio",
        "snd_",
        "i2c_",
        "usb_",
        "usbserial",
        "nvidia",
        "hid_",
        "crypto_",
        "nvme",
        "scsi_",
        "zfs_",
    ];
    families.iter().any(|own| name.starts_with(own))
        || matches!(
            &*name,
            "overlay"
                | "br_netfilter"
                | "bridge"
                | "veth"
                | "dummy"
                | "bonding"
                | "8021q"
                | "vxlan"
                | "macvlan"
                | "ipvlan"
                | "tun"
                | "tap"
                | "wireguard"
                | "gre"
                | "ip_gre"
                | "ipip"
                | "sit"
                | "tcp_bbr"
                | "ip_tables"
                | "ip6_tables"
                | "ip_set"
                | "nbd"
                | "loop"
                | "fuse"
                | "cifs"
                | "nfs"
                | "nfsd"
                | "ext4"
                | "xfs"
                | "btrfs"
                | "vfat"
                | "exfat"
                | "ntfs3"
                | "f2fs"
                | "squashfs"
                | "isofs"
                | "udf"
                | "zfs"
                | "rbd"
                | "ceph"
                | "drbd"
                | "zram"
                | "brd"
                | "iscsi_tcp"
                | "target_core_mod"
                | "kvm"
                | "kvm_intel"
                | "kvm_amd"
                | "spidev"
                | "uas"
                | "ftdi_sio"
                | "cp210x"
                | "ch341"
                | "cdc_acm"
                | "uvcvideo"
                | "v4l2loopback"
                | "nouveau"
                | "amdgpu"
                | "radeon"
                | "i915"
                | "e1000"
                | "e1000e"
                | "igb"
                | "ixgbe"
                | "r8169"
                | "iwlwifi"
                | "ath9k"
                | "ath10k_pci"
                | "bluetooth"
                | "btusb"
                | "coretemp"
                | "softdog"
                | "ipmi_si"
                | "ipmi_devintf"
                | "acpi_cpufreq"
                | "cpuid"
                | "pcspkr"
                | "psmouse"
                | "joydev"
                | "uinput"
                | "configfs"
        )
}

#[cfg(test)]
mod tests {
    use crate::screen::effect::tests::{passes, refused};

    #[test]
    fn a_module_of_the_kernels_own_passes_and_no_other() {
        refused(
            "modules",
            &[
                "insmod ./x.ko",
                "modprobe rootkit",
                "modprobe msr allow_writes=on",
                "modprobe -d /tmp nbd",
                "modprobe --force loop",
                "modprobe -a overlay rootkit",
                "kldload ./x.ko",
            ],
        );
        passes(&[
            "modprobe nbd",
            "sudo modprobe br_netfilter",
            "modprobe -a overlay br_netfilter",
            "modprobe bonding mode=1",
            "modprobe -r x",
            "modprobe -n x",
        ]);
    }
}
