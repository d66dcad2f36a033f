//! What is measured of a container, and in the same words of a cgroup that is no container's: the groups of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::metrics;

metrics! {
    /// What the scheduler did to the tasks, counted at each switch by eBPF.
    Scheduler at scheduler {
        /// Switches away from a task that blocked (`nvcsw` of `/proc/PID/status`).
        voluntary_switches_total: Counter,
        /// Switches away from a task that could have gone on: it was preempted (`nivcsw`).
        involuntary_switches_total: Counter,
        /// Growth of `voluntary_switches_total` over the window.
        voluntary_switches_per_second: Rate,
        /// Growth of `involuntary_switches_total` over the window.
        involuntary_switches_per_second: Rate,
        /// Turns on a CPU that have ended, each in a switch of one of the two kinds (`/proc/PID/schedstat`, third field, which
        /// has those that go on too, but none that no wait came before). The mean turn is `on_cpu_ns_total` by this.
        timeslices_total: Counter,
        /// Time spent running (`/proc/PID/schedstat`, first field).
        on_cpu_ns_total: Counter,
        /// Time spent runnable and waiting for a CPU (`/proc/PID/schedstat`, second field).
        runq_wait_ns_total: Counter,
        /// Placements of a task on another CPU (`se.nr_migrations`).
        migrations_total: Counter,
        /// Programs executed.
        execs_total: Counter,
        /// Tasks (threads) that ran for the first time.
        starts_total: Counter,
        /// Tasks (threads) that ended.
        exits_total: Counter,
    }
    + {
        /// `on_cpu_ns_total` on each CPU, by its number, up to the last one that the tasks ran on.
        on_cpu_ns_by_cpu: Vec<u64>,
    }
    + distributions {
        /// Run-queue latency over the window: how long tasks waited, each time they were given a CPU.
        runq_latency: Window,
        /// Time slices over the window: how long tasks had a CPU, each time that they left it.
        timeslices: Window,
    }
}

metrics! {
    /// What the tasks (threads) were doing when all of them were last looked at: at a tick, but no more often than once a second,
    /// and less often where there are so many tasks that it takes long (`coverage.census_ns`). Each is in one of the states but
    /// `io_wait`, by the rule of `/proc/PID/stat`. What lasts shorter than a look is seen by chance.
    Tasks at tasks {
        /// Run or are ready to (`R`), those included that a CPU quota holds back.
        running: Gauge,
        /// Wait for something and can be woken by a signal (`S`).
        sleeping: Gauge,
        /// Wait for something and cannot (`D`): I/O, most often.
        disk_sleep: Gauge,
        /// Wait for I/O, whichever state they are in (`in_iowait`).
        io_wait: Gauge,
        /// Stopped by a signal (`T`) or a debugger (`t`).
        stopped: Gauge,
        /// Ended without their parent having asked for their status (`Z`).
        zombie: Gauge,
        /// Frozen with the cgroup, as by `docker pause` on v1 (`D`); before Linux 6.1 they are in `disk_sleep`. The freezer of
        /// v2 puts tasks to sleep.
        frozen: Gauge,
        /// The kernel's own threads that wait for work (`I`).
        idle: Gauge,
        /// Load: mean of `running` and `disk_sleep` together over the looks, decaying over ten seconds.
        load_10s: Ratio,
        /// The part of `load_10s` that is `running`.
        running_10s: Ratio,
        /// The part of `load_10s` that is `disk_sleep`.
        disk_sleep_10s: Ratio,
        /// How long ago that look was.
        age_ns: Gauge,
    }
}

metrics! {
    /// Page faults.
    Faults at faults {
        /// Faults served without I/O (`min_flt`).
        minor_total: Counter,
        /// Faults served with I/O (`maj_flt`).
        major_total: Counter,
        /// Growth of `minor_total` over the window.
        minor_per_second: Rate,
        /// Growth of `major_total` over the window.
        major_per_second: Rate,
        /// How long the major faults that began with an exception took, until the kernel counted them; `null` but with
        /// `--major-fault-latency`.
        major_ns_total: Counter,
        /// Page-fault exceptions taken in user mode; a fault may take several, or none.
        user_exceptions_total: Counter,
        /// Page-fault exceptions taken in kernel mode, as when copying to user memory.
        kernel_exceptions_total: Counter,
    }
    + distributions {
        /// How long each of those faults took over the window.
        major_latency: Window,
    }
}

