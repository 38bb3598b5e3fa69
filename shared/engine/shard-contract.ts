/**
 * What one shard answers, wherever it lives: in this isolate's memory or in a Durable Object. A search is
 * four steps over these calls. Each shard proposes; the proposals of all are cut to a pool's size over the
 * whole index (`cut.ts`); what is left is scored exactly; the scores are fused. So the answer is the same to the bit
 * for any number of shards, and few documents are scored however many shards there are.
 */
import type { Place } from "../format/documents.ts";
import type { PackedIds } from "../format/ids.ts";
import type { EncodedQuery } from "./encoded-query.ts";

/** How many documents each side proposes, or another number for each side. */
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

/** What every estimate reaches, and every sum above 0. */
export const NO_LEAST: Pool = { dense: Number.NEGATIVE_INFINITY, sparse: 1 };

/** Documents that one side proposes, ascending by number in the shard, with the score it proposes them for. */
export interface Proposal {
  readonly documents: Uint32Array<ArrayBuffer>;
  /** Dense: estimates of the cosine, f32. Sparse: sums of weight x impact in stored units, above 0. */
  readonly scores: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

/** What a shard proposes for a query: its best by each side, none of them dead, ties to the smaller id. */
export interface ShardProposals {
  readonly dense: Proposal;
  readonly sparse: Proposal;
  /** Documents with a sparse score above 0; beyond `REQUEST_LIMITS.window` any number above it, since nobody pages further. */
  readonly matches: number;
  /** Documents that are not dead. */
  readonly living: number;
  /** What the shard's impacts were multiplied by; the same for all shards of a version. */
  readonly impactScale: number;
}

/** Documents of a shard with both scores and all that a ranking and its answer need of them. Entries go together. */
export interface ScoredDocuments extends PackedIds {
  /** As they were asked for, ascending. */
  readonly documents: Uint32Array<ArrayBuffer>;
  /** Cosine of the query and the document's best chunk, and the place of that chunk among the document's own. */
  readonly dense: Float64Array<ArrayBuffer>;
  readonly chunks: Uint32Array<ArrayBuffer>;
  /** Sum of query weight x impact, in stored units. */
  readonly sparse: Int32Array<ArrayBuffer>;
  /** Block and record of each in the shard's documents file: two numbers a document. */
  readonly places: Uint32Array<ArrayBuffer>;
}

/** What an explanation is computed from. n documents, T terms, P padded numbers. */
export interface ShardEvidence {
  /** n x P: the chunk's int8 vector; number = int8 x scale. */
  readonly vectors: Int8Array<ArrayBuffer>;
  readonly scales: Float32Array<ArrayBuffer>;
  /** n x T: stored impact of each term in each document, 0 where it has none. */
  readonly impacts: Uint8Array<ArrayBuffer>;
  /** As in `ShardProposals`. */
  readonly impactScale: number;
}

/** A chunk by its document's number in the shard and its place among the document's chunks. */
export interface ChunkPlace {
  readonly document: number;
  readonly chunk: number;
}

/** A shard in memory, or what answers for one elsewhere within its own isolate. No call waits, and none keeps anything for the next. */
export interface SearchableShard {
  /**
   * The best `pool` documents of each side, of those that reach `least` on it; `NO_LEAST` when absent. Cost: a pass over the codes of the query's clusters and over what postings cannot be skipped.
   */
  propose(query: EncodedQuery, pool: Pool, least?: Pool): ShardProposals;
  /** These documents' scores, ascending numbers of this shard that live. Cost: a few hundred int8 products. */
  score(query: EncodedQuery, documents: Uint32Array<ArrayBuffer>): ScoredDocuments;
  /** The numbers behind these chunks' scores, for these token ids in any order. */
  evidence(chunks: readonly ChunkPlace[], terms: readonly number[]): ShardEvidence;
  /** Where the living document with this id lies in the documents file, or null. Cost: log2 of the documents. */
  locate(id: string): Place | null;
}
