/**
 * What the index stands in for: the full encoder on the query, in full precision, over
 * all documents by brute force; its hybrid with the index's own sparse side; and plain
 * BM25.
 */
import type { OpenIndex } from "../../shared/engine/api.ts";
import { SPARSE_OPTIONS } from "../../shared/segment/impacts.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import type { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import { createRotation, ROTATION } from "../compress/rotate.ts";
import type { Encoder } from "../encode/encoder.ts";
import { CLUSTERS_FROM } from "../fit/clusters.ts";
import type { Progress } from "../progress.ts";
import type { Source } from "../sources/source.ts";
import { collect } from "../stages/collect.ts";
import { type Corpus, encodeCorpus } from "../stages/encode-corpus.ts";
import { rulesOf } from "../stages/query-rules.ts";
import { bestIds, denseScores, hybridScores, sparseScorer } from "./brute-force.ts";
import { DEPTH, type RankedIds } from "./metrics.ts";

/** What a full ranking needs: the corpus as encoded, without any table in it. */
export interface FullParts {
  readonly ids: readonly string[];
  readonly corpus: Corpus;
  readonly encoder: Encoder;
  readonly tokenizer: Tokenizer;
  /** That documents are encoded for, and that of the queries. */
  readonly task: string;
  readonly queryTask: string;
  /** Turns a vector of the encoder into the corpus's space, in place. */
  readonly rotate: (vector: Float32Array) => void;
  /** Dense share of the hybrid, as the index has it. */
  readonly weight: number;
}

/** Encodes the collection that an index was made from: from the cache where it was made here. */
export async function openFullParts(
  index: OpenIndex,
  from: {
    readonly source: Source;
    readonly encoder: Encoder;
    readonly overlapTokens: number;
    /** Of the queries; the index's first when absent. */
    readonly task?: string | undefined;
  },
  progress: Progress,
): Promise<FullParts> {
  const { encoder, overlapTokens } = from;
  const task = index.manifest.tasks[0]!.name;
  const tokenizer = loadTokenizer(encoder.model.tokenizer);
  const rotation = createRotation(ROTATION, encoder.model.dimension);
  const documents = await collect(from.source, progress);
  try {
    const maxTokens = encoder.model.maxTextTokens(task, "document");
    const options = { encoder, tokenizer, rotation, task, maxTokens, overlapTokens };
    const corpus = await encodeCorpus(documents, options, progress);
    return {
      ids: documents.ids,
      corpus,
      encoder,
      tokenizer,
      task,
      queryTask: from.task ?? task,
      rotate: (vector) => rotation.apply(vector, 0),
      weight: index.manifest.fusion.weight,
    };
  } finally {
    await documents.close();
  }
}

/** The rankings of every query: rows go with the queries. */
export interface FullRankings {
  readonly "full-dense": readonly RankedIds[];
  readonly "full-hybrid": readonly RankedIds[];
  readonly bm25: readonly RankedIds[];
}

/** Ranks all documents for every query. Cost: queries x chunks x dimension. */
export async function fullRankings(queries: readonly string[], parts: FullParts): Promise<FullRankings> {
  const rank = fullRanker(parts, DEPTH);
  const vectors = await fullVectors(queries, parts, "query");
  const rows = queries.map((text, at) => rank(text, vectors[at]!));
  return {
    "full-dense": rows.map((row) => row["full-dense"]),
    "full-hybrid": rows.map((row) => row["full-hybrid"]),
    bm25: rows.map((row) => row.bm25),
  };
}

/** Ranks by a query's text and its vector by the full encoder, `depth` documents deep. */
export function fullRanker(
  { corpus, ids, encoder, tokenizer, weight }: FullParts,
  depth: number,
): (text: string, vector: Float32Array) => Readonly<Record<keyof FullRankings, RankedIds>> {
  const rules = rulesOf(encoder.model);
  const options = rules.sparse(corpus.chunks >= CLUSTERS_FROM);
  const sparse = sparseScorer(corpus, tokenizer, options, rules.weights);
  const bm25 = sparseScorer(corpus, tokenizer, { ...SPARSE_OPTIONS, alpha: 0 });
  return (text, vector) => {
    const dense = denseScores(corpus, vector);
    return {
      "full-dense": bestIds(ids, dense, depth),
      // Below 0 is what no side proposed.
      "full-hybrid": bestIds(ids, hybridScores(dense, sparse(text), weight), depth, -0.5),
      bm25: bestIds(ids, bm25(text), depth, 0),
    };
  };
}

/** Vectors of texts by the full encoder, in the corpus's space. */
export async function fullVectors(
  texts: readonly string[],
  { encoder, task: documentTask, queryTask, rotate }: FullParts,
  role: "query" | "document",
): Promise<readonly Float32Array[]> {
  const task = role === "query" ? queryTask : documentTask;
  const encodings = await encoder.encode(texts, { role, task, dense: true, sparse: false });
  return encodings.map(({ dense }) => {
    const vector = Float32Array.from(dense!);
    rotate(vector);
    return vector;
  });
}
