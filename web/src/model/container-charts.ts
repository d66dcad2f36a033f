/** Which charts a container has: metrics by name, what they are called together, and in which unit. */

import type { Container, Resource } from "../api/types";
import type { Line } from "../charts/plot";
import { quotaOf } from "./columns";
import type { DistributionName, MetricName } from "./metrics";
import { bytes, cores, type Unit } from "./units";

export interface SpecLine extends Line {
  /** A metric's name, or that of a total of pressure stall information, which is in no catalogue. */
  name: string;
  /** What a value is multiplied with. */
  scale?: number;
  /** Seconds over which values are averaged: the kernel counts some things in larger portions than steps may be. */
  smooth?: number;
}

export interface Spec {
  key: string;
  title: string;
  help: string;
  unit: Unit;
  lines: readonly SpecLine[];
  /** The distribution that is drawn as a heat map below its quantiles. */
  heat?: DistributionName;
  /** Not drawn where there is nothing of it in the range: most containers have none. */
  isSeldom?: boolean;
  /** A bound that is drawn where it is near, and told where it is not. */
  bound?: (container: Container) => { label: string; value: number; text: string } | null;
}

const line = (name: MetricName, label: string, series: number, more: Partial<SpecLine> = {}): SpecLine => ({
  name,
  label,
  colour: `series-${series}`,
  ...more,
});

const NS_IN_CORES = { scale: 1e-9 };

/** Microseconds a second as percent of the time. The kernel adds them up every two seconds. */
const stalled = (resource: Resource, label: string, series: number): SpecLine => ({
  name: `pressure.${resource}.some.stall_us_total`,
  label,
  colour: `series-${series}`,
  scale: 1e-4,
  smooth: 4,
});

/** Quantiles of a heat map's distribution, by their names in a spread. */
const QUANTILES: readonly SpecLine[] = [
  { name: "p99", label: "p99", colour: "series-2" },
  { name: "p50", label: "p50", colour: "series-3" },
];

const heat = (key: string, title: string, heat: DistributionName, help: string): Spec => ({
  key,
  title,
  help: `${help} Each column is a step of time, each cell how many took so long: the darker, the more.`,
  unit: "ns",
  lines: QUANTILES,
  heat,
});

