/** `/api/v1/statistics`: what a range of the history is like as a whole. */

import { getJson } from "./client";
import { rangeParams, type Range } from "./history";

export interface MetricStatistics {
  metric: string;
  /** Whether it is the metric's growth a second. */
  per_second: boolean;
  count: number;
  mean: number;
  min: number;
  max: number;
  deviation: number | null;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  p999: number;
  trend_per_hour: { slope: number; low: number; high: number } | null;
  outlier_count: number;
  outliers: { at: string; value: number; score: number }[];
  changes: { at: string; before: number; after: number }[];
  plot: (number | null)[];
}

export interface ContainerStatistics {
  id: string;
  name: string | null;
  image: string | null;
  metrics: MetricStatistics[];
}

export interface Statistics {
  from: string | null;
  to: string | null;
  ticks: number;
  containers: ContainerStatistics[];
  correlations: { metric: string; first: string; second: string; rho: number }[];
}

export function getStatistics(
  query: { range: Range; metrics?: readonly string[]; containers?: readonly string[] },
  signal?: AbortSignal,
): Promise<Statistics> {
  const params = rangeParams(query.range);
  if (query.metrics?.length) params.set("metric", query.metrics.join(","));
  for (const container of query.containers ?? []) params.append("container", container);
  return getJson(`/api/v1/statistics?${params}`, signal);
}
