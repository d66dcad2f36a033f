/** One metric of several containers on one chart, and of another time below it. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { Failure, reasonOf } from "../api/client";
import { getHistory, type History, type Range, type Values } from "../api/history";
import { getStatistics, type Statistics } from "../api/statistics";
import { Chart } from "../charts/chart";
import { findDistribution, findMetric, plain, title } from "../model/metrics";
import { localTime, seconds, span, unitOf, type Unit } from "../model/units";
import { location, setParams } from "../router";
import { containerOptions, useChoosable, type Choosable } from "../view/choose-container";
import { MetricChoice } from "../view/choose-metric";
import { fileName, saveCsv, saveJson, savePicture, stackedPicture } from "../view/download";
import { DownloadMenu } from "../view/download-menu";
import { Notice, Select } from "../view/parts";
import { RangeChoice, endsOf, useKept, useRange, zoomTo } from "../view/range";
import { StatisticsTable } from "../view/statistics-table";
import { clock, useLive } from "../view/status";

const COLOURS = 8;
const USUAL = "cpu.usage_cores";
/** Statistics are more work than anything else that is asked. */
const STATISTICS_EVERY_S = 15;
/** Seconds that the other time is before this one. */
const SHIFTS = [60, 300, 900, 3600, 21_600, 86_400] as const;

export function ComparePage() {
  const { params } = location.value;
  const live = useLive("?fields=cpu.usage_cores");
  const choosable = useChoosable(live.latest.value);
  const ids = params
    .getAll("container")
    .map((wanted) => choosable.find((one) => one.name === wanted && !one.isEnded)?.id ?? wanted);
  const metric = params.get("metric") ?? USUAL;
  const shift = Number(params.get("before")) || 0;
  const kept = useKept();
  const range = useRange(kept);
  const now = live.latest.value ? seconds(live.latest.value.taken_at) : clock.value;
  const here = useHistory(ids, metric, range, 0, now);
  const earlier = useHistory(shift === 0 ? [] : ids, metric, range, shift, now);
  const canvas = useRef<HTMLCanvasElement | null>(null);
  const lines = useMemo(
    () => linesOf(ids, metric, shift, here.history, earlier.history, choosable),
    [ids.join(), metric, shift, here.history, earlier.history, choosable.length],
  );
  const unit = unitFor(metric);
  const { from, to } = endsOf(range, now);
  const failure = here.failure ?? earlier.failure;
  return (
    <div class="page">
      <div class="page-head">
        <h1>Compare</h1>
        <span class="dim">{helpOf(metric)}</span>
      </div>
      <div class="toolbar is-sticky">
        <Chosen ids={ids} choosable={choosable} />
        <MetricChoice value={metric} choose={(name) => setParams({ metric: name === USUAL ? null : name })} />
        <RangeChoice range={range} kept={kept} />
        <OtherTime shift={shift} from={from} to={to} isFixed={!("last" in range)} />
        <DownloadMenu {...downloads(metric, here.history, earlier.history, lines, canvas)} />
      </div>
      {failure && <Notice title="Nothing can be compared">{failure}</Notice>}
      {ids.length === 0 && (
        <Notice title="Choose containers">Any that run, or have run as long as history reaches back, by “Add”.</Notice>
      )}
      {ids.length > 0 && !failure && (
        <div class="compare">
          <Chart
            title={title(metric)}
            help={helpOf(metric)}
            unit={unit}
            lines={lines.map(({ label, colour, isEarlier }) => ({ label, colour, isDashed: isEarlier }))}
            times={here.history?.times ?? []}
            values={lines.map((line) => line.values)}
            from={from}
            to={to}
            marks={[]}
            zoom={zoomTo}
            height={320}
            keep={(kept) => {
              canvas.current = kept;
            }}
          />
          <CompareStatistics ids={ids} metric={metric} range={range} shift={shift} now={now} choosable={choosable} />
        </div>
      )}
    </div>
  );
}

function shifted(range: Range, now: number, shift: number): Range {
  const { from, to } = endsOf(range, now);
  return { from: from - shift, to: to - shift };
}

