/** Which time is looked at: the last minutes, or from one moment to another. */

import { useEffect, useMemo, useState } from "preact/hooks";

import { getSubjects, type Range } from "../api/history";
import { poll } from "../api/poll";
import { moment, seconds, span } from "../model/units";
import { location, setParams } from "../router";
import { Choice } from "./parts";

const LASTS = [60, 300, 900, 3600, 21_600, 86_400] as const;
const USUAL = 300;
const KEPT_EVERY_MS = 60_000;

/** Names of ranges in addresses. */
const NAMES: Record<number, string> = { 60: "1m", 300: "5m", 900: "15m", 3600: "1h", 21_600: "6h", 86_400: "24h" };

/** The name of the range that is all that there is of a container that has ended. */
const LIFE = "life";

/**
 * The range in the address: `range=15m`, `range=all`, `range=life` or `from=…&to=…` in seconds since 1970. Where there is none, or
 * it is that of another page, it is the usual one.
 */
function rangeOf(params: URLSearchParams, kept: number | null, usual: Range): Range {
  const [from, to] = [Number(params.get("from")), Number(params.get("to"))];
  if (from > 0 && to > from) return { from, to };
  const name = params.get("range");
  if (name === "all") return { last: kept ?? 86_400 };
  const known = LASTS.find((seconds) => NAMES[seconds] === name);
  return known ? { last: known } : usual;
}

/** The range of the address, the same object as long as it means the same. */
export function useRange(kept: number | null, usual: Range = { last: USUAL }): Range {
  const range = rangeOf(location.value.params, kept, usual);
  return useMemo(() => range, [JSON.stringify(range)]);
}

/** Both ends of a range, now. */
export function endsOf(range: Range, now: number): { from: number; to: number } {
  return "last" in range ? { from: now - range.last, to: now } : range;
}

export function zoomTo(from: number, to: number): void {
  setParams({ from: from.toFixed(1), to: Math.max(to, from + 2).toFixed(1), range: null }, true);
}

/** How far back history goes, in seconds; `null` as long as that is not known, or where there is none. */
export function useKept(): number | null {
  const [kept, know] = useState<number | null>(null);
  useEffect(
    () =>
      poll(KEPT_EVERY_MS, async (stopped) => {
        const { resolutions } = await getSubjects({ kind: "host" }, stopped);
        const moments = (key: "oldest_at" | "newest_at") =>
          resolutions.flatMap((one) => (one[key] ? [seconds(one[key])] : []));
        // By the server's clock, which a recording that is replayed has too.
        const known = Math.max(...moments("newest_at")) - Math.min(...moments("oldest_at"));
        // In whole minutes, so that what is drawn of all of it is not asked for anew each time.
        if (Number.isFinite(known)) know(Math.ceil(known / 60) * 60);
      }),
    [],
  );
  return kept;
}

interface RangeChoiceProps {
  range: Range;
  kept: number | null;
  /** Whether the usual range is the life of what has ended. */
  hasEnded?: boolean;
}

export function RangeChoice({ range, kept, hasEnded = false }: RangeChoiceProps) {
  const { params } = location.value;
  const isZoomed = params.has("from") && !("last" in range);
  const name = isZoomed ? null : "last" in range ? (params.get("range") ?? NAMES[range.last] ?? null) : LIFE;
  // Longer ones than there is anything of would show the same.
  const options = LASTS.filter((seconds, place) => kept === null || seconds <= USUAL || (LASTS[place - 1] ?? 0) < kept);
  return (
    <>
      <Choice
        label="Range of time"
        options={[
          ...(hasEnded ? [{ value: LIFE, text: "its life" }] : []),
          ...options.map((seconds) => ({ value: NAMES[seconds] as string, text: NAMES[seconds] as string })),
          { value: "all", text: kept === null ? "all" : `all (${span(kept)})` },
        ]}
        value={name}
        choose={(range) => setParams({ range, from: null, to: null })}
      />
      {isZoomed && (
        <span class="zoomed">
          {moment(range.from)} – {moment(range.to)}{" "}
          <button type="button" onClick={() => setParams({ from: null, to: null })}>
            {hasEnded ? "Back to all of it" : "Back to now"}
          </button>
        </span>
      )}
    </>
  );
}
