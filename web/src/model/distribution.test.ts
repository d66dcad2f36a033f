import { expect, test } from "vitest";

import { quantileOf, sumOf } from "./distribution";

test("steps are summed and empty buckets left out", () => {
  const buckets = sumOf({
    from_ns: [100, 0, 200],
    to_ns: [200, 100, null],
    counts: [
      [1, null, 2],
      [0, 0, null],
      [1, 0, 0],
    ],
  });
  expect(buckets).toEqual([
    { from: 100, to: 200, count: 3 },
    { from: 200, to: 400, count: 1 },
  ]);
});

test("quantiles lie in their bucket", () => {
  const buckets = [
    { from: 0, to: 100, count: 50 },
    { from: 100, to: 300, count: 50 },
  ];
  expect(quantileOf(buckets, 0.25)).toBe(50);
  expect(quantileOf(buckets, 0.5)).toBe(100);
  expect(quantileOf(buckets, 0.75)).toBe(200);
  expect(quantileOf(buckets, 1)).toBe(300);
  expect(quantileOf([], 0.5)).toBe(0);
});
