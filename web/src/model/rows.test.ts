import { expect, test } from "vitest";

import type { Subject } from "../api/history";
import type { NarrowContainer, Snapshot } from "../api/types";
import { columnOf, readMetric, type Column } from "./columns";
import { arrange, endedRows, liveRows, together, type Item, type View } from "./rows";

function container(name: string, cores: number | null, more: Partial<NarrowContainer> = {}): NarrowContainer {
  return {
    id: `${name}-id`,
    short_id: name,
    name,
    image: "busybox",
    runtime: "docker",
    state: "running",
    exit_code: null,
    created_at: null,
    started_at: null,
    finished_at: null,
    labels: {},
    pod: null,
    counting_since: "",
    cgroup: { id: 1, path: null },
    cpu: { usage_cores: cores },
    ...more,
  };
}

function snapshot(at: string, ...containers: NarrowContainer[]): Snapshot<NarrowContainer> {
  return {
    taken_at: at,
    window_ns: 1e9,
    host: { cpus: 2, memory_bytes: 1e9 },
    containers,
  } as unknown as Snapshot<NarrowContainer>;
}

const NOW = "2026-11-23T12:00:01Z";
const BEFORE = "2026-11-23T12:00:00Z";
const column = (key: string) => columnOf(key) as Column;
const view = (more: Partial<View> = {}): View => ({
  filter: "",
  sort: column("cpu"),
  descending: true,
  group: null,
  folded: new Set(),
  ...more,
});
const shown = (items: readonly Item[]) =>
  items.map((item) => (item.is === "row" ? item.row.container.name : `[${item.name} ${item.rows.length}]`));

test("rows are sorted, and what was not measured comes last either way", () => {
  const rows = liveRows(snapshot(NOW, container("b", 0.5), container("none", null), container("a", 1.5)), null);
  expect(shown(arrange(rows, view()).items)).toEqual(["a", "b", "none"]);
  expect(shown(arrange(rows, view({ descending: false })).items)).toEqual(["b", "a", "none"]);
  expect(shown(arrange(rows, view({ sort: column("name"), descending: false })).items)).toEqual(["a", "b", "none"]);
  expect(arrange(rows, view({ filter: "none" })).count).toBe(1);
});

test("groups come with their rows, the greatest first, and can be folded", () => {
  const project = (name: string) => ({ labels: { "com.docker.compose.project": name } });
  const rows = liveRows(
    snapshot(
      NOW,
      container("a", 1, project("shop")),
      container("b", 0.9, project("batch")),
      container("c", 0.8, project("batch")),
      container("d", 0),
    ),
    null,
  );
  expect(shown(arrange(rows, view({ group: "project" })).items)).toEqual([
    "[batch 2]",
    "b",
    "c",
    "[shop 1]",
    "a",
    "[no project 1]",
    "d",
  ]);
  const folded = arrange(rows, view({ group: "project", folded: new Set(["batch"]) }));
  expect(shown(folded.items)).toEqual(["[batch 2]", "[shop 1]", "a", "[no project 1]", "d"]);
  expect(folded.count).toBe(4);
  expect(together(column("cpu"), rows)).toBeCloseTo(2.7);
  expect(together(column("image"), rows)).toBeNull();
});

test("a counter that is a column is shown as its growth a second", () => {
  const reading = (total: number | null) => container("a", 1, { scheduler: { migrations_total: total } as never });
  const grown = (before: number | null, now: number | null) => {
    const [row] = liveRows(snapshot(NOW, reading(now)), snapshot(BEFORE, reading(before)));
    return row && readMetric(row, "scheduler.migrations_total");
  };
  expect(grown(10, 25)).toBe(15);
  // Started anew, or not measured.
  expect(grown(10, 3)).toBeNull();
  expect(grown(null, 3)).toBeNull();
});

test("throttling is told of quota periods only", () => {
  const reading = (periods: number, throttled: number) =>
    container("a", 1, { cpu: { periods_total: periods, throttled_periods_total: throttled } as never });
  const [row] = liveRows(snapshot(NOW, reading(20, 9)), snapshot(BEFORE, reading(10, 4)));
  expect(row && column("throttled").cell(row).text).toBe("50.0 %");
  const [free] = liveRows(snapshot(NOW, reading(10, 4)), snapshot(BEFORE, reading(10, 4)));
  expect(free && column("throttled").value(free)).toBeNull();
});

test("limits stand behind what is used", () => {
  const [row] = liveRows(
    snapshot(
      NOW,
      container("a", null, {
        cpu: { usage_cores: 0.25, quota_us: 50_000, period_us: 100_000 } as never,
        memory: { current_bytes: 2 ** 20, limit_bytes: -1 } as never,
      }),
    ),
    null,
  );
  expect(row && column("cpu").cell(row)).toEqual({ text: "0.25", note: "/ 0.5", bar: 0.5 });
  expect(row && column("memory").cell(row).note).toBeUndefined();
});

test("of a container that was started again the run that goes on is shown", () => {
  const rows = liveRows(snapshot(NOW, container("a", 1), container("a", null, { state: "exited" })), null);
  expect(rows).toHaveLength(1);
});

test("ended containers of the history are rows without values", () => {
  const live = liveRows(snapshot(NOW, container("a", 1)), null);
  const subject = (name: string): Subject => ({
    kind: "container",
    id: `${name}-id`,
    name,
    image: null,
    runtime: null,
    pod: null,
    project: "shop",
    state: "exited",
    started_at: null,
    finished_at: null,
    exit_code: 3,
    first_seen_at: BEFORE,
    last_seen_at: NOW,
  });
  const rows = endedRows([subject("a"), subject("gone")], live, 1000);
  expect(rows.map((row) => row.container.name)).toEqual(["gone"]);
  expect(rows.map((row) => column("cpu").cell(row).text)).toEqual(["–"]);
  expect(rows.map((row) => column("project").cell(row).text)).toEqual(["shop"]);
});

test("every metric can be a column", () => {
  const [row] = liveRows(snapshot(NOW, container("a", 1)), null);
  for (const key of ["memory.dirty_bytes", "cpu.cpuset", "pids.limit", "block_io.read_latency"]) {
    expect(row && column(key).cell(row).text, key).toBe("–");
    expect(column(key).fields).toEqual([key]);
  }
  expect(columnOf("cpu.nothing")).toBeUndefined();
});
