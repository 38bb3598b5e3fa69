import { LightedgeError, printable } from "../../shared/errors.ts";
import { DOCUMENT_LIMITS } from "../../shared/limits.ts";
import type { Fields, FieldValue } from "../../shared/types.ts";
import type { Place, RejectedRecord, Section, SourceDocument } from "./source.ts";

/** Names that mean something to every JavaScript object; a document has no honest use for them. */
const RESERVED = new Set(["__proto__", "constructor", "prototype"]);

/**
 * The document if everything about it holds, with its fields in an object without a
 * prototype. A null or absent `title` or `text` is left out. Throws `source/invalid`,
 * without a place, for the first thing that is wrong.
 */
export function checkedDocument(
  id: unknown,
  entries: Iterable<readonly [string, unknown]>,
  sections: readonly Section[] = [],
): SourceDocument {
  const validId = checkedId(id);
  const fields: Record<string, FieldValue> = Object.create(null);
  let bytes = Buffer.byteLength(validId);
  let count = 0;
  for (const [name, value] of entries) {
    checkName(name);
    const searched = name === "title" || name === "text";
    if (searched && value === null) continue;
    if (searched && typeof value !== "string") {
      throw invalid(`The field ${name} must be a string, not ${typeName(value)}.`, { field: name });
    }
    if (name in fields) throw invalid(`The field ${printable(name)} occurs twice.`, { field: name });
    fields[name] = checkedValue(name, value);
    bytes += Buffer.byteLength(name) + valueBytes(fields[name]);
    count++;
  }
  const { documentBytes, fields: most } = DOCUMENT_LIMITS;
  if (count > most) throw invalid(`The document has ${count} fields; ${most} are allowed.`, { limit: most });
  if (bytes > documentBytes) {
    const message = `The document has ${bytes} bytes; ${documentBytes} are allowed. Split it where its author would.`;
    throw invalid(message, { limit: documentBytes });
  }
  return { id: validId, fields: fields as Fields, sections };
}

/**
 * A document id: 1 to 512 UTF-8 bytes of well-formed Unicode without control
 * characters. A safe integer stands for its decimal digits; other numbers are
 * refused, as reading them has already lost digits. Ids are compared as they are,
 * not normalised: two spellings of one letter are two ids.
 */
export function checkedId(value: unknown): string {
  if (value === undefined || value === null) throw invalid("The id is missing.", { field: "id" });
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (typeof value !== "string") {
    throw invalid(`The id must be a string or a whole number below 2^53, not ${typeName(value)}.`, {
      field: "id",
    });
  }
  const details = { field: "id", value: printable(value) };
  if (value === "") throw invalid("The id is empty.", details);
  if (!value.isWellFormed()) throw invalid("The id has half of a surrogate pair.", details);
  if (hasControl(value)) throw invalid("The id has a control character.", details);
  const bytes = Buffer.byteLength(value);
  if (bytes > DOCUMENT_LIMITS.idBytes) {
    const message = `The id has ${bytes} bytes; ${DOCUMENT_LIMITS.idBytes} are allowed.`;
    throw invalid(message, { ...details, limit: DOCUMENT_LIMITS.idBytes });
  }
  return value;
}

/** Throws `source/invalid` for a field name that is empty, reserved, not well-formed or has control characters. */
export function checkName(name: string): void {
  const details = { field: printable(name) };
  if (name === "") throw invalid("A field has an empty name.", details);
  if (RESERVED.has(name)) throw invalid(`A field must not be named ${name}.`, details);
  if (!name.isWellFormed() || hasControl(name)) {
    throw invalid("A field name has a control character or half of a surrogate pair.", details);
  }
}

/** A `source/invalid` without a place; `rejected` adds it. */
export function invalid(message: string, details: LightedgeError["details"] = {}): LightedgeError {
  return new LightedgeError("source/invalid", message, details);
}

/** The rejection of the record at this place. Errors that are not ours keep their message, as parsers say what is wrong. */
export function rejected(place: Place, error: unknown): RejectedRecord {
  const { file, line } = place;
  const message = error instanceof Error ? error.message : String(error);
  const details = error instanceof LightedgeError ? error.details : {};
  const reason = new LightedgeError(
    "source/invalid",
    `${file}:${line}: ${message}`,
    { ...details, file, line },
    error instanceof LightedgeError ? error.cause : error,
  );
  return { kind: "rejected", file, line, reason };
}

function checkedValue(name: string, value: unknown): FieldValue {
  if (value === null || isScalar(name, value)) return value;
  if (Array.isArray(value) && value.every((item) => isScalar(name, item))) return value;
  const message = `The field ${printable(name)} must be a scalar or a list of scalars, not ${typeName(value)}.`;
  throw invalid(message, { field: printable(name) });
}

function isScalar(name: string, value: unknown): value is string | number | boolean {
  if (typeof value === "string" && !value.isWellFormed()) {
    throw invalid(`The field ${printable(name)} has half of a surrogate pair.`, { field: printable(name) });
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw invalid(`The field ${printable(name)} has a number beyond the range of doubles.`, {
      field: printable(name),
    });
  }
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function valueBytes(value: FieldValue | undefined): number {
  if (Array.isArray(value))
    return value.reduce((sum: number, item) => sum + Buffer.byteLength(String(item)), 0);
  return Buffer.byteLength(String(value));
}

/** C0, DEL and C1. */
function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || (unit >= 0x7f && unit <= 0x9f)) return true;
  }
  return false;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list with other things than scalars" : `a value of type ${typeof value}`;
}
