/** An index measured on a test collection, with what it stands in for beside it. */
import type { OpenIndex } from "../../shared/engine/api.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import { MODES } from "../../shared/types.ts";
import { createRotation, ROTATION } from "../compress/rotate.ts";
import type { Encoder } from "../encode/encoder.ts";
import type { Progress } from "../progress.ts";
import type { Source } from "../sources/source.ts";
import { collect } from "../stages/collect.ts";
import { encodeCorpus } from "../stages/encode-corpus.ts";
import type { TestCollection } from "./collection.ts";
import { fullRankings } from "./full-encoder.ts";
import { DEPTH, type RankedIds, type Scores, score } from "./metrics.ts";

/** What `lightedge eval --json` prints. */
export interface Evaluation {
  readonly collection: string;
  readonly queries: number;
  readonly documents: number;
  /** `hybrid`, `dense`, `sparse`; with `--full` also `full-dense`, `full-hybrid`, `bm25`. */
  readonly modes: Readonly<Record<string, Scores>>;
  /** With `--full`: the table's nDCG@10 divided by the full encoder's. */
  readonly kept?: { readonly dense: number; readonly hybrid: number; readonly "hybrid/full-dense": number };
}

/** Ranks every query of a collection with an index, in each mode. */
export async function evaluateIndex(
  index: OpenIndex,
  collection: TestCollection,
  progress: Progress,
): Promise<Evaluation> {
  const stage = progress.stage("search", MODES.length * collection.queries.length);
  const modes: Record<string, Scores> = {};
  for (const mode of MODES) {
    const rankings: RankedIds[] = [];
    for (const { text } of collection.queries) {
      const answer = await index.search({
        q: text,
        mode,
        limit: DEPTH,
        offset: 0,
        explain: false,
        fields: [],
      });
      rankings.push(answer.hits.map(({ id }) => id));
      stage.advance(1);
    }
    modes[mode] = score(rankings, grades(collection));
  }
  stage.done();
  const { documents } = index.manifest.counts;
  return { collection: collection.name, queries: collection.queries.length, documents, modes };
}

/** The same collection by the full encoder and by BM25, added to an evaluation. */
export async function evaluateFull(
  evaluation: Evaluation,
  index: OpenIndex,
  collection: TestCollection,
  parts: { readonly source: Source; readonly encoder: Encoder; readonly overlapTokens: number },
  progress: Progress,
): Promise<Evaluation> {
  const { encoder } = parts;
  const { description } = encoder.model;
  const task = index.manifest.tasks[0]!.name;
  const tokenizer = loadTokenizer(encoder.model.tokenizer);
  const rotation = createRotation(ROTATION, description.dimension);
  const documents = await collect(parts.source, progress);
  try {
    const maxTokens = encoder.model.maxTextTokens(task, "document");
    const corpus = await encodeCorpus(
      documents,
      { encoder, tokenizer, rotation, task, maxTokens, overlapTokens: parts.overlapTokens },
      progress,
    );
    const stage = progress.stage("rank with the full encoder", 0);
    const rankings = await fullRankings(
      collection.queries.map(({ text }) => text),
      {
        ids: documents.ids,
        corpus,
        encoder,
        tokenizer,
        task,
        rotate: (vector) => rotation.apply(vector, 0),
        weight: index.manifest.fusion.weight,
      },
    );
    stage.done();
    const full = Object.fromEntries(
      Object.entries(rankings).map(([mode, ranked]) => [mode, score(ranked, grades(collection))]),
    );
    const modes: Readonly<Record<string, Scores>> = { ...evaluation.modes, ...full };
    const ratio = (a: string, b: string) => modes[a]!["ndcg@10"] / modes[b]!["ndcg@10"];
    const kept = {
      dense: ratio("dense", "full-dense"),
      hybrid: ratio("hybrid", "full-hybrid"),
      "hybrid/full-dense": ratio("hybrid", "full-dense"),
    };
    return { ...evaluation, modes, kept };
  } finally {
    await documents.close();
  }
}

function grades(collection: TestCollection) {
  return collection.queries.map((query) => query.grades);
}
