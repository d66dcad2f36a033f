import { expect, test } from "vitest";

import { findMetric, plain, readNumber, title, words } from "./metrics";

test("names are said in words, without their unit", () => {
  expect(words("voluntary_switches_total")).toBe("voluntary switches");
  expect(words("rx_bytes_per_second")).toBe("rx/s");
  expect(title("scheduler.runq_latency.p99_ns")).toBe("scheduler: runq latency p99");
  expect(title("block_io.read_ops_total")).toBe("block io: read ops");
});

test("what is not there is null, whatever is missing of the way to it", () => {
  const container = { cpu: { usage_cores: 0.5, cpuset: "0-3" }, memory: null };
  expect(readNumber(container, "cpu.usage_cores")).toBe(0.5);
  for (const name of ["cpu.cpuset", "cpu.nothing", "memory.current_bytes", "network.rx.all"]) {
    expect(readNumber(container, name)).toBeNull();
  }
});

test("the catalogue is read by name", () => {
  expect(findMetric("cpu.usage_cores")?.unit).toBe("cores");
  expect(findMetric("cpu.usage")).toBeUndefined();
  expect(plain("Growth of `usage`.")).toBe("Growth of usage.");
});
