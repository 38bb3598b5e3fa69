import { LightedgeError, printable } from "../../shared/errors.ts";

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const FORM = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/;

/** How a duration is written, for messages. */
export const DURATION_FORM = "a number with a unit, as 90s, 15m, 24h or 7d";

/** Milliseconds of a text such as `90s`, `15m`, `24h` or `7d`; null where it is none. */
export function parseDuration(text: string): number | null {
  const [, number, unit] = FORM.exec(text) ?? [];
  if (number === undefined || unit === undefined) return null;
  return Math.round(Number(number) * UNITS[unit as keyof typeof UNITS]);
}

/** Milliseconds of an option's text. Throws `usage/invalid` naming the option. */
export function durationOf(option: string, text: string): number {
  const duration = parseDuration(text);
  if (duration !== null) return duration;
  throw new LightedgeError("usage/invalid", `--${option} must be ${DURATION_FORM}, not ${printable(text)}.`, {
    field: option,
    value: printable(text),
  });
}
