/** Measures of a ranking against judgements, as trec_eval has them. */

/** Ids of documents, best first. */
export type RankedIds = readonly string[];
/** Grade of each relevant document, above 0. */
export type Grades = ReadonlyMap<string, number>;

/** The measures that every evaluation reports, each the mean over the queries. */
export interface Scores {
  readonly "ndcg@10": number;
  readonly "recall@100": number;
  readonly "mrr@10": number;
}

/** Documents of a ranking that the measures look at. */
export const DEPTH = 100;

/** Normalised discounted cumulative gain with the grade itself as gain (Jarvelin and Kekalainen 2002), 0 to 1. */
export function ndcg(ranking: RankedIds, grades: Grades, depth: number): number {
  const ideal = [...grades.values()].sort((a, b) => b - a);
  const best = gain(ideal.slice(0, depth));
  return best > 0 ? gain(ranking.slice(0, depth).map((id) => grades.get(id) ?? 0)) / best : 0;
}

function gain(grades: readonly number[]): number {
  return grades.reduce((sum, grade, at) => sum + grade / Math.log2(at + 2), 0);
}

/** Share of the relevant documents among the first `depth`, 0 to 1. */
export function recall(ranking: RankedIds, grades: Grades, depth: number): number {
  return ranking.slice(0, depth).filter((id) => grades.has(id)).length / grades.size;
}

/** 1 / place of the first relevant document, 0 where none is among the first `depth`. */
export function reciprocalRank(ranking: RankedIds, grades: Grades, depth: number): number {
  const at = ranking.slice(0, depth).findIndex((id) => grades.has(id));
  return at < 0 ? 0 : 1 / (at + 1);
}

/** The mean of every measure over rankings and their judgements, in the same order. */
export function score(rankings: readonly RankedIds[], judgements: readonly Grades[]): Scores {
  const mean = (measure: (ranking: RankedIds, grades: Grades) => number) =>
    rankings.reduce((sum, ranking, at) => sum + measure(ranking, judgements[at]!), 0) /
    Math.max(1, rankings.length);
  return {
    "ndcg@10": mean((ranking, grades) => ndcg(ranking, grades, 10)),
    "recall@100": mean((ranking, grades) => recall(ranking, grades, DEPTH)),
    "mrr@10": mean((ranking, grades) => reciprocalRank(ranking, grades, 10)),
  };
}
