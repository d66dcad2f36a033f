// Generated from the catalogue in monitor/src/model/ by `cargo xtask codegen`; do not edit.

/** How a metric behaves over time; what the kinds mean is in docs/metrics.md. */
export type Kind = "counter" | "gauge" | "limit" | "rate" | "ratio" | "text";

/** One scalar metric. */
export interface Metric {
  /** The JSON object that holds it. */
  readonly group: string;
  /** Its name in that object. */
  readonly name: string;
  readonly kind: Kind;
  readonly unit: string;
  /** What it means, in Markdown. */
  readonly help: string;
}

/** How often each duration was seen. */
export interface Distribution {
  readonly group: string;
  readonly name: string;
  /** What it counts over: a snapshot's window, or all the time; only the former has a history. */
  readonly over: "window" | "whole";
  readonly help: string;
}

/** Metrics of containers and cgroups. */
export const METRICS = [
  { group: "scheduler", name: "voluntary_switches_total", kind: "counter", unit: "", help: "Switches away from a task that blocked (`nvcsw` of `/proc/PID/status`)." },
  { group: "scheduler", name: "involuntary_switches_total", kind: "counter", unit: "", help: "Switches away from a task that could have gone on: it was preempted (`nivcsw`)." },
  { group: "scheduler", name: "voluntary_switches_per_second", kind: "rate", unit: "per second", help: "Growth of `voluntary_switches_total` over the window." },
  { group: "scheduler", name: "involuntary_switches_per_second", kind: "rate", unit: "per second", help: "Growth of `involuntary_switches_total` over the window." },
  { group: "scheduler", name: "timeslices_total", kind: "counter", unit: "", help: "Turns on a CPU that have ended, each in a switch of one of the two kinds (`/proc/PID/schedstat`, third field, which has those that go on too, but none that no wait came before). The mean turn is `on_cpu_ns_total` by this." },
  { group: "scheduler", name: "on_cpu_ns_total", kind: "counter", unit: "nanoseconds", help: "Time spent running (`/proc/PID/schedstat`, first field)." },
  { group: "scheduler", name: "runq_wait_ns_total", kind: "counter", unit: "nanoseconds", help: "Time spent runnable and waiting for a CPU (`/proc/PID/schedstat`, second field)." },
  { group: "scheduler", name: "migrations_total", kind: "counter", unit: "", help: "Placements of a task on another CPU (`se.nr_migrations`)." },
  { group: "scheduler", name: "execs_total", kind: "counter", unit: "", help: "Programs executed." },
  { group: "scheduler", name: "starts_total", kind: "counter", unit: "", help: "Tasks (threads) that ran for the first time." },
  { group: "scheduler", name: "exits_total", kind: "counter", unit: "", help: "Tasks (threads) that ended." },
  { group: "tasks", name: "running", kind: "gauge", unit: "", help: "Run or are ready to (`R`), those included that a CPU quota holds back." },
  { group: "tasks", name: "sleeping", kind: "gauge", unit: "", help: "Wait for something and can be woken by a signal (`S`)." },
  { group: "tasks", name: "disk_sleep", kind: "gauge", unit: "", help: "Wait for something and cannot (`D`): I/O, most often." },
  { group: "tasks", name: "io_wait", kind: "gauge", unit: "", help: "Wait for I/O, whichever state they are in (`in_iowait`)." },
  { group: "tasks", name: "stopped", kind: "gauge", unit: "", help: "Stopped by a signal (`T`) or a debugger (`t`)." },
  { group: "tasks", name: "zombie", kind: "gauge", unit: "", help: "Ended without their parent having asked for their status (`Z`)." },
  { group: "tasks", name: "frozen", kind: "gauge", unit: "", help: "Frozen with the cgroup, as by `docker pause` on v1 (`D`); before Linux 6.1 they are in `disk_sleep`. The freezer of v2 puts tasks to sleep." },
  { group: "tasks", name: "idle", kind: "gauge", unit: "", help: "The kernel's own threads that wait for work (`I`)." },
  { group: "tasks", name: "load_10s", kind: "ratio", unit: "", help: "Load: mean of `running` and `disk_sleep` together over the looks, decaying over ten seconds." },
  { group: "tasks", name: "running_10s", kind: "ratio", unit: "", help: "The part of `load_10s` that is `running`." },
  { group: "tasks", name: "disk_sleep_10s", kind: "ratio", unit: "", help: "The part of `load_10s` that is `disk_sleep`." },
  { group: "tasks", name: "age_ns", kind: "gauge", unit: "nanoseconds", help: "How long ago that look was." },
  { group: "faults", name: "minor_total", kind: "counter", unit: "", help: "Faults served without I/O (`min_flt`)." },
  { group: "faults", name: "major_total", kind: "counter", unit: "", help: "Faults served with I/O (`maj_flt`)." },
  { group: "faults", name: "minor_per_second", kind: "rate", unit: "per second", help: "Growth of `minor_total` over the window." },
  { group: "faults", name: "major_per_second", kind: "rate", unit: "per second", help: "Growth of `major_total` over the window." },
  { group: "faults", name: "major_ns_total", kind: "counter", unit: "nanoseconds", help: "How long the major faults that began with an exception took, until the kernel counted them; `null` but with `--major-fault-latency`." },
  { group: "faults", name: "user_exceptions_total", kind: "counter", unit: "", help: "Page-fault exceptions taken in user mode; a fault may take several, or none." },
  { group: "faults", name: "kernel_exceptions_total", kind: "counter", unit: "", help: "Page-fault exceptions taken in kernel mode, as when copying to user memory." },
  { group: "network", name: "rx_bytes_total", kind: "counter", unit: "bytes", help: "Bytes received: what the interfaces that they came through count, without link-layer headers (docs/adr/0010)." },
  { group: "network", name: "rx_packets_total", kind: "counter", unit: "", help: "Packets received." },
  { group: "network", name: "tx_bytes_total", kind: "counter", unit: "bytes", help: "Bytes sent, those sent again included." },
  { group: "network", name: "tx_packets_total", kind: "counter", unit: "", help: "Packets sent." },
  { group: "network", name: "rx_segments_total", kind: "counter", unit: "", help: "Segments received: packets as they are on a wire." },
  { group: "network", name: "tx_segments_total", kind: "counter", unit: "", help: "Segments sent." },
  { group: "network", name: "rx_wire_bytes_total", kind: "counter", unit: "bytes", help: "`rx_bytes_total` with the headers that each segment has on a wire." },
  { group: "network", name: "tx_wire_bytes_total", kind: "counter", unit: "bytes", help: "`tx_bytes_total` with the headers that each segment has on a wire." },
  { group: "network", name: "tcp_retransmits_total", kind: "counter", unit: "", help: "TCP segments sent again (`RetransSegs` of `/proc/net/snmp`)." },
  { group: "network", name: "tcp_resets_sent_total", kind: "counter", unit: "", help: "TCP resets sent for its sockets; what is answered where nobody listens is nobody's." },
  { group: "network", name: "tcp_resets_received_total", kind: "counter", unit: "", help: "TCP resets that its connections received." },
  { group: "network", name: "tcp_opened_total", kind: "counter", unit: "", help: "TCP connections that it asked for (`ActiveOpens`)." },
  { group: "network", name: "tcp_accepted_total", kind: "counter", unit: "", help: "TCP connections that it listened for and that were established (`PassiveOpens`)." },
  { group: "network", name: "tcp_failed_total", kind: "counter", unit: "", help: "TCP connections that it asked for and did not get." },
  { group: "network", name: "tcp_open", kind: "gauge", unit: "", help: "TCP connections established now, as `CurrEstab` has it; of cgroups made while monitor ran." },
  { group: "network", name: "udp_rx_datagrams_total", kind: "counter", unit: "", help: "UDP datagrams that came to its sockets: those taken (`InDatagrams` of `/proc/net/snmp`), those that wait, and those that found no room." },
  { group: "network", name: "udp_tx_datagrams_total", kind: "counter", unit: "", help: "UDP datagrams sent (`OutDatagrams`)." },
  { group: "network", name: "udp_rx_bytes_total", kind: "counter", unit: "bytes", help: "The part of `rx_bytes_total` that is UDP's." },
  { group: "network", name: "udp_tx_bytes_total", kind: "counter", unit: "bytes", help: "The part of `tx_bytes_total` that is UDP's." },
  { group: "network", name: "udp_full_buffer_drops_total", kind: "counter", unit: "", help: "UDP datagrams that came and found the receive buffer of their socket full (`RcvbufErrors`)." },
  { group: "network", name: "udp_no_memory_drops_total", kind: "counter", unit: "", help: "UDP datagrams that came when UDP was allowed no more memory (`MemErrors`)." },
  { group: "network", name: "dropped_packets_total", kind: "counter", unit: "", help: "Packets of its sockets that the kernel threw away (`drops` says why): sent ones, and from Linux 6.11 on received ones, those of `udp_full_buffer_drops_total` among them." },
  { group: "network", name: "rx_bytes_per_second", kind: "rate", unit: "bytes per second", help: "Growth of `rx_bytes_total` over the window." },
  { group: "network", name: "rx_packets_per_second", kind: "rate", unit: "per second", help: "Growth of `rx_packets_total` over the window." },
  { group: "network", name: "tx_bytes_per_second", kind: "rate", unit: "bytes per second", help: "Growth of `tx_bytes_total` over the window." },
  { group: "network", name: "tx_packets_per_second", kind: "rate", unit: "per second", help: "Growth of `tx_packets_total` over the window." },
  { group: "network", name: "tcp_retransmits_per_second", kind: "rate", unit: "per second", help: "Growth of `tcp_retransmits_total` over the window." },
  { group: "cpu", name: "usage_ns_total", kind: "counter", unit: "nanoseconds", help: "CPU time used (v2 `cpu.stat`, v1 `cpuacct.usage`)." },
  { group: "cpu", name: "user_ns_total", kind: "counter", unit: "nanoseconds", help: "Its part in user space." },
  { group: "cpu", name: "system_ns_total", kind: "counter", unit: "nanoseconds", help: "Its part in the kernel." },
  { group: "cpu", name: "usage_cores", kind: "ratio", unit: "cores", help: "Growth of `usage_ns_total` over the window, in CPUs." },
  { group: "cpu", name: "throttled_ns_total", kind: "counter", unit: "nanoseconds", help: "Time that runnable tasks were held back by the quota, summed over CPUs." },
  { group: "cpu", name: "periods_total", kind: "counter", unit: "", help: "Quota periods that passed with the cgroup active; does not grow without a quota." },
  { group: "cpu", name: "throttled_periods_total", kind: "counter", unit: "", help: "Periods in which the quota ran out." },
  { group: "cpu", name: "quota_us", kind: "limit", unit: "microseconds", help: "CPU time allowed in each period; -1 is no limit." },
  { group: "cpu", name: "period_us", kind: "gauge", unit: "microseconds", help: "Length of a quota period." },
  { group: "cpu", name: "shares_or_weight", kind: "gauge", unit: "", help: "Share of contended CPU time: v1 `cpu.shares` (default 1024) or v2 `cpu.weight` (default 100), as configured." },
  { group: "cpu", name: "cpuset", kind: "text", unit: "", help: "The CPUs that its tasks may run on, such as `0-3,8`." },
  { group: "memory", name: "current_bytes", kind: "gauge", unit: "bytes", help: "All that is charged: anonymous, file, kernel and socket memory." },
  { group: "memory", name: "limit_bytes", kind: "limit", unit: "bytes", help: "The hard limit on `current_bytes`; -1 is no limit." },
  { group: "memory", name: "working_set_bytes", kind: "gauge", unit: "bytes", help: "`current_bytes` less `inactive_file_bytes`, at least 0: what reclaim would find hard to free." },
  { group: "memory", name: "anon_bytes", kind: "gauge", unit: "bytes", help: "Anonymous memory." },
  { group: "memory", name: "file_bytes", kind: "gauge", unit: "bytes", help: "Page cache, tmpfs and shared memory included." },
  { group: "memory", name: "swap_bytes", kind: "gauge", unit: "bytes", help: "Swap space in use." },
  { group: "memory", name: "swap_limit_bytes", kind: "limit", unit: "bytes", help: "The limit on swap alone; -1 is no limit." },
  { group: "memory", name: "kernel_bytes", kind: "gauge", unit: "bytes", help: "Kernel memory." },
  { group: "memory", name: "peak_bytes", kind: "gauge", unit: "bytes", help: "The most that `current_bytes` has been." },
  { group: "memory", name: "mapped_file_bytes", kind: "gauge", unit: "bytes", help: "Page cache that is mapped." },
  { group: "memory", name: "shmem_bytes", kind: "gauge", unit: "bytes", help: "Swap-backed page cache: tmpfs, shared memory." },
  { group: "memory", name: "slab_bytes", kind: "gauge", unit: "bytes", help: "Slab memory, reclaimable or not; v2 only." },
  { group: "memory", name: "inactive_file_bytes", kind: "gauge", unit: "bytes", help: "Page cache that reclaim takes first." },
  { group: "memory", name: "active_file_bytes", kind: "gauge", unit: "bytes", help: "Page cache in recent use." },
  { group: "memory", name: "page_faults_total", kind: "counter", unit: "", help: "Page faults as the memory controller counts them, major ones included." },
  { group: "memory", name: "major_page_faults_total", kind: "counter", unit: "", help: "Page faults that waited for I/O, as the memory controller counts them." },
  { group: "memory", name: "oom_events_total", kind: "counter", unit: "", help: "Times that reclaim could not get below the limit; v2 only." },
  { group: "memory", name: "oom_kills_total", kind: "counter", unit: "", help: "Tasks killed for lack of memory." },
  { group: "memory", name: "limit_hits_total", kind: "counter", unit: "", help: "Times that the limit was hit and reclaim had to run." },
  { group: "memory", name: "high_events_total", kind: "counter", unit: "", help: "Times that `memory.high` was exceeded; v2 only." },
  { group: "memory", name: "inactive_anon_bytes", kind: "gauge", unit: "bytes", help: "Anonymous memory that reclaim takes first." },
  { group: "memory", name: "active_anon_bytes", kind: "gauge", unit: "bytes", help: "Anonymous memory in recent use." },
  { group: "memory", name: "unevictable_bytes", kind: "gauge", unit: "bytes", help: "Memory that reclaim must leave alone, such as locked pages." },
  { group: "memory", name: "anon_huge_bytes", kind: "gauge", unit: "bytes", help: "Anonymous memory in transparent huge pages." },
  { group: "memory", name: "dirty_bytes", kind: "gauge", unit: "bytes", help: "Page cache that waits to be written." },
  { group: "memory", name: "writeback_bytes", kind: "gauge", unit: "bytes", help: "Page cache that is being written." },
  { group: "memory", name: "slab_reclaimable_bytes", kind: "gauge", unit: "bytes", help: "Slab memory that the kernel can free; v2 only." },
  { group: "memory", name: "slab_unreclaimable_bytes", kind: "gauge", unit: "bytes", help: "Slab memory that it cannot; v2 only." },
  { group: "memory", name: "kernel_stack_bytes", kind: "gauge", unit: "bytes", help: "Stacks of tasks in the kernel; v2 only." },
  { group: "memory", name: "page_tables_bytes", kind: "gauge", unit: "bytes", help: "Page tables; v2 only, Linux 5.11 and later." },
  { group: "memory", name: "sock_bytes", kind: "gauge", unit: "bytes", help: "Buffers of sockets; v2 only." },
  { group: "memory", name: "hugetlb_2mb_bytes", kind: "gauge", unit: "bytes", help: "Pages of 2 MiB from the huge page pool, which `current_bytes` does not have; where the hugetlb controller is." },
  { group: "memory", name: "hugetlb_1gb_bytes", kind: "gauge", unit: "bytes", help: "The same of 1 GiB." },
  { group: "memory", name: "scanned_pages_total", kind: "counter", unit: "pages", help: "Pages that reclaim looked at (`pgscan`); v2 only." },
  { group: "memory", name: "freed_pages_total", kind: "counter", unit: "pages", help: "Pages that reclaim freed (`pgsteal`); v2 only." },
  { group: "memory", name: "direct_scanned_pages_total", kind: "counter", unit: "pages", help: "The part of `scanned_pages_total` that tasks in need of memory looked at themselves; v2 only, Linux 6.0 and later." },
  { group: "memory", name: "direct_freed_pages_total", kind: "counter", unit: "pages", help: "The part of `freed_pages_total` that they freed; v2 only, Linux 6.0 and later." },
  { group: "memory", name: "direct_reclaims_total", kind: "counter", unit: "", help: "Times that a task of it had to free memory itself because the machine was short of it, counted by eBPF. Whose memory was freed, the kernel does not tell." },
  { group: "memory", name: "direct_reclaim_ns_total", kind: "counter", unit: "nanoseconds", help: "How long that took." },
  { group: "memory", name: "direct_reclaim_ns_per_second", kind: "rate", unit: "per second", help: "Growth of `direct_reclaim_ns_total` over the window." },
  { group: "memory", name: "limit_reclaims_total", kind: "counter", unit: "", help: "Times that a task of it had to free memory itself because a cgroup, most often its own, was at its limit, or its `memory.high`; counted by eBPF." },
  { group: "memory", name: "limit_reclaim_ns_total", kind: "counter", unit: "nanoseconds", help: "How long that took." },
  { group: "memory", name: "limit_reclaim_ns_per_second", kind: "rate", unit: "per second", help: "Growth of `limit_reclaim_ns_total` over the window." },
  { group: "memory", name: "oom_victims_total", kind: "counter", unit: "", help: "Processes of it that the kernel chose to kill because memory was short, counted by eBPF as it happens: `oom_kills_total` is the cgroup's file, which may be gone with its last process before it is read." },
  { group: "memory", name: "refaulted_anon_pages_total", kind: "counter", unit: "pages", help: "Anonymous pages that were needed again soon after they were reclaimed; v2 only." },
  { group: "memory", name: "refaulted_file_pages_total", kind: "counter", unit: "pages", help: "Pages of files that were; v2 only. Growth means that the working set does not fit." },
  { group: "memory", name: "swap_in_pages_total", kind: "counter", unit: "pages", help: "Pages read from swap; v2 only, recent kernels." },
  { group: "memory", name: "swap_out_pages_total", kind: "counter", unit: "pages", help: "Pages written to swap; v2 only, recent kernels." },
  { group: "block_io", name: "read_bytes_total", kind: "counter", unit: "bytes", help: "Bytes read." },
  { group: "block_io", name: "write_bytes_total", kind: "counter", unit: "bytes", help: "Bytes written; buffered ones for the cgroup that made the pages dirty, where the block controller is v2." },
  { group: "block_io", name: "discard_bytes_total", kind: "counter", unit: "bytes", help: "Bytes that the device was told to forget." },
  { group: "block_io", name: "read_ops_total", kind: "counter", unit: "", help: "Read requests completed." },
  { group: "block_io", name: "write_ops_total", kind: "counter", unit: "", help: "Write requests completed." },
  { group: "block_io", name: "discard_ops_total", kind: "counter", unit: "", help: "Requests to forget blocks, completed." },
  { group: "block_io", name: "flush_ops_total", kind: "counter", unit: "", help: "Flushes of the device's cache without data, completed; `/proc/diskstats` has them among the writes." },
  { group: "block_io", name: "read_ns_total", kind: "counter", unit: "nanoseconds", help: "Time from beginning to completion of all reads together (`/proc/diskstats`)." },
  { group: "block_io", name: "write_ns_total", kind: "counter", unit: "nanoseconds", help: "Time from beginning to completion of all writes together." },
  { group: "block_io", name: "flush_ns_total", kind: "counter", unit: "nanoseconds", help: "Time from beginning to completion of all flushes together." },
  { group: "block_io", name: "read_queue_ns_total", kind: "counter", unit: "nanoseconds", help: "The part of `read_ns_total` before the reads were issued to the device." },
  { group: "block_io", name: "write_queue_ns_total", kind: "counter", unit: "nanoseconds", help: "The part of `write_ns_total` before the writes were issued to the device." },
  { group: "block_io", name: "untimed_ops_total", kind: "counter", unit: "", help: "Requests whose times the kernel did not take, which the times here leave out: of devices without statistics (`queue/iostats`), or to which nothing limits writeback (`queue/wbt_lat_usec`)." },
  { group: "block_io", name: "read_bytes_per_second", kind: "rate", unit: "bytes per second", help: "Growth of `read_bytes_total` over the window." },
  { group: "block_io", name: "write_bytes_per_second", kind: "rate", unit: "bytes per second", help: "Growth of `write_bytes_total` over the window." },
  { group: "block_io", name: "read_ops_per_second", kind: "rate", unit: "per second", help: "Growth of `read_ops_total` over the window." },
  { group: "block_io", name: "write_ops_per_second", kind: "rate", unit: "per second", help: "Growth of `write_ops_total` over the window." },
  { group: "block_io", name: "charged_read_bytes_total", kind: "counter", unit: "bytes", help: "Bytes read as the block controller charged them, nested cgroups included (v2 `io.stat`, v1 `blkio.throttle`)." },
  { group: "block_io", name: "charged_write_bytes_total", kind: "counter", unit: "bytes", help: "Bytes written as it charged them." },
  { group: "block_io", name: "charged_discard_bytes_total", kind: "counter", unit: "bytes", help: "Bytes discarded as it charged them." },
  { group: "block_io", name: "charged_read_ops_total", kind: "counter", unit: "", help: "Reads that it charged, before they were merged." },
  { group: "block_io", name: "charged_write_ops_total", kind: "counter", unit: "", help: "Writes that it charged, before they were merged." },
  { group: "block_io", name: "charged_discard_ops_total", kind: "counter", unit: "", help: "Discards that it charged, before they were merged." },
  { group: "filesystems", name: "used_bytes", kind: "gauge", unit: "bytes", help: "Bytes allocated to the writable layer and the logs together; `null` before both were measured." },
  { group: "filesystems", name: "used_inodes", kind: "gauge", unit: "", help: "Inodes of the writable layer and the logs together." },
  { group: "filesystems", name: "volumes_bytes", kind: "gauge", unit: "bytes", help: "Bytes allocated to the volumes that the runtime made; one that is shared counts for each who has it." },
  { group: "filesystems", name: "volumes_inodes", kind: "gauge", unit: "", help: "Inodes of these volumes." },
  { group: "filesystems", name: "capacity_bytes", kind: "gauge", unit: "bytes", help: "Size of the file system that holds the writable layer." },
  { group: "filesystems", name: "available_bytes", kind: "gauge", unit: "bytes", help: "What is left there for those that are not root." },
  { group: "filesystems", name: "inodes", kind: "gauge", unit: "", help: "Inodes that there can be on it; `null` where it makes them as they are needed." },
  { group: "filesystems", name: "free_inodes", kind: "gauge", unit: "", help: "Those of them that are free." },
  { group: "pids", name: "current", kind: "gauge", unit: "", help: "Tasks in the cgroup." },
  { group: "pids", name: "limit", kind: "limit", unit: "", help: "The most that may exist; -1 is no limit." },
] as const satisfies readonly Metric[];