metrics! {
    /// Traffic of the sockets, whatever network namespace they are in, from the IP header on. A packet is what the
    /// network layer passes on in one piece: with segmentation offload up to 64 KiB, which is cut into segments later
    /// or elsewhere.
    Network at network {
        /// Bytes received: what the interfaces that they came through count, without link-layer headers
        /// (docs/adr/0010).
        rx_bytes_total: Counter,
        /// Packets received.
        rx_packets_total: Counter,
        /// Bytes sent, those sent again included.
        tx_bytes_total: Counter,
        /// Packets sent.
        tx_packets_total: Counter,
        /// Segments received: packets as they are on a wire.
        rx_segments_total: Counter,
        /// Segments sent.
        tx_segments_total: Counter,
        /// `rx_bytes_total` with the headers that each segment has on a wire.
        rx_wire_bytes_total: Counter,
        /// `tx_bytes_total` with the headers that each segment has on a wire.
        tx_wire_bytes_total: Counter,
        /// TCP segments sent again (`RetransSegs` of `/proc/net/snmp`).
        tcp_retransmits_total: Counter,
        /// TCP resets sent for its sockets; what is answered where nobody listens is nobody's.
        tcp_resets_sent_total: Counter,
        /// TCP resets that its connections received.
        tcp_resets_received_total: Counter,
        /// TCP connections that it asked for (`ActiveOpens`).
        tcp_opened_total: Counter,
        /// TCP connections that it listened for and that were established (`PassiveOpens`).
        tcp_accepted_total: Counter,
        /// TCP connections that it asked for and did not get.
        tcp_failed_total: Counter,
        /// TCP connections established now, as `CurrEstab` has it; of cgroups made while monitor ran.
        tcp_open: Gauge,
        /// UDP datagrams that came to its sockets: those taken (`InDatagrams` of `/proc/net/snmp`), those that wait, and those
        /// that found no room.
        udp_rx_datagrams_total: Counter,
        /// UDP datagrams sent (`OutDatagrams`).
        udp_tx_datagrams_total: Counter,
        /// The part of `rx_bytes_total` that is UDP's.
        udp_rx_bytes_total: Counter,
        /// The part of `tx_bytes_total` that is UDP's.
        udp_tx_bytes_total: Counter,
        /// UDP datagrams that came and found the receive buffer of their socket full (`RcvbufErrors`).
        udp_full_buffer_drops_total: Counter,
        /// UDP datagrams that came when UDP was allowed no more memory (`MemErrors`).
        udp_no_memory_drops_total: Counter,
        /// Packets of its sockets that the kernel threw away (`drops` says why): sent ones, and from Linux 6.11 on received ones,
        /// those of `udp_full_buffer_drops_total` among them.
        dropped_packets_total: Counter,
        /// Growth of `rx_bytes_total` over the window.
        rx_bytes_per_second: Rate,
        /// Growth of `rx_packets_total` over the window.
        rx_packets_per_second: Rate,
        /// Growth of `tx_bytes_total` over the window.
        tx_bytes_per_second: Rate,
        /// Growth of `tx_packets_total` over the window.
        tx_packets_per_second: Rate,
        /// Growth of `tcp_retransmits_total` over the window.
        tcp_retransmits_per_second: Rate,
    }
    + {
        /// `dropped_packets_total` by the kernel's reason, the most frequent first.
        drops: Vec<PacketDrops>,
        /// The interfaces of a container's network namespace, as `/proc/PID/net/dev` has them, read every few
        /// seconds. Others that share the namespace (`namespaces.net`) have the same.
        interfaces: Vec<Interface>,
    }
    + distributions {
        /// How long it took to get each TCP connection that it asked for, from the first request to the answer, over the window.
        tcp_connect_latency: Window,
        /// The smoothed round-trip time (`srtt`) of each TCP connection that was closed in the window, as it then was.
        tcp_rtt: Window,
    }
}

/// Packets that the kernel threw away for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PacketDrops {
    /// A name of the kernel's `enum skb_drop_reason` without `SKB_DROP_REASON_`; `null` where the kernel tells none (before 5.17).
    pub reason: Option<String>,
    /// How many.
    pub packets_total: u64,
}

/// What an interface has counted since it was made, link-layer headers included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Interface {
    /// Its name in its namespace.
    pub name: String,
    /// Bytes that came in.
    pub rx_bytes_total: u64,
    /// Packets that came in.
    pub rx_packets_total: u64,
    /// Packets that came in damaged.
    pub rx_errors_total: u64,
    /// Packets that came in and were thrown away.
    pub rx_dropped_total: u64,
    /// Bytes that went out.
    pub tx_bytes_total: u64,
    /// Packets that went out.
    pub tx_packets_total: u64,
    /// Packets that could not go out.
    pub tx_errors_total: u64,
    /// Packets that were thrown away instead of going out.
    pub tx_dropped_total: u64,
}

