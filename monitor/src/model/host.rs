//! The machine: who it is, and its own totals, of which containers' figures are parts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    filesystems::HostFilesystem,
    measurements::{PacketDrops, Pressure},
    metric::metrics,
    snapshot::CgroupMode,
};

/// The machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Its name.
    pub hostname: String,
    /// `uname -r`.
    pub kernel_release: String,
    /// Random, new at each boot: cgroup ids and `CLOCK_BOOTTIME` are valid within one.
    pub boot_id: Option<String>,
    /// CPUs online.
    pub cpus: u32,
    /// Memory that the kernel manages.
    pub memory_bytes: Option<u64>,
    /// How the cgroup file systems are set up; `null` where there are none.
    pub cgroup_mode: Option<CgroupMode>,
    /// What it has done.
    #[serde(flatten)]
    pub totals: HostTotals,
}

/// What the machine as a whole has done since it was booted, and what it does now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostTotals {
    /// CPU time of all CPUs together.
    pub cpu: CpuTimes,
    /// CPU time of each CPU that is online.
    pub per_cpu: Option<Vec<NumberedCpu>>,
    /// Switches, tasks and load.
    pub scheduler: HostScheduler,
    /// Memory.
    pub memory: HostMemory,
    /// Page faults.
    pub faults: HostFaults,
    /// Reclaim, swapping and killing for lack of memory.
    pub reclaim: HostReclaim,
    /// Block devices that have done anything since boot, without partitions.
    pub disks: Option<Vec<Disk>>,
    /// File systems on devices of the machine, each once, without images that cannot be written to.
    pub filesystems: Option<Vec<HostFilesystem>>,
    /// Interfaces of the network namespace of process 1.
    pub interfaces: Option<Vec<HostInterface>>,
    /// IP packets that the kernel threw away, in whatever network namespace, which it had no socket for, or did not name: those
    /// of a socket are its cgroup's. Since counting began.
    pub ownerless_drops: Option<Vec<PacketDrops>>,
    /// Pressure stall information of all tasks (`/proc/pressure`).
    pub pressure: Pressure,
}

metrics! {
    /// CPU time by use, from `/proc/stat`. On most kernels sampled at the scheduler's ticks, and always in units of 10 ms.
    CpuTimes at cpu of HostTotals {
        /// In user space, guests of virtual machines included.
        user_ns_total: Counter,
        /// In user space at a lowered priority.
        nice_ns_total: Counter,
        /// In the kernel.
        system_ns_total: Counter,
        /// Idle, with no task waiting for I/O.
        idle_ns_total: Counter,
        /// Idle, while a task that ran here last waits for I/O. The kernel may take some of it back.
        iowait_ns_total: Counter,
        /// In interrupt handlers.
        irq_ns_total: Counter,
        /// In soft interrupts.
        softirq_ns_total: Counter,
        /// Runnable, while the hypervisor ran something else.
        steal_ns_total: Counter,
        /// Growth over the window of user, nice, system, irq and softirq time, in CPUs.
        busy_cores: Ratio,
    }
}

/// CPU time of one CPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NumberedCpu {
    /// Its number.
    pub number: u32,
    /// Its times.
    #[serde(flatten)]
    pub times: CpuTimes,
}

metrics! {
    /// Switches, tasks and load, from `/proc/stat` and `/proc/loadavg`.
    HostScheduler at scheduler of HostTotals {
        /// Context switches, those from and to the idle tasks included, which no cgroup is charged for (`ctxt`).
        switches_total: Counter,
        /// Growth of `switches_total` over the window.
        switches_per_second: Rate,
        /// Tasks made: processes and threads (`processes`).
        forks_total: Counter,
        /// Growth of `forks_total` over the window.
        forks_per_second: Rate,
        /// Tasks that run or are ready to (`procs_running`).
        running_tasks: Gauge,
        /// Tasks that wait for I/O (`procs_blocked`).
        blocked_tasks: Gauge,
        /// All tasks there are, threads included.
        tasks: Gauge,
        /// Mean number of tasks running, ready or in uninterruptible sleep, decaying over one minute.
        load_1: Ratio,
        /// The same over five minutes.
        load_5: Ratio,
        /// The same over fifteen minutes.
        load_15: Ratio,
    }
}