/** Distributions of containers and cgroups. */
export const DISTRIBUTIONS = [
  { group: "scheduler", name: "runq_latency", over: "window", help: "Run-queue latency over the window: how long tasks waited, each time they were given a CPU." },
  { group: "scheduler", name: "timeslices", over: "window", help: "Time slices over the window: how long tasks had a CPU, each time that they left it." },
  { group: "faults", name: "major_latency", over: "window", help: "How long each of those faults took over the window." },
  { group: "network", name: "tcp_connect_latency", over: "window", help: "How long it took to get each TCP connection that it asked for, from the first request to the answer, over the window." },
  { group: "network", name: "tcp_rtt", over: "window", help: "The smoothed round-trip time (`srtt`) of each TCP connection that was closed in the window, as it then was." },
  { group: "cpu", name: "throttled_period", over: "whole", help: "How long the quota held tasks back in each period in which it ran out, summed over CPUs, since it is counted. From the growth of `throttled_ns_total` and `throttled_periods_total`: periods that ended between two readings count with their mean." },
  { group: "block_io", name: "read_latency", over: "window", help: "Time from issue to completion of each read over the window." },
  { group: "block_io", name: "write_latency", over: "window", help: "Time from issue to completion of each write over the window." },
  { group: "block_io", name: "read_queue", over: "window", help: "Time from beginning to issue of each read over the window." },
  { group: "block_io", name: "write_queue", over: "window", help: "Time from beginning to issue of each write over the window." },
] as const satisfies readonly Distribution[];

