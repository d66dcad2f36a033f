/** What charts are drawn from: values by step, from history as far as it goes, from the stream from then on. */

import type { HistorySubject } from "../api/history";
import type { Bucket, Container, Latency } from "../api/types";
import { readLatency, readNumber } from "./metrics";

/** How often each duration was seen in one step. */
export interface Spread {
  p50: number | null;
  p99: number | null;
  buckets: Bucket[];
}

/** What is known of one step. */
interface Step {
  time: number;
  values: Map<string, number | null>;
  spreads: Map<string, Spread | null>;
}

export class Series {
  /** Beginnings of steps, in seconds since 1970. */
  times: number[] = [];
  step = 1;
  private values: Map<string, (number | null)[]>;
  private spreads: Map<string, (Spread | null)[]>;
  private before: { container: Container; at: number } | null = null;
  /** What the last value of each name is the mean of: seconds of counters, readings of the others. */
  private weights = new Map<string, number>();
  /** The end of what is known. */
  private end = 0;
  /** The last reading that only history tells what was before; 0 where there is none. */
  private missedUntil = 0;

  constructor(
    private readonly metrics: readonly string[],
    private readonly distributions: readonly string[],
  ) {
    this.values = new Map(metrics.map((name) => [name, []]));
    this.spreads = new Map(distributions.map((name) => [name, []]));
  }

  /** The values of a name, as many as there are times. */
  of(name: string): (number | null)[] {
    return this.values.get(name) ?? [];
  }

  spreadsOf(name: string): (Spread | null)[] {
    return this.spreads.get(name) ?? [];
  }

  /** The last value that is known. */
  last(name: string): number | null {
    return this.of(name).findLast((value) => value !== null) ?? null;
  }

  /** Until when it knows everything, in seconds since 1970; 0 before anything is known. */
  get knownUntil(): number {
    return this.end;
  }

  /**
   * Takes what history has in the place of all that is known, but for what the stream has told since. Whether history tells
   * all that the stream does not: it takes snapshots a little later than the stream shows them.
   */
  load(times: readonly number[], step: number, subject: HistorySubject | undefined): boolean {
    const means = this.metrics.map((name) => subject?.metrics[name]?.mean ?? []);
    const counts = this.distributions.map((name) => subject?.distributions[name]?.count ?? []);
    const last = times.findLastIndex((_, place) => [...means, ...counts].some((of) => (of[place] ?? null) !== null));
    const end = last < 0 ? 0 : (times[last] as number) + step;
    const streamed = step === this.step ? this.stepsFrom(end - step / 2) : [];
    this.times = [...times];
    this.step = step;
    this.weights.clear();
    this.metrics.forEach((name, row) =>
      this.values.set(
        name,
        times.map((_, place) => means[row]?.[place] ?? null),
      ),
    );
    for (const name of this.distributions) this.spreads.set(name, spreadsOf(subject, name, times.length));
    for (const step of streamed) this.put(step);
    // The last step goes on: the stream has the rest of it.
    this.end = streamed.length > 0 ? Math.max(this.end, end) : end;
    return this.missedUntil === 0 || end > this.missedUntil;
  }

  /**
   * Takes one more reading. Whether there is a gap before it, which history must fill: where the readings between were
   * missed.
   */
  push(at: number, windowS: number, container: Container): "follows" | "gap" {
    const { before } = this;
    this.before = { container, at };
    const isGap = before ? at - before.at > windowS * 1.5 + 0.5 : this.end > 0 && at > this.end;
    if (isGap || !before) this.missedUntil = at;
    const last = this.times.at(-1);
    // As history does it, whose steps of one snapshot have it in their middle, and so need not begin at whole seconds.
    const hasOne = this.step < 2 * windowS;
    const offset = (last ?? (hasOne ? at - this.step / 2 : 0)) % this.step;
    const start = Math.floor((at - offset) / this.step) * this.step + offset;
    if (last !== undefined && start < last - this.step / 2) return "follows";
    if (last === undefined || start > last + this.step / 2) this.open(last, start);
    const seconds = before ? at - before.at : 0;
    for (const name of this.metrics) {
      const isCounter = name.endsWith("_total");
      this.add(
        name,
        this.read(name, isCounter, container, before?.container ?? null, seconds),
        isCounter ? seconds : 1,
      );
    }
    for (const name of this.distributions) this.addSpread(name, readLatency(container, name));
    this.end = at;
    return isGap ? "gap" : "follows";
  }

  /** Forgets steps that ended before a moment. */
  trim(from: number): void {
    const count = this.times.findIndex((time) => time + this.step > from);
    if (count <= 0) return;
    this.times.splice(0, count);
    for (const values of this.values.values()) values.splice(0, count);
    for (const spreads of this.spreads.values()) spreads.splice(0, count);
  }

