import { expect, test } from "vitest";

import { historyParams, rangeParams } from "./history";

test("ranges are given in whole seconds, and none of them is cut", () => {
  expect(String(rangeParams({ last: 59.2 }))).toBe("from=60s");
  expect(String(rangeParams({ from: 100.9, to: 160.1 }))).toBe("from=100&to=161");
});

test("a query names what it wants", () => {
  const params = historyParams({
    range: { last: 60 },
    step: 5,
    metrics: ["cpu.usage_cores", "pids"],
    containers: ["a b", "*"],
    figures: ["mean"],
  });
  expect(String(params)).toBe("from=60s&step=5&metric=cpu.usage_cores%2Cpids&figure=mean&container=a+b&container=*");
});
