/** Checks one untrusted value against what its field allows. */
import { LightedgeError, printable } from "../shared/errors.ts";
import type { ChoiceSpec, FieldSpec, NamesSpec, NumberSpec, TextSpec } from "./fields.ts";

/** A value that passed its check. */
export type CheckedValue = string | number | boolean | readonly string[];

const encoder = new TextEncoder();

/**
 * UTF-8 bytes of a text. A text with more UTF-16 units than `enough` is not encoded: its units are
 * the answer.
 */
export function utf8Bytes(text: string, enough: number): number {
  return text.length > enough ? text.length : encoder.encode(text).length;
}

/**
 * The value of a JSON member, unchanged. A number in quotes is not a number: throws
 * `request/invalid` naming the field and, where one was broken, the bound.
 */
export function checkJsonValue(spec: FieldSpec, value: unknown): CheckedValue {
  switch (spec.kind) {
    case "text":
      if (typeof value !== "string") throw wrongType(spec, "a string", value);
      return checkText(spec, value);
    case "choice":
      return checkChoice(spec, value);
    case "integer":
    case "number":
      if (typeof value !== "number") throw wrongType(spec, "a number", value);
      return checkNumber(spec, value, value);
    case "flag":
      if (typeof value !== "boolean") throw wrongType(spec, "true or false", value);
      return value;
    case "names":
      if (!Array.isArray(value)) throw wrongType(spec, "an array of strings", value);
      return checkNames(spec, value);
  }
}

/**
 * The value of a URL parameter. Numbers are plain decimals (no exponent, no sign but a
 * leading minus, no spaces), flags are `true` or `false`, lists are comma separated.
 * Throws as `checkJsonValue` does.
 */
export function checkParameter(spec: FieldSpec, text: string): CheckedValue {
  switch (spec.kind) {
    case "text":
      return checkText(spec, text);
    case "choice":
      return checkChoice(spec, text);
    case "integer":
    case "number":
      return checkNumber(spec, decimal(text), text);
    case "flag":
      if (text !== "true" && text !== "false") throw wrongType(spec, "true or false", text);
      return text === "true";
    case "names":
      return checkNames(spec, text.split(","));
  }
}

function checkText(spec: TextSpec, text: string): string {
  const field = spec.name;
  if (utf8Bytes(text, spec.maxBytes) > spec.maxBytes) {
    throw new LightedgeError("request/invalid", `${field} is longer than ${spec.maxBytes} bytes of UTF-8.`, {
      field,
      limit: spec.maxBytes,
    });
  }
  checkWellFormed(field, text);
  if (text.trim() === "") {
    throw new LightedgeError("request/invalid", `${field} must hold more than white space.`, { field });
  }
  return text;
}

function checkChoice(spec: ChoiceSpec, value: unknown): string {
  if (typeof value === "string" && spec.values.includes(value)) return value;
  throw wrongType(spec, `one of ${spec.values.join(", ")}`, value);
}

function checkNumber(spec: NumberSpec, value: number, given: unknown): number {
  const { name: field, kind, min, max } = spec;
  if (Number.isNaN(value) || (kind === "integer" && !Number.isInteger(value))) {
    throw wrongType(spec, kind === "integer" ? "a whole number" : "a number", given);
  }
  if (value < min || value > max) {
    throw new LightedgeError(
      "request/invalid",
      `${field} must be from ${min} to ${max}, not ${printable(given)}.`,
      {
        field,
        limit: value < min ? min : max,
      },
    );
  }
  // Minus zero would be the only number that prints differently from its equal.
  return value === 0 ? 0 : value;
}

function checkNames(spec: NamesSpec, values: readonly unknown[]): readonly string[] {
  const field = spec.name;
  if (values.length > spec.maxItems) {
    throw new LightedgeError("request/invalid", `${field} lists more than ${spec.maxItems} names.`, {
      field,
      limit: spec.maxItems,
    });
  }
  return values.map((value) => {
    if (typeof value !== "string" || value === "") throw wrongType(spec, "a list of names", value);
    if (utf8Bytes(value, spec.maxBytes) > spec.maxBytes) {
      const message = `A name in ${field} is longer than ${spec.maxBytes} bytes of UTF-8.`;
      throw new LightedgeError("request/invalid", message, { field, limit: spec.maxBytes });
    }
    checkWellFormed(field, value);
    return value;
  });
}

/** JSON may spell half of a surrogate pair; nothing behind this door can encode one. */
function checkWellFormed(field: string, text: string): void {
  if (text.isWellFormed()) return;
  throw new LightedgeError("request/invalid", `${field} holds half of a surrogate pair, which is no text.`, {
    field,
  });
}

function wrongType(spec: FieldSpec, wanted: string, value: unknown): LightedgeError {
  return new LightedgeError("request/invalid", `${spec.name} must be ${wanted}, not ${describe(value)}.`, {
    field: spec.name,
  });
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  // printable() would spell a lone surrogate out as an escape, so the answer stays well-formed.
  return printable(value);
}

/**
 * A decimal of at most 20 characters as a number, otherwise NaN. `Number` alone takes "", " 1",
 * "0x1f" and "1e9".
 */
function decimal(text: string): number {
  if (text.length > 20) return Number.NaN;
  let digits = 0;
  let points = 0;
  for (let i = text.startsWith("-") ? 1 : 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0x2e && points === 0 && digits > 0) points++;
    else if (unit >= 0x30 && unit <= 0x39) digits++;
    else return Number.NaN;
  }
  return digits > 0 && !text.endsWith(".") ? Number(text) : Number.NaN;
}