metrics! {
    /// CPU time as the cgroup's files account for it, nested cgroups included.
    Cpu at cpu {
        /// CPU time used (v2 `cpu.stat`, v1 `cpuacct.usage`).
        usage_ns_total: Counter,
        /// Its part in user space.
        user_ns_total: Counter,
        /// Its part in the kernel.
        system_ns_total: Counter,
        /// Growth of `usage_ns_total` over the window, in CPUs.
        usage_cores: Ratio,
        /// Time that runnable tasks were held back by the quota, summed over CPUs.
        throttled_ns_total: Counter,
        /// Quota periods that passed with the cgroup active; does not grow without a quota.
        periods_total: Counter,
        /// Periods in which the quota ran out.
        throttled_periods_total: Counter,
        /// CPU time allowed in each period; -1 is no limit.
        quota_us: Limit,
        /// Length of a quota period.
        period_us: Gauge,
        /// Share of contended CPU time: v1 `cpu.shares` (default 1024) or v2 `cpu.weight` (default 100), as configured.
        shares_or_weight: Gauge,
        /// The CPUs that its tasks may run on, such as `0-3,8`.
        cpuset: Text,
    }
    + distributions {
        /// How long the quota held tasks back in each period in which it ran out, summed over CPUs, since it is counted. From
        /// the growth of `throttled_ns_total` and `throttled_periods_total`: periods that ended between two readings count with
        /// their mean.
        throttled_period: Whole,
    }
}

metrics! {
    /// Memory as the cgroup's files account for it, nested cgroups included.
    Memory at memory {
        /// All that is charged: anonymous, file, kernel and socket memory.
        current_bytes: Gauge,
        /// The hard limit on `current_bytes`; -1 is no limit.
        limit_bytes: Limit,
        /// `current_bytes` less `inactive_file_bytes`, at least 0: what reclaim would find hard to free.
        working_set_bytes: Gauge,
        /// Anonymous memory.
        anon_bytes: Gauge,
        /// Page cache, tmpfs and shared memory included.
        file_bytes: Gauge,
        /// Swap space in use.
        swap_bytes: Gauge,
        /// The limit on swap alone; -1 is no limit.
        swap_limit_bytes: Limit,
        /// Kernel memory.
        kernel_bytes: Gauge,
        /// The most that `current_bytes` has been.
        peak_bytes: Gauge,
        /// Page cache that is mapped.
        mapped_file_bytes: Gauge,
        /// Swap-backed page cache: tmpfs, shared memory.
        shmem_bytes: Gauge,
        /// Slab memory, reclaimable or not; v2 only.
        slab_bytes: Gauge,
        /// Page cache that reclaim takes first.
        inactive_file_bytes: Gauge,
        /// Page cache in recent use.
        active_file_bytes: Gauge,
        /// Page faults as the memory controller counts them, major ones included.
        page_faults_total: Counter,
        /// Page faults that waited for I/O, as the memory controller counts them.
        major_page_faults_total: Counter,
        /// Times that reclaim could not get below the limit; v2 only.
        oom_events_total: Counter,
        /// Tasks killed for lack of memory.
        oom_kills_total: Counter,
        /// Times that the limit was hit and reclaim had to run.
        limit_hits_total: Counter,
        /// Times that `memory.high` was exceeded; v2 only.
        high_events_total: Counter,
        /// Anonymous memory that reclaim takes first.
        inactive_anon_bytes: Gauge,
        /// Anonymous memory in recent use.
        active_anon_bytes: Gauge,
        /// Memory that reclaim must leave alone, such as locked pages.
        unevictable_bytes: Gauge,
        /// Anonymous memory in transparent huge pages.
        anon_huge_bytes: Gauge,
        /// Page cache that waits to be written.
        dirty_bytes: Gauge,
        /// Page cache that is being written.
        writeback_bytes: Gauge,
        /// Slab memory that the kernel can free; v2 only.
        slab_reclaimable_bytes: Gauge,
        /// Slab memory that it cannot; v2 only.
        slab_unreclaimable_bytes: Gauge,
        /// Stacks of tasks in the kernel; v2 only.
        kernel_stack_bytes: Gauge,
        /// Page tables; v2 only, Linux 5.11 and later.
        page_tables_bytes: Gauge,
        /// Buffers of sockets; v2 only.
        sock_bytes: Gauge,
        /// Pages of 2 MiB from the huge page pool, which `current_bytes` does not have; where the hugetlb controller is.
        hugetlb_2mb_bytes: Gauge,
        /// The same of 1 GiB.
        hugetlb_1gb_bytes: Gauge,
        /// Pages that reclaim looked at (`pgscan`); v2 only.
        scanned_pages_total: Counter,
        /// Pages that reclaim freed (`pgsteal`); v2 only.
        freed_pages_total: Counter,
        /// The part of `scanned_pages_total` that tasks in need of memory looked at themselves; v2 only, Linux 6.0 and later.
        direct_scanned_pages_total: Counter,
        /// The part of `freed_pages_total` that they freed; v2 only, Linux 6.0 and later.
        direct_freed_pages_total: Counter,
        /// Times that a task of it had to free memory itself because the machine was short of it, counted by eBPF. Whose
        /// memory was freed, the kernel does not tell.
        direct_reclaims_total: Counter,
        /// How long that took.
        direct_reclaim_ns_total: Counter,
        /// Growth of `direct_reclaim_ns_total` over the window.
        direct_reclaim_ns_per_second: Rate,
        /// Times that a task of it had to free memory itself because a cgroup, most often its own, was at its limit, or its
        /// `memory.high`; counted by eBPF.
        limit_reclaims_total: Counter,
        /// How long that took.
        limit_reclaim_ns_total: Counter,
        /// Growth of `limit_reclaim_ns_total` over the window.
        limit_reclaim_ns_per_second: Rate,
        /// Processes of it that the kernel chose to kill because memory was short, counted by eBPF as it happens:
        /// `oom_kills_total` is the cgroup's file, which may be gone with its last process before it is read.
        oom_victims_total: Counter,
        /// Anonymous pages that were needed again soon after they were reclaimed; v2 only.
        refaulted_anon_pages_total: Counter,
        /// Pages of files that were; v2 only. Growth means that the working set does not fit.
        refaulted_file_pages_total: Counter,
        /// Pages read from swap; v2 only, recent kernels.
        swap_in_pages_total: Counter,
        /// Pages written to swap; v2 only, recent kernels.
        swap_out_pages_total: Counter,
    }
    + {
        /// Memory on each NUMA node, read every ten readings or so; `null` on machines with one node.
        numa: Vec<NumaMemory>,
        /// Growth of `current_bytes` over the window, negative where it shrank. Where others had to free memory for the machine's
        /// shortage meanwhile (`direct_reclaims_total`), this says whose grew, which is not yet for whose sake.
        growth_bytes: i64,
    }
}

