import type { Count } from "./types";

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export function num(n: Count | undefined): number {
  return Number(n ?? 0);
}

export function count(n: Count | undefined): string {
  return grouped.format(num(n));
}

export function perSecond(n: number | undefined): string {
  if (n === undefined) return "–";
  return `${n >= 100 ? grouped.format(n) : fine.format(n)}/s`;
}

export function bytes(n: Count | undefined): string {
  let size = num(n);
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? grouped.format(size) : fine.format(size)} ${units[unit]}`;
}

const pad = (n: number, width = 2): string => String(n).padStart(width, "0");

/** The time of day, here, with milliseconds. */
export function clock(iso: string): string {
  const t = new Date(iso);
  return `${pad(t.getHours())}:${pad(t.getMinutes())}:${pad(t.getSeconds())}.${pad(t.getMilliseconds(), 3)}`;
}

/** Day and time, here. */
export function moment(iso: string | undefined): string {
  if (iso === undefined) return "–";
  const t = new Date(iso);
  return `${t.getFullYear()}-${pad(t.getMonth() + 1)}-${pad(t.getDate())} ${pad(t.getHours())}:${pad(t.getMinutes())}:${pad(t.getSeconds())}`;
}

/** A span of seconds, in its two largest units. */
export function span(seconds: number): string {
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 10) return `${fine.format(seconds)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const units: [number, string][] = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = units.findIndex(([size]) => seconds >= size);
  const [size, unit] = units[first] as [number, string];
  const next = units[first + 1];
  const whole = Math.floor(seconds / size);
  const rest = next ? Math.floor((seconds - whole * size) / next[0]) : 0;
  return rest && next ? `${whole} ${unit} ${rest} ${next[1]}` : `${whole} ${unit}`;
}

/** Seconds of a duration like "12.5s". */
export function seconds(duration: string | undefined): number {
  return duration === undefined ? 0 : parseFloat(duration);
}

export function ago(iso: string | undefined, now = Date.now()): string {
  if (iso === undefined) return "never";
  const age = (now - Date.parse(iso)) / 1000;
  return age < 1 ? "now" : `${span(Math.floor(age))} ago`;
}

/** The API's REASON_CURSOR_EXPIRED as people write it. */
export function words(constant: string | undefined, prefix: string): string {
  return (constant ?? "").replace(prefix, "").toLowerCase().replaceAll("_", " ");
}
