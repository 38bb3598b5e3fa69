/**
 * What of a shard is read only for the documents that are scored: int8 vectors with their scales, ids, and where
 * records lie. In memory beside the rest, or outside it, where the few that a query needs are fetched.
 */
import { findId, type PackedIds } from "../format/ids.ts";
import type { ShardFile } from "../format/shard.ts";
import type { Kernels, Pointer } from "../kernels/kernels.ts";

/** Chunks of documents, document after document, each with the scale of its vector and a dot product. */
export interface ColdScores {
  /** The integer dot product of the query and the int8 vector. */
  readonly dots: Int32Array;
  readonly scales: Float32Array;
}

/** What a ranking and its answer need of documents. */
export interface ColdFacts extends PackedIds {
  /** Block and record of each in the documents file: two numbers a document. */
  readonly places: Uint32Array<ArrayBuffer>;
}

/** A vector as it is stored: number = int8 x scale. */
export interface ColdVector {
  readonly values: Int8Array<ArrayBuffer>;
  readonly scale: number;
}

/** The cold sections of one shard. Documents are numbers of it, ascending; `owners` of the shard says which chunks are theirs. */
export interface ColdSections {
  /** All chunks of these documents against a query of `padded` values within +-2047. The arrays are valid until the next call. */
  score(documents: Uint32Array, query: Int16Array): ColdScores;
  facts(documents: Uint32Array): ColdFacts;
  /** The vector of a chunk by its number in the shard. */
  vector(chunk: number): ColdVector;
  /** The number of the document with this id, or -1. Cost: log2 of the documents. */
  find(id: string): number;
  /** Bytes of memory beside that of the kernels. */
  readonly bytes: number;
}

/** Where cold sections lie in memory. */
export interface ColdInMemory
  extends Pick<ShardFile, "meta" | "owners" | "scales" | "ids" | "idStarts" | "places"> {
  readonly kernels: Kernels;
  readonly vectors: Pointer;
  /** Space for a list of all chunks, their dots, and a query. */
  readonly work: { readonly rows: Pointer; readonly dots: Pointer; readonly query: Pointer };
}

/** Cold sections in memory. */
export function coldInMemory(shard: ColdInMemory): ColdSections {
  const { kernels, meta, vectors, work } = shard;
  return {
    score(documents, query) {
      const { rows, scales } = rowsOf(shard, documents);
      kernels.shorts(work.query, meta.padded).set(query);
      kernels.dotRows(vectors, work.rows, rows, meta.padded, work.query, work.dots);
      return { dots: kernels.ints(work.dots, rows), scales };
    },
    facts: (documents) => ({ places: placesOf(shard, documents), ...idsOf(shard, documents) }),
    vector: (chunk) => ({
      values: new Int8Array(kernels.bytes(vectors + chunk * meta.padded, meta.padded)).slice(),
      scale: shard.scales[chunk]!,
    }),
    find: (id) => findId(shard, id),
    bytes:
      shard.scales.byteLength + shard.ids.byteLength + shard.idStarts.byteLength + shard.places.byteLength,
  };
}

/** Puts the numbers of all chunks of these documents into the shard's list of rows. */
function rowsOf({ kernels, owners, scales, work }: ColdInMemory, documents: Uint32Array) {
  let count = 0;
  for (const document of documents) count += owners[document + 1]! - owners[document]!;
  const ints = kernels.ints(work.rows, count);
  const found = new Float32Array(count);
  let at = 0;
  for (const document of documents) {
    for (let row = owners[document]!; row < owners[document + 1]!; row++, at++) {
      ints[at] = row;
      found[at] = scales[row]!;
    }
  }
  return { rows: count, scales: found };
}

function placesOf({ places }: ColdInMemory, documents: Uint32Array): Uint32Array<ArrayBuffer> {
  const found = new Uint32Array(2 * documents.length);
  for (let at = 0; at < documents.length; at++) {
    found[2 * at] = places[2 * documents[at]!]!;
    found[2 * at + 1] = places[2 * documents[at]! + 1]!;
  }
  return found;
}

function idsOf({ ids, idStarts }: PackedIds, documents: Uint32Array): PackedIds {
  const starts = new Uint32Array(documents.length + 1);
  for (let at = 0; at < documents.length; at++) {
    const document = documents[at]!;
    starts[at + 1] = starts[at]! + idStarts[document + 1]! - idStarts[document]!;
  }
  const copied = new Uint8Array(starts[documents.length]!);
  // Byte by byte: an id is shorter than the time it takes to make a view of it.
  for (let at = 0, to = 0; at < documents.length; at++) {
    const document = documents[at]!;
    for (let from = idStarts[document]!; from < idStarts[document + 1]!; from++) copied[to++] = ids[from]!;
  }
  return { ids: copied, idStarts: starts };
}
