/** A chart of a container by its description. */

import { useMemo } from "preact/hooks";

import type { Container } from "../api/types";
import { Chart } from "../charts/chart";
import { drawHeat, type HeatColumn, type Mark } from "../charts/plot";
import type { Spec } from "../model/container-charts";
import { smoothed, type Spread } from "../model/series";
import { count, duration } from "../model/units";
import type { Past } from "./past";

export interface SpecChartProps {
  spec: Spec;
  past: Past;
  container: Container | null;
  from: number;
  to: number;
  marks: readonly Mark[];
  zoom: (from: number, to: number) => void;
  keep: (key: string, canvas: HTMLCanvasElement | null) => void;
}

export function SpecChart({ spec, past: { series, version }, container, from, to, marks, zoom, keep }: SpecChartProps) {
  const bound = container ? (spec.bound?.(container) ?? null) : null;
  const drawn = useMemo(() => {
    const spreads = spec.heat ? series.spreadsOf(spec.heat) : [];
    const values = spec.lines.map(({ name, scale, smooth }) => {
      if (spec.heat) return spreads.map((spread) => quantileOf(spread, name));
      const values = smoothed(series.of(name), smooth ? Math.ceil(smooth / series.step) : 1);
      return scale ? values.map((value) => (value === null ? null : value * scale)) : values;
    });
    const most = Math.max(0, ...values.flat().filter((value) => value !== null));
    const isNear = bound !== null && most > bound.value / 4;
    if (isNear) values.push(series.times.map(() => bound.value));
    const heat = spec.heat ? heatOf(spreads) : null;
    // Cells reach beyond the quantiles, so the axis must.
    if (heat)
      values.push(
        series.times.map((_, place) => heat.ends[place]?.low ?? null),
        series.times.map((_, place) => heat.ends[place]?.high ?? null),
      );
    return { times: [...series.times], values, isNear, heat, step: series.step };
  }, [version, spec, bound?.value]);
  const lines = [
    ...spec.lines,
    ...(drawn.isNear && bound ? [{ label: bound.label, colour: "series-5", isDashed: true }] : []),
  ];
  const { heat, step } = drawn;
  if (spec.isSeldom && drawn.values.every((values) => values.every((value) => value === null))) return null;
  return (
    <Chart
      title={spec.title}
      help={spec.help}
      unit={spec.unit}
      lines={lines}
      hiddenLines={heat ? 2 : 0}
      times={drawn.times}
      values={drawn.values}
      from={from}
      to={to}
      marks={marks}
      zoom={zoom}
      isLogarithmic={heat !== null}
      keep={(canvas) => keep(spec.key, canvas)}
      {...(bound && !drawn.isNear ? { note: `${bound.label} ${bound.text}` } : {})}
      {...(heat && {
        drawBelow: (plot) => drawHeat(plot, step, heat.columns, heat.most),
        tellAt: (at, value) => cellAt(heat.columns[drawn.times.findLastIndex((time) => time <= at)], value),
      })}
    />
  );
}

/** A quantile on an axis that has no 0. */
function quantileOf(spread: Spread | null, name: string): number | null {
  const ns = name === "p50" ? spread?.p50 : spread?.p99;
  return ns === null || ns === undefined ? null : Math.max(ns, 1);
}

/** The cell of a column that a duration is in, in words. */
function cellAt(column: HeatColumn | null | undefined, value: number): string | null {
  const cell = column?.find(({ from, to }) => value >= from && value < to);
  if (!column || !cell) return null;
  const all = column.reduce((sum, { weight }) => sum + weight, 0);
  return `${duration(cell.from)} to ${duration(cell.to)}: ${count(cell.weight)} of ${count(all)}`;
}

/** Cells of a heat map. One of the shortest durations begins at a nanosecond: a logarithmic axis has no 0. */
function heatOf(spreads: readonly (Spread | null)[]) {
  let most = 1;
  const columns = spreads.map((spread): HeatColumn | null =>
    spread
      ? spread.buckets.map(({ from_ns, to_ns, count }) => {
          most = Math.max(most, count);
          return { from: Math.max(from_ns, 1), to: to_ns ?? from_ns * 2, weight: count };
        })
      : null,
  );
  const ends = columns.map((column) =>
    column && column.length > 0
      ? { low: Math.min(...column.map((cell) => cell.from)), high: Math.max(...column.map((cell) => cell.to)) }
      : null,
  );
  return { columns, ends, most };
}
