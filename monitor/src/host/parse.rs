//! Pure: text of the machine's /proc files into raw figures, most of it by the `procfs` crate.

use procfs::{
    DiskStat, DiskStats, FromBufRead as _, FromBufReadSI as _, FromRead as _, KernelStats, LoadAverage,
    Meminfo, PressureRecord,
    net::{DeviceStatus, InterfaceDeviceStatus},
    parse_pressure_record,
};

/// One reading of the machine; `None` is what could not be read. Counters start at boot.
#[derive(Clone, Debug, Default)]
pub struct HostStats {
    /// CPU time.
    pub cpu: Option<CpuUse>,
    /// Switches and tasks.
    pub processes: Option<ProcessCounters>,
    /// The virtual memory's event counters.
    pub vm: Option<VmCounters>,
    /// `/proc/meminfo`, in bytes.
    pub memory: Option<Meminfo>,
    /// `/proc/loadavg`.
    pub load: Option<LoadAverage>,
    /// `/proc/diskstats`, whole devices that did anything.
    pub disks: Option<Vec<DiskStat>>,
    /// `/proc/net/dev` of process 1, in the order of names.
    pub interfaces: Option<Vec<DeviceStatus>>,
    /// Waiting for a CPU.
    pub cpu_pressure: Option<Stall>,
    /// Waiting for memory.
    pub memory_pressure: Option<Stall>,
    /// Waiting for I/O.
    pub io_pressure: Option<Stall>,
}

/// CPU time, from `/proc/stat`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuUse {
    /// Of all CPUs together.
    pub all: CpuTimes,
    /// Of each CPU that is online, by its number.
    pub each: Vec<(u32, CpuTimes)>,
}

/// Nanoseconds by use, from a line of `/proc/stat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTimes {
    /// In user space, guests included.
    pub user_ns: u64,
    /// In user space at a lowered priority.
    pub nice_ns: u64,
    /// In the kernel.
    pub system_ns: u64,
    /// Idle.
    pub idle_ns: u64,
    /// Idle, while a task waits for I/O.
    pub iowait_ns: Option<u64>,
    /// In interrupt handlers.
    pub irq_ns: Option<u64>,
    /// In soft interrupts.
    pub softirq_ns: Option<u64>,
    /// Taken by the hypervisor.
    pub steal_ns: Option<u64>,
}

impl CpuTimes {
    /// Neither idle nor taken by the hypervisor.
    #[must_use]
    pub fn busy_ns(&self) -> u64 {
        let [irq_ns, softirq_ns] = [self.irq_ns, self.softirq_ns].map(Option::unwrap_or_default);
        [self.nice_ns, self.system_ns, irq_ns, softirq_ns].into_iter().fold(self.user_ns, u64::saturating_add)
    }
}

/// The rest of `/proc/stat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessCounters {
    /// Context switches of every CPU, those of the idle tasks included.
    pub switches: u64,
    /// Tasks made.
    pub forks: u64,
    /// Tasks running or ready to.
    pub running: Option<u32>,
    /// Tasks waiting for I/O.
    pub blocked: Option<u32>,
}

/// What is used of `/proc/vmstat`; an event that this kernel does not count is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VmCounters {
    /// `pgfault`: page faults, major ones included.
    pub faults: Option<u64>,
    /// `pgmajfault`.
    pub major_faults: Option<u64>,
    /// `oom_kill`, Linux 4.13 and later.
    pub oom_kills: Option<u64>,
    /// `pgscan_direct`.
    pub direct_scanned_pages: Option<u64>,
    /// `pgsteal_direct`.
    pub direct_freed_pages: Option<u64>,
    /// `pgscan_kswapd`.
    pub kswapd_scanned_pages: Option<u64>,
    /// `pgsteal_kswapd`.
    pub kswapd_freed_pages: Option<u64>,
    /// `pswpin`.
    pub swap_in_pages: Option<u64>,
    /// `pswpout`.
    pub swap_out_pages: Option<u64>,
}

/// A file of `/proc/pressure`.
#[derive(Clone, Debug, Default)]
pub struct Stall {
    /// At least one task was stalled.
    pub some: Option<PressureRecord>,
    /// All non-idle tasks were stalled at once. For CPU from Linux 5.13 on, and there always 0.
    pub full: Option<PressureRecord>,
}