/** Metrics of trees of files that containers have. */
export const TREE_METRICS = [
  { group: "usage", name: "used_bytes", kind: "gauge", unit: "bytes", help: "Bytes allocated, as `du` counts: blocks and not lengths, hard links once, directories and whiteouts too." },
  { group: "usage", name: "apparent_bytes", kind: "gauge", unit: "bytes", help: "The lengths of all that is no directory, as `docker ps --size` counts; `null` from a quota." },
  { group: "usage", name: "used_inodes", kind: "gauge", unit: "", help: "Inodes, those of directories and whiteouts included." },
  { group: "usage", name: "limit_bytes", kind: "limit", unit: "bytes", help: "The most bytes that the tree may take, by its project quota; -1 is no limit, `null` no quota." },
  { group: "usage", name: "limit_inodes", kind: "limit", unit: "", help: "The most inodes that it may take." },
  { group: "usage", name: "age_ns", kind: "gauge", unit: "nanoseconds", help: "How long ago it was measured." },
  { group: "usage", name: "took_ns", kind: "gauge", unit: "nanoseconds", help: "How long measuring took, without the pauses in it." },
  { group: "usage", name: "uncounted_entries", kind: "gauge", unit: "", help: "Entries that were there and could not be counted: the figures are too low by so many." },
] as const satisfies readonly Metric[];

