//! A cgroup whose processes need more memory than it may have.

use std::fs;

use integration_tests::{
    cgroup::{Cgroup, Places},
    container::unique,
    workload::Workload,
};
use tempfile::TempDir;

/// What it may have.
const LIMIT_BYTES: usize = 16 << 20;
/// What is read through it, in MiB: the kernel frees memory in pieces of some hundred kilobytes.
const READ_MIB: usize = 64;

/// The cgroup.
#[derive(Debug)]
pub(crate) struct Shortage {
    cgroup: Cgroup,
    folder: TempDir,
}

impl Shortage {
    pub(crate) fn make() -> Self {
        let cgroup = Cgroup::make(&Places::roots(), &unique("monitor-bench-memory"));
        let places = cgroup.places();
        let limit = places.file("memory.limit_in_bytes").or_else(|| places.file("memory.max"));
        let limit = limit.expect("a memory controller");
        fs::write(&limit, LIMIT_BYTES.to_string()).expect("limit a cgroup's memory");
        // Where there is no swap there may be no limit on it.
        if let Some(swap) = places.file("memory.swap.max") {
            fs::write(swap, "0").expect("forbid a cgroup to swap");
        }
        // Not in /tmp, which may be memory.
        let folder = tempfile::tempdir_in("/var/tmp").expect("make a folder");
        Self { cgroup, folder }
    }

    /// Reads a file that does not fit.
    pub(crate) fn reclaim(&self) {
        let file = self.folder.path().join("file").display().to_string();
        let mut reader = Workload::start(&["read", "--file", &file, "--mib", &READ_MIB.to_string()]);
        let _ready = reader.wait_ready();
        self.cgroup.take(reader.pid());
        // What it wrote is in memory, at another cgroup's expense.
        drop_caches(&file);
        reader.go();
        let _done = reader.wait_done();
        assert!(reader.exit(0).success(), "the reader failed");
    }

    /// Touches memory until it is killed.
    pub(crate) fn kill(&self) {
        let pages = (4 * LIMIT_BYTES / 4096).to_string();
        let mut hungry = Workload::start(&["faults", "--pages", &pages]);
        let _ready = hungry.wait_ready();
        self.cgroup.take(hungry.pid());
        hungry.go();
        assert!(!hungry.wait_end().success(), "memory was not short");
    }
}

/// Takes a file, which is on disk, out of the page cache.
fn drop_caches(path: &str) {
    let file = fs::File::open(path).expect("open a file");
    let whole = None;
    rustix::fs::fadvise(&file, 0, whole, rustix::fs::Advice::DontNeed).expect("drop a file's pages");
}
