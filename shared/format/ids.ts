/** Document ids of a shard: UTF-8 back to back, in ascending order of their bytes, which is that of code points. */

import { LightedgeError } from "../errors.ts";
import { DOCUMENT_LIMITS } from "../limits.ts";
import { invalid } from "./bytes.ts";

/** A list of ids as two arrays. */
export interface PackedIds {
  readonly ids: Uint8Array<ArrayBuffer>;
  /** One entry more than there are ids: first byte of each, then the end. */
  readonly idStarts: Uint32Array<ArrayBuffer>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Packs ids, which must be in ascending order by code point (`compareIds`). Checked when the shard is written. */
export function packIds(ids: readonly string[]): PackedIds {
  const encoded = ids.map((id) => encoder.encode(id));
  const idStarts = new Uint32Array(ids.length + 1);
  encoded.forEach((bytes, at) => {
    idStarts[at + 1] = idStarts[at]! + bytes.length;
  });
  const packed = new Uint8Array(idStarts[ids.length]!);
  encoded.forEach((bytes, at) => {
    packed.set(bytes, idStarts[at]!);
  });
  return { ids: packed, idStarts };
}

/** The id of a document. `internal` for a number that is none of the shard's. */
export function idAt({ ids, idStarts }: PackedIds, document: number): string {
  const start = idStarts[document];
  const end = idStarts[document + 1];
  if (start === undefined || end === undefined) {
    throw new LightedgeError("internal", `There is no document ${document} in this shard.`);
  }
  return decoder.decode(ids.subarray(start, end));
}

/** The number of the document with this id, or -1. Cost: log2 of the documents. */
export function findId(packed: PackedIds, id: string): number {
  const at = idsBelow(packed, id);
  if (at + 1 >= packed.idStarts.length) return -1;
  return compareBytes(slice(packed, at), encoder.encode(id)) === 0 ? at : -1;
}

/** How many of the ids are below this one. Cost: log2 of the documents. */
export function idsBelow(packed: PackedIds, id: string): number {
  const wanted = encoder.encode(id);
  let low = 0;
  let high = packed.idStarts.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(slice(packed, middle), wanted) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Order of two ids by code point: negative, 0 or positive. JavaScript's own `<` goes by UTF-16 unit and differs past U+FFFF. */
export function compareIds(a: string, b: string): number {
  return compareBytes(encoder.encode(a), encoder.encode(b));
}

/** Throws `format/invalid` unless the ids are valid UTF-8, 1 to 512 bytes each, strictly ascending. `what` names them. */
export function checkIds(packed: PackedIds, what = "shard section ids"): void {
  try {
    decoder.decode(packed.ids);
  } catch (error) {
    throw invalid(`${what} is not valid UTF-8.`, error);
  }
  for (let at = 0; at + 1 < packed.idStarts.length; at += 1) {
    const id = slice(packed, at);
    if (id.length === 0 || id.length > DOCUMENT_LIMITS.idBytes) {
      throw invalid(`${what}: id ${at} has ${id.length} bytes; 1 to ${DOCUMENT_LIMITS.idBytes} are allowed.`);
    }
    // The whole is valid, so only a boundary inside a character could make a part invalid.
    if ((id[0]! & 0xc0) === 0x80) throw invalid(`${what}: id ${at} begins inside a character.`);
    if (at > 0 && compareBytes(slice(packed, at - 1), id) >= 0) {
      throw invalid(`${what}: id ${at} is not above the one before.`);
    }
  }
}

/** `compareIds` of two documents' ids where they lie. */
export function compareIdsAt(a: PackedIds, at: number, b: PackedIds, bt: number): number {
  return compareBytes(slice(a, at), slice(b, bt));
}

function slice({ ids, idStarts }: PackedIds, at: number): Uint8Array {
  return ids.subarray(idStarts[at], idStarts[at + 1]);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at += 1) {
    if (a[at] !== b[at]) return a[at]! - b[at]!;
  }
  return a.length - b.length;
}