/// `/proc/stat`.
pub(super) fn stat(text: &[u8]) -> Option<(CpuUse, ProcessCounters)> {
    let stats = KernelStats::from_buf_read(text, procfs::current_system_info()).ok()?;
    // Lines of CPUs that are offline are left out, so a line's place does not tell its CPU's number.
    let numbers = str::from_utf8(text)
        .ok()?
        .lines()
        .filter_map(|line| line.strip_prefix("cpu")?.split(' ').next()?.parse().ok());
    let each = numbers.zip(stats.cpu_time.iter().map(cpu_times)).collect();
    let processes = ProcessCounters {
        switches: stats.ctxt,
        forks: stats.processes,
        running: stats.procs_running,
        blocked: stats.procs_blocked,
    };
    Some((CpuUse { all: cpu_times(&stats.total), each }, processes))
}

fn cpu_times(ticks: &procfs::CpuTime) -> CpuTimes {
    let tick_ns = 1_000_000_000 / procfs::ticks_per_second().max(1);
    let ns = |ticks: u64| ticks.saturating_mul(tick_ns);
    CpuTimes {
        user_ns: ns(ticks.user),
        nice_ns: ns(ticks.nice),
        system_ns: ns(ticks.system),
        idle_ns: ns(ticks.idle),
        iowait_ns: ticks.iowait.map(ns),
        irq_ns: ticks.irq.map(ns),
        softirq_ns: ticks.softirq.map(ns),
        steal_ns: ticks.steal.map(ns),
    }
}

/// `/proc/vmstat`. Not by `procfs`, which would make a string and a map entry of each of its 200 lines.
pub(super) fn vmstat(text: &[u8]) -> VmCounters {
    let mut vm = VmCounters::default();
    let lines = str::from_utf8(text).unwrap_or_default().lines();
    for (key, value) in lines.filter_map(|line| line.split_once(' ')) {
        let field = match key {
            "pgfault" => &mut vm.faults,
            "pgmajfault" => &mut vm.major_faults,
            "oom_kill" => &mut vm.oom_kills,
            "pgscan_direct" => &mut vm.direct_scanned_pages,
            "pgsteal_direct" => &mut vm.direct_freed_pages,
            "pgscan_kswapd" => &mut vm.kswapd_scanned_pages,
            "pgsteal_kswapd" => &mut vm.kswapd_freed_pages,
            "pswpin" => &mut vm.swap_in_pages,
            "pswpout" => &mut vm.swap_out_pages,
            _ => continue,
        };
        *field = value.trim_end().parse().ok();
    }
    vm
}

/// `/proc/meminfo`. Kibibytes that are no 64 bits of bytes are none, as `procfs` would multiply them all the same, and it cuts
/// the last byte off names, whether or not that is a character.
pub(super) fn meminfo(text: &[u8]) -> Option<Meminfo> {
    const DIGITS: usize = 16;
    let mut numbers = text.split(|byte| !byte.is_ascii_digit());
    let is_sound = text.is_ascii() && numbers.all(|digits| digits.len() <= DIGITS);
    is_sound.then(|| Meminfo::from_buf_read(text).ok()).flatten()
}

/// `/proc/loadavg`.
pub(super) fn loadavg(text: &[u8]) -> Option<LoadAverage> {
    LoadAverage::from_read(text).ok()
}

/// `/proc/diskstats`.
pub(super) fn disks(text: &[u8]) -> Option<Vec<DiskStat>> {
    DiskStats::from_buf_read(text).ok().map(|DiskStats(disks)| disks)
}

/// `/proc/net/dev`, in the order of names.
pub(super) fn interfaces(text: &[u8]) -> Option<Vec<DeviceStatus>> {
    let InterfaceDeviceStatus(by_name) = InterfaceDeviceStatus::from_buf_read(text).ok()?;
    let mut interfaces: Vec<_> = by_name.into_values().collect();
    interfaces.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Some(interfaces)
}