function unitFor(metric: string): Unit {
  const known = findMetric(metric);
  return known ? unitOf(known) : "ns";
}

function helpOf(metric: string): string {
  return plain(findMetric(metric)?.help ?? findDistribution(metric)?.help ?? "");
}

interface OtherTimeProps {
  shift: number;
  from: number;
  to: number;
  isFixed: boolean;
}

/** What time is laid over this one: so long before it, or one that is chosen, of a range that does not go on. */
function OtherTime({ shift, from, to, isFixed }: OtherTimeProps) {
  const fix = (before: number) =>
    setParams({ from: from.toFixed(0), to: to.toFixed(0), range: null, before: before.toFixed(0) });
  const isListed = shift === 0 || SHIFTS.some((seconds) => seconds === shift);
  return (
    <>
      <Select
        label="With"
        options={[
          { value: "0", text: "no other time" },
          ...SHIFTS.map((seconds) => ({ value: String(seconds), text: shiftWords(seconds) })),
          { value: OTHER, text: "another time …" },
        ]}
        value={isListed ? String(shift) : OTHER}
        choose={(before) => {
          if (before === OTHER) fix(to - from + 1);
          else setParams({ before: before === "0" ? null : before });
        }}
      />
      {isFixed && shift !== 0 && (
        <span class="field">
          <label for="other-time">from</label>
          <input
            id="other-time"
            type="datetime-local"
            step="1"
            value={localTime(from - shift)}
            onChange={({ currentTarget: { value } }) => {
              const chosen = Date.parse(value) / 1000;
              if (Number.isFinite(chosen) && Math.round(from - chosen) !== 0) fix(from - chosen);
            }}
          />
        </span>
      )}
    </>
  );
}

/** The choice of a time that is in no list. */
const OTHER = "other";

/** "5 min before". */
function shiftWords(shift: number): string {
  return shift > 0 ? `${span(shift)} before` : `${span(-shift)} later`;
}

function Chosen({ ids, choosable }: { ids: readonly string[]; choosable: readonly Choosable[] }) {
  const choose = (ids: string[]) => setParams({ container: ids });
  return (
    <span class="chosen">
      {ids.map((id, place) => {
        const name = choosable.find((one) => one.id === id)?.name ?? id.slice(0, 12);
        return (
          <span key={id} class="chip">
            <span class="swatch" style={{ borderColor: `var(--series-${(place % COLOURS) + 1})` }} aria-hidden="true" />
            {name}
            <button type="button" aria-label={`Remove ${name}`} onClick={() => choose(ids.filter((one) => one !== id))}>
              ×
            </button>
          </span>
        );
      })}
      <Select
        label="Containers"
        options={containerOptions(
          choosable.filter(({ id }) => !ids.includes(id)),
          "Add …",
        )}
        value=""
        choose={(id) => id && choose([...ids, id])}
      />
    </span>
  );
}

interface Asked {
  history: History | null;
  failure: string | null;
}

/** A metric of containers in a range, or so many seconds before it; asked for again as time goes on. */
function useHistory(ids: readonly string[], metric: string, range: Range, shift: number, now: number): Asked {
  const [asked, tell] = useState<Asked>({ history: null, failure: null });
  // A range up to now is asked for again with each of its steps, one that is over only once.
  const turn = "last" in range ? Math.floor(now / Math.max(asked.history?.step_s ?? 1, 2)) : 0;
  useEffect(() => {
    if (ids.length === 0) return tell({ history: null, failure: null });
    const stopped = new AbortController();
    const wanted = shift === 0 ? range : shifted(range, now, shift);
    getHistory({ range: wanted, metrics: [metric], containers: [...ids], figures: ["mean"] }, stopped.signal)
      .then((history) => tell({ history, failure: null }))
      .catch((error: unknown) => {
        // What is shown stays where there is no answer at all, which the head of the page tells.
        if (stopped.signal.aborted || (error instanceof Failure && error.status === 0)) return;
        tell((before) => ({ ...before, failure: reasonOf(error) }));
      });
    return () => stopped.abort();
  }, [ids.join(), metric, range, shift, turn]);
  return asked;
}

