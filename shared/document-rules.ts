/**
 * What a document may be, the same for every source of the indexer and for writes at the edge: a
 * document that one door lets in, no later stage refuses.
 */
import { LightedgeError, printable } from "./errors.ts";
import { DOCUMENT_LIMITS } from "./limits.ts";
import type { Fields, FieldValue } from "./types.ts";

/** Names that mean something to every JavaScript object; a document has no honest use for them. */
const RESERVED = new Set(["__proto__", "constructor", "prototype"]);

/** What a number or another value without text counts, as much as MessagePack takes for it. */
const NUMBER_BYTES = 9;

/**
 * The fields if everything about them holds, in an object without a prototype. A null `title` or
 * `text` is left out. `id` counts for the document's bytes. Throws `document/invalid` for the first
 * thing that is wrong.
 */
export function checkedFields(id: string, entries: Iterable<readonly [string, unknown]>): Fields {
  const fields: Record<string, FieldValue> = Object.create(null);
  let bytes = utf8Length(id);
  let count = 0;
  for (const [name, value] of entries) {
    checkFieldName(name);
    const searched = name === "title" || name === "text";
    if (searched && value === null) continue;
    if (searched && typeof value !== "string") {
      throw invalid(`The field ${name} must be a string, not ${typeName(value)}.`, { field: name });
    }
    if (name in fields) throw invalid(`The field ${printable(name)} occurs twice.`, { field: name });
    const checked = checkedValue(name, value);
    fields[name] = checked;
    bytes += utf8Length(name) + valueBytes(checked);
    count++;
  }
  const { documentBytes, fields: most } = DOCUMENT_LIMITS;
  if (count > most) throw invalid(`The document has ${count} fields; ${most} are allowed.`, { limit: most });
  if (bytes > documentBytes) {
    const message = `The document has ${bytes} bytes; ${documentBytes} are allowed. Split it where its author would.`;
    throw invalid(message, { limit: documentBytes });
  }
  return fields;
}

/**
 * A document id: 1 to 512 UTF-8 bytes of well-formed Unicode without control
 * characters. A safe integer stands for its decimal digits; other numbers are
 * refused, as reading them has already lost digits. Ids are compared as they are,
 * not normalised: two spellings of one letter are two ids. Throws `document/invalid`.
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
  const bytes = utf8Length(value);
  if (bytes > DOCUMENT_LIMITS.idBytes) {
    const message = `The id has ${bytes} bytes; ${DOCUMENT_LIMITS.idBytes} are allowed.`;
    throw invalid(message, { ...details, limit: DOCUMENT_LIMITS.idBytes });
  }
  return value;
}

/** Throws `document/invalid` for a field name that is empty, reserved, not well-formed or has control characters. */
export function checkFieldName(name: string): void {
  const details = { field: printable(name) };
  if (name === "") throw invalid("A field has an empty name.", details);
  if (RESERVED.has(name)) throw invalid(`A field must not be named ${name}.`, details);
  if (!name.isWellFormed() || hasControl(name)) {
    throw invalid("A field name has a control character or half of a surrogate pair.", details);
  }
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

/** About what the value takes in a block of documents, so that what passes here fits there. */
function valueBytes(value: FieldValue): number {
  if (typeof value === "string") return utf8Length(value);
  if (value === null || typeof value !== "object") return NUMBER_BYTES;
  let bytes = 0;
  for (const item of value) bytes += typeof item === "string" ? 1 + utf8Length(item) : NUMBER_BYTES;
  return bytes;
}

/** UTF-8 bytes of a well-formed text, without making them. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Two bytes from U+0080, three from U+0800; a surrogate pair makes four, two for each half.
    if (unit >= 0x80) bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
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

function invalid(message: string, details: LightedgeError["details"] = {}): LightedgeError {
  return new LightedgeError("document/invalid", message, details);
}
