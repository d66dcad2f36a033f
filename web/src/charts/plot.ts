/** How every chart looks and is handled: one time axis, one cursor, one zoom. */

import uPlot from "uplot";

import { count, cores, duration, percent, short, twoDigits, type Unit } from "../model/units";
import { colour } from "../view/colour";

/** All charts of a page move one cursor. */
const SYNC = uPlot.sync("page");
/** Pixels left of every chart, so that the same moment is at the same place in all of them. */
export const AXIS_WIDTH = 66;

/** Something that happened, as a line through all charts. */
export interface Mark {
  at: number;
  /** A colour's name in the style sheet. */
  colour: string;
  text: string;
}

export interface Line {
  label: string;
  colour: string;
  isDashed?: boolean;
  isFilled?: boolean;
}

export interface PlotOptions {
  width: number;
  height: number;
  unit: Unit;
  lines: readonly Line[];
  /** Lines behind those that are not drawn. */
  hiddenLines: number;
  /** The range of time that is shown. */
  range: () => [number, number];
  /** The least that the upper end of the axis may be. */
  least?: () => number | null;
  isLogarithmic?: boolean;
  marks: () => readonly Mark[];
  /** Draws below everything else. */
  drawBelow?: (plot: uPlot) => void;
  zoom: (from: number, to: number) => void;
  /** Where the cursor is; `null` where there is none. */
  point: (cursor: Pointed | null) => void;
}

/** What the cursor is at. */
export interface Pointed {
  /** The nearest of the times. */
  place: number;
  /** The moment itself, in seconds since 1970. */
  at: number;
  /** The value on the axis. */
  value: number;
  /** Pixels from the beginning of the axis. */
  left: number;
}

export function makePlot(options: PlotOptions, data: uPlot.AlignedData, target: HTMLElement): uPlot {
  const grid = { stroke: colour("grid"), width: 1 };
  const axis = { stroke: colour("dim"), grid, ticks: { ...grid, size: 4 }, font: "11px system-ui, sans-serif" };
  return new uPlot(
    {
      width: options.width,
      height: options.height,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: {
        // A zoom is told to all by the address, and once.
        sync: {
          key: SYNC.key,
          setSeries: false,
          filters: { pub: (event) => event === "mousemove" || event === "mouseleave" },
        },
        drag: { x: true, y: false, setScale: false },
        points: { size: 5 },
      },
      scales: {
        x: { time: true, range: () => options.range() },
        y: options.isLogarithmic
          ? { distr: 3, range: (_, low, high) => logarithmic(low, high) }
          : { range: (_, __, high) => [0, top(high, options.least?.() ?? null, options.unit)] },
      },
      axes: [
        { ...axis, space: 70, size: 24, values: (_, splits, __, ___, step) => splits.map((at) => timeLabel(at, step)) },
        { ...axis, size: AXIS_WIDTH, space: 28, ...valueAxis(options.unit, options.isLogarithmic ?? false) },
      ],
      series: [
        {},
        ...options.lines.map((line) => ({
          label: line.label,
          stroke: colour(line.colour),
          width: 1.5,
          points: {
            show: true,
            size: 5,
            fill: colour(line.colour),
            filter: (plot: uPlot, place: number) => alone(plot.data[place] ?? []),
          },
          spanGaps: false,
          ...(line.isDashed ? { dash: [5, 4] } : {}),
          ...(line.isFilled ? { fill: `${colour(line.colour)}22` } : {}),
        })),
        ...Array.from({ length: options.hiddenLines }, () => ({ width: 0, points: { show: false } })),
      ],
      hooks: {
        drawClear: options.drawBelow ? [options.drawBelow] : [],
        draw: [(plot) => drawMarks(plot, options.marks())],
        setCursor: [(plot) => options.point(pointedIn(plot))],
        setSelect: [(plot) => zoomInto(plot, options.zoom)],
      },
    },
    data,
    target,
  );
}

function pointedIn(plot: uPlot): Pointed | null {
  const { idx, left, top } = plot.cursor;
  if (typeof idx !== "number" || left === undefined || top === undefined || left < 0) return null;
  return { place: idx, at: plot.posToVal(left, "x"), value: plot.posToVal(top, "y"), left };
}

function zoomInto(plot: uPlot, zoom: PlotOptions["zoom"]): void {
  const { left, width } = plot.select;
  // A click is no range.
  if (width < 6) return;
  const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  zoom(from, to);
}

/** Where the axis of values that are all 0 ends: at something that its labels can tell from 0. */
const EMPTY_TOP: Record<Unit, number> = {
  cores: 1,
  bytes: 2 ** 20,
  "bytes/s": 2 ** 20,
  "per second": 1,
  ns: 1e6,
  "seconds/s": 1e6,
  percent: 1,
  count: 1,
  ratio: 1,
};

