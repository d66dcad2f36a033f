/** Values of one container for charts: loaded from history, carried on by the stream. */

import { useEffect, useRef, useState } from "preact/hooks";

import { reasonOf } from "../api/client";
import { getHistory, type Range } from "../api/history";
import type { Live } from "../api/live";
import type { Container } from "../api/types";
import { Series } from "../model/series";
import { seconds } from "../model/units";

export interface Past {
  series: Series;
  /** Changes whenever the values do. */
  version: number;
  /** Why there is nothing from before; `null` where there is. */
  problem: string | null;
}

/** How often history is asked for what it does not have yet, and how long to wait before that. */
const MOST_TRIES = 5;
const AGAIN_MS = 500;

interface Wanted {
  metrics: readonly string[];
  distributions: readonly string[];
}

export function usePast(live: Live<Container>, id: string, range: Range, wanted: Wanted): Past {
  const [version, change] = useState(0);
  const [problem, tell] = useState<string | null>(null);
  const series = useRef<Series | null>(null);
  series.current ??= new Series(wanted.metrics, wanted.distributions);
  const key = "last" in range ? `last ${range.last}` : `${range.from} ${range.to}`;

  useEffect(() => {
    const held = series.current as Series;
    const stopped = new AbortController();
    let again: ReturnType<typeof setTimeout> | undefined;
    const load = async (tries = MOST_TRIES) => {
      const metrics = [...wanted.metrics, ...wanted.distributions];
      try {
        const past = await getHistory({ range, metrics, containers: [id], figures: ["mean"] }, stopped.signal);
        const isAll = held.load(past.times, past.step_s, past.subjects[0]);
        clearTimeout(again);
        if (!isAll && tries > 1) again = setTimeout(() => void load(tries - 1), AGAIN_MS);
        tell(null);
      } catch (error) {
        if (stopped.signal.aborted) return;
        // Without a history the stream alone is shown, as far as it goes.
        tell(reasonOf(error));
      }
      change((version) => version + 1);
    };
    void load();
    if (!("last" in range)) {
      return () => {
        clearTimeout(again);
        stopped.abort();
      };
    }
    const forget = live.listen((snapshot) => {
      const container = snapshot.containers.find((one) => one.id === id);
      if (!container) return;
      const at = seconds(snapshot.taken_at);
      if (held.push(at, snapshot.window_ns / 1e9, container) === "gap") void load();
      held.trim(at - range.last - 2 * held.step);
      change((version) => version + 1);
    });
    return () => {
      clearTimeout(again);
      forget();
      stopped.abort();
    };
  }, [live, id, key]);

  return { series: series.current, version, problem };
}
