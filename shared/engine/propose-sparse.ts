/** The sparse side: sums of query weight x impact over the postings of the query's terms. */
import { find } from "./cut.ts";
import type { EncodedQuery } from "./encode-query.ts";
import type { LiveShard } from "./live-shards.ts";
import type { ResidentShard } from "./resident.ts";
import type { Proposal } from "./shard-contract.ts";
import { takeRows } from "./work-space.ts";

/** The `wanted` documents with the greatest sums above 0, and how many have one. Cost: one pass over the postings of the query's terms. */
export function proposeSparse(
  shard: LiveShard,
  query: EncodedQuery,
  wanted: number,
): { readonly proposal: Proposal; readonly matches: number } {
  const { kernels, meta, work } = shard;
  const scores = kernels.ints(work.scores, meta.documents).fill(0);
  forEachTerm(shard, query, (first, count, weight) => {
    kernels.addPostings(shard.postingRows + 2 * first, shard.impacts + first, count, weight, work.scores);
  });
  for (const document of shard.dead) scores[document] = 0;
  let matches = 0;
  for (let document = 0; document < scores.length; document++) if (scores[document]! > 0) matches++;
  const documents = takeRows(shard, (out) => kernels.topInts(work.scores, meta.documents, wanted, out));
  const proposal = { documents, scores: Int32Array.from(documents, (document) => scores[document]!) };
  return { proposal, matches };
}

/** The sums of these documents, ascending numbers of the shard. Cost: for each term the lesser of its postings and a search for each document. */
export function sparseScores(
  shard: ResidentShard,
  query: EncodedQuery,
  documents: Uint32Array,
): Int32Array<ArrayBuffer> {
  const sums = new Int32Array(documents.length);
  forEachTerm(shard, query, (first, count, weight) => {
    const { rows, impacts } = postingsAt(shard, first, count);
    let at = 0;
    for (let i = 0; i < documents.length && at < count; i++) {
      at = gallop(rows, at, documents[i]!);
      if (rows[at] === documents[i]) sums[i]! += weight * impacts[at]!;
    }
  });
  return sums;
}

/** The stored impact of a token in a document, 0 where it has none. Cost: two binary searches. */
export function impactOf(shard: ResidentShard, document: number, id: number): number {
  const term = find(shard.terms, id);
  if (term < 0) return 0;
  const first = shard.starts[term]!;
  const { rows, impacts } = postingsAt(shard, first, shard.starts[term + 1]! - first);
  const at = find(rows, document);
  return at < 0 ? 0 : impacts[at]!;
}

function forEachTerm(
  shard: ResidentShard,
  { sparse: { terms, weights } }: EncodedQuery,
  visit: (first: number, count: number, weight: number) => void,
): void {
  for (let i = 0; i < terms.length; i++) {
    const term = find(shard.terms, terms[i]!);
    if (term < 0) continue;
    const first = shard.starts[term]!;
    visit(first, shard.starts[term + 1]! - first, weights[i]!);
  }
}

function postingsAt(shard: ResidentShard, first: number, count: number) {
  const shorts = shard.kernels.shorts(shard.postingRows + 2 * first, count);
  return {
    rows: new Uint16Array(shorts.buffer, shorts.byteOffset, count),
    impacts: shard.kernels.bytes(shard.impacts + first, count),
  };
}

/** The first place from `at` on whose value is not below this one: steps that double, then bisection. */
function gallop(ascending: Uint16Array, at: number, value: number): number {
  let step = 1;
  let low = at;
  while (low + step < ascending.length && ascending[low + step]! < value) {
    low += step;
    step *= 2;
  }
  let high = Math.min(low + step, ascending.length);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