function top(high: number | null, least: number | null, unit: Unit): number {
  const most = Math.max(high ?? 0, least ?? 0);
  return most > 0 ? most * 1.08 : EMPTY_TOP[unit];
}

/** The places of values that no line leads to. */
export function alone(values: ArrayLike<number | null | undefined>): number[] {
  const isKnown = (place: number) => typeof values[place] === "number";
  return Array.from({ length: values.length }, (_, place) => place).filter(
    (place) => isKnown(place) && !isKnown(place - 1) && !isKnown(place + 1),
  );
}

function logarithmic(low: number | null, high: number | null): [number, number] {
  if (!low || !high || low <= 0) return [1e3, 1e7];
  return [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high * 1.01))];
}

function drawMarks(plot: uPlot, marks: readonly Mark[]): void {
  const { ctx, bbox } = plot;
  const { min, max } = plot.scales.x as { min: number; max: number };
  ctx.save();
  ctx.lineWidth = Math.max(window.devicePixelRatio, 1);
  // What the last line was drawn with is still set.
  ctx.setLineDash([]);
  ctx.globalAlpha = 0.75;
  // Of a thousand marks most are at one place.
  const drawn = new Set<string>();
  for (const mark of marks) {
    const x = Math.round(plot.valToPos(mark.at, "x", true));
    if (mark.at < min || mark.at > max || drawn.has(`${x} ${mark.colour}`)) continue;
    drawn.add(`${x} ${mark.colour}`);
    ctx.strokeStyle = ctx.fillStyle = colour(mark.colour);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const half = 4 * ctx.lineWidth;
    ctx.beginPath();
    ctx.moveTo(x - half, bbox.top);
    ctx.lineTo(x + half, bbox.top);
    ctx.lineTo(x, bbox.top + half * 1.5);
    ctx.fill();
  }
  ctx.restore();
}

/** The moment in as few letters as tell it from its neighbours. */
export function timeLabel(at: number, step: number): string {
  const date = new Date(at * 1000);
  const day = `${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`;
  if (step >= 86_400) return day;
  const time = `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
  if (step >= 60) return time === "00:00" ? day : time;
  return `${time}:${twoDigits(date.getSeconds())}`;
}

/** Steps of bytes, so that the axis has round numbers: powers of two. */
const BYTE_STEPS = Array.from({ length: 51 }, (_, power) => 2 ** power);

function valueAxis(unit: Unit, isLogarithmic: boolean): Partial<uPlot.Axis> {
  const isBytes = unit === "bytes" || unit === "bytes/s";
  return {
    ...(isBytes && !isLogarithmic ? { incrs: BYTE_STEPS } : {}),
    ...(isLogarithmic ? { splits: (_, __, low, high) => powersOfTen(low, high) } : {}),
    values: (_, splits) => splits.map((value) => (value === null ? "" : axisLabel(value, unit))),
  };
}

/** What a logarithmic axis is divided by. */
export function powersOfTen(low: number, high: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, place) => 10 ** (first + place));
}

/** Short, and without digits that say nothing. */
export function axisLabel(value: number, unit: Unit): string {
  if (value === 0) return "0";
  switch (unit) {
    case "bytes":
    case "bytes/s":
      return axisBytes(value);
    case "ns":
    case "seconds/s":
      return short(duration(value));
    case "cores":
      return short(cores(value));
    case "percent":
      return short(percent(value));
    case "per second":
    case "count":
    case "ratio":
      return short(count(value));
  }
}

/** By powers of 1024 only, where {@link BYTE_STEPS} are whole. */
function axisBytes(value: number): string {
  let size = value;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (Math.abs(size) < 1024) return `${short(size.toFixed(1))} ${unit}`;
    size /= 1024;
  }
  return `${short(size.toFixed(1))} TiB`;
}

/** Fills the cells of a heat map: the darker, the more of the step's durations are in it. */
export function drawHeat(plot: uPlot, step: number, columns: readonly (HeatColumn | null)[], most: number): void {
  const { ctx, bbox } = plot;
  const heat = colour("heat");
  const times = plot.data[0];
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  columns.forEach((column, place) => {
    const time = times[place];
    if (!column || time === undefined) return;
    const left = Math.floor(plot.valToPos(time, "x", true));
    const right = Math.ceil(plot.valToPos(time + step, "x", true));
    for (const { from, to, weight } of column) {
      const [low, high] = [plot.valToPos(from, "y", true), plot.valToPos(to, "y", true)];
      // The eye tells many from few better where few are not quite nothing.
      ctx.fillStyle = `rgba(${heat}, ${(0.08 + 0.92 * Math.sqrt(weight / most)).toFixed(3)})`;
      ctx.fillRect(left, Math.floor(high), Math.max(right - left, 1), Math.max(Math.ceil(low - high), 1));
    }
  });
  ctx.restore();
}

export type HeatColumn = { from: number; to: number; weight: number }[];
