/** Numbers as they are shown, in one way everywhere. `null` is what was not measured and never 0. */

/** What stands where nothing was measured. */
export const NONE = "–";

export type Unit = "cores" | "bytes" | "bytes/s" | "per second" | "ns" | "seconds/s" | "percent" | "count" | "ratio";

/** The unit that a metric of the catalogue is shown in; counters are shown as what they grow by in a second. */
export function unitOf(metric: { kind: string; unit: string }): Unit {
  const isGrowth = metric.kind === "counter" || metric.kind === "rate";
  switch (metric.unit) {
    case "bytes":
      return isGrowth ? "bytes/s" : "bytes";
    case "bytes per second":
      return "bytes/s";
    case "nanoseconds":
      return isGrowth ? "seconds/s" : "ns";
    case "cores":
      return "cores";
    case "per second":
      return "per second";
    default:
      if (isGrowth) return "per second";
      return metric.kind === "ratio" ? "ratio" : "count";
  }
}

export function format(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  switch (unit) {
    case "cores":
      return cores(value);
    case "bytes":
      return bytes(value);
    case "bytes/s":
      return `${bytes(value)}/s`;
    case "per second":
      return `${count(value)}/s`;
    case "ns":
      return duration(value);
    // Nanoseconds a second: a share of one CPU's time, or of one task's.
    case "seconds/s":
      return `${duration(value)}/s`;
    case "percent":
      return percent(value);
    case "count":
    case "ratio":
      return count(value);
  }
}

/** Three significant digits, and no more than are known of small numbers. */
function significant(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95) return value.toFixed(0);
  if (size >= 9.995) return value.toFixed(1);
  return value.toFixed(2);
}

/** Without digits that say nothing: `1.00k` is `1k`, `0.50` is `0.5`. */
export function short(text: string): string {
  return text.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");
}

/** A number of things: whole below 1 000 if it is whole. */
export function count(value: number): string {
  const size = Math.abs(value);
  if (size < 999.5) return Number.isInteger(value) ? String(value) : significant(value);
  for (const [unit, letter] of [
    [1e3, "k"],
    [1e6, "M"],
    [1e9, "G"],
  ] as const) {
    if (size < unit * 999.5) return significant(value / unit) + letter;
  }
  return `${significant(value / 1e12)}T`;
}

export function bytes(value: number): string {
  let size = value;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (Math.abs(size) < (unit === "B" ? 1023.5 : 999.5))
      return `${unit === "B" ? size.toFixed(0) : significant(size)} ${unit}`;
    size /= 1024;
  }
  return `${significant(size)} TiB`;
}

/** Nanoseconds. */
export function duration(ns: number): string {
  const size = Math.abs(ns);
  if (size === 0) return "0 s";
  if (size < 999.5) return `${ns.toFixed(0)} ns`;
  if (size < 999.5e3) return `${significant(ns / 1e3)} µs`;
  if (size < 999.5e6) return `${significant(ns / 1e6)} ms`;
  if (size < 120e9) return `${significant(ns / 1e9)} s`;
  return span(ns / 1e9);
}

/** Seconds, as how long something lasts: "2 min", "3 h 20 min". */
export function span(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function cores(value: number): string {
  if (value === 0) return "0";
  return Math.abs(value) < 0.0995 ? value.toFixed(3) : Math.abs(value) < 9.995 ? value.toFixed(2) : value.toFixed(1);
}

export function percent(value: number): string {
  if (value === 0) return "0 %";
  if (Math.abs(value) < 0.095) return `${value.toFixed(2)} %`;
  return `${Math.abs(value) >= 99.95 ? value.toFixed(0) : value.toFixed(1)} %`;
}

/** As hours, minutes, months and days are written. */
export function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** The time of day, with the day where that is not today. */
export function moment(seconds: number, now = Date.now() / 1000): string {
  const at = new Date(seconds * 1000);
  const time = at.toLocaleTimeString("en-GB");
  return at.toDateString() === new Date(now * 1000).toDateString() ? time : `${at.toLocaleDateString("sv-SE")} ${time}`;
}

/** A moment as fields for times have it: in this place's time, without its name. */
export function localTime(seconds: number): string {
  const at = new Date(seconds * 1000);
  return `${at.toLocaleDateString("sv-SE")}T${at.toLocaleTimeString("en-GB")}`;
}

/** Seconds since 1970 of an RFC 3339 time. */
export function seconds(at: string): number {
  return Date.parse(at) / 1000;
}
