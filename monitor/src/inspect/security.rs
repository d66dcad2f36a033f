//! What a process may do, from its `/proc/PID/status` and `attr/current`.

use procfs::process::Status;

use super::{
    model::{Capabilities, Seccomp, Security},
    process::{ProcessDirectory, Reading},
};

/// Capabilities by their number (include/uapi/linux/capability.h, Linux 5.9 and later).
const CAPABILITIES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// What the process may do.
pub(super) fn read(directory: &ProcessDirectory, reading: &Reading) -> Security {
    let status = &reading.status;
    Security {
        capabilities: capabilities(status),
        seccomp: status.seccomp.and_then(seccomp),
        seccomp_filters: seccomp_filters(&reading.status_text),
        no_new_privs: status.nonewprivs.map(|bit| bit == 1),
        // Without a security module that labels processes, reading fails with EINVAL.
        lsm_label: directory.read_text("attr/current").ok().and_then(|text| label(&text)),
    }
}

pub(super) fn capabilities(status: &Status) -> Capabilities {
    Capabilities {
        effective: capability_names(status.capeff),
        permitted: capability_names(status.capprm),
        bounding: status.capbnd.map(capability_names),
        ambient: status.capamb.map(capability_names),
    }
}

fn capability_names(set: u64) -> Vec<String> {
    (0..u64::BITS)
        .filter(|number| set >> number & 1 == 1)
        .map(|number| {
            let known = usize::try_from(number).ok().and_then(|number| CAPABILITIES.get(number));
            known.map_or_else(|| format!("CAP_{number}"), ToString::to_string)
        })
        .collect()
}

fn seccomp(mode: u32) -> Option<Seccomp> {
    match mode {
        0 => Some(Seccomp::Disabled),
        1 => Some(Seccomp::Strict),
        2 => Some(Seccomp::Filter),
        _ => None,
    }
}

pub(super) fn seccomp_filters(status: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix("Seccomp_filters:"))?.trim().parse().ok()
}

/// Some modules end their label in a newline, some in NUL.
pub(super) fn label(text: &str) -> Option<String> {
    let label = text.trim_end_matches(['\0', '\n']);
    (!label.is_empty()).then(|| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_s_default_set_has_its_fourteen_names() {
        let names = capability_names(0xa804_25fb);
        assert_eq!(names.len(), 14);
        assert_eq!(names.first().map(String::as_str), Some("CAP_CHOWN"));
        assert_eq!(names.last().map(String::as_str), Some("CAP_SETFCAP"));
        assert!(names.contains(&"CAP_NET_RAW".to_owned()));
        assert!(!names.contains(&"CAP_SYS_ADMIN".to_owned()));
    }

    #[test]
    fn a_capability_of_a_later_kernel_has_its_number() {
        assert_eq!(capability_names(1 << 40 | 1 << 41), ["CAP_CHECKPOINT_RESTORE", "CAP_41"]);
        assert!(capability_names(0).is_empty());
    }

    #[test]
    fn filters_are_counted_by_newer_kernels_only() {
        assert_eq!(seccomp_filters("Seccomp:\t2\nSeccomp_filters:\t3\n"), Some(3));
        assert_eq!(seccomp_filters("Seccomp:\t2\n"), None);
    }

    #[test]
    fn labels_lose_their_end() {
        assert_eq!(label("docker-default (enforce)\n").as_deref(), Some("docker-default (enforce)"));
        assert_eq!(
            label("system_u:system_r:container_t:s0\0").as_deref(),
            Some("system_u:system_r:container_t:s0")
        );
        assert_eq!(label("\n"), None);
    }
}
