/** What can stand in the table of containers. */

import { METRICS, DISTRIBUTIONS, type Metric } from "../generated/catalogue";
import type { Resource } from "../api/types";
import { podOf, projectOf } from "./filter";
import {
  findDistribution,
  findMetric,
  nameOf,
  plain,
  readNumber,
  readText,
  words,
  type DistributionName,
  type MetricName,
} from "./metrics";
import type { Row } from "./rows";
import { bytes, cores, count, duration, format, percent, seconds, short, span, unitOf, NONE, type Unit } from "./units";

/** What is shown of one row. */
export interface Cell {
  text: string;
  /** What follows it, less visible: a limit, or what it is of. */
  note?: string;
  /** Filled so far, between 0 and 1. */
  bar?: number;
}

export interface Column {
  /** In addresses and downloads. */
  key: string;
  label: string;
  /** Below the label. */
  unit: string;
  /** What it means, in a sentence or two. */
  help: string;
  /** What the stream must be asked for. */
  fields: readonly string[];
  width: number;
  isText: boolean;
  /** By what rows are sorted, and what is downloaded. */
  value: (row: Row) => number | string | null;
  cell: (row: Row) => Cell;
  /** A value as a cell has it. */
  show: (value: number) => string;
  /** How the values of a group become one; not at all where they cannot. */
  together: "sum" | "most" | null;
}

const identity = (
  key: string,
  label: string,
  help: string,
  width: number,
  value: (row: Row) => string | null,
): Column => ({
  key,
  label,
  unit: "",
  help,
  fields: [],
  width,
  isText: true,
  value,
  cell: (row) => ({ text: value(row) ?? NONE }),
  show: String,
  together: null,
});

interface Shown {
  key: string;
  metric: MetricName;
  label: string;
  unit: string;
  width: number;
  /** Without the unit, where the header has it. */
  format: (value: number) => string;
}

/** A metric under a name of its own. */
function shown({ key, metric, label, unit, width, format }: Shown): Column {
  const value = (row: Row) => readMetric(row, metric);
  return {
    key,
    label,
    unit,
    help: plain(findMetric(metric)?.help ?? ""),
    fields: [metric],
    width,
    isText: false,
    value,
    cell: (row) => ({ text: orNone(value(row), format) }),
    show: format,
    together: "sum",
  };
}

const cpu: Column = {
  ...shown({ key: "cpu", metric: "cpu.usage_cores", label: "CPU", unit: "cores / quota", width: 90, format: cores }),
  fields: ["cpu.usage_cores", "cpu.quota_us", "cpu.period_us"] satisfies MetricName[],
  help: `${plain(findMetric("cpu.usage_cores" satisfies MetricName)?.help ?? "")} Behind it the quota, if there is one.`,
  cell: (row) => {
    const used = readMetric(row, "cpu.usage_cores");
    const quota = quotaOf(row);
    const cell: Cell = { text: orNone(used, cores), bar: used === null ? 0 : used / (quota ?? row.hostCpus) };
    return quota === null ? cell : { ...cell, note: `/ ${short(cores(quota))}` };
  },
};

/** The CPU time that the quota allows, in CPUs; `null` without one. */
export function quotaOf(row: { container: object }): number | null {
  const quota = readNumber(row.container, "cpu.quota_us" satisfies MetricName);
  const period = readNumber(row.container, "cpu.period_us" satisfies MetricName);
  return quota !== null && quota > 0 && period ? quota / period : null;
}

const memory: Column = {
  ...shown({
    key: "memory",
    metric: "memory.current_bytes",
    label: "memory",
    unit: "used / limit",
    width: 130,
    format: bytes,
  }),
  fields: ["memory.current_bytes", "memory.limit_bytes"] satisfies MetricName[],
  cell: (row) => {
    const used = readMetric(row, "memory.current_bytes");
    const limit = readMetric(row, "memory.limit_bytes");
    const isLimited = limit !== null && limit > 0;
    const most = isLimited ? limit : row.hostMemory;
    const cell: Cell = { text: orNone(used, bytes), bar: used === null || !most ? 0 : used / most };
    return isLimited ? { ...cell, note: `/ ${short(bytes(limit))}` } : cell;
  },
};

