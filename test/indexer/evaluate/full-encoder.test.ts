import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRotation, ROTATION } from "../../../indexer/compress/rotate.ts";
import type { TestCollection } from "../../../indexer/evaluate/collection.ts";
import { evaluationOf, rankIndex } from "../../../indexer/evaluate/evaluate.ts";
import { type FullRankings, fullRankings, openFullParts } from "../../../indexer/evaluate/full-encoder.ts";
import type { RankedIds } from "../../../indexer/evaluate/metrics.ts";
import { SILENT } from "../../../indexer/progress.ts";
import { type Collection, collect } from "../../../indexer/stages/collect.ts";
import { type Corpus, encodeCorpus } from "../../../indexer/stages/encode-corpus.ts";
import type { OpenIndex } from "../../../shared/engine/api.ts";
import { loadTokenizer } from "../../../shared/tokenizer/load.ts";
import type { Mode } from "../../../shared/types.ts";
import { buildTiny, openTiny, requestFor } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { TINY_TOKENIZER, TOPICS, tinyEncoder } from "../../helpers/tiny-encoder.ts";

const DOCUMENTS = tinyDocuments(200);
const source = sourceOf(DOCUMENTS);
const encoder = tinyEncoder();
const tokenizer = loadTokenizer(TINY_TOKENIZER);
const rotation = createRotation(ROTATION, encoder.model.description.dimension);
const QUERIES = TOPICS.map((words) => words.slice(2, 6).join(" "));

let documents: Collection;
let corpus: Corpus;
let index: OpenIndex;
let full: FullRankings;

beforeAll(async () => {
  const { store } = await buildTiny({ source });
  index = await openTiny(store, "wasm");
  documents = await collect(source, SILENT);
  const options = { encoder, tokenizer, rotation, task: "search", maxTokens: 24, overlapTokens: 0 };
  corpus = await encodeCorpus(documents, options, SILENT);
  full = await fullRankings(QUERIES, {
    ids: documents.ids,
    corpus,
    encoder,
    tokenizer,
    task: "search",
    queryTask: "search",
    rotate: (vector) => rotation.apply(vector, 0),
    weight: 0.5,
  });
});
afterAll(() => documents.close());

/** Mean share of the first `depth` documents that the engine and a ranking have in common. */
async function agreement(rankings: readonly RankedIds[], mode: Mode, depth: number): Promise<number> {
  let common = 0;
  for (const [at, q] of QUERIES.entries()) {
    const { hits } = await index.search(requestFor(q, { mode, limit: depth }));
    const wanted = new Set(rankings[at]!.slice(0, depth));
    common += hits.filter(({ id }) => wanted.has(id)).length / Math.min(depth, wanted.size);
  }
  return common / QUERIES.length;
}

describe("the full encoder's rankings", () => {
  it("agree with the engine's for the most part, as the table only stands in for the encoder", async () => {
    expect(await agreement(full["full-dense"], "dense", 10)).toBeGreaterThan(0.6);
    expect(await agreement(full["full-hybrid"], "hybrid", 10)).toBeGreaterThan(0.7);
  });

  it("order by the cosine of the query's own vector and each document's best chunk", async () => {
    const wanted = { role: "query", task: "search", dense: true, sparse: false } as const;
    const encodings = await encoder.encode(QUERIES, wanted);
    for (const [at, { dense }] of encodings.entries()) {
      const query = Float32Array.from(dense!);
      rotation.apply(query, 0);
      const best = (id: string) => {
        const { firstChunk, passages } = corpus.documents[documents.ids.indexOf(id)]!;
        return Math.max(
          ...passages.map((_, chunk) =>
            corpus.vector(firstChunk + chunk).reduce((sum, value, j) => sum + value * query[j]!, 0),
          ),
        );
      };
      const scores = full["full-dense"][at]!.map(best);
      scores.slice(1).forEach((score, i) => {
        expect(score).toBeLessThanOrEqual(scores[i]! + 1e-6);
      });
    }
  });

  it("of BM25 hold documents with a word of the query and no others", () => {
    for (const [at, query] of QUERIES.entries()) {
      const words = query.split(" ");
      const has = DOCUMENTS.filter(({ fields }) =>
        `${fields.title ?? ""} ${fields.text ?? ""}`
          .toLowerCase()
          .split(/\W+/u)
          .some((word) => words.includes(word)),
      );
      const found = full.bm25[at]!;
      expect(found.length).toBe(Math.min(100, has.length));
      const ids = new Set(has.map(({ id }) => id));
      expect(found.filter((id) => !ids.has(id))).toEqual([]);
    }
  });
});

describe("an evaluation", () => {
  it("has the measures of every mode, and with the full encoder what the table keeps", async () => {
    const judged: TestCollection = {
      name: "tiny",
      folder: "",
      queries: QUERIES.map((text, at) => ({
        id: `q${at}`,
        text,
        grades: new Map(full["full-dense"][at]!.slice(0, 5).map((id) => [id, 1])),
      })),
    };
    const rankings = await rankIndex(index, judged, SILENT);
    const counts = { documents: DOCUMENTS.length, chunks: DOCUMENTS.length, rejected: 0 };
    const facts = { counts, fusion: { rule: "minmax", weight: 0.65 } } as const;
    const evaluation = evaluationOf(judged, facts, rankings);
    expect(Object.keys(evaluation.modes)).toEqual(["hybrid", "dense", "sparse"]);
    expect(evaluation.kept).toBeUndefined();
    const parts = await openFullParts(index, { source, encoder, overlapTokens: 0 }, SILENT);
    const beside = await fullRankings(QUERIES, parts);
    expect(beside).toEqual(full);
    const complete = evaluationOf(judged, facts, { ...rankings, ...beside });
    expect(complete).toMatchObject({
      collection: "tiny",
      queries: QUERIES.length,
      documents: DOCUMENTS.length,
    });
    // Judged by the full encoder's own first five, it is perfect.
    expect(complete.modes["full-dense"]!["ndcg@10"]).toBe(1);
    expect(complete.modes["full-dense"]!["mrr@10"]).toBe(1);
    expect(complete.kept!.dense).toBe(complete.modes.dense!["ndcg@10"]);
    expect(complete.kept!.dense).toBeGreaterThan(0.6);
    for (const scores of Object.values(complete.modes))
      for (const value of Object.values(scores)) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
      }
    const { "ndcg@10": intervals, kept } = complete.intervals;
    expect(Object.keys(intervals)).toEqual(Object.keys(complete.modes));
    for (const [mode, { low, high }] of Object.entries(intervals)) {
      expect(low).toBeLessThanOrEqual(complete.modes[mode]!["ndcg@10"]);
      expect(high).toBeGreaterThanOrEqual(complete.modes[mode]!["ndcg@10"]);
    }
    // Against an encoder that is perfect for every query, what is kept is the mode's own mean.
    expect(kept!.dense).toEqual(intervals.dense);
  });
});
