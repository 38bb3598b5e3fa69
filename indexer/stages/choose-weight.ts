/** Corpus and table to the dense side's share in hybrid search, with no judgements: `indexer/fit/weight.ts`. */

import { LightedgeError } from "../../shared/errors.ts";
import {
  bagOf,
  type CollectionStatistics,
  impactsOf,
  type SparseOptions,
} from "../../shared/segment/impacts.ts";
import { termIds } from "../../shared/segment/terms.ts";
import type { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import { sumOfRows } from "../compress/decode-table.ts";
import type { Rotation } from "../compress/rotate.ts";
import type { Encoder, Encoding, SparseVector } from "../encode/encoder.ts";
import { type HeldOutScores, pickWeight, type WeightPoint, weightCurve } from "../fit/weight.ts";
import type { Progress } from "../progress.ts";
import { impactsLeft } from "../sparse/impacts-left.ts";
import type { Collection } from "./collect.ts";
import type { Corpus } from "./encode-corpus.ts";
import { cutQuestions, type HeldOut } from "./held-out.ts";
import { mixVectors } from "./mix.ts";
import type { BuiltTable } from "./table-source.ts";

/** What choosing needs beside the corpus. */
export interface WeightOptions {
  readonly encoder: Encoder;
  readonly tokenizer: Tokenizer;
  readonly rotation: Rotation;
  readonly task: string;
  readonly maxTokens: number;
  readonly statistics: CollectionStatistics;
  /** Sparse weight of each token id in a query. */
  readonly weights: Float64Array;
  /** The choice where too few questions can be cut. */
  readonly fallback: number;
  readonly sparse: SparseOptions;
  readonly table: BuiltTable;
  readonly mix: number;
}

/** A choice with what it rests on. */
export interface WeightChoice {
  readonly weight: number;
  readonly questions: number;
  readonly curve: readonly WeightPoint[];
}

/** Questions, and how many it takes to trust them. Documents that they are sought among, at most. */
const QUESTIONS = 400;
const LEAST_QUESTIONS = 50;
const DOCUMENTS = 10_000;
const SEED = 20_261;

/** Chooses the weight. Cost: `QUESTIONS` encodings, and as many exhaustive searches of `DOCUMENTS` documents. */
export async function chooseWeight(
  collection: Collection,
  corpus: Corpus,
  options: WeightOptions,
  progress: Progress,
): Promise<WeightChoice> {
  const stage = progress.stage("choose weight", QUESTIONS);
  const { documents, questions } = await drawQuestions(collection, corpus);
  const rests = await encodeRests(questions, options);
  if (rests === null) {
    stage.done(`${options.fallback}, for want of texts to cut questions from`);
    return { weight: options.fallback, questions: questions.length, curve: [] };
  }
  const search = searcher(corpus, documents, options);
  const scores = questions.map((question, at) => {
    stage.advance(1);
    const { dense, sparse } = rests[at]!;
    if (dense === null) throw new LightedgeError("internal", "The encoder left out a dense vector.");
    return search(question, Float32Array.from(dense), sparse);
  });
  const curve = weightCurve(scores);
  const weight = pickWeight(curve);
  stage.done(`${weight}, on ${questions.length} held-out texts`);
  return { weight, questions: questions.length, curve };
}

/** Questions cut out of documents of the corpus, and the documents that they are sought among. */
export async function drawQuestions(
  collection: Collection,
  corpus: Corpus,
): Promise<{ readonly documents: readonly number[]; readonly questions: readonly HeldOut[] }> {
  const stride = Math.max(1, corpus.documents.length / DOCUMENTS);
  const documents = Array.from({ length: Math.floor(corpus.documents.length / stride) }, (_, at) =>
    Math.floor(at * stride),
  );
  return { documents, questions: await cutQuestions(collection, corpus, documents, QUESTIONS, SEED) };
}

/** What is left of the questions' chunks, encoded; null where there are too few questions to trust. */
export async function encodeRests(
  questions: readonly HeldOut[],
  { encoder, task }: Pick<WeightOptions, "encoder" | "task">,
): Promise<readonly Encoding[] | null> {
  if (questions.length < LEAST_QUESTIONS) return null;
  const sparse = encoder.model.description.sparse !== null;
  return encoder.encode(
    questions.map(({ rest }) => rest),
    { role: "document", task, dense: true, sparse },
  );
}

/** Scores of all documents for a question, its own by what is left of it. */
function searcher(corpus: Corpus, documents: readonly number[], options: WeightOptions) {
  const { tokenizer, rotation, table, mix, maxTokens } = options;
  const { statistics, weights, sparse: sparseOptions } = options;
  const mixed = (vector: Float32Array, tokens: readonly number[]) => mixVectors(vector, tokens, table, mix);
  const vectors = documents.map((number) => {
    const { firstChunk, passages } = corpus.documents[number]!;
    return passages.map((_, at) => mixed(corpus.vector(firstChunk + at), corpus.tokens(firstChunk + at)));
  });
  const postings = postingsOf(corpus, documents, options);
  return (held: HeldOut, vector: Float32Array, learned: SparseVector | null): HeldOutScores => {
    const ids = tokenizer.ids(held.question);
    const query = sumOfRows(table, ids);
    const own = documents.indexOf(held.document);
    const best = (chunks: readonly Float32Array[]) =>
      chunks.reduce((most, chunk) => Math.max(most, dot(query, chunk)), Number.NEGATIVE_INFINITY);
    rotation.apply(vector, 0);
    const rest = mixed(vector, tokenizer.ids(held.rest, maxTokens));
    const dense = Float64Array.from(vectors, best);
    dense[own] = best(vectors[own]!.map((chunk, at) => (at === held.chunk ? rest : chunk)));
    const sparse = new Float64Array(documents.length);
    const cut = termIds(tokenizer, held.cut);
    const left = impactsLeft(corpus.documents[held.document]!, cut, learned, statistics, sparseOptions);
    const bag = bagOf(termIds(tokenizer, held.question));
    bag.ids.forEach((id, at) => {
      const weight = bag.counts[at]! * weights[id]!;
      for (const [number, impact] of postings.get(id) ?? [])
        if (number !== own) sparse[number]! += weight * impact;
      const kept = left.ids.indexOf(id);
      if (kept >= 0) sparse[own]! += weight * left.values[kept]!;
    });
    return { dense, sparse, own };
  };
}

function postingsOf(
  corpus: Corpus,
  documents: readonly number[],
  { statistics, sparse }: Pick<WeightOptions, "statistics" | "sparse">,
) {
  const postings = new Map<number, [number, number][]>();
  documents.forEach((document, number) => {
    const { bag, learned } = corpus.documents[document]!;
    const { ids, values } = impactsOf(bag, learned, statistics, sparse);
    ids.forEach((id, at) => {
      const list = postings.get(id);
      if (list === undefined) postings.set(id, [[number, values[at]!]]);
      else list.push([number, values[at]!]);
    });
  });
  return postings;
}

function dot(a: Float64Array, b: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}