/** A quantile of a distribution. */
function quantile(
  key: string,
  spread: DistributionName,
  part: "p50_ns" | "p90_ns" | "p99_ns" | "max_ns",
  label: string,
  unit: string,
): Column {
  const value = (row: Row) => (row.isLive ? readNumber(row.container, `${spread}.${part}`) : null);
  return {
    key,
    label,
    unit,
    help: plain(findDistribution(spread)?.help ?? ""),
    fields: [spread],
    width: 74,
    isText: false,
    value,
    cell: (row) => ({ text: orNone(value(row), duration) }),
    show: duration,
    together: "most",
  };
}

const throttled: Column = {
  key: "throttled",
  label: "throttled",
  unit: "% periods",
  help: "Of the quota's periods in the window, those in which it ran out.",
  fields: ["cpu.periods_total", "cpu.throttled_periods_total"] satisfies MetricName[],
  width: 72,
  isText: false,
  value: throttledPercent,
  cell: (row) => ({ text: orNone(throttledPercent(row), percent) }),
  show: percent,
  together: "most",
};

function throttledPercent(row: Row): number | null {
  const periods = readMetric(row, "cpu.periods_total");
  const those = readMetric(row, "cpu.throttled_periods_total");
  // Without a quota there are no periods.
  return periods && those !== null ? (those / periods) * 100 : null;
}

const RESOURCES: readonly Resource[] = ["cpu", "memory", "io"];

/** The resource that some task waits for most, of the last ten seconds in percent. */
function worstPressure(row: Row): { of: Resource; percent: number } | null {
  let worst: { of: Resource; percent: number } | null = null;
  for (const of of RESOURCES) {
    const value = row.isLive ? readNumber(row.container, `pressure.${of}.some.avg10`) : null;
    if (value !== null && (worst === null || value > worst.percent)) worst = { of, percent: value };
  }
  return worst;
}

const pressure: Column = {
  key: "pressure",
  label: "pressure",
  unit: "% stalled",
  help: "Pressure stall information: how much of the last ten seconds some task was stalled, on the resource where that is most.",
  fields: ["pressure"],
  width: 84,
  isText: false,
  value: (row) => worstPressure(row)?.percent ?? null,
  cell: (row) => {
    const worst = worstPressure(row);
    if (!worst) return { text: NONE };
    return worst.percent > 0 ? { text: percent(worst.percent), note: worst.of } : { text: percent(0) };
  },
  show: percent,
  together: "most",
};

/** The column whose cells are drawn: the last minutes of the CPU time. */
export const SPARK_KEY = "trend";

const spark: Column = {
  key: SPARK_KEY,
  label: "CPU trend",
  unit: "last 5 min",
  help: "CPU time over the last five minutes; the highest point is the row's own.",
  fields: ["cpu.usage_cores" satisfies MetricName],
  width: 90,
  isText: false,
  value: (row) => readMetric(row, "cpu.usage_cores"),
  cell: () => ({ text: "" }),
  show: cores,
  together: null,
};

const perSecond = (key: string, metric: MetricName, label: string, unit: string, width = 74): Column =>
  shown({ key, metric, label, unit, width, format: count });
const bytesPerSecond = (key: string, metric: MetricName, label: string, unit: string): Column =>
  shown({ key, metric, label, unit, width: 78, format: bytes });

/** Always the first. */
export const NAME: Column = identity(
  "name",
  "name",
  "What its runtime calls it.",
  132,
  (row) => row.container.name ?? row.container.short_id,
);

/** For how long a container has run, or how long ago it ended. */
const age: Column = {
  key: "age",
  label: "age",
  unit: "up / ended",
  help: "How long ago it was started; of ended ones, how long ago it ended.",
  fields: [],
  width: 104,
  isText: false,
  value: ageOf,
  cell: (row) => {
    const ago = ageOf(row);
    if (ago === null) return { text: NONE };
    return row.container.state === "exited" ? { text: span(ago), note: "ago" } : { text: span(ago) };
  },
  show: span,
  together: null,
};

function ageOf({ container, at }: Row): number | null {
  const since = container.state === "exited" ? container.finished_at : container.started_at;
  return since === null ? null : Math.max(at - seconds(since), 0);
}

