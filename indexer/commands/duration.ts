import { LightedgeError, printable } from "../../shared/errors.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** How a duration is written, for messages. */
export const DURATION_FORM = "a number of s, m, h or d, such as 24h";

/** Milliseconds of a text such as `90s`, `30m`, `24h` or `7d`; null where it is none. */
export function durationIn(text: string): number | null {
  const [, number, unit] = /^(\d{1,9})([smhd])$/u.exec(text) ?? [];
  return number !== undefined && unit !== undefined ? Number(number) * UNITS[unit]! : null;
}

/** Milliseconds of an option's text. Throws `usage/invalid` naming the option. */
export function parseDuration(option: string, text: string): number {
  const duration = durationIn(text);
  if (duration !== null) return duration;
  throw new LightedgeError("usage/invalid", `--${option} must be ${DURATION_FORM}, not ${printable(text)}.`, {
    field: option,
    value: printable(text),
  });
}

/** Milliseconds in the greatest unit that divides them, as `parseDuration` reads them. */
export function writeDuration(milliseconds: number): string {
  const unit = ["d", "h", "m"].find((name) => milliseconds % UNITS[name]! === 0) ?? "s";
  return `${milliseconds / UNITS[unit]!}${unit}`;
}
