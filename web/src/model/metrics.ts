/** Metrics by name: what the catalogue says of them, and how to read them off what the server sends. */

import type { Latency } from "../api/types";
import { DISTRIBUTIONS, HOST_METRICS, METRICS, type Distribution, type Metric } from "../generated/catalogue";

/** `cpu.usage_cores`: a group and a name in it. */
export type MetricName = { [M in (typeof METRICS)[number] as `${M["group"]}.${M["name"]}`]: M } extends infer T
  ? keyof T & string
  : never;
export type HostMetricName = { [M in (typeof HOST_METRICS)[number] as `${M["group"]}.${M["name"]}`]: M } extends infer T
  ? keyof T & string
  : never;
export type DistributionName = {
  [M in (typeof DISTRIBUTIONS)[number] as `${M["group"]}.${M["name"]}`]: M;
} extends infer T
  ? keyof T & string
  : never;

export function nameOf(metric: { group: string; name: string }): string {
  return `${metric.group}.${metric.name}`;
}

const METRIC_BY_NAME = new Map<string, Metric>(METRICS.map((metric) => [nameOf(metric), metric]));
const HOST_METRIC_BY_NAME = new Map<string, Metric>(HOST_METRICS.map((metric) => [nameOf(metric), metric]));
const DISTRIBUTION_BY_NAME = new Map<string, Distribution>(DISTRIBUTIONS.map((one) => [nameOf(one), one]));

/** What the catalogue says of a metric of containers; of a name that is not in it, nothing. */
export function findMetric(name: string): Metric | undefined {
  return METRIC_BY_NAME.get(name);
}

export function findHostMetric(name: string): Metric | undefined {
  return HOST_METRIC_BY_NAME.get(name);
}

export function findDistribution(name: string): Distribution | undefined {
  return DISTRIBUTION_BY_NAME.get(name);
}

/** Distributions that have a history. */
export const KEPT_DISTRIBUTIONS = DISTRIBUTIONS.filter(({ over }) => over === "window");

/** A help text without its Markdown. */
export function plain(help: string): string {
  return help.replaceAll("`", "");
}

/** `voluntary_switches_total` as a reader would say it: "voluntary switches". */
export function words(name: string): string {
  const bare = name.replace(/_(total|bytes|ns|us|pages|cores)(?=_|$)/g, "").replace(/_per_second$/, "/s");
  return bare.replaceAll("_", " ");
}

/** A series by its group and what it is: "cpu: usage", "scheduler: runq latency p99". */
export function title(series: string): string {
  const [group, ...parts] = series.split(".");
  return `${group?.replaceAll("_", " ")}: ${parts.map(words).join(" ")}`;
}

/** A member of a container by its metric's name. */
function read(from: object, name: string): unknown {
  let value: unknown = from;
  for (const part of name.split(".")) {
    if (typeof value !== "object" || value === null) return null;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** A number of a container; `null` where it was not measured, or not asked for. */
export function readNumber(from: object, name: string): number | null {
  const value = read(from, name);
  return typeof value === "number" ? value : null;
}

export function readText(from: object, name: string): string | null {
  const value = read(from, name);
  return typeof value === "string" ? value : null;
}

export function readLatency(from: object, name: string): Latency | null {
  const value = read(from, name);
  return typeof value === "object" ? (value as Latency | null) : null;
}
