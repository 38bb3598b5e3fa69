/**
 * Rows of a shard's second tier: some chunks that follow each other, each with its vector and scale, and of the documents
 * that begin with one of them where their records lie, and their ids. Whoever has read a document's vectors has read all
 * that a ranking needs of it.
 *
 * A row is words of 32 bits: a checksum of all others; how many documents begin in it; a scale for each of its chunks; their
 * vectors; for each of these documents its block, its record, and where its id ends; then the ids, filled up with zeros.
 */
import type { ShardFile, ShardMeta } from "../../shared/format/shard.ts";
import { checksum } from "./checksum.ts";

/** What of a shard goes into rows beside vectors. */
export type RowFacts = Pick<ShardFile, "meta" | "owners" | "scales" | "ids" | "idStarts" | "places">;

/**
 * Bytes that a row is about: SQLite keeps pages of 4 KiB, so that a row which has one to itself is read as fast as one of
 * half of that, and half as many are written. Of 8 KiB, 600 take nearly twice the time.
 */
const ROW_BYTES = 4000;
/** Bytes of a chunk beside its vector: a scale, three words of its document, and an id that is not short. */
const FACTS_BYTES = 48;
/** Words before the scales, and words for each document before its id. */
const HEAD_WORDS = 2;
/** Words that a row has for each document that begins in it. */
export const DOCUMENT_WORDS = 3;

/** Chunks of a row. */
export function chunksPerRow(padded: number): number {
  return Math.max(1, Math.floor(ROW_BYTES / (padded + FACTS_BYTES)));
}

/** Rows of a shard. */
export function rowsOf({ padded, chunks }: ShardMeta): number {
  return Math.ceil(chunks / chunksPerRow(padded));
}

/** Words of a row of so many chunks that lie before its scales, its vectors and its documents. */
export const scalesAt = HEAD_WORDS;
export const vectorsAt = (chunks: number) => HEAD_WORDS + chunks;
export const documentsAt = (chunks: number, padded: number) => HEAD_WORDS + chunks + (chunks * padded) / 4;

/** Memory that rows lie in, seen in three ways. */
export interface RowSpace {
  readonly words: Uint32Array<ArrayBuffer>;
  readonly floats: Float32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** All of a buffer, whose length is a multiple of 4. */
export function spaceOf(buffer: ArrayBuffer): RowSpace {
  return {
    words: new Uint32Array(buffer),
    floats: new Float32Array(buffer),
    bytes: new Uint8Array(buffer),
  };
}

/** A row without its vectors, to be sealed when they are there. */
export function beginRow(facts: RowFacts, row: number): RowSpace {
  const { meta, owners, scales, ids, idStarts, places } = facts;
  const perRow = chunksPerRow(meta.padded);
  const first = row * perRow;
  const chunks = Math.min(perRow, meta.chunks - first);
  const from = firstDocument(owners, first);
  const to = firstDocument(owners, first + chunks);
  const own = ids.subarray(idStarts[from], idStarts[to]);
  const documents = documentsAt(chunks, meta.padded);
  const idsAt = documents + DOCUMENT_WORDS * (to - from);
  const space = spaceOf(new ArrayBuffer(4 * (idsAt + Math.ceil(own.length / 4))));
  space.words[1] = to - from;
  space.floats.set(scales.subarray(first, first + chunks), scalesAt);
  for (let document = from; document < to; document++) {
    const block = places[2 * document]!;
    const record = places[2 * document + 1]!;
    const idEnd = idStarts[document + 1]! - idStarts[from]!;
    space.words.set([block, record, idEnd], documents + DOCUMENT_WORDS * (document - from));
  }
  space.bytes.set(own, 4 * idsAt);
  return space;
}

/** Puts the checksum of a row that is whole. */
export function sealRow({ words }: RowSpace, row: number): void {
  words[0] = checksum(words, 1, words.length, row);
}

/** A row as it was sealed; null where it is not, or is another. */
export function openRow(buffer: ArrayBuffer, { padded, chunks }: ShardMeta, row: number): RowSpace | null {
  if (buffer.byteLength % 4 !== 0) return null;
  const space = spaceOf(buffer);
  const { words } = space;
  const own = Math.min(chunksPerRow(padded), chunks - row * chunksPerRow(padded));
  if (words.length < documentsAt(own, padded) + DOCUMENT_WORDS * (words[1] ?? 0)) return null;
  return words[0] === checksum(words, 1, words.length, row) ? space : null;
}

/** The first document that begins with this chunk or one behind it. */
function firstDocument(owners: Uint32Array, chunk: number): number {
  let low = 0;
  let high = owners.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (owners[middle]! < chunk) low = middle + 1;
    else high = middle;
  }
  return low;
}
