import { expect, test } from "vitest";

import type { HistorySubject } from "../api/history";
import type { Container } from "../api/types";
import { Series, smoothed } from "./series";

/** A container of which little is known. */
function reading(switches: number, memory: number, p99: number | null = null): Container {
  return {
    scheduler: {
      voluntary_switches_total: switches,
      runq_latency:
        p99 === null ? null : { count: 1, p50_ns: p99, p99_ns: p99, buckets: [{ from_ns: 64, to_ns: 80, count: 1 }] },
    },
    memory: { current_bytes: memory },
  } as unknown as Container;
}

const SWITCHES = "scheduler.voluntary_switches_total";
const MEMORY = "memory.current_bytes";
const WAITS = "scheduler.runq_latency";

function series(): Series {
  return new Series([SWITCHES, MEMORY], [WAITS]);
}

test("counters become rates, and a first reading has none", () => {
  const one = series();
  one.push(10.75, 1, reading(100, 5));
  one.push(11.75, 1, reading(140, 7));
  expect(one.times).toEqual([10.25, 11.25]);
  expect(one.of(SWITCHES)).toEqual([null, 40]);
  expect(one.of(MEMORY)).toEqual([5, 7]);
  one.push(12.75, 1, reading(3, 7));
  expect(one.of(SWITCHES)).toEqual([null, 40, null]);
});

test("a step of several readings has their mean", () => {
  const one = series();
  one.step = 10;
  one.load([], 10, undefined);
  for (const [at, switches] of [
    [11, 0],
    [12, 10],
    [13, 40],
  ] as const)
    one.push(at, 1, reading(switches, at));
  expect(one.times).toEqual([10]);
  expect(one.of(SWITCHES)).toEqual([20]);
  expect(one.of(MEMORY)).toEqual([12]);
});

test("what was missed is a gap, and says so", () => {
  const one = series();
  expect(one.push(10.75, 1, reading(0, 1))).toBe("follows");
  expect(one.push(11.75, 1, reading(0, 1))).toBe("follows");
  expect(one.push(15.75, 1, reading(0, 1))).toBe("gap");
  expect(one.times).toEqual([10.25, 11.25, 12.25, 13.25, 14.25, 15.25]);
  expect(one.of(MEMORY)).toEqual([1, 1, null, null, null, 1]);
});

test("history takes the place of what is known, and the stream goes on behind it", () => {
  const one = series();
  one.push(12.9, 1, reading(0, 1));
  const subject = {
    metrics: { [SWITCHES]: { kind: "counter", unit: "", mean: [1, 2, 3] } },
    distributions: {
      [WAITS]: {
        count: [1, null, 2],
        p50_ns: [70, null, 70],
        p99_ns: [80, null, 90],
        max_ns: [],
        from_ns: [64, 80],
        to_ns: [80, null],
        counts: [
          [1, null, 1],
          [0, null, 1],
        ],
      },
    },
  } as unknown as HistorySubject;
  one.load([11, 12, 13], 1, subject);
  expect(one.of(SWITCHES)).toEqual([1, 2, 3]);
  expect(one.of(MEMORY)).toEqual([null, null, null]);
  expect(one.spreadsOf(WAITS)[1]).toBeNull();
  expect(one.spreadsOf(WAITS)[2]?.buckets).toEqual([
    { from_ns: 64, to_ns: 80, count: 1 },
    { from_ns: 80, to_ns: null, count: 1 },
  ]);
  one.push(14.9, 1, reading(8, 9, 75));
  expect(one.of(SWITCHES)).toEqual([1, 2, 3, 4]);
  expect(one.spreadsOf(WAITS).at(-1)?.p99).toBe(75);
  one.trim(13.5);
  expect(one.times).toEqual([13, 14]);
  expect(one.of(SWITCHES)).toEqual([3, 4]);
  expect(one.last(MEMORY)).toBe(9);
});

test("smoothing keeps gaps, and takes what is there", () => {
  expect(smoothed([0, 200, null, 100], 2)).toEqual([0, 100, null, 100]);
  expect(smoothed([1, 2], 1)).toEqual([1, 2]);
});

test("steps of a history that are not whole go on as they are", () => {
  const one = series();
  one.load([10.25, 11.25, 12.25], 1, undefined);
  // A little early or late.
  for (const at of [12.75, 13.749, 14.751, 15.748]) one.push(at, 1, reading(0, at));
  expect(one.times).toEqual([10.25, 11.25, 12.25, 13.25, 14.25, 15.25]);
  expect(one.of(MEMORY)).toEqual([null, null, 12.75, 13.749, 14.751, 15.748]);
});

test("what the stream told before history answers stays, and what neither knows is asked for again", () => {
  const one = series();
  const told = (mean: (number | null)[]) =>
    ({ metrics: { [MEMORY]: { mean }, [SWITCHES]: { mean } }, distributions: {} }) as unknown as HistorySubject;
  // History's answer is from before the first reading, whose rate nobody knows.
  expect(one.push(13, 1, reading(10, 4))).toBe("follows");
  expect(one.push(14, 1, reading(15, 5))).toBe("follows");
  expect(one.load([10.5, 11.5], 1, told([2, 3]))).toBe(false);
  expect(one.times).toEqual([10.5, 11.5, 12.5, 13.5]);
  expect(one.of(MEMORY)).toEqual([2, 3, 4, 5]);
  expect(one.of(SWITCHES)).toEqual([2, 3, null, 5]);
  // A step without values is not known yet.
  expect(one.load([10.5, 11.5, 12.5, 13.5], 1, told([2, 3, 9, null]))).toBe(true);
  expect(one.of(SWITCHES)).toEqual([2, 3, 9, 5]);
  expect(one.knownUntil).toBe(14);
});

test("a first reading behind the end of history is a gap", () => {
  const one = series();
  const subject = { metrics: { [MEMORY]: { mean: [1, 2] } }, distributions: {} } as unknown as HistorySubject;
  expect(one.load([10.5, 11.5], 1, subject)).toBe(true);
  expect(one.push(12, 1, reading(1, 1))).toBe("follows");
  const other = series();
  other.load([10.5, 11.5], 1, subject);
  expect(other.push(13, 1, reading(1, 1))).toBe("gap");
});
