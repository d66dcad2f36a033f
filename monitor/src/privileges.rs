//! What this process may do.

/// What monitor needs a capability for, and which serve.
pub struct Need {
    /// The work.
    pub purpose: &'static str,
    /// Any one of these is enough.
    pub any_of: &'static [(&'static str, u8)],
    /// Whether nothing works without.
    pub is_vital: bool,
}

const SYS_ADMIN: (&str, u8) = ("CAP_SYS_ADMIN", 21);
const SYS_PTRACE: (&str, u8) = ("CAP_SYS_PTRACE", 19);

/// Capabilities by their number (include/uapi/linux/capability.h).
pub const NEEDS: &[Need] = &[
    Need { purpose: "load eBPF programs", any_of: &[("CAP_BPF", 39), SYS_ADMIN], is_vital: true },
    Need { purpose: "attach them to tracepoints", any_of: &[("CAP_PERFMON", 38), SYS_ADMIN], is_vital: true },
    Need { purpose: "count packets by cgroup", any_of: &[("CAP_NET_ADMIN", 12), SYS_ADMIN], is_vital: false },
    Need { purpose: "read the namespaces of other users' processes", any_of: &[SYS_PTRACE], is_vital: false },
    Need {
        purpose: "reach a runtime's socket and files of other users",
        any_of: &[("CAP_DAC_OVERRIDE", 1), ("CAP_DAC_READ_SEARCH", 2)],
        is_vital: false,
    },
];

/// The effective capabilities of this process, a bit each.
#[must_use]
pub fn effective() -> u64 {
    procfs::process::Process::myself()
        .and_then(|me| me.status())
        .map(|status| status.capeff)
        .unwrap_or_default()
}

impl Need {
    /// Whether these capabilities serve.
    #[must_use]
    pub fn is_met_by(&self, capabilities: u64) -> bool {
        self.any_of.iter().any(|(_, number)| capabilities >> number & 1 == 1)
    }

    /// `CAP_BPF or CAP_SYS_ADMIN`.
    #[must_use]
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.any_of.iter().map(|(name, _)| *name).collect();
        names.join(" or ")
    }
}

/// What is vital and missing, in one line; `None` where all is there.
#[must_use]
pub fn missing(capabilities: u64) -> Option<String> {
    let missing: Vec<String> = NEEDS
        .iter()
        .filter(|need| need.is_vital && !need.is_met_by(capabilities))
        .map(|need| format!("{} to {}", need.names(), need.purpose))
        .collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}

/// What reading namespaces and open files of other users' processes takes, where it is missing.
#[must_use]
pub fn missing_to_inspect(capabilities: u64) -> Option<String> {
    let is_missing = capabilities >> SYS_PTRACE.1 & 1 == 0;
    is_missing.then(|| format!("{} to read other users' processes", SYS_PTRACE.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_capabilities_are_enough_and_none_are_not() {
        assert_eq!(missing(u64::MAX), None);
        assert!(missing(0).unwrap().contains("CAP_BPF or CAP_SYS_ADMIN to load"));
    }

    #[test]
    fn the_new_capabilities_serve_without_the_old_one() {
        assert_eq!(missing(1 << 39 | 1 << 38), None);
        assert!(missing(1 << 39).unwrap().contains("CAP_PERFMON"));
        assert_eq!(missing(1 << 21), None);
    }

    #[test]
    fn inspecting_needs_no_more_than_to_read_processes() {
        assert_eq!(missing_to_inspect(1 << 19), None);
        assert!(missing_to_inspect(1 << 21).unwrap().contains("CAP_SYS_PTRACE"));
    }
}