/// Memory on one NUMA node, nested cgroups included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NumaMemory {
    /// The node's number.
    pub node: u32,
    /// Anonymous memory.
    pub anon_bytes: Option<u64>,
    /// Page cache, tmpfs and shared memory included.
    pub file_bytes: Option<u64>,
    /// Memory that reclaim must leave alone.
    pub unevictable_bytes: Option<u64>,
}

metrics! {
    /// Requests to block devices, counted by eBPF when they complete, and what the cgroup's files have of them (`charged`).
    /// A request to a device that stands on another one, such as a loop device, is one to that other device again.
    BlockIo at block_io {
        /// Bytes read.
        read_bytes_total: Counter,
        /// Bytes written; buffered ones for the cgroup that made the pages dirty, where the block controller is v2.
        write_bytes_total: Counter,
        /// Bytes that the device was told to forget.
        discard_bytes_total: Counter,
        /// Read requests completed.
        read_ops_total: Counter,
        /// Write requests completed.
        write_ops_total: Counter,
        /// Requests to forget blocks, completed.
        discard_ops_total: Counter,
        /// Flushes of the device's cache without data, completed; `/proc/diskstats` has them among the writes.
        flush_ops_total: Counter,
        /// Time from beginning to completion of all reads together (`/proc/diskstats`).
        read_ns_total: Counter,
        /// Time from beginning to completion of all writes together.
        write_ns_total: Counter,
        /// Time from beginning to completion of all flushes together.
        flush_ns_total: Counter,
        /// The part of `read_ns_total` before the reads were issued to the device.
        read_queue_ns_total: Counter,
        /// The part of `write_ns_total` before the writes were issued to the device.
        write_queue_ns_total: Counter,
        /// Requests whose times the kernel did not take, which the times here leave out: of devices without statistics
        /// (`queue/iostats`), or to which nothing limits writeback (`queue/wbt_lat_usec`).
        untimed_ops_total: Counter,
        /// Growth of `read_bytes_total` over the window.
        read_bytes_per_second: Rate,
        /// Growth of `write_bytes_total` over the window.
        write_bytes_per_second: Rate,
        /// Growth of `read_ops_total` over the window.
        read_ops_per_second: Rate,
        /// Growth of `write_ops_total` over the window.
        write_ops_per_second: Rate,
        /// Bytes read as the block controller charged them, nested cgroups included (v2 `io.stat`, v1 `blkio.throttle`).
        charged_read_bytes_total: Counter,
        /// Bytes written as it charged them.
        charged_write_bytes_total: Counter,
        /// Bytes discarded as it charged them.
        charged_discard_bytes_total: Counter,
        /// Reads that it charged, before they were merged.
        charged_read_ops_total: Counter,
        /// Writes that it charged, before they were merged.
        charged_write_ops_total: Counter,
        /// Discards that it charged, before they were merged.
        charged_discard_ops_total: Counter,
    }
    + {
        /// The same for each device.
        devices: Vec<BlockDevice>,
    }
    + distributions {
        /// Time from issue to completion of each read over the window.
        read_latency: Window,
        /// Time from issue to completion of each write over the window.
        write_latency: Window,
        /// Time from beginning to issue of each read over the window.
        read_queue: Window,
        /// Time from beginning to issue of each write over the window.
        write_queue: Window,
    }
}

