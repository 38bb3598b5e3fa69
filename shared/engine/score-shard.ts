/**
 * One shard's candidates for a query. Pure but for the shard's work space: the same
 * query gives the same numbers, and a document's numbers do not depend on what else is
 * in its shard.
 */
import type { EncodedQuery } from "./encode-query.ts";
import type { LiveShard } from "./live-shards.ts";
import type { ResidentShard } from "./resident.ts";

/** How many documents each side proposes. */
export interface Pool {
  readonly dense: number;
  readonly sparse: number;
}

/**
 * The usual pool. The first pass only estimates, so it proposes twice what is needed: among
 * its best 400 hardly any of the exact ten best are missing (bench: `first-pass.missing`).
 */
export const NEAR_POOL: Pool = { dense: 400, sparse: 200 };
/** The pool for reading deep, down to `REQUEST_LIMITS.window`. */
export const FAR_POOL: Pool = { dense: 2000, sparse: 1000 };

/** Documents that one side proposes, ascending, with the score it proposes them for. */
export interface Proposal {
  readonly documents: Uint32Array<ArrayBuffer>;
  readonly scores: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

/** Documents that either side of a shard proposes, each scored on both sides. Entries of the arrays go together. */
export interface ShardCandidates {
  readonly shard: LiveShard;
  /** Document numbers in the shard, ascending. */
  readonly documents: Uint32Array<ArrayBuffer>;
  /** Cosine of the query and the document's best chunk, and which chunk that is. */
  readonly dense: Float64Array<ArrayBuffer>;
  readonly chunks: Uint32Array<ArrayBuffer>;
  /** Sum of query weight x impact, in stored units. */
  readonly sparse: Int32Array<ArrayBuffer>;
  /** What the first pass proposes, with its estimates of the cosine. */
  readonly byDense: Proposal;
  /** What the postings propose, with their sums. */
  readonly bySparse: Proposal;
  /** Documents with a sparse score above 0. */
  readonly matches: number;
}

/** The candidates of a shard for a query, none of them dead. Cost: one pass over the codes and over the postings of the query's terms. */
export function scoreShard(shard: LiveShard, query: EncodedQuery, pool: Pool): ShardCandidates {
  const scores = scanPostings(shard, query);
  let matches = 0;
  for (let document = 0; document < scores.length; document++) if (scores[document]! > 0) matches++;
  const { kernels, work, meta } = shard;
  const matched = takeRows(shard, (out) => kernels.topInts(work.scores, meta.documents, pool.sparse, out));
  const bySparse = { documents: matched, scores: Int32Array.from(matched, (document) => scores[document]!) };
  const byDense = scanCodes(shard, query, pool.dense);
  const documents = union(matched, byDense.documents);
  const sparse = Int32Array.from(documents, (document) => scores[document]!);
  return { shard, documents, sparse, byDense, bySparse, matches, ...rescore(shard, query, documents) };
}

/** Sparse sums of every document, in the shard's work space; 0 for the dead. */
function scanPostings(shard: LiveShard, query: EncodedQuery): Int32Array<ArrayBuffer> {
  const { kernels, meta, work } = shard;
  const scores = kernels.ints(work.scores, meta.documents).fill(0);
  const { terms, weights } = query.sparse;
  for (let i = 0; i < terms.length; i++) {
    const term = find(shard.terms, terms[i]!);
    if (term < 0) continue;
    const first = shard.starts[term]!;
    const count = shard.starts[term + 1]! - first;
    kernels.addPostings(
      shard.postingRows + 2 * first,
      shard.impacts + first,
      count,
      weights[i]!,
      work.scores,
    );
  }
  for (const document of shard.dead) scores[document] = 0;
  return scores;
}

/** First pass: estimates for all chunks, the best of each document's chunks, the best documents. */
function scanCodes(shard: LiveShard, query: EncodedQuery, wanted: number): Proposal {
  if (query.dense === null) return { documents: new Uint32Array(0), scores: new Float32Array(0) };
  const { kernels, meta, work, owners } = shard;
  const { planes, planeSum } = query.dense;
  kernels.bytes(work.planes, planes.length).set(planes);
  kernels.scanCodes(
    shard.codes,
    shard.factors,
    meta.chunks,
    meta.padded,
    work.planes,
    planeSum,
    work.estimates,
  );
  const estimates = kernels.floats(work.estimates, meta.chunks);
  if (meta.documents < meta.chunks) {
    // In place: a document's number never passes that of its first chunk.
    for (let document = 0; document < meta.documents; document++) {
      let best = Number.NEGATIVE_INFINITY;
      for (let chunk = owners[document]!; chunk < owners[document + 1]!; chunk++) {
        if (estimates[chunk]! > best) best = estimates[chunk]!;
      }
      estimates[document] = best;
    }
  }
  for (const document of shard.dead) estimates[document] = Number.NEGATIVE_INFINITY;
  const top = takeRows(shard, (out) => kernels.topFloats(work.estimates, meta.documents, wanted, out));
  // The dead come last, but they come where fewer live than are wanted.
  const documents =
    shard.dead.length === 0 ? top : top.filter((document) => estimates[document]! > Number.NEGATIVE_INFINITY);
  return { documents, scores: Float32Array.from(documents, (document) => estimates[document]!) };
}

/** Exact int8 scores of all chunks of these documents; the best chunk stands for its document, the earlier one on a tie. */
function rescore(
  shard: ResidentShard,
  query: EncodedQuery,
  documents: Uint32Array,
): Pick<ShardCandidates, "dense" | "chunks"> {
  const { kernels, meta, work, owners } = shard;
  const dense = new Float64Array(documents.length);
  const chunks = new Uint32Array(documents.length);
  for (let at = 0; at < documents.length; at++) chunks[at] = owners[documents[at]!]!;
  if (query.dense === null) return { dense, chunks };
  const rows = rowSpace(shard, meta.chunks);
  let count = 0;
  for (const document of documents) {
    for (let row = owners[document]!; row < owners[document + 1]!; row++) rows[count++] = row;
  }
  kernels.shorts(work.query, meta.padded).set(query.dense.values);
  kernels.dotRows(shard.vectors, work.rows, count, meta.padded, work.query, work.dots);
  const dots = kernels.ints(work.dots, count);
  for (let at = 0, i = 0; at < documents.length; at++) {
    const document = documents[at]!;
    dense[at] = Number.NEGATIVE_INFINITY;
    for (let row = owners[document]!; row < owners[document + 1]!; row++, i++) {
      const score = dots[i]! * (shard.scales[row]! * query.dense.scale);
      if (score > dense[at]!) {
        dense[at] = score;
        chunks[at] = row;
      }
    }
  }
  return { dense, chunks };
}

/** Two ascending lists as one. */
function union(a: Uint32Array, b: Uint32Array): Uint32Array<ArrayBuffer> {
  const merged = new Uint32Array(a.length + b.length);
  let count = 0;
  for (let i = 0, j = 0; i < a.length || j < b.length; count++) {
    const next = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY);
    if (a[i] === next) i++;
    if (b[j] === next) j++;
    merged[count] = next;
  }
  return merged.slice(0, count);
}

/** Lets a kernel fill the shard's list of rows, and copies it out. */
function takeRows(shard: ResidentShard, fill: (out: number) => number): Uint32Array<ArrayBuffer> {
  return rowSpace(shard, fill(shard.work.rows)).slice();
}

function rowSpace(shard: ResidentShard, count: number): Uint32Array<ArrayBuffer> {
  const ints = shard.kernels.ints(shard.work.rows, count);
  return new Uint32Array(ints.buffer, ints.byteOffset, count);
}

/** Place of a value in an ascending list, or -1. */
export function find(ascending: Uint32Array | Uint16Array, value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = ascending[middle]!;
    if (found === value) return middle;
    if (found < value) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
