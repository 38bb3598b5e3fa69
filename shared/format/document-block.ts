/** Blocks of stored documents: deflated, a few dozen records each. docs/format.md section 8. */

import { DOCUMENT_LIMITS, MIB } from "../limits.ts";
import type { Fields, FieldValue, Passage } from "../types.ts";
import { bytesOf, checkStarts, invalid, uint32s } from "./bytes.ts";
import { type MsgpackValue, packValue, unpackValue } from "./msgpack.ts";
import { type Check, dictionary, integer, list, nullable, object, text } from "./shape.ts";

/** A document as it is kept for answers. */
export interface StoredDocument {
  readonly id: string;
  readonly fields: Fields;
  /** Its passages in the order of its chunks. */
  readonly passages: readonly Passage[];
}

/** One block, inflated. */
export interface DocumentBlock {
  readonly records: number;
  /** Bytes it holds in memory. */
  readonly bytes: number;
  /** Decodes one record. `format/invalid` for a number outside the block or a record of another shape. */
  record(index: number): StoredDocument;
  /** Bytes of a record that is there. */
  recordBytes(index: number): number;
}

/** Bytes of an inflated block: above this nothing is inflated, whatever a file promises. */
export const MAX_BLOCK_BYTES = 2 * MIB;

/** Passages of one document: as many as a shard has chunks. */
const MAX_PASSAGES = 65_536;

type StoredPassage = readonly [number, number, string | null, string | null];

const offset = integer(0, 0xffffffff);
const label = nullable(text(65_536));
const checkPassage: Check<StoredPassage> = (value, where) => {
  const parts = list<unknown>((item) => item, 4, 4)(value, where);
  const start = offset(parts[0], `${where}[0]`);
  const end = offset(parts[1], `${where}[1]`);
  if (end < start) throw invalid(`${where} ends before it starts.`);
  return [start, end, label(parts[2], `${where}[2]`), label(parts[3], `${where}[3]`)];
};
const checkField: Check<FieldValue> = (value, where) =>
  Array.isArray(value)
    ? list(checkScalar, MAX_BLOCK_BYTES)(value, where)
    : value === null
      ? null
      : checkScalar(value, where);
const checkRecord = object<{ id: string; fields: Fields; passages: readonly StoredPassage[] }>({
  id: text(DOCUMENT_LIMITS.idBytes, 1),
  fields: dictionary(checkField, DOCUMENT_LIMITS.fields),
  passages: list(checkPassage, MAX_PASSAGES),
});

/** A document as the bytes of a record. Throws `format/invalid` for what `record` would refuse. */
export function encodeRecord(document: StoredDocument): Uint8Array<ArrayBuffer> {
  const passages = document.passages.map(
    ({ start, end, heading, anchor }): StoredPassage => [start, end, heading ?? null, anchor ?? null],
  );
  const record = { id: document.id, fields: document.fields, passages };
  checkRecord(record, "document");
  return packValue(record satisfies MsgpackValue);
}

/** Bytes that a block of these records takes before compression. */
export function blockBytes(records: number, recordBytes: number): number {
  return 4 + 4 * (records + 1) + recordBytes;
}

/** Records as a block: their number, where each begins (from the block's start) and the end, then the records. */
export function encodeBlock(records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const header = new Uint32Array(records.length + 2);
  header[0] = records.length;
  let end = header.byteLength;
  records.forEach((record, at) => {
    header[at + 1] = end;
    end += record.length;
  });
  header[records.length + 1] = end;
  const block = new Uint8Array(end);
  block.set(bytesOf(header));
  records.forEach((record, at) => {
    block.set(record, header[at + 1]!);
  });
  return block;
}

/** A block by raw deflate. The bytes depend on the runtime's compressor: only what they inflate to is prescribed. */
export async function deflateBlock(block: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([block]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * Inflates a block of `rawBytes` bytes. Throws `format/invalid` when it is longer, shorter,
 * above 2 MiB or not deflate; memory never passes `rawBytes` and one chunk of the inflater.
 */
export async function inflateBlock(
  compressed: Uint8Array<ArrayBuffer>,
  rawBytes: number,
): Promise<DocumentBlock> {
  if (rawBytes > MAX_BLOCK_BYTES) throw invalid(`A document block of ${rawBytes} bytes is above 2 MiB.`);
  const raw = new Uint8Array(rawBytes);
  const reader = new Blob([compressed])
    .stream()
    .pipeThrough(new DecompressionStream("deflate-raw"))
    .getReader();
  let filled = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw invalid("A document block cannot be inflated.", error);
    });
    if (done) break;
    if (value.length > rawBytes - filled) {
      await reader.cancel().catch(() => undefined);
      throw invalid(`A document block inflates to more than its ${rawBytes} bytes.`);
    }
    raw.set(value, filled);
    filled += value.length;
  }
  if (filled !== rawBytes) throw invalid(`A document block inflates to ${filled} bytes, not ${rawBytes}.`);
  return readBlock(raw);
}

function readBlock(raw: Uint8Array<ArrayBuffer>): DocumentBlock {
  if (raw.length < 8) throw invalid("A document block is shorter than its header.");
  const records = uint32s(raw.subarray(0, 4), 1, "document block")[0]!;
  const headerBytes = blockBytes(records, 0);
  if (records === 0) throw invalid("A document block holds no records.");
  if (headerBytes > raw.length) throw invalid(`A document block cannot hold ${records} records.`);
  const ends = uint32s(raw.slice(4, headerBytes), records + 1, "document block").map(
    (at) => at - headerBytes,
  );
  checkStarts(ends, raw.length - headerBytes, "document block offsets");
  return {
    records,
    bytes: raw.length,
    record(index) {
      const start = ends[index];
      const end = ends[index + 1];
      if (start === undefined || end === undefined) {
        throw invalid(`A document block of ${records} records has no record ${index}.`);
      }
      return decodeRecord(raw.subarray(headerBytes + start, headerBytes + end));
    },
    recordBytes: (index) => ends[index + 1]! - ends[index]!,
  };
}

function decodeRecord(bytes: Uint8Array): StoredDocument {
  const { id, fields, passages } = checkRecord(unpackValue(bytes, "document"), "document");
  return {
    id,
    fields,
    passages: passages.map(([start, end, heading, anchor]) => ({
      start,
      end,
      ...(heading === null ? {} : { heading }),
      ...(anchor === null ? {} : { anchor }),
    })),
  };
}

function checkScalar(value: unknown, where: string): string | number | boolean {
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return value;
  if (typeof value === "string" && value.isWellFormed()) return value;
  throw invalid(`${where} must be text, a finite number, true or false.`);
}
