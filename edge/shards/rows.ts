/**
 * Rows of a shard's second tier: some chunks that follow each other, and of a document that begins with one of them where its
 * record lies, and its id. Whoever has read a document's vectors has read all that a ranking needs of it.
 *
 * A row is words of 32 bits: a checksum of all others; for each chunk `CHUNK_WORDS` and its vector; then the ids, one behind the
 * other and filled up with zeros. So what is read of a document lies together, but for its id.
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
/** Bytes of a chunk beside its vector: its words, and an id that is not short. */
const FACTS_BYTES = 48;
/** Words of a row before its chunks. */
const HEAD_WORDS = 1;
/**
 * Words of a chunk before its vector: its scale; block and record of the document that begins with it; where that one's id
 * begins and ends among the ids, 16 bits each. All but the scale are 0 where no document begins.
 */
export const CHUNK_WORDS = 4;

/** Chunks of a row. */
export function chunksPerRow(padded: number): number {
  return Math.max(1, Math.floor(ROW_BYTES / (padded + FACTS_BYTES)));
}

/** Rows of a shard. */
export function rowsOf({ padded, chunks }: ShardMeta): number {
  return Math.ceil(chunks / chunksPerRow(padded));
}

/** Where in a row its chunk with this number begins; behind the last, its ids. In words. */
export function chunkAt(number: number, padded: number): number {
  return HEAD_WORDS + number * (CHUNK_WORDS + padded / 4);
}

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
  const { padded } = meta;
  const perRow = chunksPerRow(padded);
  const first = row * perRow;
  const chunks = Math.min(perRow, meta.chunks - first);
  const from = firstDocument(owners, first);
  const to = firstDocument(owners, first + chunks);
  const own = ids.subarray(idStarts[from], idStarts[to]);
  const idsAt = chunkAt(chunks, padded);
  const space = spaceOf(new ArrayBuffer(4 * (idsAt + Math.ceil(own.length / 4))));
  for (let chunk = 0; chunk < chunks; chunk++) space.floats[chunkAt(chunk, padded)] = scales[first + chunk]!;
  for (let document = from; document < to; document++) {
    const at = chunkAt(owners[document]! - first, padded);
    const [idStart, idEnd] = [document, document + 1].map((each) => idStarts[each]! - idStarts[from]!);
    space.words.set([places[2 * document]!, places[2 * document + 1]!, idStart! | (idEnd! << 16)], at + 1);
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
  if (words.length < chunkAt(own, padded)) return null;
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