/// A file of `/proc/pressure`. By the line, as `procfs` refuses a file without `full`, which is that of CPUs before 5.13.
pub(super) fn pressure(text: &[u8]) -> Option<Stall> {
    let text = str::from_utf8(text).ok()?;
    let record = |kind: &str| parse_pressure_record(text.lines().find(|line| line.starts_with(kind))?).ok();
    let stall = Stall { some: record("some "), full: record("full ") };
    (stall.some.is_some() || stall.full.is_some()).then_some(stall)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const STAT: &str = "\
cpu  822952 1120 451246 1848203 11670 7 5946 372 0 0
cpu0 399197 583 200667 966140 3209 3 259 183 0 0
cpu2 423754 536 250578 882063 8460 4 5686 189 0 0
intr 48112275 0 0 15
ctxt 310249156
btime 1795374811
processes 2129803
procs_running 19
procs_blocked 1
softirq 14282895 0 1109629
";

    #[test]
    fn times_are_nanoseconds_by_the_cpus_own_number() {
        let (CpuUse { all, each }, processes) = stat(STAT.as_bytes()).unwrap();
        assert_eq!(all.user_ns, 8_229_520_000_000);
        assert_eq!((all.irq_ns, all.steal_ns), (Some(70_000_000), Some(3_720_000_000)));
        assert_eq!(all.busy_ns(), (822_952 + 1120 + 451_246 + 7 + 5946) * 10_000_000);
        assert_eq!(each.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(each[1].1.nice_ns, 5_360_000_000);
        let expected =
            ProcessCounters { switches: 310_249_156, forks: 2_129_803, running: Some(19), blocked: Some(1) };
        assert_eq!(processes, expected);
    }

    #[test]
    fn events_that_a_kernel_does_not_count_are_unknown() {
        let vm = vmstat(
            b"nr_free_pages 5\npgfault 100\npgmajfault 3\npgscan_direct_throttle 9\npgscan_direct 4\n",
        );
        let expected = VmCounters {
            faults: Some(100),
            major_faults: Some(3),
            direct_scanned_pages: Some(4),
            ..VmCounters::default()
        };
        assert_eq!(vm, expected);
    }

    #[test]
    fn interfaces_are_sorted() {
        let text = "Inter-|   Receive          |  Transmit\n face |bytes    packets errs drop fifo frame compressed \
                    multicast|bytes    packets errs drop fifo colls carrier compressed\n\
                    \x20   lo:   27085     298    0    0    0     0          0         0    27085     298    0    0    0     0       0          0\n\
                    \x20 eth0: 738883241   26777    1    2    0     0          0         0  1564827   16931    3    4    0     0       0          0\n";
        let found = interfaces(text.as_bytes()).unwrap();
        assert_eq!(found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["eth0", "lo"]);
        assert_eq!((found[0].recv_bytes, found[0].sent_drop), (738_883_241, 4));
    }

    #[test]
    fn pressure_without_full_is_read() {
        let old = pressure(b"some avg10=92.54 avg60=87.36 avg300=65.82 total=3639981128\n").unwrap();
        assert_eq!(old.some.unwrap().total, 3_639_981_128);
        assert!(old.full.is_none());
        assert!(pressure(b"some\nfull\n").is_none());
    }

    #[test]
    fn text_of_another_form_is_unknown() {
        assert!(stat(b"cpu  1 2 3\n").is_none() && meminfo(b"MemTotal: 5 kB\n").is_none());
        assert!(loadavg(b"").is_none() && disks(b"8 0 sda x\n").is_none());
        assert!(interfaces(b"a\nb\neth0: 1\n").is_none());
    }

    #[test]
    fn memory_that_is_no_number_of_bytes_is_unknown() {
        let text = fs::read_to_string("/proc/meminfo").unwrap();
        assert!(meminfo(text.as_bytes()).is_some());
        assert!(meminfo(text.replacen(" kB", "0000000000000000 kB", 1).as_bytes()).is_none());
        assert!(meminfo(text.replacen(':', "\u{fc}", 1).as_bytes()).is_none());
    }

    #[test]
    fn times_that_are_too_long_are_the_longest() {
        let text = STAT.replacen("822952", "18446744073709551615", 1);
        let (CpuUse { all, .. }, _) = stat(text.as_bytes()).unwrap();
        assert_eq!((all.user_ns, all.busy_ns()), (u64::MAX, u64::MAX));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = (stat(&text), vmstat(&text), loadavg(&text), interfaces(&text), pressure(&text));
        }
    }
}
