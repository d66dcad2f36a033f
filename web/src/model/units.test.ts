import { expect, test } from "vitest";

import { bytes, cores, count, duration, format, localTime, percent, span } from "./units";

test.each([
  [0, "0"],
  [7, "7"],
  [999, "999"],
  [0.25, "0.25"],
  [12.345, "12.3"],
  [999.7, "1.00k"],
  [1000, "1.00k"],
  [39_700, "39.7k"],
  [999_600, "1.00M"],
  [1e15, "1000T"],
])("count %d", (value, text) => expect(count(value)).toBe(text));

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.00 KiB"],
  [1024 * 1000, "0.98 MiB"],
  [1536 * 1024, "1.50 MiB"],
  [8 * 2 ** 30, "8.00 GiB"],
  [-2048, "-2.00 KiB"],
])("bytes %d", (value, text) => expect(bytes(value)).toBe(text));

test.each([
  [0, "0 s"],
  [15, "15 ns"],
  [15_000, "15.0 µs"],
  [6_800_000, "6.80 ms"],
  [1_500_000_000, "1.50 s"],
  [180e9, "3 min"],
])("duration %d", (value, text) => expect(duration(value)).toBe(text));

test("a moment in a field is that moment again", () => {
  expect(Date.parse(localTime(1_795_434_000)) / 1000).toBe(1_795_434_000);
});

test("the rest", () => {
  expect(cores(0.0042)).toBe("0.004");
  expect(cores(0.947)).toBe("0.95");
  expect(cores(12.34)).toBe("12.3");
  expect(percent(0.04)).toBe("0.04 %");
  expect(percent(100)).toBe("100 %");
  expect(span(12_000)).toBe("3 h 20 min");
  expect(span(200_000)).toBe("2 d 7 h");
  expect(format(null, "bytes")).toBe("–");
  expect(format(0, "per second")).toBe("0/s");
});
