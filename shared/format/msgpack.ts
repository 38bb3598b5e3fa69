/**
 * The part of MessagePack that files may use: nil, booleans, numbers, text, lists and maps
 * with text keys. msgpackr reads far more (records, references, dates, classes), so bytes
 * are walked first and anything else is refused before it sees them. docs/format.md
 * section 2.
 */

import { Packr } from "msgpackr/pack";
import { invalid } from "./bytes.ts";

/** A value that can be written and comes back equal; -0 comes back as 0, absent fields stay absent. */
export type MsgpackValue =
  | null
  | boolean
  | number
  | string
  | readonly MsgpackValue[]
  | { readonly [key: string]: MsgpackValue };

/** Nesting that is read. The deepest value we write, a tokenizer's description, needs six. */
const MAX_DEPTH = 32;

// Without records nothing is compiled at run time, which workerd forbids; the module's
// portable build gives the same bytes and values in every runtime.
const codec = new Packr({ useRecords: false, mapsAsObjects: true, variableMapSize: true, moreTypes: false });
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A value as bytes; the keys of maps in the order of the object. Throws `format/invalid`
 * for what would not come back: a key named `__proto__`, text with half a surrogate pair,
 * values of other types.
 */
export function packValue(value: MsgpackValue): Uint8Array<ArrayBuffer> {
  checkWritable(value, 1);
  const bytes = new Uint8Array(codec.pack(value));
  walk(bytes, "value");
  return bytes;
}

/**
 * The one value that fills these bytes. Throws `format/invalid` when they hold less, more,
 * another type, or nesting beyond 32. Costs two passes: one to check, one to decode.
 */
export function unpackValue(bytes: Uint8Array, what: string): unknown {
  walk(bytes, what);
  try {
    return codec.unpack(bytes);
  } catch (error) {
    throw invalid(`The ${what} is not readable MessagePack.`, error);
  }
}

/** Bytes that follow the first one of a value without parts of its own. */
const SCALAR_BYTES: ReadonlyMap<number, number> = new Map([
  [0xc0, 0], // nil
  [0xc2, 0], // false
  [0xc3, 0], // true
  [0xcb, 8], // float64
  [0xcc, 1], // unsigned integers
  [0xcd, 2],
  [0xce, 4],
  [0xd0, 1], // signed integers
  [0xd1, 2],
  [0xd2, 4],
]);

/** A value's header: what it is made of and where that begins. */
interface Part {
  readonly kind: "scalar" | "text" | "list" | "map";
  /** Bytes of a scalar or text, items of a list, entries of a map. */
  readonly size: number;
  readonly start: number;
}

/**
 * Throws `format/invalid` unless the bytes are one value of the kinds above. Every item
 * takes a byte, so a count that promises more than there is fails before anything is allocated.
 */
function walk(bytes: Uint8Array, what: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const refuse = (why: string): never => {
    throw invalid(`The ${what} ${why}.`);
  };
  const past = (start: number, length: number): number =>
    length <= bytes.length - start ? start + length : refuse("ends inside a value");

  const text = (part: Part): number => {
    const end = past(part.start, part.size);
    if (!isText(bytes.subarray(part.start, end))) refuse("holds text that is not UTF-8");
    return end;
  };
  const key = (at: number): number => {
    const part = partAt(view, at) ?? refuse("holds a value of an unknown kind");
    if (part.kind !== "text") return refuse("holds a key that is not text");
    const end = text(part);
    // msgpackr would rename it, since assigning to it would change the object's prototype.
    if (part.size === 9 && utf8.decode(bytes.subarray(part.start, end)) === "__proto__") {
      refuse("holds the key __proto__");
    }
    return end;
  };
  const value = (at: number, depth: number): number => {
    if (depth > MAX_DEPTH) refuse("is nested too deeply");
    const part = partAt(view, at) ?? refuse("holds a value of an unknown kind");
    let end = part.start;
    switch (part.kind) {
      case "scalar":
        end = past(end, part.size);
        if (part.size === 8 && !Number.isFinite(view.getFloat64(part.start)))
          refuse("holds a number that is not finite");
        return end;
      case "text":
        return text(part);
      case "list":
        for (let item = 0; item < part.size; item += 1) end = value(end, depth + 1);
        return end;
      case "map":
        for (let entry = 0; entry < part.size; entry += 1) end = value(key(end), depth + 1);
        return end;
    }
  };
  if (value(0, 1) !== bytes.length) refuse("goes on after its end");
}

/** The header at `at`, or null where there is none or it is of a kind we do not use. */
function partAt(view: DataView, at: number): Part | null {
  if (at >= view.byteLength) return null;
  const code = view.getUint8(at);
  const start = at + 1;
  if (code < 0x80 || code >= 0xe0) return { kind: "scalar", size: 0, start };
  if (code < 0x90) return { kind: "map", size: code & 0x0f, start };
  if (code < 0xa0) return { kind: "list", size: code & 0x0f, start };
  if (code < 0xc0) return { kind: "text", size: code & 0x1f, start };
  const scalar = SCALAR_BYTES.get(code);
  if (scalar !== undefined) return { kind: "scalar", size: scalar, start };
  switch (code) {
    case 0xd9:
      return sizedPart(view, "text", start, 1);
    case 0xda:
      return sizedPart(view, "text", start, 2);
    case 0xdb:
      return sizedPart(view, "text", start, 4);
    case 0xdc:
      return sizedPart(view, "list", start, 2);
    case 0xdd:
      return sizedPart(view, "list", start, 4);
    case 0xde:
      return sizedPart(view, "map", start, 2);
    case 0xdf:
      return sizedPart(view, "map", start, 4);
    default:
      return null;
  }
}

/** MessagePack's own numbers are big-endian. */
function sizedPart(view: DataView, kind: Part["kind"], at: number, width: 1 | 2 | 4): Part | null {
  if (at + width > view.byteLength) return null;
  const size = width === 1 ? view.getUint8(at) : width === 2 ? view.getUint16(at) : view.getUint32(at);
  return { kind, size, start: at + width };
}

function isText(bytes: Uint8Array): boolean {
  let bits = 0;
  for (let at = 0; at < bytes.length; at += 1) bits |= bytes[at]!;
  if (bits < 0x80) return true;
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Refuses what msgpackr would write as something else: a Map or a Date comes back as an object or a number. */
function checkWritable(value: MsgpackValue, depth: number): void {
  if (depth > MAX_DEPTH) throw invalid("A value to be written is nested too deeply.");
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw invalid("A text to be written holds half a surrogate pair.");
  } else if (Array.isArray(value)) {
    for (const item of value) checkWritable(item, depth + 1);
  } else if (typeof value === "object" && value !== null) {
    if (Object.prototype.toString.call(value) !== "[object Object]") {
      throw invalid("A value to be written holds an object of a class.");
    }
    for (const [key, item] of Object.entries(value)) {
      if (key === "__proto__" || !key.isWellFormed()) {
        throw invalid("A value to be written has a key that cannot be kept.");
      }
      checkWritable(item, depth + 1);
    }
  }
}
