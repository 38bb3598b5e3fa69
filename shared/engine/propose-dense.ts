/** The dense side's first pass: estimates of the cosine from one bit a number, and the documents with the best of them. */
import { SCAN_BATCH } from "./codes.ts";
import type { DenseQuery, EncodedQuery } from "./encoded-query.ts";
import type { LiveShard } from "./live-shard.ts";
import type { Proposal } from "./shard-contract.ts";
import { takeRows } from "./work-space.ts";

/** Estimates that a guess is made from. */
const GUESS_FROM = 1024;

/** Codes `[first, end)`. */
type Range = readonly [first: number, end: number];

/**
 * The `wanted` best documents by their best chunk's estimate, of those that the query's clusters hold and that reach
 * `least`; none where the query has no dense side. Cost: one pass over the codes of these clusters.
 */
export function proposeDense(
  shard: LiveShard,
  query: EncodedQuery,
  wanted: number,
  least = Number.NEGATIVE_INFINITY,
): Proposal {
  if (query.dense === null || wanted === 0)
    return { documents: new Uint32Array(0), scores: new Float32Array(0) };
  const { kernels, meta, work } = shard;
  const { planes, planeSum } = query.dense;
  kernels.bytes(work.planes, planes.length).set(planes);
  kernels.scanTables(work.planes, meta.padded, work.tables);
  const ranges = rangesOf(shard, query.dense);
  const asked = { wanted, least };
  // A bound that another shard has set is better than a guess.
  const guess = least === Number.NEGATIVE_INFINITY;
  return scan(shard, ranges, planeSum, { ...asked, guess }) ?? scan(shard, ranges, planeSum, asked)!;
}

/** Ranges of codes of the query's clusters, in their order; those of neighbours are one. */
function rangesOf({ meta, codes }: LiveShard, query: DenseQuery): readonly Range[] {
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

/**
 * The best documents of these codes. With `guess`, estimates that the first batch says are too low are not looked at
 * any further; null where too few documents were left by that, which is when documents have many chunks, or are dead.
 */
function scan(
  shard: LiveShard,
  ranges: readonly Range[],
  planeSum: number,
  { wanted, least: asked, guess = false }: { wanted: number; least: number; guess?: boolean },
): Proposal | null {
  const { kernels, meta, codes, work } = shard;
  let guessed: number | null = guess ? null : Number.NEGATIVE_INFINITY;
  for (const batch of batches(ranges)) {
    let at = work.estimates;
    for (const [first, end] of batch) {
      const { padded } = meta;
      kernels.scanCodes(codes.codes, codes.factors, first, end - first, padded, work.tables, planeSum, at);
      at += 4 * (end - first);
    }
    guessed ??= guessLeast(shard, (at - work.estimates) / 4, wanted, ranges.length === 1);
    const least = Math.max(asked, guessed);
    at = work.estimates;
    for (const [first, end] of batch) {
      kernels.scatterMax(at, codes.documents + 2 * first, end - first, least, work.best, work.seen);
      at += 4 * (end - first);
    }
  }
  const found = takeBest(shard, wanted);
  return guess && guessed !== null && guessed > asked && found.documents.length < wanted ? null : found;
}

/** The ranges cut and gathered into batches of at most `SCAN_BATCH` codes. */
function* batches(ranges: readonly Range[]): Iterable<readonly Range[]> {
  let batch: Range[] = [];
  let room = SCAN_BATCH;
  for (const [start, end] of ranges) {
    for (let first = start; first < end; ) {
      const next = Math.min(end, first + room);
      batch.push([first, next]);
      room -= next - first;
      first = next;
      if (room > 0) continue;
      yield batch;
      batch = [];
      room = SCAN_BATCH;
    }
  }
  if (batch.length > 0) yield batch;
}

/**
 * An estimate that as many documents as are wanted should reach, going by how many chunks a document has. Of clusters the
 * nearest come first, so that there is little better behind the first batch; of all codes it is a sample.
 */
function guessLeast(
  { kernels, meta, work }: LiveShard,
  count: number,
  wanted: number,
  isSample: boolean,
): number {
  const share = isSample ? Math.min(1, (2 * count) / meta.chunks) : 1;
  const step = Math.max(1, Math.floor(count / GUESS_FROM));
  const taken = Math.floor(count / step);
  const chunks = Math.ceil((share * wanted * Math.ceil(meta.chunks / meta.documents)) / step);
  if (2 * chunks > taken || taken > meta.documents) return Number.NEGATIVE_INFINITY;
  // Nothing is in `best` yet.
  const estimates = kernels.floats(work.estimates, count);
  const sample = kernels.floats(work.best, taken);
  for (let at = 0; at < taken; at++) sample[at] = estimates[at * step]!;
  const found = kernels.topFloats(work.best, taken, chunks, work.rows);
  const rows = kernels.ints(work.rows, found);
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < found; at++) least = Math.min(least, sample[rows[at]!]!);
  return least;
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