export const SPECS: readonly Spec[] = [
  {
    key: "cpu",
    title: "CPU",
    help: "CPU time, in CPUs: 1 is one CPU all the time.",
    unit: "cores",
    lines: [
      line("cpu.usage_ns_total", "used", 1, { ...NS_IN_CORES, isFilled: true }),
      line("cpu.user_ns_total", "user", 3, NS_IN_CORES),
      line("cpu.system_ns_total", "system", 2, NS_IN_CORES),
    ],
    bound: (container) => {
      const quota = quotaOf({ container });
      return quota === null ? null : { label: "quota", value: quota, text: cores(quota) };
    },
  },
  {
    key: "waiting",
    title: "Kept from running",
    help: "Seconds in each second, of all threads together: runnable and waiting for a CPU, held back by the quota, freeing memory themselves.",
    unit: "seconds/s",
    lines: [
      line("scheduler.runq_wait_ns_total", "waiting for a CPU", 1),
      line("cpu.throttled_ns_total", "throttled", 5),
      line("memory.limit_reclaim_ns_total", "reclaim at the limit", 4),
      line("memory.direct_reclaim_ns_total", "reclaim for the machine", 2),
    ],
  },
  {
    key: "switches",
    title: "Context switches",
    help: "Voluntary: a task blocked. Involuntary: a task was preempted that could have gone on.",
    unit: "per second",
    lines: [
      line("scheduler.voluntary_switches_total", "voluntary", 1),
      line("scheduler.involuntary_switches_total", "involuntary", 2),
    ],
  },
  heat(
    "runq",
    "Run-queue latency",
    "scheduler.runq_latency",
    "How long tasks were runnable before they were given a CPU, each time.",
  ),
  {
    key: "memory",
    title: "Memory",
    help: "What is charged to the container, and its largest parts.",
    unit: "bytes",
    lines: [
      line("memory.current_bytes", "all", 1, { isFilled: true }),
      line("memory.anon_bytes", "anonymous", 4),
      line("memory.file_bytes", "files", 3),
      line("memory.kernel_bytes", "kernel", 2),
      line("memory.swap_bytes", "swap", 5),
    ],
    bound: ({ memory }) => {
      const limit = memory.limit_bytes;
      return limit === null || limit <= 0 ? null : { label: "limit", value: limit, text: bytes(limit) };
    },
  },
  {
    key: "faults",
    title: "Page faults",
    help: "Minor: served without I/O. Major: something had to be read.",
    unit: "per second",
    lines: [line("faults.minor_total", "minor", 1), line("faults.major_total", "major", 5)],
  },
  {
    key: "network",
    title: "Network",
    help: "Bytes of the container's sockets, from the IP header on.",
    unit: "bytes/s",
    lines: [line("network.rx_bytes_total", "received", 1), line("network.tx_bytes_total", "sent", 2)],
  },
  {
    key: "tcp",
    title: "TCP health",
    help: "What should not happen often: segments sent again, resets, connections not had, packets thrown away.",
    unit: "per second",
    lines: [
      line("network.tcp_retransmits_total", "retransmits", 2),
      line("network.tcp_resets_sent_total", "resets sent", 4),
      line("network.tcp_resets_received_total", "resets received", 3),
      line("network.tcp_failed_total", "failed", 5),
      line("network.dropped_packets_total", "dropped", 6),
    ],
  },
  {
    ...heat(
      "connect",
      "TCP connect latency",
      "network.tcp_connect_latency",
      "How long it took to get each TCP connection that it asked for.",
    ),
    isSeldom: true,
  },
  {
    ...heat(
      "rtt",
      "TCP round trips",
      "network.tcp_rtt",
      "The smoothed round-trip time of each TCP connection, as it was when that was closed.",
    ),
    isSeldom: true,
  },
  {
    key: "block",
    title: "Block devices",
    help: "Bytes read from and written to block devices for this container.",
    unit: "bytes/s",
    lines: [line("block_io.read_bytes_total", "read", 1), line("block_io.write_bytes_total", "written", 2)],
  },
  {
    key: "requests",
    title: "Block requests",
    help: "Requests to block devices completed.",
    unit: "per second",
    lines: [
      line("block_io.read_ops_total", "reads", 1),
      line("block_io.write_ops_total", "writes", 2),
      line("block_io.flush_ops_total", "flushes", 6),
    ],
  },
  heat("block-read", "Read latency of devices", "block_io.read_latency", "From issue to completion of each read."),
  heat("block-write", "Write latency of devices", "block_io.write_latency", "From issue to completion of each write."),
  {
    key: "pressure",
    title: "Pressure",
    help: "How much of the time some task was stalled on a resource (pressure stall information).",
    unit: "percent",
    lines: [stalled("cpu", "CPU", 1), stalled("memory", "memory", 4), stalled("io", "I/O", 2)],
  },
  {
    key: "tasks",
    title: "Tasks",
    help: "Threads: all of them, those that run or are ready to, those in uninterruptible sleep.",
    unit: "count",
    lines: [
      line("pids.current", "all", 1),
      line("tasks.running", "running", 3),
      line("tasks.disk_sleep", "disk sleep", 5),
    ],
  },
];

/** The metric whose growth is marked in charts, where no event tells of it any more. */
export const KILLS: MetricName = "memory.oom_victims_total";

/** Names of metrics that the charts need. */
export const CHART_METRICS: readonly string[] = [
  KILLS,
  ...new Set(SPECS.filter((spec) => !spec.heat).flatMap((spec) => spec.lines.map((one) => one.name))),
];

export const CHART_DISTRIBUTIONS: readonly string[] = SPECS.flatMap((spec) => (spec.heat ? [spec.heat] : []));
