import { expect, test, vi } from "vitest";

vi.mock("uplot", () => ({ default: { sync: () => ({ key: "page" }) } }));
const { alone, axisLabel, powersOfTen, timeLabel } = await import("./plot");

test.each([
  [0.5, "cores", "0.5"],
  [2, "cores", "2"],
  [1500, "per second", "1.5k"],
  [200, "count", "200"],
  [64 * 2 ** 20, "bytes", "64 MiB"],
  [2 ** 30, "bytes/s", "1 GiB"],
  [1536, "bytes", "1.5 KiB"],
  [250e6, "ns", "250 ms"],
  [50, "percent", "50 %"],
  [0, "bytes", "0"],
] as const)("axis label of %d %s", (value, unit, text) => expect(axisLabel(value, unit)).toBe(text));

test("values that no line leads to are points", () => {
  expect(alone([1, null, 2, 3, null, 4])).toEqual([0, 5]);
  expect(alone([])).toEqual([]);
});

test("a logarithmic axis is divided by powers of ten", () => {
  expect(powersOfTen(1e3, 1e6)).toEqual([1e3, 1e4, 1e5, 1e6]);
  expect(powersOfTen(2e3, 9e3)).toEqual([]);
  expect(axisLabel(1e6, "ns")).toBe("1 ms");
});

test("times are as exact as their distance", () => {
  const noon = new Date(2026, 10, 23, 12, 5, 9).getTime() / 1000;
  const midnight = new Date(2026, 10, 23).getTime() / 1000;
  expect(timeLabel(noon, 5)).toBe("12:05:09");
  expect(timeLabel(noon, 300)).toBe("12:05");
  expect(timeLabel(midnight, 3600)).toBe("11-23");
  expect(timeLabel(noon, 86_400)).toBe("11-23");
});
