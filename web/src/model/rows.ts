/** The rows of the table: running containers as they were measured last, and ended ones that history knows. */

import type { Subject } from "../api/history";
import type { NarrowContainer, Snapshot } from "../api/types";
import type { Column } from "./columns";
import { PROJECT_LABELS, matches, parseFilter, podOf, projectOf } from "./filter";
import { seconds } from "./units";

export interface Row {
  id: string;
  container: NarrowContainer;
  /** The same in the snapshot before. */
  before: NarrowContainer | null;
  /** Between the two. */
  seconds: number;
  /** Whether it is in the last snapshot; otherwise only its identity is known. */
  isLive: boolean;
  /** The moment that it is shown for, in seconds since 1970. */
  at: number;
  hostCpus: number;
  hostMemory: number | null;
}

/** Joins a snapshot with the one before, by container; of one that was started again the run that goes on. */
export function liveRows(now: Snapshot<NarrowContainer>, before: Snapshot<NarrowContainer> | null): Row[] {
  const known = new Map(before?.containers.map((container) => [container.id, container]));
  const since = before ? seconds(now.taken_at) - seconds(before.taken_at) : 0;
  const rows = new Map<string, Row>();
  for (const container of now.containers) {
    if (container.state === "exited" && rows.has(container.id)) continue;
    rows.set(container.id, {
      id: container.id,
      container,
      before: known.get(container.id) ?? null,
      seconds: since,
      isLive: true,
      at: seconds(now.taken_at),
      hostCpus: now.host.cpus,
      hostMemory: now.host.memory_bytes,
    });
  }
  return [...rows.values()];
}

/** Rows of containers that history knows and the snapshot does not have any more. */
export function endedRows(subjects: readonly Subject[], live: readonly Row[], at: number): Row[] {
  const shown = new Set(live.map((row) => row.id));
  return subjects
    .filter((subject) => subject.kind === "container" && !shown.has(subject.id))
    .map((subject) => ({
      id: subject.id,
      container: identityOf(subject),
      before: null,
      seconds: 0,
      isLive: false,
      at,
      hostCpus: 0,
      hostMemory: null,
    }));
}

function identityOf(subject: Subject): NarrowContainer {
  return {
    id: subject.id,
    short_id: subject.id.slice(0, 12),
    name: subject.name,
    image: subject.image,
    runtime: subject.runtime ?? "",
    state: "exited",
    exit_code: subject.exit_code,
    created_at: null,
    started_at: subject.started_at,
    finished_at: subject.finished_at ?? subject.last_seen_at,
    // History keeps no labels but this one.
    labels: subject.project === null ? {} : { [PROJECT_LABELS[0]]: subject.project },
    pod: subject.pod,
    counting_since: subject.first_seen_at,
    cgroup: { id: 0, path: null },
  };
}

/** What rows can be put together by. */
export const GROUPINGS = ["pod", "project", "image", "runtime", "state"] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface View {
  filter: string;
  sort: Column;
  descending: boolean;
  group: Grouping | null;
  /** Names of groups whose rows are not shown. */
  folded: ReadonlySet<string>;
}

/** A line of the table. */
export type Item = { is: "row"; row: Row } | { is: "group"; name: string; rows: Row[]; isFolded: boolean };

/** The rows that are shown, in their order, groups before their rows. */
export function arrange(rows: readonly Row[], view: View): { items: Item[]; count: number } {
  const filter = parseFilter(view.filter);
  const shown = rows.filter((row) => matches(filter, row.container));
  const order = comparison(view.sort, view.descending);
  shown.sort(order);
  if (!view.group) return { items: shown.map((row) => ({ is: "row", row })), count: shown.length };
  const groups = new Map<string, Row[]>();
  for (const row of shown) {
    const name = groupOf(row, view.group) ?? `no ${view.group}`;
    const members = groups.get(name);
    if (members) members.push(row);
    else groups.set(name, [row]);
  }
  const sorted = [...groups].sort(([one, rows], [other, others]) => byGroup(view, rows, others) || plainly(one, other));
  const items: Item[] = [];
  for (const [name, members] of sorted) {
    const isFolded = view.folded.has(name);
    items.push({ is: "group", name, rows: members, isFolded });
    if (!isFolded) for (const row of members) items.push({ is: "row", row });
  }
  return { items, count: shown.length };
}

function groupOf({ container }: Row, by: Grouping): string | null {
  switch (by) {
    case "pod":
      return podOf(container);
    case "project":
      return projectOf(container);
    case "image":
      return container.image;
    case "runtime":
      return container.runtime;
    case "state":
      return container.state;
  }
}

/** The value of a group in a column. */
export function together(column: Column, rows: readonly Row[]): number | null {
  const values = rows.map(column.value).filter((value): value is number => typeof value === "number");
  if (values.length === 0 || column.together === null) return null;
  return column.together === "sum" ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values);
}

function byGroup(view: View, one: readonly Row[], other: readonly Row[]): number {
  return compare(together(view.sort, one), together(view.sort, other), view.descending);
}

function comparison(column: Column, descending: boolean): (one: Row, other: Row) => number {
  return (one, other) =>
    compare(column.value(one), column.value(other), descending) ||
    // Of a thousand idle ones most are equal: this must be quick, and only always the same.
    plainly(one.container.name ?? one.id, other.container.name ?? other.id) ||
    plainly(one.id, other.id);
}

/** As people order names: `web-2` before `web-10`. */
const WORDS = new Intl.Collator("en", { numeric: true });

function plainly(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

/** What was not measured comes last, whichever way it is sorted. */
function compare(one: number | string | null, other: number | string | null, descending: boolean): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  const order =
    typeof one === "number" && typeof other === "number" ? one - other : WORDS.compare(String(one), String(other));
  return descending ? -order : order;
}
