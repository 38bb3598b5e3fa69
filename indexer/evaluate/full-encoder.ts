/**
 * What the index stands in for: the full encoder on the query, in full precision, over
 * all documents by brute force; its hybrid with the index's own sparse side; and plain
 * BM25. The twin of the engine: slow, simple, and sharing none of its code but fusion.
 */
import type { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import type { Encoder } from "../encode/encoder.ts";
import { bagOf, impactsOf, SPARSE_OPTIONS, type SparseOptions, statisticsOf } from "../sparse/impacts.ts";
import type { Corpus } from "../stages/encode-corpus.ts";
import { DEPTH, type RankedIds } from "./metrics.ts";

/** What a full ranking needs: the corpus as encoded, without any table in it. */
export interface FullParts {
  readonly ids: readonly string[];
  readonly corpus: Corpus;
  readonly encoder: Encoder;
  readonly tokenizer: Tokenizer;
  readonly task: string;
  /** Turns a query's vector into the corpus's space, in place. */
  readonly rotate: (vector: Float32Array) => void;
  /** Dense share of the hybrid, as the index has it. */
  readonly weight: number;
}

/** The rankings of every query: rows go with the queries. */
export interface FullRankings {
  readonly "full-dense": readonly RankedIds[];
  readonly "full-hybrid": readonly RankedIds[];
  readonly bm25: readonly RankedIds[];
}

/** Ranks all documents for every query. Cost: queries x chunks x dimension. */
export async function fullRankings(queries: readonly string[], parts: FullParts): Promise<FullRankings> {
  const { corpus, ids, weight } = parts;
  const encodings = await parts.encoder.encode(queries, {
    role: "query",
    task: parts.task,
    dense: true,
    sparse: false,
  });
  const sparse = sparseScorer(parts, SPARSE_OPTIONS);
  const bm25 = sparseScorer(parts, { ...SPARSE_OPTIONS, alpha: 0 });
  const rankings = {
    "full-dense": [] as RankedIds[],
    "full-hybrid": [] as RankedIds[],
    bm25: [] as RankedIds[],
  };
  queries.forEach((text, at) => {
    const vector = Float32Array.from(encodings[at]!.dense!);
    parts.rotate(vector);
    const dense = denseScores(corpus, vector);
    const words = sparse(text);
    rankings["full-dense"].push(top(ids, dense, () => true));
    rankings["full-hybrid"].push(hybrid(ids, dense, words, weight));
    const lexical = bm25(text);
    rankings.bm25.push(top(ids, lexical, (document) => lexical[document]! > 0));
  });
  return rankings;
}

/** Cosine of the query and each document's best chunk. */
function denseScores(corpus: Corpus, query: Float32Array): Float64Array {
  return Float64Array.from(corpus.documents, ({ firstChunk, passages }) => {
    let best = Number.NEGATIVE_INFINITY;
    for (let chunk = firstChunk; chunk < firstChunk + passages.length; chunk++) {
      const vector = corpus.vector(chunk);
      let dot = 0;
      for (let j = 0; j < query.length; j++) dot += query[j]! * vector[j]!;
      best = Math.max(best, dot);
    }
    return best;
  });
}

/** The sparse side in full precision. */
function sparseScorer(
  { corpus, tokenizer }: FullParts,
  options: SparseOptions,
): (text: string) => Float64Array {
  const statistics = statisticsOf(
    corpus.documents.map(({ bag }) => bag),
    tokenizer.vocabulary,
  );
  const postings = new Map<number, [number, number][]>();
  corpus.documents.forEach(({ bag, learned }, document) => {
    const { ids, values } = impactsOf(bag, options.alpha > 0 ? learned : null, statistics, options);
    ids.forEach((id, at) => {
      const list = postings.get(id);
      if (list === undefined) postings.set(id, [[document, values[at]!]]);
      else list.push([document, values[at]!]);
    });
  });
  return (text) => {
    const scores = new Float64Array(corpus.documents.length);
    const { ids, counts } = bagOf(tokenizer.ids(text));
    ids.forEach((id, at) => {
      const weight = counts[at]! * statistics.idf[id]!;
      for (const [document, value] of postings.get(id) ?? []) scores[document]! += weight * value;
    });
    return scores;
  };
}

/** Candidates of each side in the engine's usual pool. */
const POOL = { dense: 400, sparse: 200 } as const;

/** Min-max over the same pool as the engine's: the best 400 of the dense and 200 of the sparse side. */
function hybrid(
  ids: readonly string[],
  dense: Float64Array,
  sparse: Float64Array,
  weight: number,
): RankedIds {
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
  const fused = Float64Array.from(dense, (_, at) =>
    pool.has(at) ? weight * fromDense(at) + (1 - weight) * fromSparse(at) : 0,
  );
  return top(ids, fused, (at) => pool.has(at));
}

/** Places of the greatest scores, best first, ties to the earlier one. */
function best(scores: Float64Array, count: number): number[] {
  return Array.from(scores.keys())
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, count);
}

function top(ids: readonly string[], scores: Float64Array, takesPart: (at: number) => boolean): RankedIds {
  return best(scores, scores.length)
    .filter(takesPart)
    .slice(0, DEPTH)
    .map((at) => ids[at]!);
}
