//! Which of the machine's devices stand on others: what passes such a one passes another one too, and would be counted twice in a
//! sum. cAdvisor's interfaces leave out what cAdvisor does, which is less.

/// Beginnings of the names of interfaces that lead nowhere but to containers and other interfaces of the machine.
pub(super) const INNER_INTERFACES: [&str; 16] = [
    "lo", "veth", "docker", "br-", "cni", "flannel", "cali", "virbr", "lxcbr", "podman", "tun", "tap",
    "dummy", "kube", "nerdctl", "ifb",
];

/// Beginnings of the names of disks that stand on others, in files or in memory, and of drives whose media come and go.
pub(super) const NO_DISKS: [&str; 10] =
    ["loop", "dm-", "md", "bcache", "drbd", "zd", "zram", "ram", "sr", "fd"];

/// Whether what passes an interface of this name comes from outside or goes there.
#[must_use]
pub fn leads_outside(interface: &str) -> bool {
    !INNER_INTERFACES.iter().any(|beginning| interface.starts_with(beginning))
}

/// Whether a block device of this name is a disk that stands on no other one.
#[must_use]
pub fn is_disk(device: &str) -> bool {
    !NO_DISKS.iter().any(|beginning| device.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_on_others_is_told_by_its_name() {
        for name in ["eth0", "enp3s0", "wlan0", "bond0"] {
            assert!(leads_outside(name), "{name}");
        }
        for name in ["lo", "veth12ab", "docker0", "br-0a1b", "lxcbr0", "tun0", "kube-ipvs0"] {
            assert!(!leads_outside(name), "{name}");
        }
        for name in ["vda", "sda", "nvme0n1", "xvda", "mmcblk0", "rbd0"] {
            assert!(is_disk(name), "{name}");
        }
        for name in ["dm-0", "md127", "loop3", "zram0", "sr0", "drbd1"] {
            assert!(!is_disk(name), "{name}");
        }
    }
}
