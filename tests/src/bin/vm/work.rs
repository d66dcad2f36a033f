//! The work that is known in advance.

/// Where requests are read from, which nobody else uses.
pub(crate) const DISK: &str = "/dev/nvme0n1";
pub(crate) const READS: u64 = 500;
pub(crate) const READ_BYTES: u64 = 4096;
/// Pages of the disk that are mapped and read each for itself.
pub(crate) const MAJOR_FAULTS: u64 = 500;
/// Bytes over the loopback interface.
pub(crate) const LOOPBACK_BYTES: u64 = 2_000_000;
/// Children of the forking workload; each forks once itself.
pub(crate) const CHILDREN: u64 = 20;

/// What must come out exactly, by the workload's arguments.
pub(crate) const EXACT: [(&str, &[&str]); 3] = [
    ("switches", &["switch", "--threads", "8", "--blocks", "300", "--yields", "100", "--cpus", "0"]),
    ("waits", &["spin", "--threads", "4", "--ms", "400", "--cpus", "0"]),
    ("faults", &["faults", "--threads", "2", "--pages", "2000", "--rounds", "2"]),
];
