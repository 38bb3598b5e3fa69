/**
 * All documents scored in full precision, one after the other: what the engine is held against.
 * Slow, simple, and sharing none of its code.
 */

import {
  bagOf,
  type CollectionStatistics,
  impactsOf,
  type SparseOptions,
  statisticsOf,
} from "../../shared/segment/impacts.ts";
import { termIds } from "../../shared/segment/terms.ts";
import type { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import type { Corpus, CorpusDocument } from "../stages/encode-corpus.ts";
import type { RankedIds } from "./metrics.ts";

/** Documents with the vectors of their chunks. */
export interface DenseDocuments {
  readonly documents: readonly Pick<CorpusDocument, "firstChunk" | "passages">[];
  vector(chunk: number): Float32Array;
}

/** Cosine of a unit query and each document's best chunk. */
export function denseScores(corpus: DenseDocuments, query: Float32Array): Float64Array {
  return Float64Array.from(corpus.documents, ({ firstChunk, passages }) => {
    let best = Number.NEGATIVE_INFINITY;
    for (let chunk = firstChunk; chunk < firstChunk + passages.length; chunk++) {
      best = Math.max(best, dot(query, corpus.vector(chunk)));
    }
    return best;
  });
}

/** The sum of products of two vectors of one length. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}

/** The sparse side in full precision: a query's text to the scores of all documents. Tokens of queries weigh their idf unless said otherwise. */
export function sparseScorer(
  { documents }: Pick<Corpus, "documents">,
  tokenizer: Tokenizer,
  options: SparseOptions,
  weigh: (statistics: CollectionStatistics) => Float64Array = ({ idf }) => idf,
): (text: string) => Float64Array {
  const statistics = statisticsOf(
    documents.map(({ bag }) => bag),
    tokenizer.vocabulary,
  );
  const weights = weigh(statistics);
  const postings = new Map<number, [number, number][]>();
  documents.forEach(({ bag, learned }, document) => {
    const { ids, values } = impactsOf(bag, options.alpha > 0 ? learned : null, statistics, options);
    ids.forEach((id, at) => {
      const list = postings.get(id);
      if (list === undefined) postings.set(id, [[document, values[at]!]]);
      else list.push([document, values[at]!]);
    });
  });
  return (text) => {
    const scores = new Float64Array(documents.length);
    const { ids, counts } = bagOf(termIds(tokenizer, text));
    ids.forEach((id, at) => {
      const weight = counts[at]! * weights[id]!;
      for (const [document, value] of postings.get(id) ?? []) scores[document]! += weight * value;
    });
    return scores;
  };
}

/** Candidates of each side in the engine's usual pool. */
const POOL = { dense: 400, sparse: 200 } as const;

/** Min-max over the same pool as the engine's: the best 400 of the dense and 200 of the sparse side. -1 outside of it. */
export function hybridScores(dense: Float64Array, sparse: Float64Array, weight: number): Float64Array {
  const pool = new Set([
    ...best(dense, POOL.dense),
    ...best(sparse, POOL.sparse).filter((at) => sparse[at]! > 0),
  ]);
  const normal = (scores: Float64Array) => {
    const values = [...pool].map((at) => scores[at]!);
    const low = Math.min(...values);
    const width = Math.max(...values) - low;
    return (at: number) => (width > 0 ? (scores[at]! - low) / width : 0);
  };
  const [fromDense, fromSparse] = [normal(dense), normal(sparse)];
  return Float64Array.from(dense, (_, at) =>
    pool.has(at) ? weight * fromDense(at) + (1 - weight) * fromSparse(at) : -1,
  );
}

/** Places of the greatest scores, best first, ties to the earlier one. */
export function best(scores: Float64Array, count: number): number[] {
  return Array.from(scores.keys())
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, count);
}

/** The ids of the best `depth` whose score is above `floor`, best first. */
export function bestIds(
  ids: readonly string[],
  scores: Float64Array,
  depth: number,
  floor = Number.NEGATIVE_INFINITY,
): RankedIds {
  return best(scores, depth)
    .filter((at) => scores[at]! > floor)
    .map((at) => ids[at]!);
}
