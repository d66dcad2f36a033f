/** The last minutes of one value of each container, in steps, for lines as high as a row. */

/** Seconds of a step, and how many there are. */
export const STEP_S = 5;
export const STEPS = 60;

interface Ring {
  /** The number of the last step, counted from 1970. */
  last: number;
  /** Means of steps, by their number modulo {@link STEPS}; NaN where nothing was measured. */
  means: Float32Array;
  /** How many values the last mean is of. */
  count: number;
}

export class Sparks {
  private rings = new Map<string, Ring>();

  push(id: string, at: number, value: number | null): void {
    if (value === null) return;
    const step = Math.floor(at / STEP_S);
    let ring = this.rings.get(id);
    if (!ring) {
      ring = { last: step, means: new Float32Array(STEPS).fill(NaN), count: 0 };
      this.rings.set(id, ring);
    }
    if (step < ring.last) return void this.fill(ring, step, value);
    for (let missed = Math.max(ring.last + 1, step - STEPS + 1); missed <= step; missed++) {
      ring.means[missed % STEPS] = NaN;
      ring.count = 0;
    }
    ring.last = step;
    const before = ring.count > 0 ? (ring.means[step % STEPS] ?? 0) : 0;
    ring.means[step % STEPS] = before + (value - before) / (ring.count + 1);
    ring.count += 1;
  }

  /** A step that is over, unless it is known. */
  private fill(ring: Ring, step: number, value: number): void {
    if (step > ring.last - STEPS && Number.isNaN(ring.means[step % STEPS])) ring.means[step % STEPS] = value;
  }

  /** The values up to the step that `at` is in, the oldest first. */
  values(id: string, at: number): number[] {
    const ring = this.rings.get(id);
    if (!ring) return [];
    const now = Math.max(Math.floor(at / STEP_S), ring.last);
    return Array.from({ length: STEPS }, (_, index) => {
      const step = now - STEPS + 1 + index;
      return step > ring.last || step <= ring.last - STEPS ? NaN : (ring.means[step % STEPS] ?? NaN);
    });
  }

  /** Forgets all but these. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.rings.keys()) if (!ids.has(id)) this.rings.delete(id);
  }
}

/** A line through values in a box, at least as high as asked for, with gaps where there are none, as the `d` of an SVG path. */
export function sparkPath(values: readonly number[], width: number, height: number, least = 0): string {
  const most = values.reduce((most, value) => (value > most ? value : most), least);
  const scale = most > 0 ? (height - 2) / most : 0;
  let path = "";
  let isDown = false;
  values.forEach((value, index) => {
    if (Number.isNaN(value)) {
      isDown = false;
      return;
    }
    const x = ((index / Math.max(values.length - 1, 1)) * width).toFixed(1);
    path += `${isDown ? "L" : "M"}${x} ${(height - 1 - value * scale).toFixed(1)}`;
    isDown = true;
  });
  return path;
}
