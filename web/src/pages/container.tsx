/** One container: everything about it on one time axis. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { getSubjects, rangeParams, type Range, type Subject } from "../api/history";
import type { Container, Snapshot } from "../api/types";
import { CHART_DISTRIBUTIONS, CHART_METRICS, KILLS, SPECS } from "../model/container-charts";
import { podOf } from "../model/filter";
import type { Series } from "../model/series";
import { moment, seconds, span } from "../model/units";
import { StateBadge } from "../view/container-table";
import { Cores, Devices, FileSystems, Interfaces, Isolation, Processes, Waits, type Pair } from "../view/details";
import { fileName, saveCsv, saveJson, savePicture, stackedPicture } from "../view/download";
import { DownloadMenu } from "../view/download-menu";
import { EventList, marksOf, useEvents } from "../view/events";
import { Notice } from "../view/parts";
import { usePast, type Past } from "../view/past";
import { RangeChoice, endsOf, useKept, useRange, zoomTo } from "../view/range";
import { SpecChart } from "../view/spec-chart";
import { clock, status, useLive } from "../view/status";

const WANTED = { metrics: CHART_METRICS, distributions: CHART_DISTRIBUTIONS };

export function ContainerPage({ wanted }: { wanted: string }) {
  const live = useLive<Container>(`?container=${encodeURIComponent(wanted)}`);
  const pair = usePair(live.latest.value, wanted);
  const ended = useEndedOne(wanted, live.latest.value !== null && pair === null);
  const id = pair?.now.id ?? ended?.id ?? null;
  if (id === null) return <Unknown wanted={wanted} isSure={ended === null} />;
  return <Known key={id} live={live} id={id} pair={pair} subject={ended ?? null} snapshot={live.latest.value} />;
}

/** The container in the last snapshot that has it, and in the one before. */
function usePair(latest: Snapshot<Container> | null, wanted: string): Pair | null {
  const held = useRef<Pair | null>(null);
  const found = latest?.containers.find((one) => one.id === wanted || one.name === wanted) ?? latest?.containers[0];
  if (latest && found) {
    const at = seconds(latest.taken_at);
    if (at !== held.current?.at || found.id !== held.current.now.id) {
      const before = held.current?.now.id === found.id ? held.current : null;
      held.current = { now: found, at, before: before?.now ?? null, seconds: before ? at - before.at : 0 };
    }
  }
  return held.current;
}

/** What history knows of a container that runs no more; `undefined` before it was asked. */
function useEndedOne(wanted: string, isGone: boolean): Subject | null | undefined {
  const [subject, tell] = useState<Subject | null | undefined>(undefined);
  useEffect(() => {
    if (!isGone) return;
    const stopped = new AbortController();
    getSubjects({ kind: "container" }, stopped.signal)
      .then(({ subjects }) => {
        const is = (one: Subject) => one.id === wanted || one.name === wanted || one.id.startsWith(wanted);
        tell(subjects.filter(is).sort((one, other) => other.last_seen_at.localeCompare(one.last_seen_at))[0] ?? null);
      })
      .catch(() => tell(null));
    return () => stopped.abort();
  }, [wanted, isGone]);
  return subject;
}

function Unknown({ wanted, isSure }: { wanted: string; isSure: boolean }) {
  if (status.value.is === "lost")
    return <Notice title="No data">{status.value.why}. It is tried again as long as this page is open.</Notice>;
  if (!isSure) return <Notice title="Waiting for the first snapshot" />;
  return (
    <Notice title={`No container is called ${wanted}`}>
      It may have ended before what history keeps. <a href="/">The overview</a> has all that there are.
    </Notice>
  );
}

interface KnownProps {
  live: ReturnType<typeof useLive<Container>>;
  id: string;
  pair: Pair | null;
  subject: Subject | null;
  snapshot: Snapshot<Container> | null;
}

