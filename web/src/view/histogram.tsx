/** How often each duration was seen in a range, as bars, with its percentiles. */

import type { HistoryDistribution } from "../api/history";
import { duration, count as countText } from "../model/units";
import { quantileOf, sumOf } from "../model/distribution";

const WIDTH = 460;
const HEIGHT = 120;
const FOOT = 18;

export function Histogram({
  title,
  help,
  distribution,
}: {
  title: string;
  help: string;
  distribution: HistoryDistribution;
}) {
  const buckets = sumOf(distribution);
  const all = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  if (all === 0) return null;
  const low = Math.log10(Math.max(buckets[0]?.from ?? 1, 1));
  const high = Math.log10(buckets.at(-1)?.to ?? 10);
  const x = (ns: number) => ((Math.log10(Math.max(ns, 1)) - low) / Math.max(high - low, 0.1)) * WIDTH;
  // Buckets are not equally wide on the axis: the area of a bar is what counts.
  const heights = buckets.map((bucket) => bucket.count / Math.max(x(bucket.to) - x(bucket.from), 0.5));
  const most = Math.max(...heights);
  const told = [0.5, 0.9, 0.99, 0.999].map((q) => ({ q, ns: quantileOf(buckets, q) }));
  const powers = Array.from({ length: Math.floor(high) - Math.ceil(low) + 1 }, (_, place) => Math.ceil(low) + place);
  const labelled = told.map(({ q, ns }) => `p${q * 100} ${duration(ns)}`).join(", ");
  return (
    <figure class="histogram">
      <figcaption title={help}>
        <h2>{title}</h2>
        <span class="legend">
          {told.map(({ q, ns }) => (
            <span key={q} class="legend-line">
              p{q * 100} <b>{duration(ns)}</b>
            </span>
          ))}
          <span class="legend-line">
            counted <b>{countText(all)}</b>
          </span>
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + FOOT}`} role="img" aria-label={`${title}: ${labelled}`}>
        {powers.map((power) => (
          <g key={power}>
            <line class="grid-line" x1={x(10 ** power)} x2={x(10 ** power)} y1="0" y2={HEIGHT} />
            <text x={Math.min(Math.max(x(10 ** power), 16), WIDTH - 20)} y={HEIGHT + 13} text-anchor="middle">
              {duration(10 ** power).replace(/\.0+ /, " ")}
            </text>
          </g>
        ))}
        {buckets.map((bucket, place) => {
          const height = ((heights[place] ?? 0) / most) * (HEIGHT - 4);
          return (
            <rect
              key={bucket.from}
              class="bucket"
              x={x(bucket.from)}
              width={Math.max(x(bucket.to) - x(bucket.from) - 0.5, 0.5)}
              y={HEIGHT - height}
              height={height}
            >
              <title>{`${duration(bucket.from)} to ${duration(bucket.to)}: ${bucket.count}`}</title>
            </rect>
          );
        })}
        {told.map(({ q, ns }) => (
          <line key={q} class="quantile" x1={x(ns)} x2={x(ns)} y1="0" y2={HEIGHT} />
        ))}
      </svg>
    </figure>
  );
}