/** Metrics of the machine. */
export const HOST_METRICS = [
  { group: "cpu", name: "user_ns_total", kind: "counter", unit: "nanoseconds", help: "In user space, guests of virtual machines included." },
  { group: "cpu", name: "nice_ns_total", kind: "counter", unit: "nanoseconds", help: "In user space at a lowered priority." },
  { group: "cpu", name: "system_ns_total", kind: "counter", unit: "nanoseconds", help: "In the kernel." },
  { group: "cpu", name: "idle_ns_total", kind: "counter", unit: "nanoseconds", help: "Idle, with no task waiting for I/O." },
  { group: "cpu", name: "iowait_ns_total", kind: "counter", unit: "nanoseconds", help: "Idle, while a task that ran here last waits for I/O. The kernel may take some of it back." },
  { group: "cpu", name: "irq_ns_total", kind: "counter", unit: "nanoseconds", help: "In interrupt handlers." },
  { group: "cpu", name: "softirq_ns_total", kind: "counter", unit: "nanoseconds", help: "In soft interrupts." },
  { group: "cpu", name: "steal_ns_total", kind: "counter", unit: "nanoseconds", help: "Runnable, while the hypervisor ran something else." },
  { group: "cpu", name: "busy_cores", kind: "ratio", unit: "cores", help: "Growth over the window of user, nice, system, irq and softirq time, in CPUs." },
  { group: "scheduler", name: "switches_total", kind: "counter", unit: "", help: "Context switches, those from and to the idle tasks included, which no cgroup is charged for (`ctxt`)." },
  { group: "scheduler", name: "switches_per_second", kind: "rate", unit: "per second", help: "Growth of `switches_total` over the window." },
  { group: "scheduler", name: "forks_total", kind: "counter", unit: "", help: "Tasks made: processes and threads (`processes`)." },
  { group: "scheduler", name: "forks_per_second", kind: "rate", unit: "per second", help: "Growth of `forks_total` over the window." },
  { group: "scheduler", name: "running_tasks", kind: "gauge", unit: "", help: "Tasks that run or are ready to (`procs_running`)." },
  { group: "scheduler", name: "blocked_tasks", kind: "gauge", unit: "", help: "Tasks that wait for I/O (`procs_blocked`)." },
  { group: "scheduler", name: "tasks", kind: "gauge", unit: "", help: "All tasks there are, threads included." },
  { group: "scheduler", name: "load_1", kind: "ratio", unit: "", help: "Mean number of tasks running, ready or in uninterruptible sleep, decaying over one minute." },
  { group: "scheduler", name: "load_5", kind: "ratio", unit: "", help: "The same over five minutes." },
  { group: "scheduler", name: "load_15", kind: "ratio", unit: "", help: "The same over fifteen minutes." },
  { group: "memory", name: "total_bytes", kind: "gauge", unit: "bytes", help: "Memory that the kernel manages." },
  { group: "memory", name: "free_bytes", kind: "gauge", unit: "bytes", help: "Memory in no use at all." },
  { group: "memory", name: "available_bytes", kind: "gauge", unit: "bytes", help: "What new programs could have without swapping, as the kernel estimates." },
  { group: "memory", name: "buffers_bytes", kind: "gauge", unit: "bytes", help: "Cache of block devices' own blocks." },
  { group: "memory", name: "cached_bytes", kind: "gauge", unit: "bytes", help: "Page cache, tmpfs and shared memory included." },
  { group: "memory", name: "shmem_bytes", kind: "gauge", unit: "bytes", help: "Tmpfs and shared memory." },
  { group: "memory", name: "anon_bytes", kind: "gauge", unit: "bytes", help: "Anonymous memory." },
  { group: "memory", name: "dirty_bytes", kind: "gauge", unit: "bytes", help: "Page cache that waits to be written." },
  { group: "memory", name: "writeback_bytes", kind: "gauge", unit: "bytes", help: "Page cache that is being written." },
  { group: "memory", name: "slab_bytes", kind: "gauge", unit: "bytes", help: "The kernel's own objects." },
  { group: "memory", name: "slab_reclaimable_bytes", kind: "gauge", unit: "bytes", help: "Their part that the kernel can free, such as directory entries." },
  { group: "memory", name: "swap_total_bytes", kind: "gauge", unit: "bytes", help: "Swap space." },
  { group: "memory", name: "swap_free_bytes", kind: "gauge", unit: "bytes", help: "Its part that is free." },
  { group: "faults", name: "minor_total", kind: "counter", unit: "", help: "Faults that read nothing from a device (`pgfault` less `pgmajfault`)." },
  { group: "faults", name: "major_total", kind: "counter", unit: "", help: "Faults that did (`pgmajfault`). A task's own count also has faults that waited for a read begun by another." },
  { group: "faults", name: "minor_per_second", kind: "rate", unit: "per second", help: "Growth of `minor_total` over the window." },
  { group: "faults", name: "major_per_second", kind: "rate", unit: "per second", help: "Growth of `major_total` over the window." },
  { group: "reclaim", name: "oom_kills_total", kind: "counter", unit: "", help: "Tasks killed for lack of memory, whether the machine's or a cgroup's (`oom_kill`)." },
  { group: "reclaim", name: "direct_scanned_pages_total", kind: "counter", unit: "pages", help: "Pages that tasks in need of memory looked at themselves (`pgscan_direct`)." },
  { group: "reclaim", name: "direct_freed_pages_total", kind: "counter", unit: "pages", help: "Pages that they freed (`pgsteal_direct`)." },
  { group: "reclaim", name: "kswapd_scanned_pages_total", kind: "counter", unit: "pages", help: "Pages that the kernel's own reclaimer looked at (`pgscan_kswapd`)." },
  { group: "reclaim", name: "kswapd_freed_pages_total", kind: "counter", unit: "pages", help: "Pages that it freed (`pgsteal_kswapd`)." },
  { group: "reclaim", name: "swap_in_pages_total", kind: "counter", unit: "pages", help: "Pages read from swap (`pswpin`)." },
  { group: "reclaim", name: "swap_out_pages_total", kind: "counter", unit: "pages", help: "Pages written to swap (`pswpout`)." },
] as const satisfies readonly Metric[];

