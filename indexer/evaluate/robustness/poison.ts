/**
 * Q9: passages written to be found by everybody. The attacker holds the table and half of the queries; the
 * other half is asked. Queries are grouped, and for each group a short list of words is made whose
 * row sum points to the group's middle, greedily and then flipping one word at a time (as Zhong et al. 2023,
 * arXiv 2310.19156, do by gradients; a table needs none, as every flip's effect is known exactly).
 *
 * The words are the attacker's guess at what the encoder makes of them; their passages then go through the
 * real encoder like any document. Only words that queries use are tried: a weaker attack than over the
 * whole vocabulary, with passages that no filter of odd tokens would catch.
 */

import { bagOf } from "../../../shared/segment/impacts.ts";
import { termIds } from "../../../shared/segment/terms.ts";
import { CLUSTERS_FROM } from "../../fit/clusters.ts";
import { Random } from "../../random.ts";
import { mixVectors } from "../../stages/mix.ts";
import { rulesOf } from "../../stages/query-rules.ts";
import { best, denseScores, hybridScores, sparseScorer } from "../brute-force.ts";
import { mean } from "../evaluate.ts";
import { type FullParts, fullVectors } from "../full-encoder.ts";
import { meanInterval } from "../intervals.ts";
import { clusters, lexiconOf, writePassage } from "./poison-words.ts";
import { TOP } from "./rankers.ts";
import { type Figure, figure, type Subject, type Suite, type SuiteRow } from "./suite.ts";

/** Passages that are tried, fewest first. */
const SIZES = [1, 2, 5, 10, 20, 50] as const;
/** Shares of the queries that an attacker may aim at. */
const GOALS = [0.1, 0.5] as const;
/** Held-out queries asked, at most. */
const ASKED = 300;

export const poison: Suite = {
  name: "poison",
  async run(subject) {
    const { queries, full, table, seed } = subject;
    const random = new Random(seed);
    const order = Array.from(random.permutation(queries.length), (at) => queries[at]!.text);
    const half = order.length >> 1;
    const lexicon = lexiconOf(order.slice(0, half), full.tokenizer, table);
    const known = order.slice(0, half).map((text) => table.encode(full.tokenizer.ids(text)));
    const centroids = clusters(known, Math.min(SIZES.at(-1)!, Math.max(1, half >> 2)), random);
    const passages = centroids.map((centroid) => writePassage(centroid, lexicon));
    const asked = order.slice(half, half + ASKED);
    const sizes = SIZES.filter((size) => size <= passages.length);
    const rows: SuiteRow[] = [];
    for (const size of sizes) {
      rows.push({
        name: `${size} ${size === 1 ? "passage" : "passages"}`,
        count: asked.length,
        figures: await shown(subject, passages.slice(0, size), asked),
      });
    }
    return {
      suite: "poison",
      measure:
        "Share of held-out queries with one of so many poisoned passages among the first ten; last, the fewest tried that reach a share (none: not reached)",
      unit: "queries",
      rows: [...rows, ...GOALS.map((goal) => needed(goal, rows, sizes))],
    };
  },
};

/** The fewest passages tried with which a share of the queries show one. */
function needed(goal: number, rows: readonly SuiteRow[], sizes: readonly number[]): SuiteRow {
  const columns = Object.keys(rows[0]?.figures ?? {});
  const figures = columns.flatMap((column): [string, Figure][] => {
    const at = rows.findIndex((row) => row.figures[column]!.value >= goal);
    return at < 0 ? [] : [[column, figure(sizes[at]!)]];
  });
  return {
    name: `passages for ${goal * 100} %`,
    count: rows[0]?.count ?? 0,
    figures: Object.fromEntries(figures),
  };
}

/** Which share of queries show a passage, by each way to rank: in full precision, the collection with the passages in it. */
async function shown(
  subject: Subject,
  passages: readonly string[],
  asked: readonly string[],
): Promise<Readonly<Record<string, Figure>>> {
  const { full, table, mixed } = subject;
  const legitimate = full.corpus.documents.length;
  const vectors = await fullVectors(passages, full, "document");
  const corpus = await withPassages(full, passages);
  const poisoned = passages.map((text, at) =>
    mixVectors(vectors[at]!, full.tokenizer.ids(text), table, rulesOf(full.encoder.model).mix),
  );
  const vectorsOf = (own: (chunk: number) => Float32Array, added: readonly Float32Array[]) => ({
    documents: corpus.documents,
    vector: (chunk: number) => (chunk < full.corpus.chunks ? own(chunk) : added[chunk - full.corpus.chunks]!),
  });
  const byTable = vectorsOf(mixed, poisoned);
  const byEncoder = vectorsOf((chunk) => full.corpus.vector(chunk), vectors);
  const rules = rulesOf(full.encoder.model);
  const options = rules.sparse(full.corpus.chunks >= CLUSTERS_FROM);
  const sparse = sparseScorer(corpus, full.tokenizer, options, rules.weights);
  const queries = await fullVectors(asked, full, "query");
  const hits = asked.map((text, at) => {
    const dense = denseScores(byTable, table.encode(full.tokenizer.ids(text)));
    const words = sparse(text);
    const shows = (scores: Float64Array) => (best(scores, TOP).some((place) => place >= legitimate) ? 1 : 0);
    return {
      dense: shows(dense),
      hybrid: shows(hybridScores(dense, words, full.weight)),
      sparse: shows(words),
      "full-dense": shows(denseScores(byEncoder, queries[at]!)),
    };
  });
  const share = (name: keyof (typeof hits)[number]) => {
    const values = hits.map((hit) => hit[name]);
    return figure(mean(values), meanInterval(values));
  };
  return {
    hybrid: share("hybrid"),
    dense: share("dense"),
    sparse: share("sparse"),
    "full-dense": share("full-dense"),
  };
}

/** The documents of a corpus and the passages behind them, each of one chunk. */
async function withPassages({ corpus, encoder, tokenizer, task }: FullParts, passages: readonly string[]) {
  const sparse = encoder.model.description.sparse !== null;
  const encodings = sparse
    ? await encoder.encode(passages, { role: "document", task, dense: false, sparse })
    : [];
  const added = passages.map((text, at) => ({
    firstChunk: corpus.chunks + at,
    passages: [{ start: 0, end: text.length }],
    bag: bagOf(termIds(tokenizer, text)),
    learned: encodings[at]?.sparse ?? null,
  }));
  return { documents: [...corpus.documents, ...added] };
}
