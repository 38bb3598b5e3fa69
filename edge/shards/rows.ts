/** Rows of a shard's second tier: how documents and vectors lie in them. */
import type { PackedIds } from "../../shared/format/ids.ts";
import type { ShardFile } from "../../shared/format/shard.ts";
import { checksum } from "./checksum.ts";

/** Sections of a shard that are in memory while its tier is filled. */
export type FillSections = Pick<ShardFile, "meta" | "owners" | "scales" | "ids" | "idStarts" | "places">;

/** Documents of a row: some 500 bytes, of which a search that scores 600 of 50,000 documents wants one or two. */
export const DOCUMENTS_A_ROW = 16;

/** Bytes that a row of vectors is about: reading 600 took 4.2 ms with 2 KiB, 7 with 8 KiB, and rows of 1 KiB are twice as many to write. */
const ROW_BYTES = 2048;

/** Vectors of a row. */
export function vectorsPerRow(padded: number): number {
  return Math.max(1, Math.round(ROW_BYTES / (padded + 4)));
}

/** Documents of a row, read. */
export interface DocumentRow extends PackedIds {
  /** Block and record of each. */
  readonly places: Uint32Array<ArrayBuffer>;
  /** Scales of all their chunks. */
  readonly scales: Float32Array<ArrayBuffer>;
}

/** A checksum; then of each document its place; where its id starts, and where the last ends; scales of all chunks; ids. */
export function documentRow(shard: FillSections, row: number): Uint8Array<ArrayBuffer> {
  const first = row * DOCUMENTS_A_ROW;
  const end = Math.min(first + DOCUMENTS_A_ROW, shard.meta.documents);
  const count = end - first;
  const scales = shard.scales.subarray(shard.owners[first], shard.owners[end]);
  const ids = shard.ids.subarray(shard.idStarts[first], shard.idStarts[end]);
  const words = new Uint32Array(1 + 3 * count + 1 + scales.length + Math.ceil(ids.length / 4));
  words.set(shard.places.subarray(2 * first, 2 * end), 1);
  for (let i = 0; i <= count; i++)
    words[1 + 2 * count + i] = shard.idStarts[first + i]! - shard.idStarts[first]!;
  const bytes = new Uint8Array(words.buffer);
  new Float32Array(words.buffer).set(scales, 2 + 3 * count);
  bytes.set(ids, 4 * (2 + 3 * count + scales.length));
  words[0] = checksum(words, 1, words.length, row);
  return bytes;
}

/** A row of `count` documents with `chunks` chunks. Null where it is not as it was written. */
export function readDocumentRow(
  buffer: ArrayBuffer,
  row: number,
  count: number,
  chunks: number,
): DocumentRow | null {
  const fixed = 2 + 3 * count + chunks;
  if (buffer.byteLength % 4 !== 0 || buffer.byteLength < 4 * fixed) return null;
  const words = new Uint32Array(buffer);
  if (words[0] !== checksum(words, 1, words.length, row)) return null;
  return {
    places: words.subarray(1, 1 + 2 * count),
    idStarts: words.subarray(1 + 2 * count, 2 + 3 * count),
    scales: new Float32Array(buffer, 4 * (2 + 3 * count), chunks),
    ids: new Uint8Array(buffer, 4 * fixed),
  };
}
