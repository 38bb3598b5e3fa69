/**
 * Checks that turn a decoded `unknown` into a type. They are functions from a value and
 * the place it was found at; each throws `format/invalid` naming that place. An object
 * with a field that is not known here is `format/unsupported`: a newer writer meant
 * something by it, and a reader that skips what it does not understand gives wrong answers.
 */

import { LightedgeError, printable } from "../errors.ts";
import { isSha256, type Sha256 } from "../hash.ts";
import { invalid } from "./bytes.ts";

/** Gives the value typed, or throws with `where` in the message. */
export type Check<T> = (value: unknown, where: string) => T;

/** Well-formed text of at most `max` UTF-16 units and at least `min`, 0 when left out. */
export function text(max: number, min = 0): Check<string> {
  return (value, where) => {
    if (typeof value === "string" && value.length >= min && value.length <= max && value.isWellFormed()) {
      return value;
    }
    throw wrong(value, where, `text of ${min} to ${max} characters`);
  };
}

/** A whole number from `min` to `max`, both included; -0 is refused, since it does not survive writing. */
export function integer(min: number, max: number): Check<number> {
  return (value, where) => {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      const number = Number(value);
      if (number >= min && number <= max) return number;
    }
    throw wrong(value, where, `a whole number from ${min} to ${max}`);
  };
}

/** A finite number from `min` to `max`, both included. */
export function number(min: number, max: number): Check<number> {
  return (value, where) => {
    if (typeof value === "number" && value >= min && value <= max) return value;
    throw wrong(value, where, `a number from ${min} to ${max}`);
  };
}

/** True or false. */
export const flag: Check<boolean> = (value, where) => {
  if (typeof value === "boolean") return value;
  throw wrong(value, where, "true or false");
};

/** A SHA-256 digest in lower-case hexadecimal. */
export const digest: Check<Sha256> = (value, where) => {
  if (typeof value === "string" && isSha256(value)) return value;
  throw wrong(value, where, "64 lower-case hexadecimal digits");
};

/** One of the given values. */
export function oneOf<const T extends string | number>(allowed: readonly T[]): Check<T> {
  return (value, where) => {
    for (const candidate of allowed) if (candidate === value) return candidate;
    throw wrong(value, where, `one of ${allowed.join(", ")}`);
  };
}

/** The value, or null. */
export function nullable<T>(check: Check<T>): Check<T | null> {
  return (value, where) => (value === null ? null : check(value, where));
}

/** A list of `min` to `max` items. */
export function list<T>(check: Check<T>, max: number, min = 0): Check<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value) || value.length < min || value.length > max) {
      throw wrong(value, where, `a list of ${min} to ${max} items`);
    }
    return value.map((item, at) => check(item, `${where}[${at}]`));
  };
}

/** An object of at most `max` freely named entries. */
export function dictionary<T>(check: Check<T>, max: number): Check<Readonly<Record<string, T>>> {
  return (value, where) => {
    const entries = Object.entries(plainObject(value, where));
    if (entries.length > max)
      throw invalid(`${where} has ${entries.length} entries; at most ${max} are allowed.`);
    return Object.fromEntries(entries.map(([key, item]) => [key, check(item, `${where}.${key}`)]));
  };
}

/** An object with exactly these fields, of which those named in `optional` may be absent. */
export function object<T extends object>(
  checks: { readonly [K in keyof T]-?: Check<Exclude<T[K], undefined>> },
  optional: readonly (keyof T & string)[] = [],
): Check<T> {
  const known = Object.entries<Check<unknown>>(checks);
  const names = new Set(known.map(([name]) => name));
  return (value, where) => {
    const source = plainObject(value, where);
    for (const name of Object.keys(source)) {
      if (!names.has(name)) throw unknownField(name, where);
    }
    const result: Record<string, unknown> = {};
    for (const [name, check] of known) {
      if (Object.hasOwn(source, name)) result[name] = check(source[name], `${where}.${name}`);
      else if (!optional.some((field) => field === name)) throw invalid(`${where} has no field ${name}.`);
    }
    // The loop above has put every field of T there, each through the check of its own type.
    return result as T;
  };
}

/** The value as an object that is neither null nor a list. */
export function plainObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw wrong(value, where, "an object");
}

function unknownField(name: string, where: string): LightedgeError {
  return new LightedgeError(
    "format/unsupported",
    `${where} has the field ${printable(name)}, which this version does not know. Upgrade Lightedge where it reads, or build the index again with this version.`,
    { field: name },
  );
}

function wrong(value: unknown, where: string, wanted: string): LightedgeError {
  const shown = typeof value === "object" && value !== null ? "something else" : printable(value);
  return invalid(`${where} must be ${wanted}, not ${shown}.`);
}
