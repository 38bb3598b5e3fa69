/** The dense side's first pass: estimates of the cosine from one bit a number, and the documents with the best of them. */
import { SCAN_BATCH } from "./codes.ts";
import type { DenseQuery, EncodedQuery } from "./encode-query.ts";
import type { LiveShard } from "./live-shards.ts";
import type { Proposal } from "./shard-contract.ts";
import { takeRows } from "./work-space.ts";

/** Documents seen, in multiples of those wanted, at which all but the best are forgotten. */
const CROWD = 4;

/**
 * The `wanted` best documents by their best chunk's estimate, of those that the query's clusters hold; none where
 * the query has no dense side. Cost: one pass over the codes of these clusters.
 */
export function proposeDense(shard: LiveShard, query: EncodedQuery, wanted: number): Proposal {
  if (query.dense === null || wanted === 0)
    return { documents: new Uint32Array(0), scores: new Float32Array(0) };
  const { kernels, meta, codes, work } = shard;
  const { planes, planeSum } = query.dense;
  kernels.bytes(work.planes, planes.length).set(planes);
  kernels.scanTables(work.planes, meta.padded, work.tables);
  let least = Number.NEGATIVE_INFINITY;
  let seen = 0;
  for (const [first, count] of batches(shard, query.dense)) {
    const { tables, estimates } = work;
    kernels.scanCodes(codes.codes, codes.factors, first, count, meta.padded, tables, planeSum, estimates);
    const documents = codes.documents + 2 * first;
    seen += kernels.scatterMax(estimates, documents, count, least, work.best, work.seen);
    if (seen <= CROWD * wanted) continue;
    const kept = takeBest(shard, wanted);
    // What is below the last of as many as are wanted is no document's way in any more.
    if (kept.documents.length === wanted) least = leastOf(kept);
    seen = putBack(shard, kept);
  }
  return takeBest(shard, wanted);
}

/** The codes to look at, a batch at a time: first and how many. */
function* batches(shard: LiveShard, query: DenseQuery): Iterable<readonly [number, number]> {
  for (const [start, end] of rangesOf(shard, query)) {
    for (let first = start; first < end; first += SCAN_BATCH)
      yield [first, Math.min(SCAN_BATCH, end - first)];
  }
}

/** Ranges of codes of the query's clusters; those of neighbours are one. */
function rangesOf({ meta, codes }: LiveShard, query: DenseQuery): readonly (readonly [number, number])[] {
  if (codes.clusters === null || query.clusters === null) return [[0, meta.chunks]];
  const ranges: [number, number][] = [];
  for (const cluster of query.clusters) {
    const [start, end] = [codes.clusters[cluster]!, codes.clusters[cluster + 1]!];
    const last = ranges[ranges.length - 1];
    if (last?.[1] === start) last[1] = end;
    else if (start < end) ranges.push([start, end]);
  }
  return ranges;
}

/** The best living documents of those seen, ties to the smaller number; none is seen afterwards. */
function takeBest(shard: LiveShard, wanted: number): Proposal {
  const { kernels, meta, work } = shard;
  const marks = kernels.ints(work.seen, Math.ceil(meta.documents / 32));
  for (const document of shard.dead) marks[document >> 5]! &= ~(1 << (document & 31));
  const found = kernels.gatherSeen(work.best, work.seen, meta.documents, work.found);
  const rows = takeRows(shard, (out) => kernels.topFloats(work.best, found, wanted, out));
  const numbers = kernels.shorts(work.found, found);
  const best = kernels.floats(work.best, found);
  const documents = new Uint32Array(rows.length);
  const scores = new Float32Array(rows.length);
  for (let at = 0; at < rows.length; at++) {
    documents[at] = numbers[rows[at]!]! & 0xffff;
    scores[at] = best[rows[at]!]!;
  }
  return { documents, scores };
}

function leastOf({ scores }: Proposal): number {
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < scores.length; at++) if (scores[at]! < least) least = scores[at]!;
  return least;
}

/** Has these documents seen again; says how many they are. */
function putBack({ kernels, meta, work }: LiveShard, { documents, scores }: Proposal): number {
  const best = kernels.floats(work.best, meta.documents);
  const marks = kernels.ints(work.seen, Math.ceil(meta.documents / 32));
  for (let at = 0; at < documents.length; at++) {
    const document = documents[at]!;
    best[document] = scores[at]!;
    marks[document >> 5]! |= 1 << (document & 31);
  }
  return documents.length;
}
