/** An index measured on a test collection, with what it stands in for beside it. */
import type { OpenIndex } from "../../shared/engine/api.ts";
import type { Manifest } from "../../shared/format/manifest.ts";
import { MODES, type Mode, type SearchRequest } from "../../shared/types.ts";
import type { Progress } from "../progress.ts";
import type { JudgedQuery, TestCollection } from "./collection.ts";
import { type Interval, meanInterval, ratioInterval } from "./intervals.ts";
import { DEPTH, ndcg, type RankedIds, type Scores, score } from "./metrics.ts";

/** Rankings by mode; those of a mode go with the queries. */
export type Rankings = Readonly<Record<string, readonly RankedIds[]>>;

/** What the table keeps of the full encoder: nDCG@10 of the one divided by the other's. */
export interface Kept<T> {
  readonly dense: T;
  readonly hybrid: T;
  readonly "hybrid/full-dense": T;
}

/** What `lightedge eval --json` prints. */
export interface Evaluation {
  readonly collection: string;
  readonly queries: number;
  readonly documents: number;
  /** Dense share of hybrid search, as the index has it. */
  readonly weight: number;
  /** `hybrid`, `dense`, `sparse`; with `--full` also `full-dense`, `full-hybrid`, `bm25`. */
  readonly modes: Readonly<Record<string, Scores>>;
  /** With `--full`. */
  readonly kept?: Kept<number>;
  /** 95 % intervals over the queries: of each mode's nDCG@10, and of what is kept. */
  readonly intervals: {
    readonly "ndcg@10": Readonly<Record<string, Interval>>;
    readonly kept?: Kept<Interval>;
  };
}

/** Ids of the documents found for a text, best first. What `rest` leaves out is the index's own choice. */
export async function searchIds(
  index: OpenIndex,
  text: string,
  mode: Mode,
  depth: number,
  rest: Pick<SearchRequest, "weight" | "typos" | "task"> = {},
): Promise<RankedIds> {
  const answer = await index.search({
    q: text,
    mode,
    limit: depth,
    offset: 0,
    explain: false,
    fields: [],
    ...rest,
  });
  return answer.hits.map(({ id }) => id);
}

/** Ranks every query of a collection with an index, in each mode, by the table of a task; the index's first when absent. */
export async function rankIndex(
  index: OpenIndex,
  { queries }: Pick<TestCollection, "queries">,
  progress: Progress,
  task?: string,
): Promise<Rankings> {
  const stage = progress.stage("search", MODES.length * queries.length);
  const rankings: Record<string, readonly RankedIds[]> = {};
  for (const mode of MODES) {
    const found: RankedIds[] = [];
    for (const { text } of queries) {
      found.push(await searchIds(index, text, mode, DEPTH, task === undefined ? {} : { task }));
      stage.advance(1);
    }
    rankings[mode] = found;
  }
  stage.done();
  return rankings;
}

/** The measures of rankings; with those of the full encoder among them also what is kept of it. */
export function evaluationOf(
  collection: TestCollection,
  { counts, fusion }: Pick<Manifest, "counts" | "fusion">,
  rankings: Rankings,
): Evaluation {
  const { name, queries } = collection;
  const grades = queries.map((query) => query.grades);
  const gains = byMode(rankings, (ranked) => gainsOf(ranked, queries));
  const full = "full-dense" in rankings;
  const kept = <T>(ratio: (above: readonly number[], below: readonly number[]) => T): Kept<T> => ({
    dense: ratio(gains.dense!, gains["full-dense"]!),
    hybrid: ratio(gains.hybrid!, gains["full-hybrid"]!),
    "hybrid/full-dense": ratio(gains.hybrid!, gains["full-dense"]!),
  });
  return {
    collection: name,
    queries: queries.length,
    documents: counts.documents,
    weight: fusion.weight,
    modes: byMode(rankings, (ranked) => score(ranked, grades)),
    ...(full ? { kept: kept((above, below) => mean(above) / mean(below)) } : {}),
    intervals: { "ndcg@10": byMode(gains, meanInterval), ...(full ? { kept: kept(ratioInterval) } : {}) },
  };
}

/** nDCG@10 of each query. */
export function gainsOf(rankings: readonly RankedIds[], queries: readonly JudgedQuery[]): readonly number[] {
  return rankings.map((ranking, at) => ndcg(ranking, queries[at]!.grades, 10));
}

function byMode<A, B>(values: Readonly<Record<string, A>>, of: (value: A) => B): Readonly<Record<string, B>> {
  return Object.fromEntries(Object.entries(values).map(([mode, value]) => [mode, of(value)]));
}

/** The mean; not a number for none. */
export function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