/// Requests to one block device; `null` is what was not counted, or not charged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlockDevice {
    /// Its major and minor number, as in `259:0`.
    pub device: String,
    /// Its name in `/dev`; `null` where it is gone.
    pub name: Option<String>,
    /// Bytes read.
    pub read_bytes_total: Option<u64>,
    /// Bytes written.
    pub write_bytes_total: Option<u64>,
    /// Bytes discarded.
    pub discard_bytes_total: Option<u64>,
    /// Read requests completed.
    pub read_ops_total: Option<u64>,
    /// Write requests completed.
    pub write_ops_total: Option<u64>,
    /// Discards completed.
    pub discard_ops_total: Option<u64>,
    /// Flushes completed.
    pub flush_ops_total: Option<u64>,
    /// Time from beginning to completion of all reads together.
    pub read_ns_total: Option<u64>,
    /// Time from beginning to completion of all writes together.
    pub write_ns_total: Option<u64>,
    /// Bytes read as the block controller charged them.
    pub charged_read_bytes_total: Option<u64>,
    /// Bytes written as it charged them.
    pub charged_write_bytes_total: Option<u64>,
    /// Reads that it charged.
    pub charged_read_ops_total: Option<u64>,
    /// Writes that it charged.
    pub charged_write_ops_total: Option<u64>,
}

metrics! {
    /// Number of tasks: threads, not processes.
    Pids at pids {
        /// Tasks in the cgroup.
        current: Gauge,
        /// The most that may exist; -1 is no limit.
        limit: Limit,
    }
}

/// Pressure stall information of cgroup2 (Documentation/accounting/psi.rst).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pressure {
    /// Waiting for a CPU.
    pub cpu: Option<Stall>,
    /// Waiting for memory.
    pub memory: Option<Stall>,
    /// Waiting for I/O.
    pub io: Option<Stall>,
}

/// Stalls on one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stall {
    /// At least one task was stalled.
    pub some: Option<StallShare>,
    /// All non-idle tasks were stalled at once.
    pub full: Option<StallShare>,
}

/// How much of the time there was a stall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StallShare {
    /// Percent of the last 10 seconds.
    pub avg10: f64,
    /// Percent of the last minute.
    pub avg60: f64,
    /// Percent of the last five minutes.
    pub avg300: f64,
    /// Microseconds of stall since the cgroup was made.
    pub stall_us_total: u64,
}

/// How often each duration was seen in the window. Quantiles are read from buckets at most a quarter (of time slices a half)
/// as wide as their lower bound, by linear interpolation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// Durations seen.
    pub count: u64,
    /// Half were no longer, in nanoseconds; `null` where none was seen.
    pub p50_ns: Option<u64>,
    /// Nine tenths were no longer.
    pub p90_ns: Option<u64>,
    /// Ninety-nine hundredths were no longer.
    pub p99_ns: Option<u64>,
    /// None was longer: the upper bound of the highest bucket in use, or the longest ever seen if that is known and less.
    pub max_ns: Option<u64>,
    /// The buckets in use, in order.
    pub buckets: Vec<LatencyBucket>,
}

/// Durations of `from_ns` and longer, shorter than `to_ns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyBucket {
    /// The shortest.
    pub from_ns: u64,
    /// The first that is too long; `null` in the last bucket.
    pub to_ns: Option<u64>,
    /// How many.
    pub count: u64,
}
