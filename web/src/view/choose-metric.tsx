import { METRICS } from "../generated/catalogue";
import { KEPT_DISTRIBUTIONS, nameOf, title } from "../model/metrics";
import { Select } from "./parts";

/** Metrics that have a history: rates are their counters', and limits and texts hardly change. */
const CHOSEN = METRICS.filter(({ kind }) => kind === "counter" || kind === "gauge" || kind === "ratio");

const OPTIONS = [
  ...CHOSEN.map((metric) => ({
    value: nameOf(metric),
    text: title(nameOf(metric)) + (metric.kind === "counter" ? ", a second" : ""),
    group: metric.group.replace("_", " "),
  })),
  ...KEPT_DISTRIBUTIONS.map((one) => ({
    value: nameOf(one),
    text: `${title(nameOf(one))}, p99`,
    group: one.group.replace("_", " "),
  })),
];

export function MetricChoice({ value, choose }: { value: string; choose: (name: string) => void }) {
  return <Select label="Metric" options={OPTIONS} value={value} choose={choose} />;
}
