/** What values are like as a whole, one row a series. */

import type { ComponentChildren } from "preact";

import type { MetricStatistics } from "../api/statistics";
import { findMetric } from "../model/metrics";
import { sparkPath } from "../model/spark";
import { format, unitOf, type Unit } from "../model/units";

export interface StatisticsRow {
  key: string;
  name: ComponentChildren;
  help: string;
  statistics: MetricStatistics;
}

/** The figures of a row, in the order of the columns. */
export const FIGURES = ["mean", "min", "p50", "p90", "p95", "p99", "p999", "max", "deviation"] as const;
const HEADINGS: Record<(typeof FIGURES)[number], string> = {
  mean: "mean",
  min: "least",
  p50: "p50",
  p90: "p90",
  p95: "p95",
  p99: "p99",
  p999: "p99.9",
  max: "most",
  deviation: "deviation",
};

/** The unit of the values of a series that statistics name. */
export function unitOfSeries({ metric, per_second }: MetricStatistics): Unit {
  const known = findMetric(metric);
  if (known) return unitOf({ kind: per_second ? "rate" : known.kind, unit: known.unit });
  if (metric.endsWith("_ns")) return "ns";
  return per_second ? "per second" : "count";
}

export function StatisticsTable({ label, rows }: { label: string; rows: readonly StatisticsRow[] }) {
  return (
    <div class="small-box" tabIndex={0} role="region" aria-label={label}>
      <table class="small statistics">
        <thead>
          <tr>
            <th scope="col" class="is-text">
              {label}
            </th>
            <th scope="col" class="is-text">
              over the range
            </th>
            {FIGURES.map((figure) => (
              <th key={figure} scope="col" class="is-number">
                {HEADINGS[figure]}
              </th>
            ))}
            <th scope="col" class="is-number" title="Theil and Sen's slope; not told where it may be none.">
              trend an hour
            </th>
            <th
              scope="col"
              class="is-number"
              title="Values that do not belong to the others, by the median absolute deviation."
            >
              outliers
            </th>
            <th scope="col" class="is-number" title="Moments at which the level changes.">
              changes
            </th>
            <th scope="col" class="is-number">
              values
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Line key={row.key} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Line({ row: { name, help, statistics } }: { row: StatisticsRow }) {
  const unit = unitOfSeries(statistics);
  const { plot, trend_per_hour: trend, outlier_count, changes, count } = statistics;
  const isSure = trend && (trend.low > 0 || trend.high < 0);
  return (
    <tr>
      <th scope="row" class="is-text" title={help}>
        {name}
      </th>
      <td class="spark-cell">
        <svg class="spark" width="120" height="20" viewBox="0 0 120 20" aria-hidden="true">
          <path
            d={sparkPath(
              plot.map((value) => value ?? NaN),
              120,
              20,
            )}
          />
        </svg>
      </td>
      {FIGURES.map((figure) => (
        <td key={figure} class="is-number">
          {format(statistics[figure], unit)}
        </td>
      ))}
      <td class="is-number">
        {isSure ? (
          `${trend.slope > 0 ? "+" : "−"}${format(Math.abs(trend.slope), unit)}`
        ) : (
          <span class="dim">none</span>
        )}
      </td>
      <td class="is-number">{outlier_count}</td>
      <td class="is-number">{changes.length}</td>
      <td class="is-number dim">{count}</td>
    </tr>
  );
}
