/** Who waits for whom, as a matrix and in words. */

import type { Source } from "../api/types";
import { SOURCES } from "../generated/sources";
import { duration } from "./units";

/** Part of a container's waiting, however long was looked at. */
export interface Wait {
  victim: { id: string; name: string };
  source: Source;
  /** The container that was waited for; `null` where it is none, or not known any more. */
  aggressor: { id: string; name: string } | null;
  ns: number;
}

/** A column of the matrix: a container, or what else can be waited for. */
export interface Aggressor {
  key: string;
  name: string;
  /** The container's; `null` of the others. */
  id: string | null;
}

export interface Matrix {
  victims: { id: string; name: string; ns: number }[];
  aggressors: Aggressor[];
  /** By victim, then by aggressor, in nanoseconds; 0 where there was no wait. */
  cells: number[][];
  /** The largest cell. */
  most: number;
  /** Victims and aggressors that have no row or column. */
  left: number;
}

const SHORT: Record<Source, string> = {
  self: "itself",
  container: "ended",
  system: "system",
  quota: "quota",
  wakeup: "wake-up",
  unknown: "unknown",
};

function keyOf({ source, aggressor }: Wait): string {
  return aggressor ? `id ${aggressor.id}` : source;
}

/** The matrix of those that waited most and were waited for most. */
export function matrixOf(waits: readonly Wait[], most: number): Matrix {
  const victims = largest(waits, (wait) => wait.victim.id);
  const aggressors = largest(waits, keyOf);
  const rows = victims.slice(0, most);
  const columns = aggressors.slice(0, most);
  const rowOf = new Map(rows.map(([id], place) => [id, place]));
  const columnOf = new Map(columns.map(([key], place) => [key, place]));
  const cells = rows.map(() => columns.map(() => 0));
  for (const wait of waits) {
    const row = cells[rowOf.get(wait.victim.id) ?? -1];
    const column = columnOf.get(keyOf(wait));
    if (row && column !== undefined) row[column] = (row[column] ?? 0) + wait.ns;
  }
  return {
    victims: rows.map(([id, { first, ns }]) => ({ id, name: first.victim.name, ns })),
    aggressors: columns.map(([key, { first }]) => ({
      key,
      id: first.aggressor?.id ?? null,
      name: first.aggressor?.name ?? SHORT[first.source],
    })),
    cells,
    most: Math.max(0, ...cells.flat()),
    left: victims.length - rows.length + aggressors.length - columns.length,
  };
}

function largest(waits: readonly Wait[], key: (wait: Wait) => string): [string, { first: Wait; ns: number }][] {
  const sums = new Map<string, { first: Wait; ns: number }>();
  for (const wait of waits) {
    const sum = sums.get(key(wait));
    if (sum) sum.ns += wait.ns;
    else sums.set(key(wait), { first: wait, ns: wait.ns });
  }
  return [...sums].filter(([, { ns }]) => ns > 0).sort(([, one], [, other]) => other.ns - one.ns);
}

export interface Pairing {
  victim: { id: string; name: string };
  aggressor: { id: string; name: string } | null;
  /** Such as "waited 1.2 s (40 % of its waiting) for container batch". */
  words: string;
  advice: string | null;
}

/** Sources that nobody can be blamed for. */
const NOBODY: ReadonlySet<Source> = new Set(["self", "wakeup", "unknown"]);

/** The worst pairs in words. What nobody can be blamed for is no pair, and told only where it is most of the waiting. */
export function worst(waits: readonly Wait[], most: number, forWhat: "cpu" | "block"): Pairing[] {
  const sums = new Map<string, number>();
  for (const { victim, ns } of waits) sums.set(victim.id, (sums.get(victim.id) ?? 0) + ns);
  return waits
    .filter(({ victim, source, ns }) => ns > 0 && (!NOBODY.has(source) || ns > (sums.get(victim.id) ?? 0) / 2))
    .sort((one, other) => other.ns - one.ns)
    .slice(0, most)
    .map((wait) => {
      const { victim, source, aggressor, ns } = wait;
      const percent = (ns / (sums.get(victim.id) || 1)) * 100;
      const share = percent < 1 ? "under 1" : Math.round(percent);
      const whom = aggressor ? `container ${aggressor.name}` : SOURCES[source].words;
      const advice = forWhat === "cpu" ? SOURCES[source].advice : source === "container" ? BLOCK_ADVICE : null;
      return {
        victim,
        aggressor,
        words: `waited ${duration(ns)} for ${whom}, ${share} % of its waiting`,
        advice: advice?.replaceAll("{victim}", victim.name) ?? null,
      };
    });
}

const BLOCK_ADVICE =
  "bound the other's requests (--device-write-bps, --device-read-iops), or put the two on different devices";
