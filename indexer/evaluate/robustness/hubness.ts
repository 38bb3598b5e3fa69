/**
 * Q8: documents that turn up for everything. N_10 of a document is in how many queries' first ten it is;
 * its skewness over the documents measures hubs (Radovanovic, Nanopoulos and Ivanovic 2010, JMLR 11, equation 1).
 */
import { mean } from "../evaluate.ts";
import type { RankedIds } from "../metrics.ts";
import { RANKERS } from "./rankers.ts";
import { figure, type Suite } from "./suite.ts";

export const hubness: Suite = {
  name: "hubness",
  async run({ rankAll, queries, full }) {
    const found = await rankAll(queries.map(({ text }) => text));
    return {
      suite: "hubness",
      measure:
        "Skewness of how often documents are among the first ten; share of queries that find the document found most; share of documents never found",
      unit: "queries",
      rows: RANKERS.map((ranker) => {
        const rankings = found.map((row) => row[ranker]);
        const counts = occurrences(rankings, full.ids);
        return {
          name: ranker,
          count: queries.length,
          figures: {
            "skewness of N_10": figure(skewness(counts)),
            "most popular": figure(Math.max(...counts) / rankings.length),
            "never found": figure(counts.filter((count) => count === 0).length / counts.length),
          },
        };
      }),
    };
  },
};

/** In how many rankings each document is. */
export function occurrences(rankings: readonly RankedIds[], ids: readonly string[]): readonly number[] {
  const counts = new Map(ids.map((id) => [id, 0]));
  for (const id of rankings.flat()) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts.values()];
}

/** The third central moment over the cube of the standard deviation; 0 where all values are equal. */
export function skewness(values: readonly number[]): number {
  const middle = mean(values);
  const moment = (power: number) => mean(values.map((value) => (value - middle) ** power));
  const variance = moment(2);
  return variance > 0 ? moment(3) / variance ** 1.5 : 0;
}