metrics! {
    /// Memory, from `/proc/meminfo`.
    HostMemory at memory of HostTotals {
        /// Memory that the kernel manages.
        total_bytes: Gauge,
        /// Memory in no use at all.
        free_bytes: Gauge,
        /// What new programs could have without swapping, as the kernel estimates.
        available_bytes: Gauge,
        /// Cache of block devices' own blocks.
        buffers_bytes: Gauge,
        /// Page cache, tmpfs and shared memory included.
        cached_bytes: Gauge,
        /// Tmpfs and shared memory.
        shmem_bytes: Gauge,
        /// Anonymous memory.
        anon_bytes: Gauge,
        /// Page cache that waits to be written.
        dirty_bytes: Gauge,
        /// Page cache that is being written.
        writeback_bytes: Gauge,
        /// The kernel's own objects.
        slab_bytes: Gauge,
        /// Their part that the kernel can free, such as directory entries.
        slab_reclaimable_bytes: Gauge,
        /// Swap space.
        swap_total_bytes: Gauge,
        /// Its part that is free.
        swap_free_bytes: Gauge,
    }
}

metrics! {
    /// Page faults, from `/proc/vmstat`.
    HostFaults at faults of HostTotals {
        /// Faults that read nothing from a device (`pgfault` less `pgmajfault`).
        minor_total: Counter,
        /// Faults that did (`pgmajfault`). A task's own count also has faults that waited for a read begun by another.
        major_total: Counter,
        /// Growth of `minor_total` over the window.
        minor_per_second: Rate,
        /// Growth of `major_total` over the window.
        major_per_second: Rate,
    }
}

metrics! {
    /// Reclaim, swapping and killing for lack of memory, from `/proc/vmstat`.
    HostReclaim at reclaim of HostTotals {
        /// Tasks killed for lack of memory, whether the machine's or a cgroup's (`oom_kill`).
        oom_kills_total: Counter,
        /// Pages that tasks in need of memory looked at themselves (`pgscan_direct`).
        direct_scanned_pages_total: Counter,
        /// Pages that they freed (`pgsteal_direct`).
        direct_freed_pages_total: Counter,
        /// Pages that the kernel's own reclaimer looked at (`pgscan_kswapd`).
        kswapd_scanned_pages_total: Counter,
        /// Pages that it freed (`pgsteal_kswapd`).
        kswapd_freed_pages_total: Counter,
        /// Pages read from swap (`pswpin`).
        swap_in_pages_total: Counter,
        /// Pages written to swap (`pswpout`).
        swap_out_pages_total: Counter,
    }
}

/// A block device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Disk {
    /// Its name in `/dev`.
    pub name: String,
    /// Its major and minor number, as in `259:0`.
    pub device: String,
    /// What it did.
    #[serde(flatten)]
    pub activity: DiskActivity,
}

metrics! {
    /// What a block device did, from `/proc/diskstats`.
    DiskActivity at activity of Disk {
        /// Read requests completed.
        read_ops_total: Counter,
        /// Write requests completed.
        write_ops_total: Counter,
        /// Bytes read.
        read_bytes_total: Counter,
        /// Bytes written.
        write_bytes_total: Counter,
        /// Time from queueing to completion of all reads together, in units of 1 ms.
        read_ns_total: Counter,
        /// Time from queueing to completion of all writes together.
        write_ns_total: Counter,
        /// Time with any request in flight.
        busy_ns_total: Counter,
        /// Requests in flight.
        in_flight: Gauge,
        /// Growth of `read_ops_total` over the window.
        read_ops_per_second: Rate,
        /// Growth of `write_ops_total` over the window.
        write_ops_per_second: Rate,
        /// Growth of `read_bytes_total` over the window.
        read_bytes_per_second: Rate,
        /// Growth of `write_bytes_total` over the window.
        write_bytes_per_second: Rate,
    }
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostInterface {
    /// Its name.
    pub name: String,
    /// What passed it.
    #[serde(flatten)]
    pub traffic: InterfaceTraffic,
}

metrics! {
    /// What passed an interface, from `/proc/net/dev`.
    InterfaceTraffic at traffic of HostInterface {
        /// Bytes received.
        rx_bytes_total: Counter,
        /// Packets received.
        rx_packets_total: Counter,
        /// Packets received with an error.
        rx_errors_total: Counter,
        /// Packets dropped on receiving.
        rx_dropped_total: Counter,
        /// Bytes sent.
        tx_bytes_total: Counter,
        /// Packets sent.
        tx_packets_total: Counter,
        /// Packets not sent for an error.
        tx_errors_total: Counter,
        /// Packets dropped before sending.
        tx_dropped_total: Counter,
        /// Growth of `rx_bytes_total` over the window.
        rx_bytes_per_second: Rate,
        /// Growth of `rx_packets_total` over the window.
        rx_packets_per_second: Rate,
        /// Growth of `tx_bytes_total` over the window.
        tx_bytes_per_second: Rate,
        /// Growth of `tx_packets_total` over the window.
        tx_packets_per_second: Rate,
    }
}
