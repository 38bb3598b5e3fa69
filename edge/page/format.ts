/** Numbers and sentences as people read them. */
import type { SearchAnswer } from "../../shared/types.ts";

const whole = new Intl.NumberFormat("en");

/** 1343 as "1,343". */
export function count(value: number): string {
  return whole.format(value);
}

/** A count with its noun in the right number. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** A duration in ms with two significant digits: "0.42 ms", "14 ms". */
export function milliseconds(value: number): string {
  if (value >= 10) return `${count(Math.round(value))} ms`;
  return `${value >= 1 ? value.toFixed(1) : value.toFixed(2)} ms`;
}

/**
 * What the status line says beside the count. A server whose clock stands still while it computes
 * reports 0, which is not shown.
 */
export function timing(answer: SearchAnswer, roundTripMs: number): string {
  const server = answer.took_ms > 0 ? `${milliseconds(answer.took_ms)} on the server, ` : "";
  return `${server}${milliseconds(roundTripMs)} round trip, no model was run`;
}

/** How long ago something was, in its largest unit: "3 days ago". */
export function ago(seconds: number): string {
  const units = [
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ] as const;
  for (const [unit, length] of units) {
    if (seconds >= length) return `${counted(Math.floor(seconds / length), unit)} ago`;
  }
  return "just now";
}

/** A span in its largest unit: "3 days", "12 s". */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  return ago(seconds).replace(/ ago$/, "");
}

/** Bytes in the largest binary unit that leaves a whole digit: "21 MiB". */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log(Math.max(1, value)) / Math.log(1024)));
  const scaled = value / 1024 ** power;
  return `${scaled >= 10 || power === 0 ? count(Math.round(scaled)) : scaled.toFixed(1)} ${units[power]}`;
}
