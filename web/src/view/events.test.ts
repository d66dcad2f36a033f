import { expect, test } from "vitest";

import type { MonitorEvent } from "../api/types";
import { marksOf } from "./events";

const at = (second: number) => new Date(second * 1000).toISOString();
const event = (kind: string, second: number, more: Partial<MonitorEvent> = {}): MonitorEvent => ({
  number: 1,
  at: at(second),
  kind,
  container: null,
  ...more,
});
const LIFE = { started_at: at(100), finished_at: at(500), exit_code: 3 };
const shown = (marks: ReturnType<typeof marksOf>) => marks.map((mark) => `${mark.at} ${mark.text}`);

test("events that matter are marked, and others listed only", () => {
  const events = [event("container_created", 99), event("container_died", 500, { exit_code: 3 })];
  expect(shown(marksOf(events, null, [], 1))).toEqual(["500 ended, exit code 3"]);
});

test("what no event tells of any more, the container and history tell", () => {
  expect(shown(marksOf([], LIFE, [300], 10))).toEqual([
    "100 started",
    "500 ended, exit code 3",
    "305 killed for lack of memory",
  ]);
});

test("nothing is marked twice", () => {
  const events = [
    event("container_started", 101),
    event("oom_kill", 303, { comm: "dd", pid: 7 }),
    event("container_died", 499, { exit_code: 3 }),
  ];
  expect(shown(marksOf(events, LIFE, [300], 10))).toEqual([
    "101 started",
    "303 killed for lack of memory: dd (7)",
    "499 ended, exit code 3",
  ]);
});