/** Metrics of the machine's disks. */
export const DISK_METRICS = [
  { group: "activity", name: "read_ops_total", kind: "counter", unit: "", help: "Read requests completed." },
  { group: "activity", name: "write_ops_total", kind: "counter", unit: "", help: "Write requests completed." },
  { group: "activity", name: "read_bytes_total", kind: "counter", unit: "bytes", help: "Bytes read." },
  { group: "activity", name: "write_bytes_total", kind: "counter", unit: "bytes", help: "Bytes written." },
  { group: "activity", name: "read_ns_total", kind: "counter", unit: "nanoseconds", help: "Time from queueing to completion of all reads together, in units of 1 ms." },
  { group: "activity", name: "write_ns_total", kind: "counter", unit: "nanoseconds", help: "Time from queueing to completion of all writes together." },
  { group: "activity", name: "busy_ns_total", kind: "counter", unit: "nanoseconds", help: "Time with any request in flight." },
  { group: "activity", name: "in_flight", kind: "gauge", unit: "", help: "Requests in flight." },
  { group: "activity", name: "read_ops_per_second", kind: "rate", unit: "per second", help: "Growth of `read_ops_total` over the window." },
  { group: "activity", name: "write_ops_per_second", kind: "rate", unit: "per second", help: "Growth of `write_ops_total` over the window." },
  { group: "activity", name: "read_bytes_per_second", kind: "rate", unit: "bytes per second", help: "Growth of `read_bytes_total` over the window." },
  { group: "activity", name: "write_bytes_per_second", kind: "rate", unit: "bytes per second", help: "Growth of `write_bytes_total` over the window." },
] as const satisfies readonly Metric[];

