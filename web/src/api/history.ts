/** What was measured before: `/api/v1/history` and what is beside it. */

import { getJson } from "./client";
import type { Pod, Source, State } from "./types";

/** A value for each step; `null` where nothing was measured. */
export type Values = (number | null)[];

export interface HistoryMetric {
  kind: string;
  unit: string;
  /** Of counters a second. */
  mean?: Values;
  min?: Values;
  max?: Values;
  growth?: Values;
}

export interface HistoryDistribution {
  count: Values;
  p50_ns: Values;
  p90_ns: Values;
  p99_ns: Values;
  max_ns: Values;
  from_ns: number[];
  to_ns: (number | null)[];
  /** By bucket, then by step. */
  counts: Values[];
}

export interface Subject {
  kind: "container" | "cgroup" | "host";
  id: string;
  name: string | null;
  image: string | null;
  runtime: string | null;
  pod: Pod | null;
  /** The Compose project that it is part of. */
  project: string | null;
  state: State | null;
  started_at: string | null;
  finished_at: string | null;
  exit_code: number | null;
  first_seen_at: string;
  last_seen_at: string;
}

export type HistorySubject = Subject & {
  metrics: Record<string, HistoryMetric>;
  distributions: Record<string, HistoryDistribution>;
};

export interface History {
  from: string;
  to: string;
  step_s: number;
  /** The beginnings of steps, in seconds since 1970. */
  times: number[];
  subjects: HistorySubject[];
}

export interface Subjects {
  resolutions: { step_s: number; span_s: number; oldest_at?: string | null; newest_at?: string | null }[];
  subjects: Subject[];
}

/** A range of time: up to now, or between two moments in seconds since 1970. */
export type Range = { last: number } | { from: number; to: number };

export interface HistoryQuery {
  range: Range;
  step?: number;
  metrics: string[];
  /** Ids; `"*"` is all. */
  containers?: string[];
  host?: boolean;
  figures?: string[];
}

/** The parameters of a range; moments are given in whole seconds. */
export function rangeParams(range: Range, params = new URLSearchParams()): URLSearchParams {
  if ("last" in range) {
    params.set("from", `${Math.ceil(range.last)}s`);
  } else {
    params.set("from", String(Math.floor(range.from)));
    params.set("to", String(Math.ceil(range.to)));
  }
  return params;
}

export function historyParams(query: HistoryQuery): URLSearchParams {
  const params = rangeParams(query.range);
  if (query.step) params.set("step", String(query.step));
  if (query.metrics.length > 0) params.set("metric", query.metrics.join(","));
  for (const figure of query.figures ?? []) params.append("figure", figure);
  for (const container of query.containers ?? []) params.append("container", container);
  if (query.host) params.set("host", "true");
  return params;
}

export function getHistory(query: HistoryQuery, signal?: AbortSignal): Promise<History> {
  return getJson(`/api/v1/history?${historyParams(query)}`, signal);
}

export function getSubjects(params: Record<string, string>, signal?: AbortSignal): Promise<Subjects> {
  return getJson(`/api/v1/history/subjects?${new URLSearchParams(params)}`, signal);
}

interface PastWait {
  source: Source;
  id: string | null;
  name: string | null;
  wait_ns: number;
}

export interface PastInterference {
  containers: {
    id: string;
    name: string | null;
    interference: PastWait[];
    block_interference?: PastWait[];
  }[];
  from: string;
  to: string;
}

export function getInterference(range: Range, signal?: AbortSignal): Promise<PastInterference> {
  return getJson(`/api/v1/history/interference?${rangeParams(range)}`, signal);
}
