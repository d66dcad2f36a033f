/** A distribution over a whole range. */

import type { HistoryDistribution } from "../api/history";

export interface Counted {
  from: number;
  to: number;
  count: number;
}

/** The buckets of all steps together, those in use, in order. The last, open one is taken to be as wide as its beginning. */
export function sumOf({
  from_ns,
  to_ns,
  counts,
}: Pick<HistoryDistribution, "from_ns" | "to_ns" | "counts">): Counted[] {
  return from_ns
    .map((from, row) => ({
      from,
      to: to_ns[row] ?? from * 2,
      count: (counts[row] ?? []).reduce<number>((sum, count) => sum + (count ?? 0), 0),
    }))
    .filter(({ count }) => count > 0)
    .sort((one, other) => one.from - other.from);
}

/** The duration that a share of all is not longer than, by linear interpolation in its bucket. */
export function quantileOf(buckets: readonly Counted[], share: number): number {
  const all = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  let left = share * all;
  for (const { from, to, count } of buckets) {
    if (left <= count) return from + ((to - from) * left) / count;
    left -= count;
  }
  return buckets.at(-1)?.to ?? 0;
}
