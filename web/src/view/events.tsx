/** What happened to a container: asked for again and again, drawn into every chart, and listed. */

import { useEffect, useState } from "preact/hooks";

import { getJson } from "../api/client";
import { poll } from "../api/poll";
import type { MonitorEvent } from "../api/types";
import type { Mark } from "../charts/plot";
import { duration, moment, seconds } from "../model/units";

const EVERY_MS = 2000;
/** The server keeps as many. */
const MOST = 4096;

interface Kind {
  /** What happened, in words. */
  words: (event: MonitorEvent) => string;
  /** The colour of its line in charts; none where it has no line. */
  colour: string | null;
}

const KINDS: Record<string, Kind> = {
  container_created: { words: () => "created", colour: null },
  container_started: { words: () => "started", colour: "series-3" },
  container_died: {
    words: ({ exit_code }) => endWords(exit_code),
    colour: "series-6",
  },
  container_removed: { words: () => "removed", colour: null },
  oom_kill: {
    words: ({ comm, pid }) => `killed for lack of memory: ${comm ?? "a process"} (${pid ?? "?"})`,
    colour: "series-5",
  },
  throttle_begin: { words: () => "its CPU quota began to run out", colour: "series-2" },
  throttle_end: {
    words: ({ throttled_ns, throttled_periods }) =>
      `its CPU quota ran out no more: ${throttled_periods ?? "?"} periods, ${duration(throttled_ns ?? 0)} held back`,
    colour: null,
  },
};

/** Kinds that are asked for: not each program and process, of which there may be thousands. */
const ASKED = Object.keys(KINDS)
  .map((kind) => `kind=${kind}`)
  .join("&");

export function useEvents(id: string | null): readonly MonitorEvent[] {
  const [events, tell] = useState<readonly MonitorEvent[]>([]);
  useEffect(() => {
    if (!id) return;
    let next = 0;
    tell([]);
    return poll(EVERY_MS, async (stopped) => {
      const answer = await getJson<{ events: MonitorEvent[]; next: number | null }>(
        `/api/v1/events?container=${encodeURIComponent(id)}&${ASKED}&after=${next}`,
        stopped,
      );
      // A server that was started anew counts from 1 again.
      const isAnew = (answer.next ?? 0) < next;
      next = isAnew ? 0 : (answer.next ?? next);
      if (answer.events.length > 0) tell((known) => [...known, ...answer.events].slice(-MOST));
    });
  }, [id]);
  return events;
}

/** What else is known of a container's life. */
export interface Life {
  started_at: string | null;
  finished_at: string | null;
  exit_code: number | null;
}

/**
 * Lines in charts: of each event, and of what history and the container itself tell where the server's events do not reach back so
 * far. `kills` are the beginnings of steps, of so many seconds, in which some process was killed for lack of memory.
 */
export function marksOf(
  events: readonly MonitorEvent[],
  life: Life | null,
  kills: readonly number[],
  step: number,
): Mark[] {
  const known = (kind: string, from: number, to: number) =>
    events.some((event) => event.kind === kind && seconds(event.at) >= from && seconds(event.at) <= to);
  const marks: Mark[] = [];
  const add = (kind: string, at: number, text: string) =>
    marks.push({ at, colour: KINDS[kind]?.colour ?? "dim", text });
  for (const event of events) {
    const kind = KINDS[event.kind];
    if (kind?.colour) add(event.kind, seconds(event.at), kind.words(event));
  }
  const once = (kind: string, told: string | null, text: string) => {
    const at = told === null ? null : seconds(told);
    if (at !== null && !known(kind, at - SLACK_S, at + SLACK_S)) add(kind, at, text);
  };
  once("container_started", life?.started_at ?? null, "started");
  once("container_died", life?.finished_at ?? null, endWords(life?.exit_code));
  for (const at of kills) {
    if (!known("oom_kill", at - SLACK_S, at + step + SLACK_S))
      add("oom_kill", at + step / 2, "killed for lack of memory");
  }
  return marks;
}

/** Seconds between when something happened and when it was told. */
const SLACK_S = 2;

function endWords(exitCode: number | null | undefined): string {
  return exitCode === null || exitCode === undefined ? "ended" : `ended, exit code ${exitCode}`;
}

const SHOWN = 50;

export function EventList({ events }: { events: readonly MonitorEvent[] }) {
  const latest = events.slice(-SHOWN).reverse();
  return (
    <section class="panel" aria-label="Events">
      <h2>Events</h2>
      {latest.length === 0 ? (
        <p class="dim">Nothing has happened to it since monitor was started.</p>
      ) : (
        <ol class="events">
          {latest.map((event) => (
            <li key={`${event.at} ${event.kind}`}>
              <time dateTime={event.at}>{moment(seconds(event.at))}</time>
              <span
                class="swatch"
                style={{ borderColor: `var(--${KINDS[event.kind]?.colour ?? "line"})` }}
                aria-hidden="true"
              />
              {KINDS[event.kind]?.words(event) ?? event.kind.replaceAll("_", " ")}
            </li>
          ))}
        </ol>
      )}
      {events.length > SHOWN && <p class="dim">{events.length - SHOWN} before those are at /api/v1/events.</p>}
    </section>
  );
}