interface CompareLine {
  label: string;
  colour: string;
  isEarlier: boolean;
  values: Values;
}

function linesOf(
  ids: readonly string[],
  metric: string,
  shift: number,
  here: History | null,
  earlier: History | null,
  choosable: readonly Choosable[],
): CompareLine[] {
  const times = here?.times ?? [];
  const nameOf = (id: string) => choosable.find((one) => one.id === id)?.name ?? id.slice(0, 12);
  const valuesOf = (history: History | null, id: string): Values => {
    const subject = history?.subjects.find((one) => one.id === id);
    return subject?.metrics[metric]?.mean ?? subject?.distributions[metric]?.p99_ns ?? [];
  };
  return ids.flatMap((id, place) => {
    const line = { colour: `series-${(place % COLOURS) + 1}`, label: nameOf(id) };
    const now: CompareLine = { ...line, isEarlier: false, values: padded(valuesOf(here, id), times.length) };
    if (shift === 0) return [now];
    const values = onAxis(times, earlier, valuesOf(earlier, id), shift);
    return [now, { ...line, label: `${line.label}, ${shiftWords(shift)}`, isEarlier: true, values }];
  });
}

function padded(values: Values, count: number): Values {
  return Array.from({ length: count }, (_, place) => values[place] ?? null);
}

/** Values of another time on this one's axis: of each moment the step that it was in. */
function onAxis(times: readonly number[], earlier: History | null, values: Values, shift: number): Values {
  if (!earlier) return times.map(() => null);
  const first = earlier.times[0] ?? 0;
  return times.map((time) => values[Math.floor((time - shift - first) / earlier.step_s)] ?? null);
}

interface StatisticsProps {
  ids: readonly string[];
  metric: string;
  range: Range;
  shift: number;
  now: number;
  choosable: readonly Choosable[];
}

function CompareStatistics({ ids, metric, range, shift, now, choosable }: StatisticsProps) {
  const [told, tell] = useState<{ here: Statistics; earlier: Statistics | null } | null>(null);
  const turn = "last" in range ? Math.floor(now / STATISTICS_EVERY_S) : 0;
  useEffect(() => {
    const stopped = new AbortController();
    // Of a distribution it is the quantile that is drawn.
    const metrics = [findDistribution(metric) ? `${metric}.p99_ns` : metric];
    const ask = (range: Range) => getStatistics({ range, metrics, containers: ids }, stopped.signal);
    Promise.all([ask(range), shift === 0 ? null : ask(shifted(range, now, shift)).catch(() => null)])
      .then(([here, earlier]) => tell({ here, earlier }))
      .catch(() => !stopped.signal.aborted && tell(null));
    return () => stopped.abort();
  }, [ids.join(), metric, range, shift, turn]);
  if (!told) return null;
  const rows = ids.flatMap((id) =>
    [
      { statistics: told.here, before: "" },
      { statistics: told.earlier, before: `, ${shiftWords(shift)}` },
    ].flatMap(({ statistics, before }) => {
      const found = statistics?.containers.find((one) => one.id === id)?.metrics[0];
      const name = choosable.find((one) => one.id === id)?.name ?? id.slice(0, 12);
      return found ? [{ key: id + before, name: name + before, help: "", statistics: found }] : [];
    }),
  );
  return rows.length > 0 ? <StatisticsTable label="container" rows={rows} /> : null;
}

function downloads(
  metric: string,
  here: History | null,
  earlier: History | null,
  lines: readonly CompareLine[],
  canvas: { current: HTMLCanvasElement | null },
) {
  const name = fileName(`compare-${metric}`);
  return {
    json: () => saveJson(name, { here, earlier }),
    csv: () =>
      saveCsv(name, {
        header: ["time", ...lines.map((line) => line.label)],
        rows: (here?.times ?? []).map((time, place) => [
          new Date(time * 1000).toISOString(),
          ...lines.map((line) => line.values[place] ?? null),
        ]),
      }),
    png: () =>
      canvas.current &&
      savePicture(
        name,
        stackedPicture(metric, [{ title: lines.map((line) => line.label).join(" · "), canvas: canvas.current }]),
      ),
  };
}