function Known({ live, id, pair, subject, snapshot }: KnownProps) {
  const kept = useKept();
  const range = useRange(kept, pair === null && subject ? lifeOf(subject) : undefined);
  const past = usePast(live, id, range, WANTED);
  const events = useEvents(id);
  const container = pair?.now ?? null;
  const life = container ?? subject;
  const marks = useMemo(
    () => marksOf(events, life, growing(past.series, KILLS), past.series.step),
    [events, past.version, life?.started_at, life?.finished_at, life?.exit_code],
  );
  const canvases = useRef(new Map<string, HTMLCanvasElement>()).current;
  const keep = useRef((key: string, canvas: HTMLCanvasElement | null) => {
    if (canvas) canvases.set(key, canvas);
    else canvases.delete(key);
  }).current;
  const now =
    snapshot && status.value.is !== "lost" ? seconds(snapshot.taken_at) : past.series.knownUntil || clock.value;
  const { from, to } = endsOf(range, now);
  const name = container?.name ?? subject?.name ?? id.slice(0, 12);
  return (
    <div class="page">
      <Head container={container} subject={subject} name={name} id={id} now={now} />
      <div class="toolbar is-sticky">
        <RangeChoice range={range} kept={kept} hasEnded={container === null} />
        <DownloadMenu {...downloads(name, past, canvases)} />
        <a href={`/statistics/${encodeURIComponent(id)}?${rangeParams(range)}`}>Statistics</a>
        <a href={`/compare?container=${encodeURIComponent(id)}`}>Compare</a>
        {past.problem !== null && (
          <span class="dim">From before this page was opened nothing is shown: {past.problem}</span>
        )}
      </div>
      <div class="charts">
        {SPECS.map((spec) => (
          <SpecChart
            key={spec.key}
            spec={spec}
            past={past}
            container={container}
            from={from}
            to={to}
            marks={marks}
            zoom={zoomTo}
            keep={keep}
          />
        ))}
      </div>
      <div class="panels">
        <EventList events={events} />
        {container === null && (
          <p class="dim">It has ended. What it was limited to, and made of, was known only while it was there.</p>
        )}
        {container && pair && (
          <>
            <Waits container={container} />
            <Cores pair={pair} />
            <Isolation container={container} />
            <Interfaces pair={pair} />
            <Devices pair={pair} />
            <FileSystems container={container} />
            <Processes path={container.state === "exited" ? null : container.cgroup.path} />
          </>
        )}
      </div>
    </div>
  );
}

/** All that history has of a container that has ended, with some room. */
function lifeOf(subject: Subject): Range {
  return { from: seconds(subject.first_seen_at) - 2, to: seconds(subject.last_seen_at) + 3 };
}

/** The beginnings of steps in which a counter grew. */
function growing(series: Series, name: string): number[] {
  const values = series.of(name);
  return series.times.filter((_, place) => (values[place] ?? 0) > 0);
}

function Head(props: { container: Container | null; subject: Subject | null; name: string; id: string; now: number }) {
  const { container, subject, name, id, now } = props;
  const told = container ?? subject;
  const started = told?.started_at ?? null;
  const finished = told?.finished_at ?? null;
  const badge = container ?? { state: "exited" as const, exit_code: subject?.exit_code ?? null };
  return (
    <div class="page-head">
      <h1>
        {name} <StateBadge row={{ container: badge as Container }} />
      </h1>
      <span class="dim">
        {[
          told?.image,
          told?.runtime,
          container && podOf(container),
          id.slice(0, 12),
          started && !finished && `up ${span(Math.max(now - seconds(started), 0))}`,
          finished && `ended at ${moment(seconds(finished))}`,
        ]
          .filter(Boolean)
          .join(" · ")}
      </span>
    </div>
  );
}

function downloads(name: string, { series }: Past, canvases: ReadonlyMap<string, HTMLCanvasElement>) {
  const file = fileName(name);
  return {
    json: () =>
      saveJson(file, {
        container: name,
        step_s: series.step,
        times: series.times,
        metrics: Object.fromEntries(CHART_METRICS.map((metric) => [metric, series.of(metric)])),
        distributions: Object.fromEntries(CHART_DISTRIBUTIONS.map((one) => [one, series.spreadsOf(one)])),
      }),
    csv: () =>
      saveCsv(file, {
        header: ["time", ...CHART_METRICS],
        rows: series.times.map((time, place) => [
          new Date(time * 1000).toISOString(),
          ...CHART_METRICS.map((metric) => series.of(metric)[place] ?? null),
        ]),
      }),
    png: () => {
      const parts = SPECS.flatMap((spec) => {
        const canvas = canvases.get(spec.key);
        return canvas ? [{ title: spec.title, canvas }] : [];
      });
      savePicture(file, stackedPicture(`${name} · ${new Date().toISOString()}`, parts));
    },
  };
}
