import { expect, test } from "vitest";

import { matrixOf, worst, type Wait } from "./interference";

const one = (name: string) => ({ id: `${name}-id`, name });
const WAITS: Wait[] = [
  { victim: one("web"), source: "container", aggressor: one("batch"), ns: 800e6 },
  { victim: one("web"), source: "system", aggressor: null, ns: 200e6 },
  { victim: one("api"), source: "quota", aggressor: null, ns: 50e6 },
  { victim: one("idle"), source: "self", aggressor: null, ns: 0 },
];

test("the matrix has who waited and for whom, the most first", () => {
  const matrix = matrixOf(WAITS, 10);
  expect(matrix.victims.map(({ name }) => name)).toEqual(["web", "api"]);
  expect(matrix.aggressors.map(({ name }) => name)).toEqual(["batch", "system", "quota"]);
  expect(matrix.cells).toEqual([
    [800e6, 200e6, 0],
    [0, 0, 50e6],
  ]);
  expect(matrix.most).toBe(800e6);
  expect(matrix.left).toBe(0);
  expect(matrixOf(WAITS, 1).left).toBe(3);
  expect(matrixOf([], 5)).toMatchObject({ victims: [], cells: [], most: 0 });
});

test("the worst pairs are told with their share and what would help", () => {
  const [first, second, third] = worst(WAITS, 3, "cpu");
  expect(first?.words).toBe("waited 800 ms for container batch, 80 % of its waiting");
  expect(first?.advice).toContain("give web more weight");
  expect(second?.aggressor).toBeNull();
  expect(third?.words).toContain("its CPU quota, 100 %");
  expect(worst(WAITS, 9, "block")).toHaveLength(3);
});

test("what nobody can be blamed for is told where it is most of the waiting only", () => {
  const own = (ns: number): Wait => ({ victim: one("api"), source: "self", aggressor: null, ns });
  expect(worst([...WAITS, own(40e6)], 9, "cpu").some(({ words }) => words.includes("its own other tasks"))).toBe(false);
  expect(worst([...WAITS, own(60e6)], 9, "cpu")[2]?.words).toContain("its own other tasks, 55 %");
});