/** Metrics of the machine's file systems. */
export const FILESYSTEM_METRICS = [
  { group: "space", name: "capacity_bytes", kind: "gauge", unit: "bytes", help: "Its size, what is kept for root included." },
  { group: "space", name: "used_bytes", kind: "gauge", unit: "bytes", help: "The part in use." },
  { group: "space", name: "available_bytes", kind: "gauge", unit: "bytes", help: "What is left for those that are not root." },
  { group: "space", name: "inodes", kind: "gauge", unit: "", help: "Inodes that there can be; `null` where it makes them as they are needed." },
  { group: "space", name: "free_inodes", kind: "gauge", unit: "", help: "Those of them that are free." },
] as const satisfies readonly Metric[];

/** Metrics of the machine's interfaces. */
export const INTERFACE_METRICS = [
  { group: "traffic", name: "rx_bytes_total", kind: "counter", unit: "bytes", help: "Bytes received." },
  { group: "traffic", name: "rx_packets_total", kind: "counter", unit: "", help: "Packets received." },
  { group: "traffic", name: "rx_errors_total", kind: "counter", unit: "", help: "Packets received with an error." },
  { group: "traffic", name: "rx_dropped_total", kind: "counter", unit: "", help: "Packets dropped on receiving." },
  { group: "traffic", name: "tx_bytes_total", kind: "counter", unit: "bytes", help: "Bytes sent." },
  { group: "traffic", name: "tx_packets_total", kind: "counter", unit: "", help: "Packets sent." },
  { group: "traffic", name: "tx_errors_total", kind: "counter", unit: "", help: "Packets not sent for an error." },
  { group: "traffic", name: "tx_dropped_total", kind: "counter", unit: "", help: "Packets dropped before sending." },
  { group: "traffic", name: "rx_bytes_per_second", kind: "rate", unit: "bytes per second", help: "Growth of `rx_bytes_total` over the window." },
  { group: "traffic", name: "rx_packets_per_second", kind: "rate", unit: "per second", help: "Growth of `rx_packets_total` over the window." },
  { group: "traffic", name: "tx_bytes_per_second", kind: "rate", unit: "bytes per second", help: "Growth of `tx_bytes_total` over the window." },
  { group: "traffic", name: "tx_packets_per_second", kind: "rate", unit: "per second", help: "Growth of `tx_packets_total` over the window." },
] as const satisfies readonly Metric[];

