/** A chart with its title, its legend, which tells the values at the cursor, and its picture for downloads. */

import uPlot from "uplot";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { format, moment, type Unit } from "../model/units";
import { isDark } from "../view/scheme";
import { AXIS_WIDTH, makePlot, type Line, type Mark, type Pointed } from "./plot";

const HEIGHT = 168;

export interface ChartProps {
  title: string;
  /** What it shows and how to read it. */
  help: string;
  unit: Unit;
  lines: readonly Line[];
  times: readonly number[];
  /** Lines behind those that are there only so that the axis reaches as far. */
  hiddenLines?: number;
  /** Of each line, hidden ones too, as many as there are times. */
  values: readonly (readonly (number | null)[])[];
  from: number;
  to: number;
  marks: readonly Mark[];
  zoom: (from: number, to: number) => void;
  /** What stands behind the legend: a limit that is out of sight. */
  note?: string;
  /** The least upper end of the axis. */
  least?: number | null;
  isLogarithmic?: boolean;
  /** Draws below the lines, as heat maps do. */
  drawBelow?: (plot: uPlot) => void;
  /** What there is at a moment and a value, where lines do not tell. */
  tellAt?: (at: number, value: number) => string | null;
  /** Keeps the drawn canvas for pictures of the page. */
  keep?: (canvas: HTMLCanvasElement | null) => void;
  height?: number;
}

export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [pointed, point] = useState<Pointed | null>(null);
  // All charts have the cursor; the one that it is in tells what is there besides lines.
  const [isHere, setHere] = useState(false);
  const look = `${isDark.value} ${props.lines.map((line) => line.label + line.colour).join()}`;

  useLayoutEffect(() => {
    const target = box.current;
    if (!target) return;
    const height = latest.current.height ?? HEIGHT;
    const made = makePlot(
      {
        width: target.clientWidth,
        height,
        unit: props.unit,
        lines: props.lines,
        hiddenLines: props.hiddenLines ?? 0,
        isLogarithmic: props.isLogarithmic ?? false,
        range: () => [latest.current.from, latest.current.to],
        least: () => latest.current.least ?? null,
        marks: () => latest.current.marks,
        drawBelow: (plot) => latest.current.drawBelow?.(plot),
        zoom: (from, to) => latest.current.zoom(from, to),
        point,
      },
      dataOf(latest.current),
      target,
    );
    plot.current = made;
    latest.current.keep?.(made.ctx.canvas);
    const resized = new ResizeObserver(() => {
      if (target.clientWidth > 0) made.setSize({ width: target.clientWidth, height });
    });
    resized.observe(target);
    return () => {
      resized.disconnect();
      latest.current.keep?.(null);
      made.destroy();
      plot.current = null;
    };
  }, [look]);

  useEffect(() => {
    plot.current?.setData(dataOf(props));
  }, [props.times, props.values, props.from, props.to, props.marks, props.drawBelow]);

  return (
    <figure
      class="chart"
      tabIndex={0}
      aria-label={`${props.title}: ${summary(props)}. Arrow keys move the cursor, plus and minus zoom.`}
      onKeyDown={(event) => plot.current && steer(event, plot.current, props)}
      onPointerEnter={() => setHere(true)}
      onPointerLeave={() => setHere(false)}
      onFocusCapture={() => setHere(true)}
      onBlurCapture={() => setHere(false)}
    >
      <figcaption title={props.help}>
        <h2>{props.title}</h2>
        <Legend {...props} place={pointed?.place ?? null} />
      </figcaption>
      <div class="plot-box">
        <div ref={box} class="plot" />
        {!props.values.some((values) => values.some((value) => value !== null)) && (
          <span class="no-values">not measured in this range</span>
        )}
        {isHere && pointed && <Told {...props} pointed={pointed} width={plot.current?.width ?? 0} />}
      </div>
    </figure>
  );
}

function dataOf({ times, values }: ChartProps): uPlot.AlignedData {
  return [times, ...values] as unknown as uPlot.AlignedData;
}

function Legend({ lines, values, times, unit, note, place }: ChartProps & { place: number | null }) {
  const at = place === null ? null : (times[place] ?? null);
  return (
    <span class="legend">
      {at !== null && <span class="legend-time">{moment(at)}</span>}
      {lines.map((line, index) => (
        <span key={line.label} class="legend-line">
          <span
            class={line.isDashed ? "swatch is-dashed" : "swatch"}
            style={{ borderColor: `var(--${line.colour})` }}
            aria-hidden="true"
          />
          {line.label} <b>{format(at === null ? last(values[index]) : values[index]?.[place as number], unit)}</b>
        </span>
      ))}
      {note && <span class="dim">{note}</span>}
    </span>
  );
}

/** Marks that the cursor is at are told; as many, or there is no room. */
const MOST_TOLD = 4;

/** What the cursor is at, beside it. */
function Told(props: ChartProps & { pointed: Pointed; width: number }) {
  const { from, to, marks, tellAt, pointed, width } = props;
  const near = (to - from) / 120;
  const happened = marks.filter((mark) => Math.abs(mark.at - pointed.at) <= near);
  const value = tellAt?.(pointed.at, pointed.value) ?? null;
  if (happened.length === 0 && value === null) return null;
  const left = AXIS_WIDTH + pointed.left;
  return (
    <div class="told" style={left < width / 2 ? { left: `${left + 10}px` } : { right: `${width - left + 10}px` }}>
      {value !== null && <div>{value}</div>}
      {happened.slice(-MOST_TOLD).map((mark, index) => (
        <div key={index}>
          <span class="dim">{moment(mark.at)}</span>{" "}
          <span class="swatch" style={{ borderColor: `var(--${mark.colour})` }} aria-hidden="true" />
          {mark.text}
        </div>
      ))}
      {happened.length > MOST_TOLD && <div class="dim">and {happened.length - MOST_TOLD} more</div>}
    </div>
  );
}

function last(values: readonly (number | null)[] | undefined): number | null {
  return values?.findLast((value) => value !== null) ?? null;
}

/** The chart in words, for those who cannot see it. */
function summary({ lines, values, unit }: ChartProps): string {
  const told = lines.map((line, index) => {
    const known = (values[index] ?? []).filter((value): value is number => value !== null);
    if (known.length === 0) return `${line.label} not measured`;
    return `${line.label} now ${format(known.at(-1), unit)}, at most ${format(
      known.reduce((most, value) => Math.max(most, value)),
      unit,
    )}`;
  });
  return told.join("; ");
}

/** Moves the cursor or zooms by keys. */
function steer(event: KeyboardEvent, plot: uPlot, props: ChartProps): void {
  const { times, from, to, zoom } = props;
  const here = plot.cursor.idx ?? times.length - 1;
  const move = (place: number) => {
    const time = times[Math.min(Math.max(place, 0), times.length - 1)];
    if (time !== undefined) plot.setCursor({ left: plot.valToPos(time, "x"), top: plot.height / 3 });
  };
  const middle = times[here] ?? (from + to) / 2;
  const scale = (by: number) => zoom(middle - (middle - from) * by, middle + (to - middle) * by);
  const keys: Record<string, () => void> = {
    ArrowLeft: () => move(here - 1),
    ArrowRight: () => move(here + 1),
    "+": () => scale(0.5),
    "-": () => scale(2),
  };
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}
