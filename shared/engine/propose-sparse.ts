/** The sparse side: sums of query weight x impact over the postings of the query's terms. */
import { REQUEST_LIMITS } from "../limits.ts";
import type { EncodedQuery } from "./encoded-query.ts";
import type { LiveShard } from "./live-shard.ts";
import { putDead, putRecords } from "./postings.ts";
import type { ResidentShard } from "./resident.ts";
import type { Proposal } from "./shard-contract.ts";

/**
 * The `wanted` documents with the greatest sums, `FAR_POOL.sparse` at most, none below `least`, and how many have one
 * above 0, exact up to `REQUEST_LIMITS.window`. Cost: a look at each block of 256 documents, and the postings of those that can
 * hold one of the best.
 */
export function proposeSparse(
  shard: Pick<LiveShard, "kernels" | "meta" | "postings" | "dead">,
  { sparse: { terms, weights } }: EncodedQuery,
  wanted: number,
  least = 1,
): { readonly proposal: Proposal; readonly matches: number } {
  const { kernels, meta, postings } = shard;
  const { records, top, places } = postings;
  const lists = putRecords(kernels, postings, terms, weights);
  const dead = putDead(kernels, postings, meta.documents, shard.dead);
  const most = Math.min(wanted, meta.documents);
  const count = kernels.topPostings(records, lists, meta.documents, dead, least, most, top, places);
  const documents = Uint32Array.from(kernels.ints(top, count));
  const scores = kernels.ints(top + 4 * places, count).slice();
  const matches = kernels.countPostings(records, lists, meta.documents, dead, REQUEST_LIMITS.window);
  return { proposal: { documents, scores }, matches };
}

/** The sums of these documents, ascending numbers of the shard. Cost: for each term and document a few steps. */
export function sparseScores(
  { kernels, meta, postings }: Pick<ResidentShard, "kernels" | "meta" | "postings">,
  { sparse: { terms, weights } }: Pick<EncodedQuery, "sparse">,
  documents: Uint32Array,
): Int32Array<ArrayBuffer> {
  const { records, top, places } = postings;
  const sums = new Int32Array(documents.length);
  const lists = putRecords(kernels, postings, terms, weights);
  for (let first = 0; first < documents.length; first += places) {
    const some = documents.subarray(first, first + places);
    kernels.ints(top, some.length).set(some);
    kernels.sumPostings(records, lists, meta.documents, top, some.length, top + 4 * places);
    sums.set(kernels.ints(top + 4 * places, some.length), first);
  }
  return sums;
}

/** The stored impact of a token in a document, 0 where it has none. Cost: that of one sum. */
export function impactOf(
  shard: Pick<ResidentShard, "kernels" | "meta" | "postings">,
  document: number,
  id: number,
): number {
  const sparse = { terms: [id], weights: [1], scale: 1 };
  return sparseScores(shard, { sparse }, Uint32Array.of(document))[0]!;
}
