/**
 * Two documents and two queries, each query answered by the document of its number. A pair is told
 * apart where both queries prefer their own document (NevIR, arXiv 2305.07614): chance is 25 %, and 50 %
 * for a query alone. A tie counts half for the query and nothing for the pair.
 */

import {
  bagOf,
  impactsOf,
  SPARSE_OPTIONS,
  type SparseOptions,
  statisticsOf,
} from "../../../shared/segment/impacts.ts";
import { termIds } from "../../../shared/segment/terms.ts";
import { mixVectors } from "../../stages/mix.ts";
import { rulesOf } from "../../stages/query-rules.ts";
import { dot } from "../brute-force.ts";
import { mean } from "../evaluate.ts";
import { fullVectors } from "../full-encoder.ts";
import { meanInterval } from "../intervals.ts";
import { figure, type Subject, type SuiteRow } from "./suite.ts";

/** One pair. */
export interface Pair {
  readonly documents: readonly [string, string];
  readonly queries: readonly [string, string];
}

/** The four scores of a pair: of each query its own document's and the other's. */
export type PairScores = readonly (readonly [own: number, other: number])[];

/** Scores of a query number against both documents. */
type Score = (pair: Pair, query: 0 | 1, document: 0 | 1) => number;

/** One row for each scorer: the table, the full encoder, the index's sparse side, BM25. */
export async function pairRows(
  subject: Subject,
  name: string,
  pairs: readonly Pair[],
): Promise<readonly SuiteRow[]> {
  const scorers: Readonly<Record<string, Score>> = {
    ...(await denseScores(subject, pairs)),
    ...(await sparseScores(subject, pairs)),
  };
  return Object.entries(scorers).map(([scorer, score]) => {
    const found = pairs.map(
      (pair): PairScores => [
        [score(pair, 0, 0), score(pair, 0, 1)],
        [score(pair, 1, 1), score(pair, 1, 0)],
      ],
    );
    return { name: `${name}: ${scorer}`, count: pairs.length, figures: figuresOf(found, scorer) };
  });
}

/** Pairs and queries that are right, and by how much a query prefers its own document, in cosine. */
export function figuresOf(scores: readonly PairScores[], scorer = "table") {
  const pairsRight = scores.map((pair) => (pair.every(([own, other]) => own > other) ? 1 : 0));
  const queriesRight = scores.map((pair) =>
    mean(pair.map(([own, other]) => (own > other ? 1 : own === other ? 0.5 : 0))),
  );
  const margins = scores.map((pair) => mean(pair.map(([own, other]) => own - other)));
  const isCosine = scorer === "table" || scorer === "full encoder";
  return {
    "pairs right": figure(mean(pairsRight), meanInterval(pairsRight)),
    "queries right": figure(mean(queriesRight), meanInterval(queriesRight)),
    ...(isCosine ? { "mean margin": figure(mean(margins), meanInterval(margins)) } : {}),
  };
}

async function denseScores(
  { full, table }: Subject,
  pairs: readonly Pair[],
): Promise<Readonly<Record<string, Score>>> {
  const { tokenizer } = full;
  const encode = async (texts: readonly string[], role: "query" | "document") => {
    const distinct = [...new Set(texts)];
    const vectors = await fullVectors(distinct, full, role);
    return new Map(distinct.map((text, at) => [text, vectors[at]!]));
  };
  const texts = pairs.flatMap((pair) => pair.documents);
  const documents = await encode(texts, "document");
  const asked = pairs.flatMap((pair) => pair.queries);
  const queries = await encode(asked, "query");
  const sums = new Map(asked.map((text) => [text, table.encode(tokenizer.ids(text))]));
  const { mix } = rulesOf(full.encoder.model);
  const mixed = new Map(
    texts.map((text) => [text, mixVectors(documents.get(text)!, tokenizer.ids(text), table, mix)]),
  );
  const cosine =
    (of: ReadonlyMap<string, Float32Array>, against: ReadonlyMap<string, Float32Array>): Score =>
    (pair, query, document) =>
      dot(of.get(pair.queries[query])!, against.get(pair.documents[document])!);
  return { table: cosine(sums, mixed), "full encoder": cosine(queries, documents) };
}

/** Both sparse sides, with the collection's statistics. */
async function sparseScores(
  { full }: Subject,
  pairs: readonly Pair[],
): Promise<Readonly<Record<string, Score>>> {
  const { tokenizer, corpus, encoder, task } = full;
  const statistics = statisticsOf(
    corpus.documents.map((document) => document.bag),
    tokenizer.vocabulary,
  );
  const sparse = encoder.model.description.sparse !== null;
  const texts = [...new Set(pairs.flatMap((pair) => pair.documents))];
  const encodings = sparse
    ? await encoder.encode(texts, { role: "document", task, dense: false, sparse })
    : [];
  const learned = new Map(texts.map((text, at) => [text, encodings[at]?.sparse ?? null]));
  const rules = rulesOf(encoder.model);
  const scorer =
    (options: SparseOptions, weights: Float64Array): Score =>
    ({ documents, queries }, query, document) => {
      const text = documents[document];
      const expansion = options.alpha > 0 ? learned.get(text)! : null;
      const { ids, values } = impactsOf(bagOf(termIds(tokenizer, text)), expansion, statistics, options);
      const impacts = new Map(Array.from(ids, (id, at) => [id, values[at]!]));
      const asked = bagOf(termIds(tokenizer, queries[query]));
      return asked.ids.reduce(
        (sum, id, at) => sum + asked.counts[at]! * weights[id]! * (impacts.get(id) ?? 0),
        0,
      );
    };
  return {
    sparse: scorer(rules.sparse(false), rules.weights(statistics)),
    bm25: scorer({ ...SPARSE_OPTIONS, alpha: 0 }, statistics.idf),
  };
}