/** Metrics of monitor itself. */
export const AGENT_METRICS = [
  { group: "agent", name: "cpu_ns_total", kind: "counter", unit: "nanoseconds", help: "CPU time of all its threads since its start." },
  { group: "agent", name: "cpu_cores", kind: "ratio", unit: "cores", help: "Growth of `cpu_ns_total` over the window, in CPUs." },
  { group: "agent", name: "resident_bytes", kind: "gauge", unit: "bytes", help: "Its resident memory, the pages of eBPF maps that it shares with the kernel included." },
  { group: "agent", name: "map_bytes", kind: "gauge", unit: "bytes", help: "What the eBPF maps take in the kernel." },
  { group: "agent", name: "tick_ns", kind: "gauge", unit: "nanoseconds", help: "What reading every source took for this snapshot." },
  { group: "agent", name: "program_runs_total", kind: "counter", unit: "", help: "Times that its eBPF programs ran while `kernel.bpf_stats_enabled` was on." },
  { group: "agent", name: "program_run_ns_total", kind: "counter", unit: "nanoseconds", help: "What they took then, the measuring included." },
  { group: "agent", name: "program_run_mean_ns", kind: "ratio", unit: "nanoseconds", help: "The mean of that." },
] as const satisfies readonly Metric[];

/** Beginnings of the names of interfaces that lead nowhere outside. */
export const INNER_INTERFACES: readonly string[] = ["lo", "veth", "docker", "br-", "cni", "flannel", "cali", "virbr", "lxcbr", "podman", "tun", "tap", "dummy", "kube", "nerdctl", "ifb"];

/** Beginnings of the names of block devices that stand on others, or are no disks. */
export const NO_DISKS: readonly string[] = ["loop", "dm-", "md", "bcache", "drbd", "zd", "zram", "ram", "sr", "fd"];