/** What has a column of its own making; every other metric can have one too. */
export const COLUMNS: readonly Column[] = [
  NAME,
  { ...identity("state", "state", "Whether it runs; of ended ones the exit code.", 80, (row) => row.container.state) },
  identity("image", "image", "What it was made from.", 84, (row) => row.container.image),
  cpu,
  memory,
  perSecond("voluntary", "scheduler.voluntary_switches_per_second", "voluntary", "switches/s"),
  perSecond("involuntary", "scheduler.involuntary_switches_per_second", "involuntary", "switches/s", 84),
  quantile("wait_p99", "scheduler.runq_latency", "p99_ns", "wait p99", "run queue"),
  perSecond("minor", "faults.minor_per_second", "minor", "faults/s", 56),
  perSecond("major", "faults.major_per_second", "major", "faults/s", 54),
  bytesPerSecond("rx", "network.rx_bytes_per_second", "net rx", "a second"),
  bytesPerSecond("tx", "network.tx_bytes_per_second", "net tx", "a second"),
  bytesPerSecond("read", "block_io.read_bytes_per_second", "disk read", "a second"),
  bytesPerSecond("write", "block_io.write_bytes_per_second", "disk write", "a second"),
  throttled,
  pressure,
  spark,
  identity("runtime", "runtime", "Who runs it.", 90, (row) => row.container.runtime),
  identity("pod", "pod", "The Kubernetes pod that it is part of.", 160, (row) => podOf(row.container)),
  identity("project", "project", "The Compose project that it is part of.", 110, (row) => projectOf(row.container)),
  age,
  identity("id", "id", "The beginning of its id.", 110, (row) => row.container.short_id),
  quantile("wait_p50", "scheduler.runq_latency", "p50_ns", "wait p50", "run queue"),
  { ...shown({ key: "pids", metric: "pids.current", label: "tasks", unit: "threads", width: 62, format: count }) },
];

/** What is shown where nothing else is asked for. */
export const USUAL: readonly string[] = COLUMNS.slice(
  0,
  COLUMNS.findIndex((column) => column.key === SPARK_KEY) + 1,
).map((column) => column.key);

const BY_KEY = new Map(COLUMNS.map((column) => [column.key, column]));

/** A column by its key, which may be any metric's or distribution's name. */
export function columnOf(key: string): Column | undefined {
  const known = BY_KEY.get(key);
  if (known) return known;
  const metric = findMetric(key);
  if (metric) return metricColumn(metric);
  return findDistribution(key)
    ? quantile(key, key as DistributionName, "p99_ns", words(key.split(".")[1] ?? key), "p99")
    : undefined;
}

function metricColumn(metric: Metric): Column {
  const name = nameOf(metric);
  const unit: Unit = unitOf(metric);
  const value = (row: Row) =>
    metric.kind === "text" ? readText(row.container, name) : readMetric(row, name as MetricName);
  return {
    key: name,
    label: words(metric.name),
    unit: metric.group.replace("_", " "),
    help: plain(metric.help),
    fields: [name],
    width: 96,
    isText: metric.kind === "text",
    value,
    cell: (row) => {
      const found = value(row);
      if (metric.kind === "limit" && found === -1) return { text: "none" };
      return { text: typeof found === "string" ? found : format(found, unit) };
    },
    show: (value) => format(value, unit),
    together: metric.kind === "limit" || metric.kind === "text" ? null : "sum",
  };
}

/** Every metric and distribution that has no column of its own making, by group. */
export function others(): { group: string; names: string[] }[] {
  const groups = new Map<string, string[]>();
  for (const one of [...METRICS, ...DISTRIBUTIONS])
    groups.set(one.group, [...(groups.get(one.group) ?? []), nameOf(one)]);
  return [...groups].map(([group, names]) => ({ group, names }));
}

/** A metric of a row: of a counter its growth a second since the snapshot before. */
export function readMetric(row: Row, name: MetricName): number | null {
  if (!row.isLive) return null;
  const value = readNumber(row.container, name);
  if (findMetric(name)?.kind !== "counter") return value;
  const before = row.before && readNumber(row.before, name);
  if (value === null || before === null || value < before || row.seconds <= 0) return null;
  return (value - before) / row.seconds;
}

function orNone(value: number | null, format: (value: number) => string): string {
  return value === null ? NONE : format(value);
}
