import { expect, test } from "vitest";

import { Sparks, STEPS, sparkPath } from "./spark";

test("values of a step are averaged, and gaps stay gaps", () => {
  const sparks = new Sparks();
  sparks.push("a", 100, 1);
  sparks.push("a", 104, 3);
  sparks.push("a", 112, 5);
  const values = sparks.values("a", 114);
  expect(values.length).toBe(STEPS);
  expect(values.slice(-4)).toEqual([NaN, 2, NaN, 5]);
  expect(sparks.values("a", 120).slice(-3)).toEqual([5, NaN, NaN]);
});

test("what history knows fills what is missing only", () => {
  const sparks = new Sparks();
  sparks.push("a", 112, 5);
  sparks.push("a", 100, 1);
  sparks.push("a", 101, 9);
  expect(sparks.values("a", 112).slice(-3)).toEqual([1, NaN, 5]);
});

test("old steps go out at the other end", () => {
  const sparks = new Sparks();
  sparks.push("a", 0, 7);
  sparks.push("a", STEPS * 5 * 3, 1);
  expect(sparks.values("a", STEPS * 5 * 3).filter((value) => !Number.isNaN(value))).toEqual([1]);
  sparks.keep(new Set());
  expect(sparks.values("a", 0)).toEqual([]);
});

test("a path has a piece for each run of values", () => {
  expect(sparkPath([0, 1, NaN, 1], 30, 12)).toBe("M0.0 11.0L10.0 1.0M30.0 1.0");
  expect(sparkPath([], 30, 12)).toBe("");
  expect(sparkPath([0, 1], 30, 12, 2)).toBe("M0.0 11.0L30.0 6.0");
});
