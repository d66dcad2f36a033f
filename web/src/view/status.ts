/** What the whole page stands on: the stream that the shown page follows, and how late it is. */

import { computed, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

import { Live } from "../api/live";
import type { NarrowContainer } from "../api/types";
import { seconds } from "../model/units";

/** The stream of the page that is shown. */
const followed = signal<Pick<Live<unknown>, "phase" | "latest"> | null>(null);

/** Seconds since 1970, anew every second. */
export const clock = signal(Date.now() / 1000);
setInterval(() => {
  clock.value = Date.now() / 1000;
}, 1000);

/** When the last snapshot came, by this machine's clock: the server's may be another. */
const received = signal(0);

export interface Status {
  is: "connecting" | "live" | "late" | "lost";
  /** When the last snapshot was taken, in seconds since 1970. */
  takenAt: number | null;
  /** Seconds since it came. */
  age: number;
  why: string;
}

export const status = computed<Status>(() => {
  const live = followed.value;
  const latest = live?.latest.value ?? null;
  const phase = live?.phase.value ?? { is: "connecting" };
  const takenAt = latest ? seconds(latest.taken_at) : null;
  const age = latest ? Math.max(clock.value - received.value, 0) : 0;
  if (phase.is === "lost") return { is: "lost", takenAt, age, why: phase.why };
  if (!latest) return { is: "connecting", takenAt, age, why: "" };
  const patience = Math.max((latest.window_ns / 1e9) * 3, 3);
  if (age <= patience) return { is: "live", takenAt, age, why: "" };
  return {
    is: "late",
    takenAt,
    age,
    why: "monitor is there, but no snapshot comes: its tick hangs, or it serves a recording that is over",
  };
});

/** The machine that is looked at; `null` before the first snapshot. */
export const host = computed(() => followed.value?.latest.value?.host ?? null);

/** Follows a stream for as long as the component is shown, and lets the page's head tell how it goes. */
export function useLive<C = NarrowContainer>(query: string): Live<C> {
  const live = useMemo(() => new Live<C>(query), [query]);
  useEffect(() => {
    followed.value = live;
    const forget = live.listen(() => {
      received.value = clock.value = Date.now() / 1000;
    });
    const stop = live.start();
    return () => {
      stop();
      forget();
    };
  }, [live]);
  return live;
}
