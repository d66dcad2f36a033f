//! Giving up, once all is loaded and open, what measuring does not need.

use crate::{
    collector::collect::Collector,
    confine::{self, CapabilitySet, Part, capabilities},
    model,
};

/// What the programs' maps and iterators may be read with, from the least to the most. Kernels from 5.19 on ask for nothing more
/// than what is open, older ones for `CAP_BPF` where `kernel.unprivileged_bpf_disabled` is set, as it mostly is.
const TO_READ_MAPS: [CapabilitySet; 4] = [
    CapabilitySet::empty(),
    CapabilitySet::BPF,
    CapabilitySet::BPF.union(CapabilitySet::PERFMON),
    CapabilitySet::BPF.union(CapabilitySet::PERFMON).union(CapabilitySet::SYS_ADMIN),
];

/// Leaves the calling thread, which ticks from now on, with what it needs for that, which is found out by trying.
pub(super) fn tick(collector: &mut Collector, removes_socket: bool) {
    let kept = capabilities::least(&TO_READ_MAPS, || collector.answers());
    confine::enter(if removes_socket { Part::TickOfSocket(kept) } else { Part::Tick(kept) });
}

/// The same where a recording is read instead.
pub(super) fn replay(removes_socket: bool) {
    let none = CapabilitySet::empty();
    confine::enter(if removes_socket { Part::TickOfSocket(none) } else { Part::Tick(none) });
}

/// What this kernel has to confine threads with, for coverage.
pub(super) fn source() -> model::Source {
    let origin = Some("capabilities, seccomp, Landlock".to_owned());
    match confine::landlock() {
        Ok(()) => model::Source { state: "ok".to_owned(), reason: None, origin },
        Err(reason) => model::Source { state: "partial".to_owned(), reason: Some(reason.to_owned()), origin },
    }
}