  /** What is known of the steps from a moment on, without those of which nothing is. */
  private stepsFrom(from: number): Step[] {
    const steps = this.times.map((time, place): Step => ({
      time,
      values: new Map(this.metrics.map((name) => [name, this.of(name)[place] ?? null])),
      spreads: new Map(this.distributions.map((name) => [name, this.spreadsOf(name)[place] ?? null])),
    }));
    const isKnown = ({ values, spreads }: Step) =>
      [...values.values(), ...spreads.values()].some((value) => value !== null);
    return steps.filter((step) => step.time >= from && isKnown(step));
  }

  /** Puts a step where it belongs among those that there are, or behind them. */
  private put({ time, values, spreads }: Step): void {
    const last = this.times.at(-1);
    const ahead = last === undefined ? 0 : Math.round((time - last) / this.step);
    if (last === undefined || ahead > 0) this.open(last, last === undefined ? time : last + ahead * this.step);
    const place = this.times.length - 1 + Math.min(ahead, 0);
    for (const [name, value] of values) this.of(name)[place] ??= value;
    for (const [name, spread] of spreads) this.spreadsOf(name)[place] ??= spread;
  }

  /** Begins a step, after steps of which nothing is known. */
  private open(last: number | undefined, start: number): void {
    const missed = last === undefined ? 0 : Math.min(Math.round((start - last) / this.step) - 1, 10_000);
    for (let place = missed; place >= 0; place--) {
      this.times.push(start - place * this.step);
      for (const values of this.values.values()) values.push(null);
      for (const spreads of this.spreads.values()) spreads.push(null);
    }
    this.weights.clear();
  }

  private read(
    name: string,
    isCounter: boolean,
    now: Container,
    before: Container | null,
    seconds: number,
  ): number | null {
    const value = readNumber(now, name);
    if (!isCounter) return value;
    const earlier = before && readNumber(before, name);
    // One that went backwards was started anew.
    if (value === null || earlier === null || value < earlier || seconds <= 0) return null;
    return (value - earlier) / seconds;
  }

  /** Adds a reading to the mean of the last step. What history knew of it already is taken as half of it. */
  private add(name: string, value: number | null, weight: number): void {
    const values = this.of(name);
    if (value === null) return;
    const place = values.length - 1;
    const known = values[place] ?? null;
    const before = known === null ? 0 : (this.weights.get(name) ?? this.step / 2);
    this.weights.set(name, before + weight);
    values[place] = known === null ? value : known + ((value - known) * weight) / (before + weight);
  }

  private addSpread(name: string, latency: Latency | null): void {
    const spreads = this.spreads.get(name);
    if (!spreads || !latency) return;
    const place = spreads.length - 1;
    const known = spreads[place];
    const buckets = new Map(known?.buckets.map((bucket) => [bucket.from_ns, { ...bucket }]));
    for (const bucket of latency.buckets ?? []) {
      const same = buckets.get(bucket.from_ns);
      if (same) same.count += bucket.count;
      else buckets.set(bucket.from_ns, { ...bucket });
    }
    // The quantiles of a step of several readings are those of the last one: close enough until history tells.
    spreads[place] = {
      p50: latency.p50_ns ?? known?.p50 ?? null,
      p99: latency.p99_ns ?? known?.p99 ?? null,
      buckets: [...buckets.values()],
    };
  }
}

/** Each value as the mean of itself and those before it, as many as asked for. */
export function smoothed(values: readonly (number | null)[], count: number): (number | null)[] {
  if (count <= 1) return [...values];
  return values.map((value, place) => {
    if (value === null) return null;
    const known = values.slice(Math.max(place - count + 1, 0), place + 1).filter((one) => one !== null);
    return known.reduce((sum, one) => sum + one, 0) / known.length;
  });
}

/** History's matrix, step by step. */
function spreadsOf(subject: HistorySubject | undefined, name: string, steps: number): (Spread | null)[] {
  const told = subject?.distributions[name];
  if (!told) return Array.from({ length: steps }, () => null);
  return Array.from({ length: steps }, (_, step) => {
    if ((told.count[step] ?? null) === null) return null;
    const buckets: Bucket[] = [];
    told.from_ns.forEach((from_ns, row) => {
      const count = told.counts[row]?.[step] ?? 0;
      if (count > 0) buckets.push({ from_ns, to_ns: told.to_ns[row] ?? null, count });
    });
    return { p50: told.p50_ns[step] ?? null, p99: told.p99_ns[step] ?? null, buckets };
  });
}
